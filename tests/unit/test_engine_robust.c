// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever is missing, out of order, doubled or nonsense: the engine lives on, tells each connection once,
 * and is never sure of what is not so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <malloc.h>

#include "engine_dsl.h"
#include "prng.h"

#define SEGMENTS 7 /* of a normal connection */

/* A normal connection on tape, as a capture sees it: event i is its segment i. */
static struct scene *tape_of_a_normal_connection(void)
{
	struct scene *s = scene_new(TAP);

	s->taping = true;
	handshake(s);
	close_in_four(s);
	assert_int_equal(s->n_tape, SEGMENTS);
	return s;
}

/* The lexicographically next order, false after the last. */
static bool next_permutation(uint8_t *p, int n)
{
	int i = n - 2, j = n - 1, k;
	uint8_t swap;

	while (i >= 0 && p[i] > p[i + 1])
		i--;
	if (i < 0)
		return false;
	while (p[j] < p[i])
		j--;
	swap = p[i], p[i] = p[j], p[j] = swap;
	for (j = i + 1, k = n - 1; j < k; j++, k--)
		swap = p[j], p[j] = p[k], p[k] = swap;
	return true;
}

/* Feeds the events in this order, each marked late as the merge would. */
static void feed_in_order(struct scene *s, const struct shk_event *events, const uint8_t *order, int n)
{
	uint64_t latest_ns = 0;

	for (int i = 0; i < n; i++) {
		const struct shk_event *ev = &events[order[i]];

		shk_engine_feed(s->engine, ev, ev->ts_ns < latest_ns);
		if (ev->ts_ns > latest_ns)
			latest_ns = ev->ts_ns;
	}
}

static void test_every_order_of_the_segments(void **state)
{
	struct scene *tape = tape_of_a_normal_connection();
	uint8_t order[SEGMENTS] = {0, 1, 2, 3, 4, 5, 6};
	unsigned int orders = 0, complete = 0;

	(void)state;
	do {
		struct scene *s = scene_new(TAP);
		const struct shk_conn *conn;

		feed_in_order(s, tape->tape, order, SEGMENTS);
		scene_finish(s);
		conn = the_closed(s); /* never two */
		assert_int_equal(conn->confidence, orders ? SHK_PARTIAL : SHK_CERTAIN);
		assert_int_equal(conn->open, SHK_O_3WHS);
		assert_int_equal(conn->end[CLIENT].port, CLIENT_PORT);
		assert_int_equal(conn->end[CLIENT].isn, CLIENT_ISN);
		assert_int_equal(conn->end[SERVER].isn, SERVER_ISN);
		assert_true(conn->end[CLIENT].bytes_known);
		assert_int_equal(conn->end[CLIENT].bytes, 0);
		assert_int_equal(conn->end[CLIENT].syn_retransmits, 0);
		assert_int_equal(conn->end[SERVER].synack_retransmits, 0);
		assert_int_equal(conn->close_by, SHK_CLIENT);
		complete += conn->close == SHK_C_4SEG;
		orders++;
		scene_free(s);
	} while (next_permutation(order, SEGMENTS));
	assert_int_equal(orders, 5040);
	printf("        %u of %u orders: told as a four-segment close\n", complete, orders);
	scene_free(tape);
}

static void test_every_subset_with_the_loss_announced(void **state)
{
	struct scene *tape = tape_of_a_normal_connection();

	(void)state;
	for (unsigned int keep = 0; keep < 1U << SEGMENTS; keep++) {
		struct scene *s = scene_new(TAP);
		struct shk_event loss = {.kind = SHK_EV_LOST, .lost.count = 1};

		for (int i = 0; i < SEGMENTS; i++) {
			loss.ts_ns = tape->tape[i].ts_ns;
			shk_engine_feed(s->engine, keep >> i & 1 ? &tape->tape[i] : &loss, false);
		}
		scene_finish(s);
		assert_in_range(n_closed(s), 0, 1);
		/* In a capture any segment is enough for a record. */
		assert_int_equal(n_closed(s), !!keep);
		/* Losses before the first that was seen are not known to be of this connection. */
		if (n_closed(s) && the_closed(s)->confidence == SHK_CERTAIN)
			assert_int_equal(keep, 0x7f);
		scene_free(s);
	}
	scene_free(tape);
}

/* Nobody says that something is missing. Then a verdict may be sure only of what the rest does say. */
static void test_every_subset_in_silence(void **state)
{
	enum { SYN = 1, SYNACK = 2, ACK = 4, FIN = 8, FINACK = 16, FIN2 = 32, FINACK2 = 64 };
	struct scene *tape = tape_of_a_normal_connection();

	(void)state;
	for (unsigned int keep = 0; keep < 1U << SEGMENTS; keep++) {
		struct scene *s = scene_new(TAP);

		for (int i = 0; i < SEGMENTS; i++)
			if (keep >> i & 1)
				shk_engine_feed(s->engine, &tape->tape[i], false);
		scene_finish(s);
		assert_int_equal(n_closed(s), !!keep);
		if (n_closed(s) && the_closed(s)->confidence == SHK_CERTAIN) {
			const unsigned int open = SYN | SYNACK | ACK;

			assert_int_equal(keep & open, open);
			assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
			switch (the_closed(s)->close) {
			case SHK_C_4SEG:
				assert_int_equal(keep, 0x7f);
				break;
			case SHK_C_3SEG:
				assert_int_equal(keep, open | FIN | FIN2 | FINACK2);
				break;
			case SHK_C_HALF_CLOSED:
				/* of either end, and no sight of the other's */
				assert_true((keep & (FIN | FINACK | FIN2)) == (FIN | FINACK) ||
					    (keep & (FIN | FIN2 | FINACK2)) == (FIN2 | FINACK2));
				break;
			default:
				assert_int_equal(the_closed(s)->close, SHK_C_NONE);
				assert_false(keep & (FIN | FIN2));
			}
		}
		scene_free(s);
	}
	scene_free(tape);
}

/*
 * ---- Thousands of connections at once ----------------------------------------------------------
 */

/* What really happens to a connection; its number is in the client's port. */
struct truth {
	enum shk_open open;
	enum shk_close close;
};

static struct truth play_one(struct scene *s, unsigned int kind)
{
	switch (kind) {
	case 0:
		handshake(s);
		close_in_four(s);
		return (struct truth){SHK_O_3WHS, SHK_C_4SEG};
	case 1:
		handshake(s);
		server(s, FA, 1, 1, 0);
		client(s, FA, 1, 2, 0);
		server(s, A, 2, 2, 0);
		return (struct truth){SHK_O_3WHS, SHK_C_3SEG};
	case 2:
		handshake(s);
		client(s, FA, 1, 1, 0);
		server(s, FA, 1, 1, 0);
		client(s, A, 2, 2, 0);
		server(s, A, 2, 2, 0);
		return (struct truth){SHK_O_3WHS, SHK_C_SIMULTANEOUS};
	case 3:
		client(s, S, 0, 0, 0);
		server(s, RA, 0 - s->isn[SERVER], 1, 0);
		return (struct truth){SHK_O_REFUSED, SHK_C_NONE};
	case 4:
		handshake(s);
		client(s, RA, 1, 1, 0);
		return (struct truth){SHK_O_3WHS, SHK_C_RST};
	case 5:
		client(s, S, 0, 0, 0);
		pass(s, SECOND);
		client(s, S, 0, 0, 0);
		return (struct truth){SHK_O_TIMEOUT, SHK_C_NONE};
	default:
		handshake(s);
		return (struct truth){SHK_O_3WHS, SHK_C_NONE};
	}
}

#define KINDS 7

struct crowd {
	struct scene *tape;
	struct truth *truths;
	unsigned int n;
};

static int compare_time(const void *a, const void *b)
{
	const struct shk_event *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	return x->cpu - y->cpu; /* here: order of emission */
}

/* @n connections that begin at random moments of one second. */
static struct crowd gather(unsigned int vantage, unsigned int n, struct prng *rng)
{
	struct crowd crowd = {scene_new(vantage), calloc(n, sizeof(*crowd.truths)), n};
	struct scene *s = crowd.tape;
	size_t first;

	assert_non_null(crowd.truths);
	s->taping = true;
	for (unsigned int i = 0; i < n; i++) {
		scene_call(s, 1 + i / 60000, i % 60000 + 1000);
		s->isn[CLIENT] = prng_next(rng);
		s->isn[SERVER] = prng_next(rng);
		s->now_ns = 10 * SECOND + prng_below(rng, SECOND);
		first = s->n_tape;
		crowd.truths[i] = play_one(s, prng_below(rng, KINDS));
		for (size_t k = first; k < s->n_tape; k++)
			s->tape[k].cpu = k - first;
	}
	qsort(s->tape, s->n_tape, sizeof(*s->tape), compare_time);
	return crowd;
}

static void disperse(struct crowd *crowd)
{
	free(crowd->truths);
	scene_free(crowd->tape);
}

/* One in so many; 0 for never. */
struct trouble {
	uint32_t drop, repeat, delay;
	bool silent; /* drops are not announced */
};

static void feed_with_trouble(struct scene *s, const struct crowd *crowd, const struct trouble *trouble,
			      struct prng *rng)
{
	struct shk_event held = {0}, loss = {.kind = SHK_EV_LOST, .lost.count = 1};
	int hold = 0;

	for (size_t i = 0; i < crowd->tape->n_tape; i++) {
		const struct shk_event *ev = &crowd->tape->tape[i];

		if (trouble->drop && prng_one_in(rng, trouble->drop)) {
			loss.ts_ns = ev->ts_ns;
			if (!trouble->silent)
				shk_engine_feed(s->engine, &loss, false);
			continue;
		}
		if (trouble->delay && !hold && prng_one_in(rng, trouble->delay)) {
			held = *ev;
			hold = 1 + prng_below(rng, 2000);
			continue;
		}
		shk_engine_feed(s->engine, ev, false);
		if (trouble->repeat && prng_one_in(rng, trouble->repeat))
			shk_engine_feed(s->engine, ev, false);
		if (hold && --hold == 0)
			shk_engine_feed(s->engine, &held, true);
	}
}

/* Each connection told once; at most once if segments were dropped. */
static void check_crowd(const struct scene *s, const struct crowd *crowd, const struct trouble *trouble)
{
	uint8_t *told = calloc(crowd->n, 1);
	unsigned int sure = 0;

	assert_non_null(told);
	for (size_t i = 0; i < s->n_told; i++) {
		const struct shk_conn *conn = &s->told[i].conn;
		unsigned int number = (conn->netns - 1) * 60000 + conn->end[CLIENT].port - 1000;

		if (!s->told[i].is_closed)
			continue;
		if (conn->end[CLIENT].port == SERVER_PORT) /* without the beginning, roles are a guess */
			number = (conn->netns - 1) * 60000 + conn->end[SERVER].port - 1000;
		assert_in_range(number, 0, crowd->n - 1);
		told[number]++;
		if (conn->confidence != SHK_CERTAIN)
			continue;
		sure++;
		if (trouble->silent)
			continue;
		assert_int_equal(conn->open, crowd->truths[number].open);
		assert_int_equal(conn->close, crowd->truths[number].close);
	}
	for (unsigned int i = 0; i < crowd->n; i++)
		assert_in_range(told[i], trouble->drop ? 0 : 1, 1);
	printf("        one in: drop %u%s, repeat %u, delay %u: %zu of %u told, %u of them certain\n",
	       trouble->drop, trouble->silent ? " in silence" : "", trouble->repeat, trouble->delay,
	       n_closed(s), crowd->n, sure);
	free(told);
}

static void test_thousands_in_trouble(void **state)
{
	static const struct trouble troubles[] = {
		{0, 0, 0, false},  {100, 0, 0, false},  {10, 0, 0, false},
		{100, 0, 0, true}, {10, 0, 0, true},    {0, 50, 0, false},
		{0, 0, 50, false}, {10, 10, 10, false}, {10, 10, 10, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		for (unsigned int v = LOOPBACK; v < VANTAGES; v += TAP) {
			struct prng rng = {1 + i};
			struct crowd crowd = gather(v, 3000, &rng);
			struct scene *s = scene_new(v);

			feed_with_trouble(s, &crowd, &troubles[i], &rng);
			pass_and_tell(s, 10 * SECOND);
			scene_finish(s);
			check_crowd(s, &crowd, &troubles[i]);
			scene_free(s);
			disperse(&crowd);
		}
	}
}

/*
 * ---- Nonsense ----------------------------------------------------------------------------------
 */

/* A segment without sense between few ends, with numbers that often nearly fit. */
static void make_nonsense(struct shk_event *ev, struct prng *rng)
{
	static const uint16_t flags[] = {S, SA, A, FA, R, RA, PA, FA | S, S | R, 0, 0xfff};
	uint64_t r = prng_next(rng);

	ev->ts_ns += 1 + (r % 5 ? prng_below(rng, 1000) : prng_below(rng, 2000) * MS);
	ev->netns = r >> 8 & 1;
	ev->saddr[15] = r >> 9 & 1;
	ev->daddr[15] = r >> 10 & 1;
	ev->sport = r >> 11 & 1;
	ev->dport = r >> 12 & 1;
	ev->kind = r >> 13 & 31 ? SHK_EV_SEGMENT : r >> 18 & 7;
	ev->where = r >> 21 & 7;
	for (size_t i = 0; i < sizeof(ev->seg); i++)
		((uint8_t *)&ev->seg)[i] = prng_next(rng) >> 56;
	ev->seg.tcp_flags = flags[prng_below(rng, sizeof(flags) / sizeof(flags[0]))];
	if (r >> 24 & 3) {
		ev->seg.seq = prng_below(rng, 3) - 1;
		ev->seg.ack = prng_below(rng, 4) - 1;
		ev->seg.payload_len = prng_below(rng, 2);
		ev->seg.ip_id = prng_below(rng, 2);
	}
}

static void test_nonsense(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct shk_engine_config config = scene_config;
		struct prng rng = {seed * 7919};
		struct shk_event ev = {.ts_ns = seed & 1 ? 0 : SECOND};
		struct scene *s;

		config.flows_max = seed % 3 ? 0 : 3;
		config.arrows_max = seed % 5 * 3;
		s = scene_new_with(LOOPBACK, &config);
		for (int i = 0; i < 20000; i++) {
			make_nonsense(&ev, &rng);
			shk_engine_feed(s->engine, &ev, prng_one_in(&rng, 100));
		}
		scene_finish(s);
		assert_int_not_equal(n_closed(s), 0);
		scene_free(s);
	}
}

static void test_times_at_the_end_of_time(void **state)
{
	struct scene *s = scene_new(LOOPBACK);

	(void)state;
	s->now_ns = UINT64_MAX - 20 * STEP_NS;
	handshake(s);
	close_in_four(s);
	client(s, S, 0, 0, 0);
	shk_engine_advance(s->engine, UINT64_MAX);
	scene_finish(s);
	assert_int_not_equal(n_closed(s), 0);
	scene_free(s);
}

/*
 * ---- A million through a small table -----------------------------------------------------------
 */

static void count_closed(void *arg, const struct shk_conn *conn)
{
	uint64_t *closed = arg;

	closed[0]++;
	closed[1] += conn->open == SHK_O_3WHS && conn->close == SHK_C_4SEG;
}

static void ignore_opened(void *arg, const struct shk_conn *conn)
{
	(void)arg;
	(void)conn;
}

/* Half of them close, half stay open and are evicted in the end: the table is always full. */
static void test_a_million_through_ten_thousand_places(void **state)
{
	const struct shk_engine_config config = {.flows_max = 10000, .linger_ns = MS, .arrows_max = 8};
	struct scene *tape = tape_of_a_normal_connection();
	uint64_t closed[2] = {0}, ts_ns = SECOND;
	struct shk_engine_out out = {ignore_opened, count_closed, closed};
	struct shk_engine *e = shk_engine_new(&config, &out);
	struct shk_engine_stats stats;
	size_t filled_bytes = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000000; i++) {
		for (uint32_t k = 0; k < (i & 1 ? SEGMENTS : 3); k++) {
			struct shk_event ev = tape->tape[k];
			uint8_t *client_addr = ev.sport == SERVER_PORT ? ev.daddr : ev.saddr;

			memcpy(client_addr + 8, &i, sizeof(i));
			ev.ts_ns = ts_ns += 1000;
			shk_engine_feed(e, &ev, false);
		}
		if (i == 100000)
			filled_bytes = mallinfo2().uordblks;
	}
	assert_in_range(mallinfo2().uordblks, filled_bytes / 100 * 99, filled_bytes / 100 * 101);
	shk_engine_stats(e, &stats);
	assert_int_equal(stats.flows_created, 1000000);
	assert_int_equal(stats.flows_live, 10000);
	assert_in_range(stats.evicted, 500000 - 10000, 500000);
	shk_engine_finish(e);
	assert_int_equal(closed[0], 1000000);
	assert_int_equal(closed[1], 500000);
	shk_engine_free(e);
	scene_free(tape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order_of_the_segments),
		cmocka_unit_test(test_every_subset_with_the_loss_announced),
		cmocka_unit_test(test_every_subset_in_silence),
		cmocka_unit_test(test_thousands_in_trouble),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_times_at_the_end_of_time),
		cmocka_unit_test(test_a_million_through_ten_thousand_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
