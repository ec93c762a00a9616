/* SPDX-License-Identifier: GPL-2.0 */
/* A source that plays events from memory, a sink that takes notes, and the real pipeline between them. */
#ifndef TEST_PIPELINE_RIG_H
#define TEST_PIPELINE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "pipeline.h"

#define MS         1000000ULL
#define STREAMS    2
#define EVENTS     64
#define CLIENT_ISN 1000
#define SERVER_ISN 9000

/*
 * ---- The source ----------------------------------------------------------------------------------
 */

struct memory_source {
	struct shk_source base;
	struct shk_account account[STREAMS];
	struct shk_event events[EVENTS];
	unsigned int stream_of[EVENTS];
	unsigned int n, played;
	unsigned int held_for_stop; /* that many events come only after stop */
	int per_drain;              /* hands over at most that many at once; 0: all */
	int start_rc;
	struct shk_conflicts told[4];
	unsigned int n_told;
	int tell_rc;
	bool started, stopped;
};

static struct memory_source *memory_of(struct shk_source *s)
{
	return (struct memory_source *)s;
}

static int memory_start(struct shk_source *s, struct shk_error *err)
{
	memory_of(s)->started = true;
	return memory_of(s)->start_rc ? shk_error_set(err, memory_of(s)->start_rc, "no start") : 0;
}

static int memory_stop(struct shk_source *s, struct shk_error *err)
{
	(void)err;
	memory_of(s)->stopped = true;
	return 0;
}

static int memory_drain(struct shk_source *s, shk_source_fn *fn, void *arg, struct shk_error *err)
{
	struct memory_source *m = memory_of(s);
	unsigned int until = m->stopped ? m->n : m->n - m->held_for_stop;
	int n = 0;

	(void)err;
	for (; m->played < until && (!m->per_drain || n < m->per_drain); m->played++, n++)
		fn(arg, m->stream_of[m->played], &m->events[m->played]);
	return n || s->poll_fd >= 0 ? n : -ENODATA;
}

static int memory_account(struct shk_source *s, unsigned int stream, struct shk_account *account,
			  struct shk_error *err)
{
	(void)err;
	*account = memory_of(s)->account[stream];
	return 0;
}

static inline void memory_close(struct shk_source *s)
{
	(void)s;
}

static const struct shk_source_ops memory_ops = {
	.name = "memory",
	.start = memory_start,
	.stop = memory_stop,
	.drain = memory_drain,
	.account = memory_account,
	.close = memory_close,
};

__attribute__((unused)) static int memory_tell_conflicts(struct shk_source *s,
							 const struct shk_conflicts *conflicts,
							 struct shk_error *err)
{
	struct memory_source *m = memory_of(s);

	assert_true(m->n_told < sizeof(m->told) / sizeof(m->told[0]));
	m->told[m->n_told++] = *conflicts;
	return m->tell_rc ? shk_error_set(err, m->tell_rc, "no place for it") : 0;
}

/* One that counts conflicts. */
__attribute__((unused)) static const struct shk_source_ops counting_ops = {
	.name = "memory",
	.start = memory_start,
	.stop = memory_stop,
	.drain = memory_drain,
	.account = memory_account,
	.tell_conflicts = memory_tell_conflicts,
	.close = memory_close,
};

/* Another one beside it, which goes by another name. */
__attribute__((unused)) static const struct shk_source_ops second_ops = {
	.name = "second",
	.start = memory_start,
	.stop = memory_stop,
	.drain = memory_drain,
	.account = memory_account,
	.close = memory_close,
};

static inline struct shk_event *add(struct memory_source *m, unsigned int stream, uint64_t ts_ns)
{
	struct shk_event *ev = &m->events[m->n];

	assert_true(m->n < EVENTS);
	m->stream_of[m->n++] = stream;
	ev->ts_ns = ts_ns;
	ev->cpu = stream;
	return ev;
}

/* IPv4 192.0.2.1 (client) and 192.0.2.2, as in the ABI. */
static inline void set_addr(uint8_t addr[16], bool client)
{
	static const uint8_t prefix[15] = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2};

	memcpy(addr, prefix, sizeof(prefix));
	addr[15] = client ? 1 : 2;
}

static inline void add_segment(struct memory_source *m, unsigned int stream, uint64_t ts_ns,
			       uint16_t client_port, bool from_client, uint16_t flags, uint32_t seq,
			       uint32_t ack)
{
	struct shk_event *ev = add(m, stream, ts_ns);

	ev->kind = SHK_EV_SEGMENT;
	ev->where = from_client ? SHK_HOOK_LOCAL_OUT : SHK_HOOK_LOCAL_IN;
	set_addr(ev->saddr, from_client);
	set_addr(ev->daddr, !from_client);
	ev->sport = from_client ? client_port : 443;
	ev->dport = from_client ? 443 : client_port;
	ev->seg.tcp_flags = flags;
	ev->seg.seq = seq;
	ev->seg.ack = ack;
	ev->seg.gso_segs = 1;
	ev->seg.why = flags == SHK_TCP_ACK ? SHK_WHY_ACKS_SYNACK : SHK_WHY_CONTROL;
	m->account[stream].seen++;
	m->account[stream].delivered++;
	m->account[stream].read++;
}

static inline void add_refused(struct memory_source *m, uint64_t ts_ns, uint16_t port)
{
	add_segment(m, 0, ts_ns, port, true, SHK_TCP_SYN, CLIENT_ISN, 0);
	add_segment(m, 0, ts_ns + 1, port, false, SHK_TCP_RST | SHK_TCP_ACK, 0, CLIENT_ISN + 1);
}

/* The two CPUs take turns, and the source hands over the second one's events first. */
static inline void add_handshake(struct memory_source *m, uint64_t ts_ns, uint16_t port)
{
	add_segment(m, 1, ts_ns + 10, port, false, SHK_TCP_SYN | SHK_TCP_ACK, SERVER_ISN, CLIENT_ISN + 1);
	add_segment(m, 0, ts_ns, port, true, SHK_TCP_SYN, CLIENT_ISN, 0);
	add_segment(m, 0, ts_ns + 30, port, true, SHK_TCP_ACK, CLIENT_ISN + 1, SERVER_ISN + 1);
}

static inline void add_lost(struct memory_source *m, unsigned int stream, uint64_t ts_ns, uint64_t count)
{
	struct shk_event *ev = add(m, stream, ts_ns);

	ev->kind = SHK_EV_LOST;
	ev->lost.count = count;
	m->account[stream].seen += count;
	m->account[stream].lost += count;
}

/*
 * ---- The sink ------------------------------------------------------------------------------------
 */

struct noting_sink {
	struct shk_sink base;
	struct shk_conn opened, closed; /* the last of each */
	struct shk_loss losses[8];
	struct shk_summary summary;
	struct shk_header header;
	unsigned int n_header, n_opened, n_closed, n_lost, n_summary, n_flush, calls;
	unsigned int fail_at; /* the call that finds no reader; 0: none */
};

static struct noting_sink *noting_of(struct shk_sink *s)
{
	return (struct noting_sink *)s;
}

static int called(struct noting_sink *n)
{
	return ++n->calls == n->fail_at ? -EPIPE : 0;
}

static int note_header(struct shk_sink *s, const struct shk_header *header)
{
	noting_of(s)->header = *header;
	noting_of(s)->n_header++;
	return called(noting_of(s));
}

static int note_opened(struct shk_sink *s, const struct shk_conn *conn)
{
	noting_of(s)->opened = *conn;
	noting_of(s)->n_opened++;
	return called(noting_of(s));
}

static int note_closed(struct shk_sink *s, const struct shk_conn *conn)
{
	noting_of(s)->closed = *conn;
	noting_of(s)->n_closed++;
	return called(noting_of(s));
}

static int note_lost(struct shk_sink *s, const struct shk_loss *loss)
{
	struct noting_sink *n = noting_of(s);

	assert_true(n->n_lost < sizeof(n->losses) / sizeof(n->losses[0]));
	n->losses[n->n_lost++] = *loss;
	return called(n);
}

static int note_summary(struct shk_sink *s, const struct shk_summary *summary)
{
	noting_of(s)->summary = *summary;
	noting_of(s)->n_summary++;
	return called(noting_of(s));
}

static int note_flush(struct shk_sink *s)
{
	noting_of(s)->n_flush++;
	return 0;
}

static const struct shk_sink_ops noting_ops = {
	.name = "noting",
	.header = note_header,
	.opened = note_opened,
	.closed = note_closed,
	.lost = note_lost,
	.summary = note_summary,
	.flush = note_flush,
};

/*
 * ---- Both ----------------------------------------------------------------------------------------
 */

struct rig {
	struct memory_source source;
	struct noting_sink sink;
	struct shk_pipeline_config config;
	const char *sources[SHK_SOURCES_MAX + 1];
	struct shk_pipeline *pipeline;
	struct shk_error err;
	int fds[2];
};

static inline int rig_setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	r->fds[0] = r->fds[1] = -1;
	r->source.base.ops = &memory_ops;
	r->source.base.streams = STREAMS;
	r->source.base.poll_fd = -1;
	r->sink.base.ops = &noting_ops;
	r->config.sources[0] = &r->source.base;
	r->config.n_sources = 1;
	r->sources[0] = memory_ops.name;
	r->config.outlet.sink = &r->sink.base;
	r->config.outlet.header.version = "test";
	r->config.outlet.header.sources = r->sources;
	r->config.outlet.engine.linger_ns = 100 * MS;
	r->config.window_ns = 20 * MS;
	r->config.stop_fd = -1;
	r->config.out_fd = -1;
	*state = r;
	return 0;
}

static inline int rig_teardown(void **state)
{
	struct rig *r = *state;
	int i;

	shk_pipeline_free(r->pipeline);
	for (i = 0; i < 2; i++)
		if (r->fds[i] >= 0)
			close(r->fds[i]);
	if (r->source.base.poll_fd >= 0)
		close(r->source.base.poll_fd);
	free(r);
	return 0;
}

/* A live source whose events are there from the start; @ready: poll() says so. */
static inline void make_live(struct rig *r, unsigned int ready)
{
	r->source.base.poll_fd = eventfd(ready, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(r->source.base.poll_fd >= 0);
}

static inline void start(struct rig *r)
{
	r->pipeline = shk_pipeline_new(&r->config);
	assert_non_null(r->pipeline);
	assert_int_equal(shk_pipeline_start(r->pipeline, &r->err), 0);
	assert_int_equal(r->sink.n_header, 1);
	assert_true(r->source.started);
}

static inline void run_all(struct rig *r)
{
	start(r);
	assert_int_equal(shk_pipeline_run(r->pipeline, &r->err), 0);
	assert_int_equal(shk_pipeline_finish(r->pipeline, &r->err), 0);
	assert_true(r->source.stopped);
	assert_int_equal(r->sink.n_summary, 1);
}

static inline uint64_t now_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

#endif /* TEST_PIPELINE_RIG_H */
