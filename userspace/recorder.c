// SPDX-License-Identifier: GPL-2.0
#include "recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "block.h"
#include "name_table.h"

#define NS_PER_SECOND 1000000000ULL

/* Large enough to pack well. What a crash may cost is a block, or a second. */
#define BLOCK_SIZE (1U << 18)
#define BLOCK_NS   NS_PER_SECOND

#define STRING_MAX  2048U
#define STRINGS_MAX 65536U

struct shk_recorder {
	struct shk_tap base;
	struct shk_recorder_config config;
	struct shk_recorder_totals totals;
	struct shk_block_writer *writer;
	struct shk_error err; /* the first; nothing is written after it */
	struct shk_name_table names;
	uint64_t now_ns; /* the last the engine was told */
	int64_t real_offset_ns;
	uint64_t advance_ns;        /* told and not written: only the last of several in a row is; 0: none */
	uint64_t file_ns, block_ns; /* when this file and this block began; 0: not yet */
	struct shk_recording_head head;
	unsigned char strings[STRINGS_MAX];
	uint32_t strings_len;
	uint32_t len;
	unsigned char raw[BLOCK_SIZE];
	char path[];
};

static struct shk_recorder *to_recorder(struct shk_tap *t)
{
	return (struct shk_recorder *)t;
}

static int fail(const struct shk_recorder *r, struct shk_error *err)
{
	*err = r->err;
	return err->code;
}

/*
 * ---- Entries -------------------------------------------------------------------------------------
 */

static int write_block(struct shk_recorder *r, enum shk_block_type type, const void *raw, uint32_t len)
{
	if (r->err.code)
		return r->err.code;
	return shk_block_write(r->writer, type, raw, len, &r->err);
}

static int write_entries(struct shk_recorder *r)
{
	int rc = r->len ? write_block(r, SHK_BLOCK_ENTRIES, r->raw, r->len) : 0;

	r->len = 0;
	return rc;
}

static void put(struct shk_recorder *r, const void *octets, uint32_t len)
{
	memcpy(r->raw + r->len, octets, len);
	r->len += len;
}

/* An entry of two parts; the second may be empty. */
static int add_entry(struct shk_recorder *r, const struct shk_entry *entry, const void *one, uint32_t one_len,
		     const void *other, uint32_t other_len)
{
	int rc = 0;

	if (r->len + sizeof(*entry) + one_len + other_len > BLOCK_SIZE)
		rc = write_entries(r);
	if (!r->len)
		r->block_ns = r->now_ns;
	put(r, entry, sizeof(*entry));
	put(r, one, one_len);
	put(r, other, other_len);
	return rc;
}

/*
 * Nothing came of an earlier one that the last does not bring about as well, in the same order: nobody was
 * told anything in between.
 */
static int add_advance(struct shk_recorder *r)
{
	const struct shk_entry entry = {.kind = SHK_ENTRY_ADVANCE};
	uint64_t advance_ns = r->advance_ns;

	if (!advance_ns)
		return 0;
	r->advance_ns = 0;
	return add_entry(r, &entry, &advance_ns, sizeof(advance_ns), "", 0);
}

/*
 * The name of an event's cgroup, ahead of the first event that has it. Who shows that event finds the name in
 * the same table, and not before the event has come.
 */
static int add_name_of(struct shk_recorder *r, const struct shk_event *ev)
{
	struct shk_entry entry = {.kind = SHK_ENTRY_NAME};
	const char *name;
	int rc;

	name = ev->kind == SHK_EV_SOCKET ? shk_cgroups_path(r->config.cgroups, ev->sock.cgroup) : NULL;
	if (!name)
		return 0;
	rc = shk_name_table_put(&r->names, ev->sock.cgroup, name);
	if (rc < 0)
		return shk_error_set(&r->err, rc, "out of memory");
	if (!rc)
		return 0;
	entry.value = strnlen(name, SHK_NAME_MAX);
	return add_entry(r, &entry, &ev->sock.cgroup, sizeof(ev->sock.cgroup), name, entry.value);
}

/*
 * ---- Files ---------------------------------------------------------------------------------------
 */

static void make_path(const struct shk_recorder *r, uint64_t file, char *path, size_t size)
{
	size_t stem = strlen(r->path);
	bool numbered = r->config.rotate_size || r->config.rotate_ns;

	if (stem > 4 && !strcmp(r->path + stem - 4, ".shk"))
		stem -= 4;
	if (numbered)
		snprintf(path, size, "%.*s-%05" PRIu64 "%s", (int)stem, r->path, file, r->path + stem);
	else
		snprintf(path, size, "%s", r->path);
}

static int write_head(struct shk_recorder *r)
{
	r->head.begin_ns = r->now_ns;
	r->head.begin_real_ns = r->now_ns + r->real_offset_ns;
	memcpy(r->raw, &r->head, sizeof(r->head));
	memcpy(r->raw + sizeof(r->head), r->strings, r->strings_len);
	return write_block(r, SHK_BLOCK_HEAD, r->raw, sizeof(r->head) + r->strings_len);
}

static int open_file(struct shk_recorder *r)
{
	char path[4096];
	int rc;

	make_path(r, r->head.file, path, sizeof(path));
	r->writer = shk_block_writer_open(path, &r->err);
	if (!r->writer)
		return r->err.code;
	r->totals.files++;
	r->file_ns = r->now_ns;
	rc = write_head(r);
	if (!rc && r->config.rotate_keep && r->head.file >= r->config.rotate_keep) {
		make_path(r, r->head.file - r->config.rotate_keep, path, sizeof(path));
		unlink(path);
	}
	return rc;
}

static int close_file(struct shk_recorder *r, const struct shk_recording_end *end)
{
	struct shk_error close_err = {0};
	int rc;

	add_advance(r);
	write_entries(r);
	rc = write_block(r, SHK_BLOCK_END, end, sizeof(*end));
	r->totals.octets += shk_block_writer_size(r->writer);
	if (shk_block_writer_close(r->writer, &close_err) && !rc) {
		r->err = close_err;
		rc = close_err.code;
	}
	r->writer = NULL;
	return rc;
}

static bool is_full(const struct shk_recorder *r)
{
	const struct shk_recorder_config *c = &r->config;

	return (c->rotate_size && shk_block_writer_size(r->writer) >= c->rotate_size) ||
	       (c->rotate_ns && r->file_ns && r->now_ns - r->file_ns >= c->rotate_ns);
}

static int rotate(struct shk_recorder *r)
{
	const struct shk_recording_end end = {.continued = 1};
	int rc = close_file(r, &end);

	/* Each file names what its own events need. */
	shk_name_table_release(&r->names);
	r->head.file++;
	return rc ? rc : open_file(r);
}

/*
 * ---- The tap -------------------------------------------------------------------------------------
 */

static void put_string(struct shk_recorder *r, const char *s)
{
	uint16_t len = strnlen(s, STRING_MAX);

	if (r->strings_len + sizeof(len) + len > STRINGS_MAX)
		len = 0;
	memcpy(r->strings + r->strings_len, &len, sizeof(len));
	memcpy(r->strings + r->strings_len + sizeof(len), s, len);
	r->strings_len += sizeof(len) + len;
}

static void put_facts(struct shk_recorder *r, const struct shk_facts *facts)
{
	size_t i;

	if (!facts)
		return;
	r->head.flags |= SHK_RECORDING_FACTS | SHK_RECORDING_BLIND;
	r->head.n_facts = facts->n;
	for (i = 0; i < facts->n; i++) {
		put_string(r, facts->of[i].witness);
		put_string(r, facts->of[i].through);
		put_string(r, facts->of[i].shows);
		put_string(r, facts->of[i].without ? facts->of[i].without : "");
		put_string(r, facts->of[i].why ? facts->of[i].why : "");
	}
	/* Readers from before there was this one stop before it. */
	for (i = 0; i < facts->n; i++)
		put_string(r, facts->of[i].blind ? facts->of[i].blind : "");
}

static int tap_begin(struct shk_tap *t, const struct shk_header *header,
		     const struct shk_engine_config *engine, struct shk_error *err)
{
	struct shk_recorder *r = to_recorder(t);
	unsigned int i;

	r->real_offset_ns = header->real_offset_ns;
	r->head = (struct shk_recording_head){
		.head_size = sizeof(r->head),
		.abi = SHK_ABI,
		.event_size = sizeof(struct shk_event),
		.flags = (r->config.all_netns ? SHK_RECORDING_ALL_NETNS : 0) |
			 (r->config.capture ? SHK_RECORDING_CAPTURE : 0) |
			 (engine->sockets_begin ? SHK_RECORDING_SOCKETS : 0) |
			 (engine->hooks << SHK_RECORDING_HOOKS_SHIFT & SHK_RECORDING_HOOKS),
		.hash_key = {engine->hash_key[0], engine->hash_key[1]},
		.linger_ns = engine->linger_ns,
		.flows_max = engine->flows_max,
		.real_offset_ns = header->real_offset_ns,
	};
	if (getrandom(r->head.run, sizeof(r->head.run), 0) < 0)
		return shk_error_set(err, -errno, "getrandom: %s", strerror(errno));
	put_string(r, header->version);
	put_string(r, header->host);
	put_string(r, header->kernel);
	for (i = 0; header->sources[i]; i++)
		put_string(r, header->sources[i]);
	r->head.n_sources = i;
	put_facts(r, header->facts);
	return open_file(r) ? fail(r, err) : 0;
}

/* Live, a block does not wait to be full. */
static int write_old_entries(struct shk_recorder *r)
{
	if (!r->len || r->config.capture || r->now_ns - r->block_ns < BLOCK_NS)
		return 0;
	add_advance(r);
	return write_entries(r);
}

static int tap_event(struct shk_tap *t, unsigned int source, const struct shk_event *ev, bool late,
		     struct shk_error *err)
{
	const struct shk_entry entry = {
		.kind = SHK_ENTRY_EVENT,
		.flags = late ? SHK_ENTRY_LATE : 0,
		.value = source,
	};
	struct shk_recorder *r = to_recorder(t);

	if (is_full(r))
		rotate(r);
	if (ev->ts_ns > r->now_ns)
		r->now_ns = ev->ts_ns;
	if (!r->file_ns)
		r->file_ns = r->now_ns;
	if (ev->kind == SHK_EV_CLOCK)
		r->real_offset_ns = (int64_t)(ev->clock.real_ns - ev->ts_ns);
	else if (ev->kind != SHK_EV_LOST)
		r->totals.events++;
	add_advance(r);
	add_name_of(r, ev);
	add_entry(r, &entry, ev, sizeof(*ev), "", 0);
	write_old_entries(r);
	return r->err.code ? fail(r, err) : 0;
}

static int tap_advance(struct shk_tap *t, uint64_t now_ns, struct shk_error *err)
{
	struct shk_recorder *r = to_recorder(t);

	r->advance_ns = now_ns;
	if (now_ns > r->now_ns)
		r->now_ns = now_ns;
	write_old_entries(r);
	return r->err.code ? fail(r, err) : 0;
}

static int tap_end(struct shk_tap *t, uint64_t now_ns, const struct shk_summary *counts,
		   struct shk_error *err)
{
	const struct shk_recording_end end = {
		.now_ns = now_ns,
		.seen = counts->seen,
		.delivered = counts->delivered,
		.lost = counts->lost,
		.filtered = counts->filtered,
		.late = counts->late,
	};
	struct shk_recorder *r = to_recorder(t);

	if (r->writer)
		close_file(r, &end);
	return r->err.code ? fail(r, err) : 0;
}

static const struct shk_tap_ops recorder_ops = {
	.begin = tap_begin,
	.event = tap_event,
	.advance = tap_advance,
	.end = tap_end,
};

/*
 * ---- The rest ------------------------------------------------------------------------------------
 */

void shk_recorder_totals(const struct shk_recorder *r, struct shk_recorder_totals *totals)
{
	*totals = r->totals;
}

struct shk_tap *shk_recorder_tap(struct shk_recorder *r)
{
	return &r->base;
}

struct shk_recorder *shk_recorder_new(const struct shk_recorder_config *config, struct shk_error *err)
{
	struct shk_recorder *r;

	if (!strcmp(config->path, "-") && (config->rotate_size || config->rotate_ns)) {
		shk_error_set(err, -EINVAL, "standard output cannot be rotated; name a file");
		return NULL;
	}
	r = calloc(1, sizeof(*r) + strlen(config->path) + 1);
	if (!r) {
		shk_error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	r->base.ops = &recorder_ops;
	r->config = *config;
	strcpy(r->path, config->path);
	return r;
}

void shk_recorder_free(struct shk_recorder *r)
{
	struct shk_error err;

	if (!r)
		return;
	shk_block_writer_close(r->writer, &err);
	shk_name_table_release(&r->names);
	free(r);
}
