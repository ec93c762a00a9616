// SPDX-License-Identifier: GPL-2.0
/*
 * gate.h against an oracle with unlimited memory, on simulated connections with loss.
 *
 * Both ends of each connection send data, retransmit, close in every order and reset; a segment may be
 * lost between any two hooks, and a tuple is used again when its connection is over. The oracle keeps
 * the whole history and answers from the definition: an ACK passes if it is the first one at its hook
 * that answers the latest cause, or the first one there at all, or the first with data. The gate must agree
 * about every segment, but for the expectations that it threw out, which the test finds by comparing the
 * bucket before and after: those still unmet must be counted as displaced, no more and no fewer.
 */
#include <stdlib.h>

#include "gate_rig.h"
#include "prng.h"

#define CONNECTIONS 200U
#define BUCKETS_MAX 32768U
#define HISTORY_MAX 8192U
#define KINDS       4U

struct record {
	uint8_t from;
	uint8_t hook;
	uint16_t flags;
	uint8_t data;
	uint32_t ack;
	uint32_t number; /* what an ACK of this SYN+ACK or FIN covers */
};

/* One end, as much of TCP as it takes to make plausible segments. */
struct end {
	uint32_t isn;
	uint32_t una;
	uint32_t nxt;
	uint32_t rcv_nxt;
	int opened; /* rcv_nxt is valid */
	int fin_sent;
};

struct connection {
	const struct rig_view *view;
	struct rig rig; /* for the tuple alone */
	struct shk_tuple tuple[2];
	uint64_t hash;
	struct end end[2];
	struct record history[HISTORY_MAX];
	uint32_t length;
	uint32_t gone_at[2][KINDS]; /* causes before this index are forgotten */
};

struct world {
	struct shk_gate_bucket table[BUCKETS_MAX];
	uint32_t buckets;
	struct prng rng;
	uint64_t now_ns;
	struct connection *conns;
	uint64_t passed[KINDS];
	uint64_t displaced;
	uint64_t first_displaced;
	uint64_t segments;
};

/*
 * ---- The oracle ----------------------------------------------------------------------------------
 */

static int is_cause(uint32_t kind, uint16_t flags)
{
	switch (kind) {
	case SHK_EXPECT_FIRST:
		return !(flags & RST) && (flags & SYN);
	case SHK_EXPECT_ANSWER:
		return !!(flags & (SYN | RST));
	case SHK_EXPECT_ACK_OF_SYNACK:
		return !(flags & RST) && (flags & SYN) && (flags & ACK);
	case SHK_EXPECT_ACK_OF_FIN:
		return !(flags & RST) && (flags & FIN) && !((flags & SYN) && (flags & ACK));
	}
	return 0;
}

static int answers(uint32_t kind, uint32_t number, uint32_t ack)
{
	switch (kind) {
	case SHK_EXPECT_ACK_OF_SYNACK:
		return ack - number < SHK_GATE_REACH;
	case SHK_EXPECT_ACK_OF_FIN:
		return ack == number;
	}
	return 1;
}

static uint32_t reason_of(uint32_t kind)
{
	return kind == SHK_EXPECT_ANSWER          ? ANSWERS
	       : kind == SHK_EXPECT_ACK_OF_SYNACK ? ACKS_SYNACK
						  : ACKS_FIN;
}

/* Does an ACK from @from at @hook answer the latest cause of this kind, and is it the first to do so? */
static int is_first_answer(const struct connection *c, uint32_t kind, int from, uint32_t ack, uint32_t hook)
{
	const struct record *cause = NULL, *r;
	uint32_t i;

	for (i = c->length; i-- > c->gone_at[from][kind] && !cause;)
		if (c->history[i].from != from && is_cause(kind, c->history[i].flags))
			cause = &c->history[i];
	if (!cause || !answers(kind, cause->number, ack))
		return 0;
	for (r = cause + 1; r < c->history + c->length; r++)
		if (r->from == from && r->hook == hook && (r->flags & ACK) &&
		    answers(kind, cause->number, r->ack))
			return 0;
	return 1;
}

static int is_plain(const struct record *r)
{
	return (r->flags & ACK) && !(r->flags & (SYN | FIN | RST));
}

/* Is it the first segment of its end with data, or without, at its hook since the end's latest SYN? */
static int is_first_of_its_sort(const struct connection *c, const struct record *now)
{
	const struct record *r;
	uint32_t i;

	for (i = c->length; i-- > c->gone_at[now->from][SHK_EXPECT_FIRST];) {
		r = &c->history[i];
		if (r->from != now->from)
			continue;
		if (is_cause(SHK_EXPECT_FIRST, r->flags))
			return 1;
		if (is_plain(r) && r->hook == now->hook && r->data == now->data)
			return 0;
	}
	return 0;
}

static uint32_t oracle(const struct connection *c, const struct record *r)
{
	uint32_t kind, why = r->flags & (SYN | FIN | RST) ? CONTROL : 0;

	if (r->flags & ACK)
		for (kind = 1; kind < KINDS; kind++)
			if (is_first_answer(c, kind, r->from, r->ack, r->hook))
				why |= reason_of(kind);
	if (is_plain(r) && is_first_of_its_sort(c, r))
		why |= r->data ? FIRST_DATA : FIRST_ACK;
	return why;
}

/*
 * ---- The comparison ------------------------------------------------------------------------------
 */

static uint64_t identity(uint64_t entry)
{
	return entry >> SHK_GATE_KIND_SHIFT;
}

static int contains(const struct shk_gate_bucket *b, uint64_t entry)
{
	int i;

	for (i = 0; i < (int)SHK_GATE_WAYS; i++)
		if (b->entry[i] && identity(b->entry[i]) == identity(entry))
			return 1;
	return 0;
}

static struct connection *owner(struct world *w, const struct shk_gate_bucket *b, uint64_t entry)
{
	uint32_t i;

	for (i = 0; i < CONNECTIONS; i++)
		if (shk_gate_tag(w->conns[i].hash) == entry >> SHK_GATE_TAG_SHIFT &&
		    &w->table[w->conns[i].hash & (w->buckets - 1)] == b)
			return &w->conns[i];
	fail_msg("an entry that nobody inserted: %#llx", (unsigned long long)entry);
	return NULL;
}

/* The expectation is no longer in the table: the oracle must not expect it either. */
static void forget(struct world *w, const struct shk_gate_bucket *b, uint64_t entry)
{
	struct connection *c = owner(w, b, entry);
	int dir = entry >> SHK_GATE_DIR_SHIFT & 1;
	int from = c->tuple[CLIENT].dir == (uint32_t)dir ? CLIENT : SERVER;

	c->gone_at[from][shk_gate_kind(entry)] = c->length;
}

/* What a cause leaves behind. */
static uint64_t left_by(const struct connection *c, const struct record *r, uint32_t kind)
{
	int awaited = kind == SHK_EXPECT_FIRST ? r->from : !r->from;

	return shk_gate_make(shk_gate_tag(c->hash), c->tuple[awaited].dir, kind, 0, 0);
}

static int is_left_by(const struct connection *c, const struct record *r, uint64_t entry)
{
	uint32_t kind = shk_gate_kind(entry);

	return is_cause(kind, r->flags) && identity(entry) == identity(left_by(c, r, kind));
}

/* Was @entry met somewhere, by this segment itself if not before? */
static int is_met(const struct connection *c, const struct record *r, uint32_t why, uint64_t entry)
{
	uint64_t awaited =
		shk_gate_make(shk_gate_tag(c->hash), c->tuple[r->from].dir, shk_gate_kind(entry), 0, 0);

	return shk_gate_hooks(entry) ||
	       (identity(entry) == identity(awaited) && (why & reason_of(shk_gate_kind(entry))));
}

struct gone {
	uint32_t causes; /* that this segment is */
	uint32_t unmet;  /* expectations that nobody met, and FIRSTs of which both were met nowhere */
};

/* Of two causes in one segment, the first may displace what the second then puts back. */
static int is_count_right(uint32_t displaced, const struct gone *gone, uint32_t all_causes)
{
	return displaced == gone->unmet || (all_causes >= 2 && displaced == gone->unmet + 1);
}

static void check_displaced(struct world *w, const struct shk_gate_bucket *before,
			    const struct shk_gate_bucket *after, const struct connection *c,
			    const struct record *r, const struct shk_gate_result *res)
{
	struct gone gone[2] = {{0}}; /* ACKs, FIRSTs */
	uint32_t i, kind;

	for (i = 0; i < SHK_GATE_WAYS; i++) {
		uint64_t entry = before->entry[i];
		struct gone *g = &gone[shk_gate_kind(entry) == SHK_EXPECT_FIRST];

		if (entry && !contains(after, entry) && !is_left_by(c, r, entry)) {
			g->unmet += !is_met(c, r, res->why, entry);
			forget(w, after, entry);
		}
	}
	for (kind = 0; kind < KINDS; kind++) {
		struct gone *g = &gone[kind == SHK_EXPECT_FIRST];

		if (!is_cause(kind, r->flags))
			continue;
		g->causes++;
		if (!contains(after, left_by(c, r, kind))) { /* thrown out by its own twin, or not let in */
			g->unmet++;
			forget(w, after, left_by(c, r, kind));
		}
	}
	assert_true(is_count_right(res->displaced, &gone[0], gone[0].causes));
	assert_true(is_count_right(res->first_displaced, &gone[1], gone[0].causes + gone[1].causes));
	w->displaced += res->displaced;
	w->first_displaced += res->first_displaced;
}

static void see(struct world *w, struct connection *c, int from, const struct shk_segment *seg, uint32_t hook)
{
	struct shk_gate_bucket *b = &w->table[c->hash & (w->buckets - 1)], before = *b;
	struct record r = {
		.from = from,
		.hook = hook,
		.flags = seg->tcp_flags,
		.data = seg->payload_len != 0,
		.ack = seg->ack,
		.number = seg->seq + seg->payload_len + 1,
	};
	uint32_t expected = oracle(c, &r), kind;
	struct shk_gate_result res;

	shk_gate_judge(b, c->hash, &c->tuple[from], seg, hook, w->now_ns, &res);
	assert_int_equal(res.why, expected);
	for (kind = 1; kind < KINDS; kind++)
		w->passed[kind] += !!(res.why & reason_of(kind));
	w->passed[SHK_EXPECT_FIRST] += !!(res.why & (FIRST_DATA | FIRST_ACK));
	assert_true(c->length < HISTORY_MAX);
	c->history[c->length++] = r;
	check_displaced(w, &before, b, c, &r, &res);
	w->now_ns += 20000000;
	w->segments++;
}

/*
 * ---- The connections -----------------------------------------------------------------------------
 */

static void connection_begin(struct world *w, struct connection *c)
{
	int e;

	for (e = 0; e < 2; e++) {
		struct end *end = &c->end[e];

		memset(end, 0, sizeof(*end));
		end->isn = prng_next(&w->rng);
		end->una = end->nxt = end->isn;
	}
}

static void receive(struct connection *c, int to, const struct shk_segment *seg)
{
	struct end *end = &c->end[to];
	uint32_t past = seg->seq + seg->payload_len + !!(seg->tcp_flags & SYN) + !!(seg->tcp_flags & FIN);

	if (seg->tcp_flags & SYN && !end->opened) {
		end->opened = 1;
		end->rcv_nxt = past;
	} else if (end->opened && seg->seq == end->rcv_nxt) {
		end->rcv_nxt = past;
	}
	if (seg->tcp_flags & ACK && seg->ack - end->una <= end->nxt - end->una)
		end->una = seg->ack;
}

/* Past the hooks in turn; one in eight is lost before one of them or after the last. */
static void transmit(struct world *w, struct connection *c, int from, uint16_t flags, uint32_t seq,
		     uint32_t len)
{
	struct end *end = &c->end[from];
	struct shk_segment seg = {
		.seq = seq,
		.payload_len = len,
		.tcp_flags = flags,
		.ack = flags & ACK ? end->rcv_nxt : 0,
	};
	uint32_t past = seq + len + !!(flags & SYN) + !!(flags & FIN);
	const uint8_t *hook;

	if ((int32_t)(past - end->nxt) > 0)
		end->nxt = past;
	for (hook = c->view->hooks[from]; *hook != END; hook++) {
		if (prng_one_in(&w->rng, 16))
			return;
		see(w, c, from, &seg, *hook);
	}
	receive(c, !from, &seg);
}

/* One end does something that TCP might do in its state. */
static void act(struct world *w, struct connection *c)
{
	int from = prng_below(&w->rng, 2);
	struct end *end = &c->end[from], *other = &c->end[!from];

	if (prng_one_in(&w->rng, 60)) {
		transmit(w, c, from, end->opened ? RST | ACK : RST, end->nxt, 0);
		connection_begin(w, c);
	} else if (end->una == end->isn) { /* our SYN is not acknowledged */
		if (end->opened)
			transmit(w, c, from, SYN | ACK, end->isn, 0);
		else if (from == CLIENT || prng_one_in(&w->rng, 20))
			transmit(w, c, from, SYN, end->isn, 0);
	} else if (end->fin_sent && end->una == end->nxt && other->fin_sent && other->una == other->nxt) {
		connection_begin(w, c);
	} else if (end->fin_sent && end->una != end->nxt && prng_one_in(&w->rng, 2)) {
		transmit(w, c, from, FIN | ACK, end->una, end->nxt - end->una - 1);
	} else if (!end->fin_sent && prng_one_in(&w->rng, 10)) {
		end->fin_sent = 1;
		transmit(w, c, from, FIN | ACK, end->nxt, prng_below(&w->rng, 2) * 100);
	} else if (!end->fin_sent && prng_one_in(&w->rng, 2)) {
		uint32_t seq = prng_one_in(&w->rng, 4) ? end->una : end->nxt;

		transmit(w, c, from, PSH | ACK, seq, 1 + prng_below(&w->rng, 3000));
	} else {
		transmit(w, c, from, ACK, end->nxt, 0);
	}
}

static struct world *world_new(uint32_t buckets)
{
	struct world *w = calloc(1, sizeof(*w));
	uint32_t i;

	assert_non_null(w);
	w->conns = calloc(CONNECTIONS, sizeof(*w->conns));
	assert_non_null(w->conns);
	w->buckets = buckets;
	w->rng.state = buckets;
	for (i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &w->conns[i];

		rig_init(&c->rig, 1 + i % 7, 40000 + i, 2, 80, 1);
		shk_tuple_from_event(&c->tuple[CLIENT], &c->rig.ends[CLIENT]);
		shk_tuple_from_event(&c->tuple[SERVER], &c->rig.ends[SERVER]);
		c->hash = shk_tuple_hash(&c->tuple[CLIENT], &rig_key);
		c->view = &rig_views[i % COUNT_OF(rig_views)];
		connection_begin(w, c);
	}
	return w;
}

static void world_free(struct world *w)
{
	free(w->conns);
	free(w);
}

static void world_run(struct world *w)
{
	uint32_t i;

	for (i = 0; i < 300000; i++) {
		struct connection *c = &w->conns[prng_below(&w->rng, CONNECTIONS)];

		if (c->length + 8 < HISTORY_MAX)
			act(w, c);
	}
	print_message(
		"%u buckets: %lu segments; %lu answers, %lu ACKs of SYN+ACK, %lu of FIN; %lu displaced; "
		"%lu firsts, %lu displaced\n",
		w->buckets, w->segments, w->passed[1], w->passed[2], w->passed[3], w->displaced, w->passed[0],
		w->first_displaced);
	assert_true(w->passed[SHK_EXPECT_ANSWER] > 1000);
	assert_true(w->passed[SHK_EXPECT_ACK_OF_SYNACK] > 1000);
	assert_true(w->passed[SHK_EXPECT_ACK_OF_FIN] > 1000);
}

/* Room for all: the gate knows as much as the oracle. */
static void test_roomy(void **state)
{
	struct world *w = world_new(BUCKETS_MAX);

	(void)state;
	world_run(w);
	assert_int_equal(w->displaced + w->first_displaced, 0);
	assert_true(w->passed[SHK_EXPECT_FIRST] > 1000);
	world_free(w);
}

/* Six to 200 connections in a bucket. */
static void test_crowded(void **state)
{
	uint32_t buckets;

	(void)state;
	for (buckets = 32; buckets >= 1; buckets /= 2) {
		struct world *w = world_new(buckets);

		world_run(w);
		assert_true(w->displaced > 0 && w->first_displaced > 0);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roomy),
		cmocka_unit_test(test_crowded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
