/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A scene: two ends that say TCP segments, an observer who sees them at the hooks of some vantage point,
 * the real gate, the real engine, and everything that the engine told. Include after cmocka.h.
 *
 *	struct scene *s = scene_new(LOOPBACK);
 *	client(s, S, 0, 0, 0);		flags, sequence number, acknowledgment number, octets of payload
 *	server(s, SA, 0, 1, 0);
 *	client(s, A, 1, 1, 0);
 *	scene_finish(s);
 *	assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
 *	scene_free(s);
 *
 * Numbers are relative to the ISN of the end they belong to, as in packetdrill. Each segment takes
 * STEP_NS of time, and is seen at each further hook HOP_NS later.
 */
#ifndef ENGINE_DSL_H
#define ENGINE_DSL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "gate.h"

#define S	SHK_TCP_SYN
#define A	SHK_TCP_ACK
#define SA	(SHK_TCP_SYN | SHK_TCP_ACK)
#define FA	(SHK_TCP_FIN | SHK_TCP_ACK)
#define R	SHK_TCP_RST
#define RA	(SHK_TCP_RST | SHK_TCP_ACK)
#define PA	(SHK_TCP_PSH | SHK_TCP_ACK)

#define US	1000ULL
#define MS	1000000ULL
#define SECOND	1000000000ULL
#define STEP_NS	(100 * US)
#define HOP_NS	US

#define CLIENT_ISN	1000U
#define SERVER_ISN	900000U
#define CLIENT_PORT	40000
#define SERVER_PORT	443
#define REAL_OFFSET_NS	1700000000000000000LL

enum { CLIENT = SHK_CLIENT, SERVER = SHK_SERVER };

#define PRE	SHK_HOOK_PRE_ROUTING
#define IN	SHK_HOOK_LOCAL_IN
#define FORWARD	SHK_HOOK_FORWARD
#define OUT	SHK_HOOK_LOCAL_OUT
#define POST	SHK_HOOK_POST_ROUTING
#define CAPTURE	SHK_HOOK_CAPTURE

/* The hooks that the segments of client and server pass, in order. */
struct vantage {
	const char	*name;
	uint8_t		n[2];
	uint8_t		hooks[2][4];
	enum shk_side	local;
};

static const struct vantage vantages[] = {
	{ "loopback", { 4, 4 }, { { OUT, POST, PRE, IN }, { OUT, POST, PRE, IN } }, SHK_BOTH },
	{ "client host", { 2, 2 }, { { OUT, POST }, { PRE, IN } }, SHK_CLIENT },
	{ "server host", { 2, 2 }, { { PRE, IN }, { OUT, POST } }, SHK_SERVER },
	{ "forwarder", { 3, 3 }, { { PRE, FORWARD, POST }, { PRE, FORWARD, POST } }, SHK_NEITHER },
	{ "capture", { 1, 1 }, { { CAPTURE }, { CAPTURE } }, SHK_NEITHER },
};

enum { LOOPBACK, CLIENT_HOST, SERVER_HOST, FORWARDER, TAP, VANTAGES };

/* What the engine told: a copy, with the ladder. */
struct told {
	bool			is_closed;	/* else opened() */
	struct shk_conn		conn;
	struct shk_arrow	*arrows;
};

struct scene {
	struct shk_engine	*engine;
	const struct vantage	*vantage;
	struct shk_gate_bucket	gate;
	struct shk_event	ends[2];	/* addresses and ports of what this end sends */
	uint32_t		isn[2];
	uint64_t		now_ns;
	uint32_t		hooks;		/* SHK_HOOK_BIT()s at which the observer looks */
	bool			cookies;	/* the server answers with SYN cookies */
	uint16_t		ip_id;		/* of the next segment */
	uint16_t		ip_id_step;	/* 0: IPv6, which has none */
	struct shk_segment	with;		/* options, and what belongs to them, of the next segment */

	struct shk_event	*tape;		/* while .taping: events to be fed later */
	size_t			n_tape;
	bool			taping;
	bool			ring_is_full;	/* the gate sees the segments, the engine does not */

	struct told		*told;
	size_t			n_told;
};

/* True of every record, whatever happened. */
static inline void assert_is_sane(const struct shk_conn *conn)
{
	const uint64_t spans[] = {
		conn->syn_synack_ns, conn->synack_ack_ns, conn->open_total_ns,
		conn->fin_ack_ns, conn->fin_fin_ns, conn->half_close_ns,
	};

	assert_in_range(conn->open, 0, SHK_O_COUNT - 1);
	assert_in_range(conn->close, 0, SHK_C_COUNT - 1);
	assert_true(conn->first_ns <= conn->last_ns);
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		assert_true(spans[i] == SHK_UNKNOWN_NS || spans[i] <= conn->last_ns);
	if (conn->lost && conn->open_told == SHK_O_NONE)
		assert_int_equal(conn->confidence, SHK_PARTIAL);
	if (conn->late || conn->evicted || conn->open == SHK_O_NONE)
		assert_int_equal(conn->confidence, SHK_PARTIAL);
	assert_int_equal(conn->blame.where == SHK_BLAME_NOTHING, conn->blame.why[0] == '\0');
	assert_true(strlen(conn->blame.why) < sizeof(conn->blame.why) - 1); /* not cut off */
	if (conn->confidence == SHK_CERTAIN && conn->open == SHK_O_3WHS) {
		assert_int_equal(conn->synack_acks_syn, 1);
		assert_int_equal(conn->ack_acks_synack, 1);
	}
	for (uint32_t i = 0; i < conn->n_arrows; i++) {
		assert_in_range(conn->arrows[i].state[0], 0, SHK_STATE_COUNT - 1);
		assert_in_range(conn->arrows[i].state[1], 0, SHK_STATE_COUNT - 1);
	}
}

static inline void scene_hear(struct scene *s, const struct shk_conn *conn, bool is_closed)
{
	struct told *t;

	assert_is_sane(conn);
	if ((s->n_told & (s->n_told - 1)) == 0) {
		s->told = realloc(s->told, (s->n_told ? 2 * s->n_told : 1) * sizeof(*s->told));
		assert_non_null(s->told);
	}
	t = &s->told[s->n_told++];
	*t = (struct told){ .is_closed = is_closed, .conn = *conn };
	if (conn->n_arrows) {
		t->arrows = malloc(conn->n_arrows * sizeof(*t->arrows));
		assert_non_null(t->arrows);
		memcpy(t->arrows, conn->arrows, conn->n_arrows * sizeof(*t->arrows));
	}
	t->conn.arrows = t->arrows;
}

static inline void scene_hear_opened(void *arg, const struct shk_conn *conn)
{
	scene_hear(arg, conn, false);
}

static inline void scene_hear_closed(void *arg, const struct shk_conn *conn)
{
	scene_hear(arg, conn, true);
}

/* The two ends from now on: [2001:db8::1]:@client_port and [2001:db8::2]:443. The gate forgets. */
static inline void scene_call(struct scene *s, uint32_t netns, uint16_t client_port)
{
	struct shk_event *there = &s->ends[CLIENT], *back = &s->ends[SERVER];

	*there = (struct shk_event){ .kind = SHK_EV_SEGMENT, .netns = netns,
				     .saddr = { 0x20, 1, 0xd, 0xb8, [15] = 1 }, .sport = client_port,
				     .daddr = { 0x20, 1, 0xd, 0xb8, [15] = 2 }, .dport = SERVER_PORT };
	*back = *there;
	memcpy(back->saddr, there->daddr, sizeof(back->saddr));
	memcpy(back->daddr, there->saddr, sizeof(back->daddr));
	back->sport = there->dport;
	back->dport = there->sport;
	memset(&s->gate, 0, sizeof(s->gate));
}

static inline struct scene *scene_new_with(unsigned int vantage, const struct shk_engine_config *config)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct shk_engine_out out = { scene_hear_opened, scene_hear_closed, s };

	assert_non_null(s);
	s->engine = shk_engine_new(config, &out);
	assert_non_null(s->engine);
	s->vantage = &vantages[vantage];
	s->hooks = UINT32_MAX;
	s->isn[CLIENT] = CLIENT_ISN;
	s->isn[SERVER] = SERVER_ISN;
	s->now_ns = 10 * SECOND;
	s->ip_id = 1;
	s->ip_id_step = 1;
	scene_call(s, 1, CLIENT_PORT);
	return s;
}

static const struct shk_engine_config scene_config = {
	.hash_key = { 1, 2 }, .linger_ns = SHK_LINGER_LIVE_NS, .arrows_max = 64,
};

static inline struct scene *scene_new(unsigned int vantage)
{
	return scene_new_with(vantage, &scene_config);
}

static inline void scene_feed(struct scene *s, const struct shk_event *ev)
{
	if (s->ring_is_full)
		return;
	if (!s->taping) {
		shk_engine_feed(s->engine, ev, false);
		return;
	}
	if ((s->n_tape & (s->n_tape - 1)) == 0) {
		s->tape = realloc(s->tape, (s->n_tape ? 2 * s->n_tape : 1) * sizeof(*s->tape));
		assert_non_null(s->tape);
	}
	s->tape[s->n_tape++] = *ev;
}

/* One segment passes the vantage point; takes STEP_NS. */
static inline void say(struct scene *s, unsigned int from, uint16_t flags, uint32_t seq, uint32_t ack,
		       uint32_t payload_len)
{
	struct shk_event ev = s->ends[from];
	struct shk_gate_result res;
	struct shk_tuple tuple;

	ev.seg.seq = s->isn[from] + seq;
	ev.seg.ack = flags & A ? s->isn[!from] + ack : 0;
	ev.seg.payload_len = payload_len;
	ev.seg.tcp_flags = flags;
	ev.seg.ip_id = s->ip_id;
	ev.seg.gso_segs = 1;
	if (flags & S) {
		ev.seg.options = SHK_OPT_MSS | SHK_OPT_WSCALE;
		ev.seg.mss = 1400 + from;
		ev.seg.wscale = 7 + from;
	}
	ev.seg.options |= s->with.options;
	ev.seg.tsval = s->with.tsval;
	ev.seg.tsecr = s->with.tsecr;
	ev.seg.window = s->with.window;
	ev.seg.tfo_len = s->with.tfo_len;
	ev.seg.mptcp_subtype = s->with.mptcp_subtype;
	ev.seg.tcp_flags |= s->with.tcp_flags;
	s->with = (struct shk_segment){ 0 };
	s->ip_id += s->ip_id_step;
	shk_tuple_from_event(&tuple, &ev);
	for (int i = 0; i < s->vantage->n[from]; i++) {
		ev.where = s->vantage->hooks[from][i];
		ev.ts_ns = s->now_ns + i * HOP_NS;
		ev.seg.sock_state = ev.where != OUT ? 0 : (flags & SA) != SA ? 1 : s->cookies ? 0 : 12;
		if (!(s->hooks & SHK_HOOK_BIT(ev.where)))
			continue;
		shk_gate_judge(&s->gate, 0, &tuple, &ev.seg, ev.where, ev.ts_ns, &res);
		ev.seg.why = res.why;
		if (res.why || ev.where == CAPTURE)
			scene_feed(s, &ev);
	}
	s->now_ns += STEP_NS;
}

static inline void client(struct scene *s, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t payload_len)
{
	say(s, CLIENT, flags, seq, ack, payload_len);
}

static inline void server(struct scene *s, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t payload_len)
{
	say(s, SERVER, flags, seq, ack, payload_len);
}

/* It was sent, but no hook saw it. */
static inline void unseen(struct scene *s, unsigned int from, uint16_t flags, uint32_t seq, uint32_t ack)
{
	uint32_t hooks = s->hooks;

	s->hooks = 0;
	say(s, from, flags, seq, ack, 0);
	s->hooks = hooks;
}

/* The hooks saw it, but the ring was full. */
static inline void lost(struct scene *s, unsigned int from, uint16_t flags, uint32_t seq, uint32_t ack)
{
	s->ring_is_full = true;
	say(s, from, flags, seq, ack, 0);
	s->ring_is_full = false;
}

static inline void handshake(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
}

/* After handshake(), without data; the client closes first. */
static inline void close_in_four(struct scene *s)
{
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
	server(s, FA, 1, 2, 0);
	client(s, A, 2, 2, 0);
}

static inline void pass(struct scene *s, uint64_t ns)
{
	s->now_ns += ns;
}

/* The next event of any kind, or a timer, tells the engine what time it is. */
static inline void pass_and_tell(struct scene *s, uint64_t ns)
{
	pass(s, ns);
	shk_engine_advance(s->engine, s->now_ns);
}

/* The source says that it lost events. */
static inline void announce_loss(struct scene *s, uint64_t count)
{
	struct shk_event ev = { .kind = SHK_EV_LOST, .ts_ns = s->now_ns, .lost.count = count };

	scene_feed(s, &ev);
}

static inline size_t count_told(const struct scene *s, bool is_closed)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_told; i++)
		n += s->told[i].is_closed == is_closed;
	return n;
}

#define n_opened(s)	count_told(s, false)
#define n_closed(s)	count_told(s, true)

/* The @nth record of its kind, from 0. */
static inline const struct shk_conn *told_at(const struct scene *s, bool is_closed, size_t nth)
{
	for (size_t i = 0; i < s->n_told; i++)
		if (s->told[i].is_closed == is_closed && nth-- == 0)
			return &s->told[i].conn;
	fail_msg("the engine has not told so many records");
	return NULL;
}

#define opened_at(s, nth)	told_at(s, false, nth)
#define closed_at(s, nth)	told_at(s, true, nth)

/* The only one of its kind. */
static inline const struct shk_conn *the_opened(const struct scene *s)
{
	assert_int_equal(n_opened(s), 1);
	return opened_at(s, 0);
}

static inline const struct shk_conn *the_closed(const struct scene *s)
{
	assert_int_equal(n_closed(s), 1);
	return closed_at(s, 0);
}

static inline int compare_told(const void *a, const void *b)
{
	const struct told *const *x = a, *const *y = b;

	if ((*x)->conn.id != (*y)->conn.id)
		return (*x)->conn.id < (*y)->conn.id ? -1 : 1;
	return *x < *y ? -1 : 1;
}

/* Each connection is told opened at most once and then closed exactly once, under one id. */
static inline void assert_told_in_order(const struct scene *s)
{
	const struct told **by_id = calloc(s->n_told + 1, sizeof(*by_id));
	size_t i;

	assert_non_null(by_id);
	for (i = 0; i < s->n_told; i++)
		by_id[i] = &s->told[i];
	qsort(by_id, s->n_told, sizeof(*by_id), compare_told);
	for (i = 0; i < s->n_told; i++) {
		if (!by_id[i]->is_closed) {
			assert_true(i + 1 < s->n_told);
			assert_true(by_id[i + 1]->is_closed);
			assert_int_equal(by_id[i + 1]->conn.id, by_id[i]->conn.id);
			assert_int_equal(by_id[i + 1]->conn.open_told, by_id[i]->conn.open);
			i++;
		}
		if (i + 1 < s->n_told)
			assert_int_not_equal(by_id[i + 1]->conn.id, by_id[i]->conn.id);
	}
	free(by_id);
}

static inline void scene_finish(struct scene *s)
{
	shk_engine_finish(s->engine);
	assert_told_in_order(s);
}

static inline void scene_free(struct scene *s)
{
	for (size_t i = 0; i < s->n_told; i++)
		free(s->told[i].arrows);
	free(s->told);
	free(s->tape);
	shk_engine_free(s->engine);
	free(s);
}

#endif /* ENGINE_DSL_H */
