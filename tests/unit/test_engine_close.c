// SPDX-License-Identifier: GPL-2.0
/* How connections close: RFC 9293 3.6, and by reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_dsl.h"

/* Linger is over: the record is out. */
static const struct shk_conn *settle(struct scene *s)
{
	pass_and_tell(s, SHK_LINGER_LIVE_NS);
	assert_told_in_order(s);
	return the_closed(s);
}

static void test_four_segments(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		for (unsigned int by = CLIENT; by <= SERVER; by++) {
			struct scene *s = scene_new(v);
			const struct shk_conn *conn;

			handshake(s);
			say(s, by, FA, 301, 501, 0);
			say(s, !by, A, 501, 302, 0);
			pass(s, 10 * MS);
			say(s, !by, FA, 501, 302, 0);
			say(s, by, A, 302, 502, 0);
			assert_int_equal(n_closed(s), 0); /* stragglers may come */
			conn = settle(s);
			assert_int_equal(conn->close, SHK_C_4SEG);
			assert_int_equal(conn->close_by, by);
			assert_int_equal(conn->close_flags, 0);
			assert_int_equal(conn->fin_ack_ns, STEP_NS);
			assert_int_equal(conn->fin_fin_ns, 2 * STEP_NS + 10 * MS);
			assert_false(conn->half_close);
			assert_true(conn->half_close_ns == SHK_UNKNOWN_NS);
			assert_int_equal(conn->confidence, SHK_CERTAIN);
			assert_true(conn->end[CLIENT].bytes_known && conn->end[SERVER].bytes_known);
			assert_int_equal(conn->end[by].bytes, 300);
			assert_int_equal(conn->end[!by].bytes, 500);
			assert_int_equal(conn->end[CLIENT].fin, 1);
			assert_int_equal(conn->end[SERVER].fin, 1);
			scene_free(s);
		}
	}
}

static void test_three_segments(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		for (unsigned int by = CLIENT; by <= SERVER; by++) {
			struct scene *s = scene_new(v);

			handshake(s);
			say(s, by, FA, 1, 1, 40); /* the FIN carries the last of the data */
			say(s, !by, FA, 1, 42, 0);
			say(s, by, A, 42, 2, 0);
			assert_int_equal(settle(s)->close, SHK_C_3SEG);
			assert_int_equal(the_closed(s)->close_by, by);
			assert_int_equal(the_closed(s)->fin_ack_ns, STEP_NS);
			assert_int_equal(the_closed(s)->fin_fin_ns, STEP_NS);
			assert_int_equal(the_closed(s)->end[by].bytes, 40);
			assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
			scene_free(s);
		}
	}
}

/* RFC 9293 figure 13: neither FIN acknowledges the other. */
static void test_simultaneous(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		handshake(s);
		client(s, FA, 1, 1, 0);
		server(s, FA, 1, 1, 0);
		client(s, A, 2, 2, 0);
		server(s, A, 2, 2, 0);
		assert_int_equal(settle(s)->close, SHK_C_SIMULTANEOUS);
		assert_int_equal(the_closed(s)->close_by, SHK_BOTH);
		assert_false(the_closed(s)->half_close);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		scene_free(s);
	}
}

/* A capture may know no more than microseconds: the order of the segments still tells. */
static void test_all_at_the_same_time(void **state)
{
	static const struct {
		enum shk_close verdict;
		struct {
			uint8_t from;
			uint16_t flags;
			uint32_t seq, ack;
		} segments[4];
	} cases[] = {
		{SHK_C_4SEG, {{CLIENT, FA, 1, 1}, {SERVER, A, 1, 2}, {SERVER, FA, 1, 2}, {CLIENT, A, 2, 2}}},
		{SHK_C_4SEG, {{SERVER, FA, 1, 1}, {CLIENT, A, 1, 2}, {CLIENT, FA, 1, 2}, {SERVER, A, 2, 2}}},
		{SHK_C_3SEG, {{CLIENT, FA, 1, 1}, {SERVER, FA, 1, 2}, {CLIENT, A, 2, 2}}},
		{SHK_C_3SEG, {{SERVER, FA, 1, 1}, {CLIENT, FA, 1, 2}, {SERVER, A, 2, 2}}},
		{SHK_C_SIMULTANEOUS,
		 {{CLIENT, FA, 1, 1}, {SERVER, FA, 1, 1}, {CLIENT, A, 2, 2}, {SERVER, A, 2, 2}}},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct scene *s = scene_new(TAP);
		uint64_t now_ns;

		handshake(s);
		now_ns = s->now_ns;
		for (int i = 0; i < 4 && cases[c].segments[i].flags; i++) {
			say(s, cases[c].segments[i].from, cases[c].segments[i].flags,
			    cases[c].segments[i].seq, cases[c].segments[i].ack, 0);
			s->now_ns = now_ns;
		}
		assert_int_equal(settle(s)->close, cases[c].verdict);
		if (cases[c].verdict != SHK_C_SIMULTANEOUS)
			assert_int_equal(the_closed(s)->close_by, cases[c].segments[0].from);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		scene_free(s);
	}
}

static void test_half_closed_while_data_flows(void **state)
{
	(void)state;
	for (unsigned int by = CLIENT; by <= SERVER; by++) {
		struct scene *s = scene_new(LOOPBACK);

		handshake(s);
		say(s, by, FA, 11, 1, 0);
		say(s, !by, A, 1, 12, 0);
		pass(s, 3 * SECOND);
		say(s, !by, PA, 1, 12, 1400); /* not for the gate: it acknowledges nothing new */
		say(s, !by, FA, 14001, 12, 0);
		say(s, by, A, 12, 14002, 0);
		assert_int_equal(settle(s)->close, SHK_C_4SEG);
		assert_int_equal(the_closed(s)->close_by, by);
		assert_true(the_closed(s)->half_close);
		assert_int_equal(the_closed(s)->half_close_bytes, 14000);
		assert_int_equal(the_closed(s)->half_close_ns, 3 * SECOND + 3 * STEP_NS);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		scene_free(s);
	}
}

/* The FIN's ACK is on a data segment: its octets flowed through the open half too. */
static void test_half_close_counts_the_data_on_the_ack(void **state)
{
	struct scene *s = scene_new(LOOPBACK);

	(void)state;
	handshake(s);
	client(s, FA, 1, 1, 0);
	server(s, PA, 1, 2, 1000);
	server(s, FA, 1001, 2, 0);
	client(s, A, 2, 1002, 0);
	assert_true(settle(s)->half_close);
	assert_int_equal(the_closed(s)->half_close_bytes, 1000);
	scene_free(s);
}

static void test_half_closed_for_a_time_without_data(void **state)
{
	static const struct {
		uint64_t pause_ns;
		bool half_close;
	} cases[] = {{40 * MS, false}, {SECOND, true}, {3600 * SECOND, true}};

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		struct scene *s = scene_new(CLIENT_HOST);

		handshake(s);
		client(s, FA, 1, 1, 0);
		server(s, A, 1, 2, 0);
		pass_and_tell(s, cases[c].pause_ns);
		server(s, FA, 1, 2, 0);
		client(s, A, 2, 2, 0);
		assert_int_equal(settle(s)->close, SHK_C_4SEG);
		assert_int_equal(the_closed(s)->half_close, cases[c].half_close);
		assert_int_equal(the_closed(s)->half_close_bytes, 0);
		if (cases[c].half_close)
			assert_int_equal(the_closed(s)->half_close_ns, cases[c].pause_ns + 2 * STEP_NS);
		scene_free(s);
	}
}

static void test_still_half_closed_at_the_end_of_the_input(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake(s);
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
	pass_and_tell(s, 86400 * SECOND); /* may last for ever */
	assert_int_equal(n_closed(s), 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->close, SHK_C_HALF_CLOSED);
	assert_int_equal(the_closed(s)->close_by, SHK_CLIENT);
	assert_true(the_closed(s)->half_close);
	assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
	scene_free(s);
}

static void test_fin_never_acknowledged(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake(s);
	client(s, FA, 1, 1, 0);
	pass(s, 300 * MS);
	client(s, FA, 1, 1, 0);
	pass_and_tell(s, 120 * SECOND);
	assert_int_equal(n_closed(s), 0);
	pass_and_tell(s, SHK_LINGER_LIVE_NS);
	assert_int_equal(the_closed(s)->close, SHK_C_FIN_UNACKED);
	assert_int_equal(the_closed(s)->close_by, SHK_CLIENT);
	assert_int_equal(the_closed(s)->close_flags, SHK_CF_FIN_RETRANSMIT);
	assert_int_equal(the_closed(s)->end[CLIENT].fin, 2);
	assert_int_equal(the_closed(s)->end[CLIENT].fin_retransmits, 1);
	assert_int_equal(the_closed(s)->confidence, SHK_INFERRED);
	scene_free(s);
}

static void test_input_ends_before_the_fin_is_acknowledged(void **state)
{
	(void)state;
	for (int second = 0; second < 2; second++) {
		struct scene *s = scene_new(CLIENT_HOST);

		handshake(s);
		client(s, FA, 1, 1, 0);
		if (second)
			server(s, FA, 1, 2, 0);
		scene_finish(s);
		assert_int_equal(the_closed(s)->close, SHK_C_FIN_UNACKED);
		assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
		scene_free(s);
	}
}

static void test_retransmitted_fin_is_counted_once_at_however_many_hooks(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		s->ip_id_step = 0; /* nothing but the hooks tells the transmissions apart */
		handshake(s);
		client(s, FA, 1, 1, 0);
		client(s, FA, 1, 1, 0);
		client(s, FA, 1, 1, 0);
		server(s, FA, 1, 2, 0);
		server(s, FA, 1, 2, 0);
		client(s, A, 2, 2, 0);
		assert_int_equal(settle(s)->end[CLIENT].fin, 3);
		assert_int_equal(the_closed(s)->end[CLIENT].fin_retransmits, 2);
		assert_int_equal(the_closed(s)->end[SERVER].fin, 2);
		assert_int_equal(the_closed(s)->end[SERVER].fin_retransmits, 1);
		assert_int_equal(the_closed(s)->close, SHK_C_3SEG);
		assert_int_equal(the_closed(s)->n_arrows, 9);
		scene_free(s);
	}
}

static void test_reset_of_an_open_connection(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		for (unsigned int by = CLIENT; by <= SERVER; by++) {
			struct scene *s = scene_new(v);

			handshake(s);
			say(s, by, RA, 1001, 1, 0);
			assert_int_equal(settle(s)->close, SHK_C_RST);
			assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
			assert_int_equal(the_closed(s)->close_by, by);
			assert_int_equal(the_closed(s)->close_flags, 0);
			assert_int_equal(the_closed(s)->end[by].rst, 1);
			assert_true(the_closed(s)->end[by].bytes_known);
			assert_int_equal(the_closed(s)->end[by].bytes, 1000);
			assert_false(the_closed(s)->end[!by].bytes_known);
			assert_int_equal(the_closed(s)->confidence, SHK_INFERRED); /* see test_engine_rst.c */
			scene_free(s);
		}
	}
}

/* A blind RST carries any number: no octets can be told from it. */
static void test_reset_with_a_number_from_nowhere(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	handshake(s);
	client(s, R, 0 - 5000, 0, 0);
	assert_int_equal(settle(s)->close, SHK_C_RST);
	assert_false(the_closed(s)->end[CLIENT].bytes_known);
	scene_free(s);
}

static void test_reset_after_a_fin(void **state)
{
	static const struct {
		uint64_t pause_ns;
		bool half_close;
		enum shk_close by_client;
	} cases[] = {{0, false, SHK_C_RST_DATA_AFTER_CLOSE}, {SECOND, true, SHK_C_RST_DATA_AFTER_CLOSE}};

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		for (unsigned int by = CLIENT; by <= SERVER; by++) {
			struct scene *s = scene_new(CLIENT_HOST);

			handshake(s);
			client(s, FA, 11, 1, 0);
			server(s, A, 1, 12, 0);
			pass(s, cases[c].pause_ns);
			if (by == CLIENT)
				server(s, PA, 1, 12, 5);
			say(s, by, R, by ? 1 : 12, 0, 0);
			/* Who has closed and answers so has no socket any more. */
			assert_int_equal(settle(s)->close, by == CLIENT ? cases[c].by_client : SHK_C_RST);
			assert_int_equal(the_closed(s)->close_by, by);
			assert_int_equal(the_closed(s)->close_flags, SHK_CF_RST_AFTER_FIN);
			assert_int_equal(the_closed(s)->end[CLIENT].bytes, 10);
			assert_int_equal(the_closed(s)->half_close, cases[c].half_close);
			scene_free(s);
		}
	}
}

/* Data that meets a closed socket: answered by RST, and more of it behind. */
static void test_data_after_a_reset(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	handshake(s);
	server(s, RA, 1, 1, 0);
	client(s, PA, 1, 1, 500);
	server(s, R, 1, 0, 0);
	assert_int_equal(settle(s)->close, SHK_C_RST);
	assert_int_equal(the_closed(s)->close_flags, SHK_CF_DATA_AFTER_RST);
	assert_int_equal(the_closed(s)->end[SERVER].rst, 2);
	scene_free(s);
}

/* Who is cut off cannot say how much it sent; what the RST acknowledges is the least. */
static void test_reset_tells_what_had_arrived(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake(s);
	client(s, RA, 1001, 78, 0);
	assert_int_equal(settle(s)->close, SHK_C_RST);
	assert_false(the_closed(s)->end[SERVER].bytes_known);
	assert_true(the_closed(s)->end[SERVER].acked_known);
	assert_int_equal(the_closed(s)->end[SERVER].acked, 77);
	assert_int_equal(the_closed(s)->end[CLIENT].bytes, 1000);
	scene_free(s);
}

/* A FIN takes a number, and is no octet. */
static void test_acked_is_without_the_fin(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake(s);
	close_in_four(s);
	assert_int_equal(settle(s)->close, SHK_C_4SEG);
	for (unsigned int end = CLIENT; end <= SERVER; end++) {
		assert_true(the_closed(s)->end[end].acked_known);
		assert_int_equal(the_closed(s)->end[end].acked, the_closed(s)->end[end].bytes);
	}
	scene_free(s);
}

static void test_reset_after_a_clean_close_changes_nothing(void **state)
{
	(void)state;
	for (unsigned int by = CLIENT; by <= SERVER; by++) {
		struct scene *s = scene_new(CLIENT_HOST);

		handshake(s);
		close_in_four(s);
		say(s, by, R, 2, 0, 0);
		assert_int_equal(settle(s)->close, SHK_C_4SEG);
		assert_int_equal(the_closed(s)->close_by, SHK_CLIENT);
		assert_int_equal(the_closed(s)->end[by].rst, 1);
		/* RFC 1337: the client is in TIME-WAIT */
		assert_int_equal(the_closed(s)->close_flags,
				 SHK_CF_RST_AFTER_FIN | (by == SERVER ? SHK_CF_RST_IN_TIME_WAIT : 0));
		scene_free(s);
	}
}

/* Bytes are arithmetic modulo 2^32: nothing happens where the sequence numbers wrap. */
static void test_bytes_across_the_wrap(void **state)
{
	static const uint32_t isns[] = {0, 1, 0x7fffffff, 0xfffffff0, 0xfffffffe, 0xffffffff};

	(void)state;
	for (size_t c = 0; c < sizeof(isns) / sizeof(isns[0]); c++) {
		for (int fin = 0; fin < 2; fin++) {
			struct scene *s = scene_new(LOOPBACK);

			s->isn[CLIENT] = isns[c];
			s->isn[SERVER] = ~isns[c];
			handshake(s);
			client(s, FA, 1001, 1, 0);
			server(s, A, 1, 1002, 0);
			server(s, fin ? FA : RA, 2000000001, 1002, 0);
			if (fin)
				client(s, A, 1002, 2000000002, 0);
			assert_int_equal(settle(s)->confidence, fin ? SHK_CERTAIN : SHK_INFERRED);
			assert_int_equal(the_closed(s)->end[CLIENT].isn, isns[c]);
			assert_int_equal(the_closed(s)->end[CLIENT].bytes, 1000);
			assert_int_equal(the_closed(s)->end[SERVER].bytes, 2000000000);
			assert_int_equal(the_closed(s)->ack_acks_synack, 1);
			if (fin)
				assert_int_equal(the_closed(s)->half_close_bytes, 2000000000);
			scene_free(s);
		}
	}
}

static void test_fast_open_data_counts(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 5);
	server(s, SA, 0, 6, 0);
	client(s, A, 6, 1, 0);
	client(s, FA, 6, 1, 0);
	server(s, FA, 1, 7, 0);
	client(s, A, 7, 2, 0);
	assert_int_equal(settle(s)->end[CLIENT].bytes, 5);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_four_segments),
		cmocka_unit_test(test_three_segments),
		cmocka_unit_test(test_simultaneous),
		cmocka_unit_test(test_all_at_the_same_time),
		cmocka_unit_test(test_half_closed_while_data_flows),
		cmocka_unit_test(test_half_close_counts_the_data_on_the_ack),
		cmocka_unit_test(test_half_closed_for_a_time_without_data),
		cmocka_unit_test(test_still_half_closed_at_the_end_of_the_input),
		cmocka_unit_test(test_fin_never_acknowledged),
		cmocka_unit_test(test_input_ends_before_the_fin_is_acknowledged),
		cmocka_unit_test(test_retransmitted_fin_is_counted_once_at_however_many_hooks),
		cmocka_unit_test(test_reset_of_an_open_connection),
		cmocka_unit_test(test_reset_with_a_number_from_nowhere),
		cmocka_unit_test(test_reset_after_a_fin),
		cmocka_unit_test(test_data_after_a_reset),
		cmocka_unit_test(test_reset_after_a_clean_close_changes_nothing),
		cmocka_unit_test(test_reset_tells_what_had_arrived),
		cmocka_unit_test(test_acked_is_without_the_fin),
		cmocka_unit_test(test_bytes_across_the_wrap),
		cmocka_unit_test(test_fast_open_data_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
