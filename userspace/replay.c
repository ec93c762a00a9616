// SPDX-License-Identifier: GPL-2.0
#include "replay.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "headers.h"
#include "recording_reader.h"

/* Entries in a row, then it looks whether it was told to end. */
#define BATCH 8192

struct file {
	const char *path;
	uint64_t number; /* in the series */
};

struct shk_replay {
	struct shk_replay_config config;
	struct shk_outlet *outlet;
	struct shk_filter_program filter; /* .len 0: everything passes */
	struct shk_replay_totals totals;
	struct shk_summary counts; /* of what was told; those of the last block are better */
	uint64_t now_ns;
	uint64_t read_before; /* octets of the files before .now */
	bool ended;
	int rc; /* of what an entry led to */
	unsigned int n_files;
	struct file *files;
	struct shk_recording first; /* stays open to the end, because its header is used */
	struct shk_recording later; /* one of those behind it */
	struct shk_recording *now;  /* that of the two which is being read */
	struct shk_recording_entry entry;
	char damage[1200];
};

/*
 * ---- The files -----------------------------------------------------------------------------------
 */

static int by_number(const void *a, const void *b)
{
	const struct file *one = a, *other = b;

	return (one->number > other->number) - (one->number < other->number);
}

static int check_series(const struct shk_replay *r, struct shk_error *err)
{
	unsigned int i;

	for (i = 1; i < r->n_files; i++)
		if (r->files[i].number != r->files[i - 1].number + 1)
			return shk_error_set(err, -EINVAL,
					     "%s is file %" PRIu64
					     " of its recording, and %s is file %" PRIu64
					     ": name those between as well, and each once",
					     r->files[i - 1].path, r->files[i - 1].number, r->files[i].path,
					     r->files[i].number);
	return 0;
}

/* Only to know where it belongs. */
static int look_at_file(struct shk_replay *r, const char *path, uint8_t run[16], struct shk_error *err)
{
	struct file *file = &r->files[r->n_files];
	struct shk_recording recording;
	int rc;

	rc = shk_recording_open(&recording, path, err);
	if (rc)
		return rc;
	*file = (struct file){.path = path, .number = recording.head.file};
	if (r->n_files && memcmp(run, recording.head.run, sizeof(recording.head.run)))
		rc = shk_error_set(err, -EINVAL,
				   "%s and %s are of different recordings; read them one after the other",
				   r->files[0].path, path);
	memcpy(run, recording.head.run, sizeof(recording.head.run));
	shk_recording_close(&recording);
	r->n_files++;
	return rc;
}

static int open_series(struct shk_replay *r, const char *const *paths, unsigned int n_paths,
		       struct shk_error *err)
{
	uint8_t run[16];
	unsigned int i;
	int rc = 0;

	r->files = calloc(n_paths, sizeof(*r->files));
	if (!r->files)
		return shk_error_set(err, -ENOMEM, "out of memory");
	if (n_paths == 1) {
		/* Standard input can be opened only once. */
		r->files[0].path = paths[0];
		r->n_files = 1;
	}
	for (i = 0; n_paths > 1 && i < n_paths && !rc; i++)
		rc = look_at_file(r, paths[i], run, err);
	if (rc)
		return rc;
	qsort(r->files, r->n_files, sizeof(*r->files), by_number);
	rc = check_series(r, err);
	if (!rc)
		rc = shk_recording_open(&r->first, r->files[0].path, err);
	r->now = &r->first;
	r->totals.files = 1;
	return rc;
}

/* The next file of the series. False at its end, or if it cannot be read. */
static bool open_next_file(struct shk_replay *r)
{
	struct shk_error err;
	const char *left = r->totals.files < r->n_files ? "; the files behind it were not read" : "";

	if (r->now->damage[0])
		snprintf(r->damage, sizeof(r->damage), "%s%s", r->now->damage, left);
	if (r->now->damage[0] || r->totals.files == r->n_files)
		return false;
	r->read_before += shk_recording_position(r->now);
	shk_recording_close(&r->later);
	r->now = &r->later;
	if (shk_recording_open(r->now, r->files[r->totals.files].path, &err)) {
		snprintf(r->damage, sizeof(r->damage), "%s", err.text);
		return false;
	}
	r->totals.files++;
	return true;
}

/*
 * ---- What is told --------------------------------------------------------------------------------
 */

static bool passes(const struct shk_replay *r, const struct shk_event *ev)
{
	struct shk_headers h;

	shk_headers_make(&h, ev);
	return shk_filter_passes(&r->filter, h.octets, h.wire_len, h.len);
}

/* An event of a socket stands for both directions, and has no flags to look at. */
static bool socket_passes(const struct shk_replay *r, const struct shk_event *ev)
{
	struct shk_event sent = {.sport = ev->sport, .dport = ev->dport};
	struct shk_event received = {.sport = ev->dport, .dport = ev->sport};

	memcpy(sent.saddr, ev->saddr, sizeof(sent.saddr));
	memcpy(sent.daddr, ev->daddr, sizeof(sent.daddr));
	memcpy(received.saddr, ev->daddr, sizeof(received.saddr));
	memcpy(received.daddr, ev->saddr, sizeof(received.daddr));
	return passes(r, &sent) || passes(r, &received);
}

static bool is_wanted(const struct shk_replay *r, const struct shk_event *ev)
{
	if (!r->filter.len)
		return true;
	if (ev->kind == SHK_EV_SEGMENT)
		return passes(r, ev);
	return ev->kind != SHK_EV_SOCKET || socket_passes(r, ev);
}

static void tell_event(struct shk_replay *r, const struct shk_recording_entry *entry)
{
	const struct shk_event *ev = &entry->event;

	if (ev->ts_ns > r->now_ns)
		r->now_ns = ev->ts_ns;
	if (ev->kind == SHK_EV_LOST)
		r->counts.lost += ev->lost.count;
	else if (ev->kind != SHK_EV_CLOCK)
		r->totals.events++;
	if (!is_wanted(r, ev)) {
		r->totals.filtered++;
		return;
	}
	r->counts.late += entry->late;
	shk_outlet_feed(r->outlet, entry->source, ev, entry->late);
}

static void tell(struct shk_replay *r, const struct shk_recording_entry *entry)
{
	switch (entry->kind) {
	case SHK_ENTRY_EVENT:
		tell_event(r, entry);
		break;
	case SHK_ENTRY_ADVANCE:
		if (entry->now_ns > r->now_ns)
			r->now_ns = entry->now_ns;
		shk_outlet_advance(r->outlet, entry->now_ns);
		break;
	case SHK_ENTRY_NAME:
		if (r->config.cgroups && shk_cgroups_add(r->config.cgroups, entry->id, entry->name))
			r->rc = -ENOMEM;
		break;
	}
}

/* The middle of a series by itself: what the files before it said of the clock. */
static void tell_clock(struct shk_replay *r)
{
	const struct shk_recording_head *head = &r->first.head;
	const struct shk_event ev = {
		.ts_ns = head->begin_ns,
		.kind = SHK_EV_CLOCK,
		.clock.real_ns = head->begin_real_ns,
	};

	if (head->file)
		shk_outlet_feed(r->outlet, 0, &ev, false);
}

/*
 * ---- The run -------------------------------------------------------------------------------------
 */

int shk_replay_start(struct shk_replay *r, const struct shk_replay_config *config, struct shk_error *err)
{
	const struct shk_recording_head *head = &r->first.head;
	struct shk_outlet_config outlet = {
		.sink = config->sink,
		.tap = config->tap,
		.header = r->first.header,
		.engine =
			{
				.flows_max = config->flows_max ? config->flows_max : head->flows_max,
				.hash_key = {head->hash_key[0], head->hash_key[1]},
				.linger_ns = head->linger_ns,
				.hooks = (head->flags & SHK_RECORDING_HOOKS) >> SHK_RECORDING_HOOKS_SHIFT,
				.arrows_max = config->sink ? config->sink->arrows_wanted : 0,
				.sockets_begin = head->flags & SHK_RECORDING_SOCKETS && !r->filter.len,
			},
		.count = config->count,
	};
	int rc;

	r->config = *config;
	r->outlet = shk_outlet_new(&outlet);
	if (!r->outlet)
		return shk_error_set(err, -ENOMEM, "out of memory");
	rc = shk_outlet_start(r->outlet, head->real_offset_ns, err);
	if (!rc)
		tell_clock(r);
	return rc;
}

static int look_around(struct shk_replay *r, struct shk_error *err)
{
	struct pollfd fds[] = {
		{.fd = r->config.stop_fd, .events = POLLIN},
		{.fd = r->config.out_fd},
	};

	shk_progress_show(r->config.progress);
	if (poll(fds, sizeof(fds) / sizeof(fds[0]), 0) < 0 && errno != EINTR)
		return shk_error_set(err, -errno, "poll: %s", strerror(errno));
	if (fds[0].revents)
		r->ended = true;
	if (fds[1].revents)
		shk_outlet_hang_up(r->outlet);
	return 0;
}

int shk_replay_run(struct shk_replay *r, struct shk_error *err)
{
	unsigned int i;
	int rc = 0;

	while (!rc && !r->ended && !shk_outlet_ended(r->outlet)) {
		for (i = 0; i < BATCH && !shk_outlet_ended(r->outlet); i++) {
			if (shk_recording_next(r->now, &r->entry)) {
				tell(r, &r->entry);
			} else if (!open_next_file(r)) {
				r->ended = true;
				break;
			}
		}
		rc = r->rc ? shk_error_set(err, r->rc, "out of memory") : look_around(r, err);
	}
	return rc ? rc : shk_outlet_failed(r->outlet, err);
}

/* As the accounts were at the end, if we got there; else what was told is all there is. */
static void count(struct shk_replay *r, struct shk_summary *sum)
{
	const struct shk_recording_end *end = &r->now->end;

	*sum = r->counts;
	if (r->now->ended && !end->continued) {
		sum->seen = end->seen - r->totals.filtered;
		sum->delivered = end->delivered - r->totals.filtered;
		sum->lost = end->lost;
		sum->filtered = end->filtered;
		sum->late = end->late;
		if (end->now_ns > r->now_ns)
			r->now_ns = end->now_ns;
	} else {
		sum->delivered = r->totals.events - r->totals.filtered;
		sum->seen = sum->delivered + sum->lost;
	}
	sum->filtered += r->totals.filtered;
}

int shk_replay_finish(struct shk_replay *r, struct shk_error *err)
{
	struct shk_summary sum;

	count(r, &sum);
	return shk_outlet_finish(r->outlet, r->now_ns, &sum, err);
}

/*
 * ---- The rest ------------------------------------------------------------------------------------
 */

struct shk_replay *shk_replay_open(const char *const *paths, unsigned int n_paths, const char *filter,
				   struct shk_error *err)
{
	struct shk_replay *r = calloc(1, sizeof(*r));
	int rc;

	if (!r) {
		shk_error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	rc = filter ? shk_filter_compile(filter, &r->filter, err) : 0;
	if (!rc)
		rc = open_series(r, paths, n_paths, err);
	if (rc) {
		shk_replay_free(r);
		return NULL;
	}
	return r;
}

void shk_replay_free(struct shk_replay *r)
{
	if (!r)
		return;
	shk_outlet_free(r->outlet);
	shk_recording_close(&r->later);
	shk_recording_close(&r->first);
	shk_filter_release(&r->filter);
	free(r->files);
	free(r);
}

const struct shk_recording_head *shk_replay_head(const struct shk_replay *r)
{
	return &r->first.head;
}

const char *shk_replay_damage(const struct shk_replay *r)
{
	return r->damage[0] ? r->damage : NULL;
}

uint64_t shk_replay_position(const struct shk_replay *r)
{
	return r->read_before + shk_recording_position(r->now);
}

void shk_replay_totals(const struct shk_replay *r, struct shk_replay_totals *totals)
{
	*totals = r->totals;
}
