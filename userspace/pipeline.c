// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pipeline.h"

#define NS_PER_SECOND 1000000000ULL
#define NS_PER_MS     1000000ULL
#define FLUSH_NS      (100 * NS_PER_MS)
#define IDLE_MS       100 /* the engine's own deadlines need no better */
#define HELD_MS       10

/* What comes of one source, whose streams have numbers of their own. */
struct origin {
	struct shk_pipeline *pipeline;
	struct shk_source *source;
	unsigned int first_stream;
};

struct shk_pipeline {
	struct shk_pipeline_config config;
	struct origin origins[SHK_SOURCES_MAX];
	struct shk_merge *merge;
	struct shk_outlet *outlet;
	uint64_t *announced; /* for each stream: sum of its SHK_EV_LOST */
	unsigned int clock_stream;
	bool live;
	uint64_t now_ns;
	uint64_t next_clock_ns;
	uint64_t end_ns;
	uint64_t flushed_ns;
	struct shk_facts facts; /* of all sources */
	struct shk_conflict_report conflicts;
	bool ended;
	int push_rc; /* first failure inside a callback */
};

/*
 * ---- Time ----------------------------------------------------------------------------------------
 */

static uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_SECOND + ts.tv_nsec;
}

/* Both clocks at one moment: of three tries, the one that was interrupted least. */
static struct shk_event clock_event(void)
{
	struct shk_event ev = {.kind = SHK_EV_CLOCK};
	uint64_t before, real, after, gap, best = UINT64_MAX;
	int i;

	for (i = 0; i < 3; i++) {
		before = clock_read(CLOCK_MONOTONIC);
		real = clock_read(CLOCK_REALTIME);
		after = clock_read(CLOCK_MONOTONIC);
		gap = after - before;
		if (gap >= best)
			continue;
		best = gap;
		ev.ts_ns = before + gap / 2;
		ev.clock.real_ns = real;
	}
	return ev;
}

/*
 * ---- Source to merge to outlet -------------------------------------------------------------------
 */

static void push(struct shk_pipeline *p, unsigned int stream, const struct shk_event *ev)
{
	int rc = shk_merge_push(p->merge, stream, ev);

	if (rc && !p->push_rc)
		p->push_rc = rc;
}

static void on_event(void *arg, unsigned int stream, const struct shk_event *ev)
{
	const struct origin *origin = arg;
	struct shk_pipeline *p = origin->pipeline;
	struct shk_event lost;

	stream += origin->first_stream;
	if (!p->live && ev->ts_ns > p->now_ns)
		p->now_ns = ev->ts_ns;
	if (ev->kind != SHK_EV_LOST) {
		push(p, stream, ev);
		return;
	}
	p->announced[stream] += ev->lost.count;
	lost = *ev;
	lost.where = origin->source->witness;
	push(p, stream, &lost);
}

/* The place of the source that @ev came from: each is another witness. */
static unsigned int source_of(const struct shk_pipeline *p, const struct shk_event *ev)
{
	unsigned int witness = ev->kind == SHK_EV_SOCKET ? SHK_WITNESS_SOCKET
			       : ev->kind == SHK_EV_LOST ? ev->where
							 : SHK_WITNESS_WIRE;
	unsigned int i = 0;

	while (i < p->config.n_sources - 1 && p->config.sources[i]->witness != witness)
		i++;
	return i;
}

static void feed(struct shk_pipeline *p, const struct shk_event *ev, bool late)
{
	shk_outlet_feed(p->outlet, source_of(p, ev), ev, late);
}

static bool ended(const struct shk_pipeline *p)
{
	return p->ended || p->push_rc || shk_outlet_ended(p->outlet);
}

/*
 * Feeds some of what is older than @now_ns minus the window; false: there is no more of it. A count of
 * connections may be reached by any event, which is then the last.
 */
static bool deliver_some(struct shk_pipeline *p, uint64_t now_ns)
{
	const struct shk_event *events[SHK_AHEAD_MAX];
	bool late[SHK_AHEAD_MAX];
	unsigned int max = p->config.outlet.count ? 1 : SHK_AHEAD_MAX, n = 0, i;

	while (n < max && (events[n] = shk_merge_next(p->merge, now_ns, &late[n])))
		n++;
	shk_outlet_expect(p->outlet, events, n);
	for (i = 0; i < n; i++)
		feed(p, events[i], late[i]);
	return n == max;
}

/* Whatever has waited long enough, until something ends the run. */
static void deliver(struct shk_pipeline *p)
{
	while (!ended(p)) {
		if (deliver_some(p, p->now_ns))
			continue;
		if (p->now_ns > p->config.window_ns)
			shk_outlet_advance(p->outlet, p->now_ns - p->config.window_ns);
		return;
	}
}

/* All sources, once: how many events there were, -ENODATA at the end of the file, -errno and *err. */
static int drain_sources(struct shk_pipeline *p, struct shk_error *err)
{
	struct shk_source *source;
	unsigned int i;
	int n, sum = 0;

	for (i = 0; i < p->config.n_sources; i++) {
		source = p->config.sources[i];
		n = source->ops->drain(source, on_event, &p->origins[i], err);
		if (n < 0)
			return n;
		sum += n;
	}
	return sum;
}

/* Takes the time before it drains, so that whatever is older than it has been drained. */
static int drain(struct shk_pipeline *p, struct shk_error *err)
{
	struct shk_event ev;
	int n;

	if (p->live) {
		p->now_ns = clock_read(CLOCK_MONOTONIC);
		if (p->now_ns >= p->next_clock_ns) {
			ev = clock_event();
			push(p, p->clock_stream, &ev);
			p->next_clock_ns += NS_PER_SECOND;
			if (p->next_clock_ns < p->now_ns)
				p->next_clock_ns = p->now_ns + NS_PER_SECOND;
		}
	}
	n = drain_sources(p, err);
	if (p->push_rc)
		return shk_error_set(err, p->push_rc,
				     "out of memory with %" PRIu64
				     " events waiting; a shorter --window needs less",
				     shk_merge_held(p->merge));
	return n;
}

/*
 * ---- The loop ------------------------------------------------------------------------------------
 */

static int timeout_ms(const struct shk_pipeline *p)
{
	uint64_t ms = IDLE_MS;

	if (!p->live)
		return 0;
	if (shk_outlet_unflushed(p->outlet) || shk_merge_held(p->merge))
		ms = HELD_MS;
	if (p->end_ns - p->now_ns < ms * NS_PER_MS)
		ms = (p->end_ns - p->now_ns) / NS_PER_MS + 1;
	return ms;
}

/* Sleeps until there is something to do. */
static int wait_for_work(struct shk_pipeline *p, struct shk_error *err)
{
	struct pollfd fds[2 + SHK_SOURCES_MAX] = {
		{.fd = p->config.stop_fd, .events = POLLIN},
		{.fd = p->config.out_fd},
	};
	unsigned int i, n = p->config.n_sources;

	for (i = 0; i < n; i++)
		fds[2 + i] = (struct pollfd){.fd = p->config.sources[i]->poll_fd, .events = POLLIN};
	if (poll(fds, 2 + n, timeout_ms(p)) < 0) {
		if (errno == EINTR)
			return 0;
		return shk_error_set(err, -errno, "poll: %s", strerror(errno));
	}
	for (i = 0; i < n; i++)
		if (fds[2 + i].revents & ~POLLIN)
			return shk_error_set(err, -EIO, "%s: the source failed",
					     p->config.sources[i]->ops->name);
	if (fds[0].revents)
		p->ended = true;
	if (fds[1].revents)
		shk_outlet_hang_up(p->outlet);
	return 0;
}

static void flush(struct shk_pipeline *p)
{
	p->flushed_ns = p->now_ns;
	shk_outlet_flush(p->outlet);
	shk_conflict_report_send(&p->conflicts);
}

int shk_pipeline_run(struct shk_pipeline *p, struct shk_error *err)
{
	int n, rc;

	while (!ended(p)) {
		n = drain(p, err);
		if (n < 0 && n != -ENODATA)
			return n;
		deliver(p);
		shk_progress_show(p->config.progress);
		if (shk_outlet_unflushed(p->outlet) && (n <= 0 || p->now_ns - p->flushed_ns >= FLUSH_NS))
			flush(p);
		if (n == -ENODATA || p->now_ns >= p->end_ns)
			break;
		rc = wait_for_work(p, err);
		if (rc)
			return rc;
	}
	return shk_outlet_failed(p->outlet, err);
}

static int start_source(struct shk_pipeline *p, struct shk_source *source, struct shk_error *err)
{
	int rc = source->ops->start(source, err);

	if (!rc && source->ops->facts)
		source->ops->facts(source, &p->facts);
	return rc;
}

int shk_pipeline_start(struct shk_pipeline *p, struct shk_error *err)
{
	const struct shk_pipeline_config *config = &p->config;
	int64_t real_offset_ns = 0;
	struct shk_event ev;
	unsigned int i;
	int rc = 0;

	p->end_ns = UINT64_MAX;
	if (p->live) {
		ev = clock_event();
		p->now_ns = ev.ts_ns;
		real_offset_ns = (int64_t)(ev.clock.real_ns - ev.ts_ns);
		p->next_clock_ns = p->now_ns + NS_PER_SECOND;
		if (config->duration_ns)
			p->end_ns = p->now_ns + config->duration_ns;
		push(p, p->clock_stream, &ev);
		if (p->push_rc)
			return shk_error_set(err, p->push_rc, "out of memory");
	}
	for (i = 0; i < config->n_sources && !rc; i++)
		rc = start_source(p, config->sources[i], err);
	/* Only now it is known what the header has to say. */
	return rc ? rc : shk_outlet_start(p->outlet, real_offset_ns, err);
}

/*
 * ---- The end -------------------------------------------------------------------------------------
 */

static int drain_rest(struct shk_pipeline *p, struct shk_error *err)
{
	int n;

	do {
		n = drain(p, err);
	} while (n > 0);
	while (deliver_some(p, UINT64_MAX))
		;
	return n == -ENODATA ? 0 : n;
}

/* A ring that stayed full to the end could not announce its last losses. */
static void announce_rest(struct shk_pipeline *p, const struct origin *origin, unsigned int own_stream,
			  uint64_t lost)
{
	struct shk_event ev = {
		.ts_ns = p->now_ns,
		.kind = SHK_EV_LOST,
		.where = origin->source->witness,
		.cpu = own_stream,
	};
	unsigned int stream = origin->first_stream + own_stream;

	if (lost <= p->announced[stream])
		return;
	ev.lost.count = lost - p->announced[stream];
	p->announced[stream] = lost;
	feed(p, &ev, false);
}

static bool balanced(const struct shk_account *a, uint64_t announced)
{
	return a->seen == a->delivered + a->lost && a->read == a->delivered && a->lost == announced;
}

static int settle_stream(struct shk_pipeline *p, const struct origin *origin, unsigned int stream,
			 struct shk_summary *sum, uint64_t *read, struct shk_error *err)
{
	struct shk_source *source = origin->source;
	uint64_t *announced = &p->announced[origin->first_stream + stream];
	struct shk_account a;
	int rc;

	rc = source->ops->account(source, stream, &a, err);
	if (rc)
		return rc;
	announce_rest(p, origin, stream, a.lost);
	sum->seen += a.seen;
	sum->delivered += a.delivered;
	sum->lost += a.lost;
	sum->filtered += a.filtered;
	*read += a.read;
	if (balanced(&a, *announced))
		return 0;
	return shk_error_set(err, -EBADE,
			     "THE ACCOUNTS DO NOT MATCH, this is a defect: %s, stream %u: seen %" PRIu64
			     ", delivered %" PRIu64 ", lost %" PRIu64 " (announced %" PRIu64
			     "), read %" PRIu64,
			     source->ops->name, stream, a.seen, a.delivered, a.lost, *announced, a.read);
}

/* Compares the accounts of all streams; tells the first that is wrong. */
static int settle(struct shk_pipeline *p, struct shk_summary *sum, struct shk_error *err)
{
	struct shk_error later;
	uint64_t read = 0;
	unsigned int i, stream;
	int rc = 0, stream_rc;

	for (i = 0; i < p->config.n_sources; i++) {
		for (stream = 0; stream < p->config.sources[i]->streams; stream++) {
			stream_rc = settle_stream(p, &p->origins[i], stream, sum, &read, rc ? &later : err);
			if (!rc)
				rc = stream_rc;
		}
	}
	if (!rc && shk_outlet_fed(p->outlet) != read)
		rc = shk_error_set(err, -EBADE,
				   "THE ACCOUNTS DO NOT MATCH, this is a defect: %" PRIu64
				   " events were read and "
				   "%" PRIu64 " reached the engine",
				   read, shk_outlet_fed(p->outlet));
	return rc;
}

static int stop_sources(struct shk_pipeline *p, struct shk_error *err)
{
	struct shk_error later;
	unsigned int i;
	int rc = 0, stop_rc;

	for (i = 0; i < p->config.n_sources; i++) {
		stop_rc = p->config.sources[i]->ops->stop(p->config.sources[i], rc ? &later : err);
		if (!rc)
			rc = stop_rc;
	}
	return rc;
}

int shk_pipeline_finish(struct shk_pipeline *p, struct shk_error *err)
{
	struct shk_summary sum = {0};
	struct shk_error later;
	int rc, write_rc, told_rc;

	rc = stop_sources(p, err);
	if (!rc)
		rc = drain_rest(p, err);
	if (!rc)
		rc = settle(p, &sum, err);
	sum.late = shk_merge_late(p->merge);
	write_rc = shk_outlet_finish(p->outlet, p->now_ns, &sum, rc ? &later : err);
	rc = rc ? rc : write_rc;
	shk_conflict_report_send(&p->conflicts);
	told_rc = shk_conflict_report_failed(&p->conflicts, rc ? &later : err);
	return rc ? rc : told_rc;
}

struct shk_pipeline *shk_pipeline_new(const struct shk_pipeline_config *config)
{
	unsigned int streams = 0, i;
	struct shk_pipeline *p;

	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->config = *config;
	for (i = 0; i < config->n_sources; i++) {
		p->origins[i] = (struct origin){p, config->sources[i], streams};
		streams += config->sources[i]->streams;
		if (config->sources[i]->ops->tell_conflicts)
			p->conflicts.to = config->sources[i];
	}
	p->live = config->sources[0]->poll_fd >= 0;
	p->clock_stream = streams;
	p->announced = calloc(streams + 1, sizeof(*p->announced));
	p->merge = shk_merge_new(streams + 1, config->window_ns);
	if (p->live)
		p->config.outlet.header.facts = &p->facts;
	p->config.outlet.conflicts = &p->conflicts;
	p->outlet = shk_outlet_new(&p->config.outlet);
	if (!p->announced || !p->merge || !p->outlet) {
		shk_pipeline_free(p);
		return NULL;
	}
	return p;
}

void shk_pipeline_free(struct shk_pipeline *p)
{
	if (!p)
		return;
	shk_outlet_free(p->outlet);
	shk_merge_free(p->merge);
	free(p->announced);
	free(p);
}
