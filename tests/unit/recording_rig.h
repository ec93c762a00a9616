/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections told to the outlet, shown by the real JSON sink and recorded by the real recorder; and what a
 * replay of the recording shows. All files are in a directory of the test's own.
 */
#ifndef TEST_RECORDING_RIG_H
#define TEST_RECORDING_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outlet.h"
#include "recorder.h"
#include "replay.h"

#define MS	1000000ULL
#define SECOND	1000000000ULL

#define PATH_SIZE 256

/* What a sink wrote. */
struct shown {
	FILE *out;
	struct shk_sink *sink;
	char *text;
	size_t size;
};

struct recording_rig {
	char dir[64];
	char path[PATH_SIZE];		/* what is recorded, unless a test says otherwise */
	struct shk_recorder_config config;
	struct shk_recorder *recorder;
	struct shk_outlet *outlet;
	struct shk_summary counts;
	struct shown live, replayed;
	struct shk_cgroups *cgroups;	/* of the replay; NULL: it learns none */
	struct shk_replay_totals totals;
	char damage[1200];		/* that the replay found; empty: none */
	uint64_t now_ns;
	struct shk_error err;
};

static inline int recording_setup(void **state)
{
	struct recording_rig *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	strcpy(r->dir, "/tmp/test_recording.XXXXXX");
	if (!mkdtemp(r->dir))
		return -1;
	snprintf(r->path, sizeof(r->path), "%s/a.shk", r->dir);
	r->config.path = r->path;
	r->now_ns = 1000 * SECOND;
	*state = r;
	return 0;
}

static inline void show(struct shown *s)
{
	struct shk_sink_config config = { 0 };

	config.out = s->out = open_memstream(&s->text, &s->size);
	assert_non_null(s->out);
	s->sink = shk_sink_json_new(&config);
	assert_non_null(s->sink);
}

static inline void show_no_more(struct shown *s)
{
	if (s->sink)
		s->sink->ops->free(s->sink);
	if (s->out)
		fclose(s->out);
	free(s->text);
	*s = (struct shown){ 0 };
}

static inline int recording_teardown(void **state)
{
	struct recording_rig *r = *state;
	char command[128];

	shk_outlet_free(r->outlet);
	shk_recorder_free(r->recorder);
	show_no_more(&r->live);
	show_no_more(&r->replayed);
	shk_cgroups_free(r->cgroups);
	snprintf(command, sizeof(command), "rm -rf %s", r->dir);
	assert_int_equal(system(command), 0);
	free(r);
	return 0;
}

/*
 * ---- Live ----------------------------------------------------------------------------------------
 */

/* 0, or what went wrong and r->err. */
static inline int begin_recording(struct recording_rig *r)
{
	static const char *const sources[] = { "wire", "socket", NULL };
	static const struct shk_facts facts = {
		.of = {
			{ "wire", "a hook", "segments", NULL, NULL, NULL },
			{ "socket", "a tracepoint", "resets", "who sent an RST", "this kernel has none",
			  NULL },
			{ "socket", "a system call", "accept()", NULL, NULL, "calls of another kind" },
		},
		.n = 3,
	};
	struct shk_outlet_config config = {
		.header = {
			.version = "1.2.3",
			.host = "some host",
			.kernel = "6.1.0",
			.sources = sources,
			.facts = &facts,
		},
		.engine = { .linger_ns = 100 * MS, .hash_key = { 17, 4 } },
	};

	show(&r->live);
	r->recorder = shk_recorder_new(&r->config, &r->err);
	assert_non_null(r->recorder);
	config.sink = r->live.sink;
	config.tap = shk_recorder_tap(r->recorder);
	r->outlet = shk_outlet_new(&config);
	assert_non_null(r->outlet);
	return shk_outlet_start(r->outlet, 1600000000 * (int64_t)SECOND, &r->err);
}

static inline void tell_event(struct recording_rig *r, unsigned int source, const struct shk_event *ev,
			      bool late)
{
	if (ev->kind == SHK_EV_LOST)
		r->counts.lost += ev->lost.count;
	else if (ev->kind != SHK_EV_CLOCK)
		r->counts.delivered++;
	r->counts.late += late;
	shk_outlet_feed(r->outlet, source, ev, late);
}

static inline void tell_segment(struct recording_rig *r, uint16_t port, bool from_client, uint16_t flags,
				uint32_t seq, uint32_t ack)
{
	struct shk_event ev = { .ts_ns = r->now_ns, .netns = 4711, .kind = SHK_EV_SEGMENT };

	r->now_ns += MS;
	ev.where = from_client ? SHK_HOOK_LOCAL_OUT : SHK_HOOK_LOCAL_IN;
	ev.saddr[10] = ev.saddr[11] = ev.daddr[10] = ev.daddr[11] = 0xff;
	ev.saddr[12] = ev.daddr[12] = 10;
	ev.saddr[15] = from_client ? 1 : 2;
	ev.daddr[15] = from_client ? 2 : 1;
	ev.sport = from_client ? port : 443;
	ev.dport = from_client ? 443 : port;
	ev.seg.tcp_flags = flags;
	ev.seg.seq = seq;
	ev.seg.ack = ack;
	ev.seg.gso_segs = 1;
	ev.seg.ttl = 64;
	ev.seg.why = SHK_WHY_CONTROL;
	tell_event(r, 0, &ev, false);
}

/* Opened by three segments, closed by three, or refused. */
static inline void tell_connection(struct recording_rig *r, uint16_t port)
{
	const uint16_t fin = SHK_TCP_FIN | SHK_TCP_ACK, synack = SHK_TCP_SYN | SHK_TCP_ACK;

	tell_segment(r, port, true, SHK_TCP_SYN, 100, 0);
	tell_segment(r, port, false, synack, 900, 101);
	tell_segment(r, port, true, SHK_TCP_ACK, 101, 901);
	tell_segment(r, port, true, fin, 151, 901);
	tell_segment(r, port, false, fin, 2901, 152);
	tell_segment(r, port, true, SHK_TCP_ACK, 152, 2902);
}

static inline void tell_refused(struct recording_rig *r, uint16_t port)
{
	tell_segment(r, port, true, SHK_TCP_SYN, 100, 0);
	tell_segment(r, port, false, SHK_TCP_RST | SHK_TCP_ACK, 0, 101);
}

/* Time passes, so that what lingers is told, and a block is old enough. */
static inline void tell_time(struct recording_rig *r, uint64_t ns)
{
	r->now_ns += ns;
	shk_outlet_advance(r->outlet, r->now_ns);
}

static inline void tell_clock(struct recording_rig *r, uint64_t real_offset_ns)
{
	struct shk_event ev = { .ts_ns = r->now_ns, .kind = SHK_EV_CLOCK };

	ev.clock.real_ns = r->now_ns + real_offset_ns;
	tell_event(r, 0, &ev, false);
}

static inline void tell_loss(struct recording_rig *r, unsigned int source, uint64_t count)
{
	struct shk_event ev = { .ts_ns = r->now_ns, .kind = SHK_EV_LOST, .cpu = 3, .lost.count = count };

	tell_event(r, source, &ev, false);
}

static inline int end_recording(struct recording_rig *r)
{
	r->counts.seen = r->counts.delivered + r->counts.lost;
	return shk_outlet_finish(r->outlet, r->now_ns, &r->counts, &r->err);
}

/* Some of everything, with a block at least every second. */
static inline void record_something(struct recording_rig *r)
{
	assert_int_equal(begin_recording(r), 0);
	tell_clock(r, 1600000000 * SECOND);
	for (uint16_t port = 40000; port < 40004; port++) {
		tell_connection(r, port);
		tell_time(r, 1500 * MS);
	}
	tell_loss(r, 1, 7);
	tell_refused(r, 41000);
	tell_clock(r, 1600000001 * SECOND);
	tell_segment(r, 42000, true, SHK_TCP_SYN, 100, 0);
	tell_time(r, 5 * SECOND);
	tell_connection(r, 43000);
	assert_int_equal(end_recording(r), 0);
}

/*
 * ---- Replay --------------------------------------------------------------------------------------
 */

static inline int replay_files(struct recording_rig *r, const char *const *paths, unsigned int n,
			       const char *filter)
{
	struct shk_replay_config config = { .stop_fd = -1, .out_fd = -1, .cgroups = r->cgroups };
	struct shk_replay *replay;
	const char *damage;

	show_no_more(&r->replayed);
	r->damage[0] = '\0';
	replay = shk_replay_open(paths, n, filter, &r->err);
	if (!replay)
		return r->err.code;
	show(&r->replayed);
	config.sink = r->replayed.sink;
	assert_int_equal(shk_replay_start(replay, &config, &r->err), 0);
	assert_int_equal(shk_replay_run(replay, &r->err), 0);
	assert_int_equal(shk_replay_finish(replay, &r->err), 0);
	shk_replay_totals(replay, &r->totals);
	damage = shk_replay_damage(replay);
	if (damage)
		snprintf(r->damage, sizeof(r->damage), "%s", damage);
	shk_replay_free(replay);
	return 0;
}

static inline int replay(struct recording_rig *r)
{
	const char *const path = r->path;

	return replay_files(r, &path, 1, NULL);
}

static inline void assert_same_bytes(const struct recording_rig *r)
{
	assert_string_equal(r->damage, "");
	assert_int_equal(r->live.size, r->replayed.size);
	assert_memory_equal(r->live.text, r->replayed.text, r->live.size);
}

/* How often @words is in @text. */
static inline unsigned int times_in(const char *text, const char *words)
{
	unsigned int n = 0;

	for (; (text = strstr(text, words)); text++)
		n++;
	return n;
}

/*
 * ---- Files ---------------------------------------------------------------------------------------
 */

static inline unsigned char *load_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "r");
	unsigned char *octets;
	struct stat st;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	*size = st.st_size;
	octets = malloc(*size + 1);
	assert_non_null(octets);
	assert_int_equal(fread(octets, 1, *size, file), *size);
	fclose(file);
	return octets;
}

static inline void store_file(const char *path, const unsigned char *octets, size_t size)
{
	FILE *file;

	unlink(path); /* a file written anew costs less than one that is replaced, which goes to the disk */
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(octets, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

#endif /* TEST_RECORDING_RIG_H */
