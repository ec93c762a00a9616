// SPDX-License-Identifier: GPL-2.0
/* From one connection to the next: reuse, stragglers, loss, lateness, a full table, replay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_dsl.h"

static void test_reuse_reports_the_old_connection_first(void **state)
{
	static const uint64_t gaps_ns[] = {0, 30 * SECOND,
					   90 * SECOND}; /* lingering, a tombstone, forgotten */

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		struct scene *s = scene_new(LOOPBACK);

		handshake(s);
		close_in_four(s);
		pass(s, gaps_ns[c]);
		s->isn[CLIENT] += 123456;
		s->isn[SERVER] += 654321;
		handshake(s);
		assert_int_equal(s->n_told, 3);
		assert_false(s->told[0].is_closed);
		assert_true(s->told[1].is_closed);
		assert_false(s->told[2].is_closed);
		assert_int_equal(s->told[1].conn.id, s->told[0].conn.id);
		assert_int_equal(s->told[1].conn.close, SHK_C_4SEG);
		assert_int_equal(s->told[1].conn.confidence, SHK_CERTAIN);
		assert_int_not_equal(s->told[2].conn.id, s->told[0].conn.id);
		assert_int_equal(s->told[2].conn.end[CLIENT].isn, CLIENT_ISN + 123456);
		close_in_four(s);
		scene_finish(s);
		assert_int_equal(n_closed(s), 2);
		assert_int_equal(closed_at(s, 1)->confidence, SHK_CERTAIN);
		scene_free(s);
	}
}

static void test_reuse_after_refusal(void **state)
{
	struct scene *s = scene_new(LOOPBACK);

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, RA, 0, 1, 0);
	s->isn[CLIENT] += 5;
	client(s, S, 0, 0, 0);
	server(s, RA, 0, 1, 0);
	scene_finish(s);
	assert_int_equal(n_closed(s), 2);
	assert_int_equal(closed_at(s, 0)->open, SHK_O_REFUSED);
	assert_int_equal(closed_at(s, 1)->open, SHK_O_REFUSED);
	scene_free(s);
}

static void test_stragglers_make_no_second_record(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);
		struct shk_engine_stats stats;

		handshake(s);
		close_in_four(s);
		pass_and_tell(s, SECOND);
		assert_int_equal(n_closed(s), 1);
		for (int i = 0; i < 3; i++) { /* each one starts the 60 s again, as in TIME-WAIT */
			pass_and_tell(s, 59 * SECOND);
			server(s, FA, 1, 2, 0);
			client(s, A, 2, 2, 0);
		}
		client(s, S, 0, 0, 0); /* a duplicate from the network */
		server(s, SA, 0, 1, 0);
		server(s, R, 1, 0, 0);
		scene_finish(s);
		assert_int_equal(n_closed(s), 1);
		assert_int_equal(n_opened(s), 1);
		shk_engine_stats(s->engine, &stats);
		assert_int_equal(stats.flows_created, 1);
		assert_int_equal(stats.flows_live, 0);
		scene_free(s);
	}
}

/* But for those of which every segment of the verdict was seen. */
static void test_loss_makes_the_living_partial(void **state)
{
	struct scene *s = scene_new(LOOPBACK);
	struct shk_engine_stats stats;

	(void)state;
	handshake(s);
	close_in_four(s);
	pass_and_tell(s, SECOND);
	scene_call(s, 1, CLIENT_PORT + 1);
	handshake(s);
	announce_loss(s, 0);
	announce_loss(s, 17);
	announce_loss(s, 3);
	client(s, RA, 1, 1, 0);
	pass_and_tell(s, SECOND);
	scene_call(s, 1, CLIENT_PORT + 2);
	handshake(s);
	close_in_four(s);
	pass_and_tell(s, SECOND);
	scene_call(s, 1, CLIENT_PORT + 3);
	client(s, S, 0, 0, 0);
	announce_loss(s, 1);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
	close_in_four(s);
	scene_finish(s);
	assert_int_equal(closed_at(s, 0)->confidence, SHK_CERTAIN);
	assert_int_equal(closed_at(s, 0)->lost, 0);
	assert_int_equal(closed_at(s, 1)->confidence, SHK_PARTIAL);
	assert_int_equal(closed_at(s, 1)->lost, 20);
	assert_int_equal(closed_at(s, 1)->close, SHK_C_RST);
	assert_int_equal(opened_at(s, 3)->confidence, SHK_CERTAIN);
	assert_int_equal(closed_at(s, 3)->confidence, SHK_CERTAIN);
	assert_int_equal(closed_at(s, 3)->lost, 1);
	assert_int_equal(closed_at(s, 3)->close, SHK_C_4SEG);
	assert_int_equal(closed_at(s, 2)->confidence, SHK_CERTAIN);
	assert_int_equal(closed_at(s, 2)->lost, 0);
	shk_engine_stats(s->engine, &stats);
	assert_int_equal(stats.lost, 21);
	scene_free(s);
}

static void test_late_events_make_it_partial(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	s->taping = true;
	handshake(s);
	close_in_four(s);
	for (size_t i = 0; i < s->n_tape; i++)
		shk_engine_feed(s->engine, &s->tape[i], i == 3);
	scene_finish(s);
	assert_int_equal(the_closed(s)->late, 1);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	scene_free(s);
}

/* A late beginning tells who opened, although the FIN of the server came first. */
static void test_beginning_that_comes_after_the_end(void **state)
{
	struct scene *s = scene_new(TAP);
	const struct shk_conn *conn;

	(void)state;
	s->taping = true;
	handshake(s);
	server(s, FA, 1, 1, 0);
	client(s, FA, 1, 2, 0);
	server(s, A, 2, 2, 0);
	for (size_t i = 0; i < 6; i++)
		shk_engine_feed(s->engine, &s->tape[(i + 3) % 6], i >= 3);
	scene_finish(s);
	conn = the_closed(s);
	assert_int_equal(conn->open, SHK_O_3WHS);
	assert_int_equal(conn->confidence, SHK_PARTIAL);
	assert_int_equal(conn->close, SHK_C_3SEG);
	assert_int_equal(conn->close_by, SHK_SERVER);
	assert_int_equal(conn->end[CLIENT].port, CLIENT_PORT);
	assert_int_equal(conn->end[CLIENT].isn, CLIENT_ISN);
	assert_int_equal(conn->end[SERVER].isn, SERVER_ISN);
	assert_int_equal(conn->first_ns, s->tape[0].ts_ns);
	assert_int_equal(conn->syn_synack_ns, STEP_NS);
	assert_int_equal(conn->arrows[0].from, SERVER); /* the FIN */
	scene_free(s);
}

static void test_nothing_is_told_after_the_end(void **state)
{
	struct scene *s = scene_new(TAP);

	(void)state;
	s->taping = true;
	handshake(s);
	s->taping = false;
	close_in_four(s);
	pass_and_tell(s, SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_PREEXISTING);
	for (size_t i = 0; i < s->n_tape; i++)
		shk_engine_feed(s->engine, &s->tape[i], true);
	scene_finish(s);
	assert_int_equal(s->n_told, 1);
	scene_free(s);
}

static void test_oldest_is_evicted_when_the_table_is_full(void **state)
{
	struct shk_engine_config config = scene_config;
	struct shk_engine_stats stats;
	struct scene *s;

	(void)state;
	config.flows_max = 10;
	s = scene_new_with(CLIENT_HOST, &config);
	for (unsigned int i = 0; i < 25; i++) {
		scene_call(s, 1, CLIENT_PORT + i);
		handshake(s);
	}
	shk_engine_stats(s->engine, &stats);
	assert_int_equal(stats.evicted, 15);
	assert_int_equal(stats.flows_created, 25);
	assert_int_equal(stats.flows_live, 10);
	assert_int_equal(n_closed(s), 15);
	scene_finish(s);
	assert_int_equal(n_closed(s), 25);
	for (unsigned int i = 0; i < 25; i++) {
		assert_int_equal(closed_at(s, i)->end[CLIENT].port, CLIENT_PORT + i);
		assert_int_equal(closed_at(s, i)->evicted, i < 15);
		assert_int_equal(closed_at(s, i)->confidence, i < 15 ? SHK_PARTIAL : SHK_CERTAIN);
		assert_int_equal(closed_at(s, i)->close, SHK_C_NONE);
	}
	shk_engine_stats(s->engine, &stats);
	assert_int_equal(stats.flows_live, 0);
	assert_int_equal(stats.by_open[SHK_O_3WHS], 25);
	assert_int_equal(stats.by_close[SHK_C_NONE], 25);
	scene_free(s);
}

/* With the linger of a file even those that wait for stragglers fill a table; they are complete. */
static void test_the_dead_give_way_before_the_living(void **state)
{
	static const uint64_t lingers_ns[] = {SHK_LINGER_LIVE_NS, SHK_LINGER_FILE_NS};

	(void)state;
	for (size_t l = 0; l < 2; l++) {
		struct shk_engine_config config = scene_config;
		struct shk_engine_stats stats;
		struct scene *s;

		config.flows_max = 2;
		config.linger_ns = lingers_ns[l];
		s = scene_new_with(CLIENT_HOST, &config);
		handshake(s);
		for (unsigned int i = 1; i < 20; i++) {
			scene_call(s, 1, CLIENT_PORT + i);
			handshake(s);
			close_in_four(s);
			pass_and_tell(s, SECOND);
		}
		shk_engine_stats(s->engine, &stats);
		assert_int_equal(stats.evicted, 0);
		scene_finish(s);
		assert_int_equal(n_closed(s), 20);
		for (size_t i = 0; i < 20; i++) {
			assert_int_equal(closed_at(s, i)->confidence, SHK_CERTAIN);
			assert_false(closed_at(s, i)->evicted);
		}
		scene_free(s);
	}
}

static void test_clock_record_gives_the_time_of_day(void **state)
{
	struct scene *s = scene_new(LOOPBACK);
	struct shk_event ev = {.kind = SHK_EV_CLOCK, .ts_ns = s->now_ns};

	(void)state;
	ev.clock.real_ns = ev.ts_ns + REAL_OFFSET_NS;
	shk_engine_feed(s->engine, &ev, false);
	handshake(s);
	assert_true(the_opened(s)->real_offset_ns == REAL_OFFSET_NS);
	ev.ts_ns = s->now_ns;
	ev.clock.real_ns = 0; /* a clock that was never set */
	shk_engine_feed(s->engine, &ev, false);
	scene_finish(s);
	assert_true(the_closed(s)->real_offset_ns == -(int64_t)ev.ts_ns);
	scene_free(s);
}

static void test_equal_tuples_in_two_namespaces(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	for (uint32_t netns = 1; netns <= 2; netns++) {
		scene_call(s, netns, CLIENT_PORT);
		handshake(s);
	}
	for (uint32_t netns = 1; netns <= 2; netns++) {
		scene_call(s, netns, CLIENT_PORT);
		if (netns == 1)
			client(s, R, 1, 0, 0);
		else
			close_in_four(s);
	}
	scene_finish(s);
	assert_int_equal(n_closed(s), 2);
	assert_int_equal(closed_at(s, 0)->netns, 1);
	assert_int_equal(closed_at(s, 0)->close, SHK_C_RST);
	assert_int_equal(closed_at(s, 1)->netns, 2);
	assert_int_equal(closed_at(s, 1)->close, SHK_C_4SEG);
	assert_int_not_equal(closed_at(s, 0)->id, closed_at(s, 1)->id);
	scene_free(s);
}

static void test_other_events_are_no_segments(void **state)
{
	struct scene *s = scene_new(LOOPBACK);
	struct shk_event ev = s->ends[CLIENT];
	struct shk_engine_stats stats;

	(void)state;
	ev.seg.tcp_flags = S;
	for (unsigned int kind = 0; kind < 256; kind++) {
		ev.kind = kind;
		ev.where = kind == SHK_EV_SEGMENT ? SHK_HOOK_COUNT : PRE;
		shk_engine_feed(s->engine, &ev, false);
	}
	shk_engine_finish(s->engine);
	shk_engine_stats(s->engine, &stats);
	assert_int_equal(stats.flows_created, 0);
	assert_int_equal(s->n_told, 0);
	scene_free(s);
}

/* Something of everything, with waits in between that end in the middle of other connections. */
static void play_the_day(struct scene *s)
{
	handshake(s);
	scene_call(s, 1, CLIENT_PORT + 1);
	client(s, S, 0, 0, 0);
	pass(s, 150 * MS);
	scene_call(s, 1, CLIENT_PORT + 2);
	handshake(s);
	close_in_four(s);
	pass(s, 3950 * MS);
	scene_call(s, 1, CLIENT_PORT);
	close_in_four(s);
	announce_loss(s, 3);
	scene_call(s, 1, CLIENT_PORT + 3);
	handshake(s);
	client(s, FA, 1, 1, 0);
	/* A straggler as the tombstone of +2 falls, 60.1 s after its close; late, it opens a record. */
	pass(s, 56149 * MS);
	scene_call(s, 1, CLIENT_PORT + 2);
	server(s, FA, 1, 2, 0);
	pass(s, 150 * SECOND);
	scene_call(s, 1, CLIENT_PORT + 4);
	handshake(s);
}

static struct scene *replay(const struct scene *tape, uint64_t tick_ns, uint64_t key)
{
	struct shk_engine_config config = scene_config;
	struct scene *s;
	uint64_t now_ns = tape->tape[0].ts_ns;

	config.hash_key[0] = key;
	s = scene_new_with(LOOPBACK, &config);
	for (size_t i = 0; i < tape->n_tape; i++) {
		for (; tick_ns && now_ns < tape->tape[i].ts_ns; now_ns += tick_ns)
			shk_engine_advance(s->engine, now_ns);
		shk_engine_feed(s->engine, &tape->tape[i], false);
	}
	scene_finish(s);
	return s;
}

static void assert_told_the_same(const struct scene *a, const struct scene *b)
{
	assert_int_equal(a->n_told, b->n_told);
	for (size_t i = 0; i < a->n_told; i++) {
		struct told x = a->told[i], y = b->told[i];

		assert_int_equal(x.is_closed, y.is_closed);
		x.conn.arrows = y.conn.arrows = NULL;
		assert_memory_equal(&x.conn, &y.conn, sizeof(x.conn));
		if (x.conn.n_arrows)
			assert_memory_equal(x.arrows, y.arrows, x.conn.n_arrows * sizeof(*x.arrows));
	}
}

static void test_replay_tells_what_the_live_run_told(void **state)
{
	static const uint64_t ticks_ns[] = {0, 10 * MS, 7 * MS, 1234567891};
	struct scene *tape = scene_new(LOOPBACK), *first;

	(void)state;
	tape->taping = true;
	play_the_day(tape);
	first = replay(tape, 0, 1);
	assert_int_equal(n_closed(first), 5);
	for (size_t i = 0; i < 4; i++) {
		struct scene *again = replay(tape, ticks_ns[i], 2 + i);

		assert_told_the_same(first, again);
		scene_free(again);
	}
	scene_free(first);
	scene_free(tape);
}

static void test_time_never_goes_back(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	shk_engine_advance(s->engine, s->now_ns + 3 * SECOND);
	shk_engine_advance(s->engine, 0);
	client(s, S, 0, 0, 0); /* as if it had come 3 s late */
	assert_int_equal(s->n_told, 0);
	shk_engine_finish(s->engine);
	assert_int_equal(the_closed(s)->end[CLIENT].syn, 2);
	scene_free(s);
}

static void test_free_accepts_null_and_reports_nothing(void **state)
{
	struct scene *s = scene_new(LOOPBACK);

	(void)state;
	client(s, S, 0, 0, 0);
	shk_engine_free(s->engine);
	assert_int_equal(s->n_told, 0);
	s->engine = NULL;
	scene_free(s); /* frees a NULL engine */
}

/* A host that begins at the same number every time: the next use of a tuple is told by its place in time. */
static void test_a_tuple_used_again_with_the_same_number(void **state)
{
	(void)state;
	for (int live = 0; live < 2; live++) {
		struct shk_engine_config config = scene_config;
		struct scene *s;

		config.hooks = live ? SHK_HOOKS_NETFILTER : SHK_HOOK_BIT(SHK_HOOK_CAPTURE);
		s = scene_new_with(live ? LOOPBACK : TAP, &config);
		for (int use = 0; use < 3; use++) {
			handshake(s);
			client(s, RA, 1, 1, 0);
			pass(s, MS);
		}
		scene_finish(s);
		assert_int_equal(n_closed(s), live ? 3 : 1);
		assert_int_equal(closed_at(s, 0)->end[CLIENT].syn, live ? 1 : 3);
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reuse_reports_the_old_connection_first),
		cmocka_unit_test(test_reuse_after_refusal),
		cmocka_unit_test(test_stragglers_make_no_second_record),
		cmocka_unit_test(test_loss_makes_the_living_partial),
		cmocka_unit_test(test_late_events_make_it_partial),
		cmocka_unit_test(test_beginning_that_comes_after_the_end),
		cmocka_unit_test(test_nothing_is_told_after_the_end),
		cmocka_unit_test(test_oldest_is_evicted_when_the_table_is_full),
		cmocka_unit_test(test_the_dead_give_way_before_the_living),
		cmocka_unit_test(test_clock_record_gives_the_time_of_day),
		cmocka_unit_test(test_equal_tuples_in_two_namespaces),
		cmocka_unit_test(test_other_events_are_no_segments),
		cmocka_unit_test(test_replay_tells_what_the_live_run_told),
		cmocka_unit_test(test_time_never_goes_back),
		cmocka_unit_test(test_free_accepts_null_and_reports_nothing),
		cmocka_unit_test(test_a_tuple_used_again_with_the_same_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
