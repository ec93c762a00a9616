// SPDX-License-Identifier: GPL-2.0
/* Openings that take a detour, and openings of which the observer missed a part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_dsl.h"

/* RFC 9293 3.10.7.4: the listener answers a wrong ACK by RST and keeps the request. */
static void test_rst_that_answers_a_wrong_ack_ends_nothing(void **state)
{
	static const uint64_t pauses_ns[] = {0, SECOND};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene *s = scene_new(SERVER_HOST);

		client(s, S, 0, 0, 0);
		server(s, SA, 0, 1, 0);
		client(s, A, 1, 77777777, 0);
		server(s, R, 77777777, 0, 0);
		pass_and_tell(s, pauses_ns[i]);
		client(s, A, 1, 1, 0);
		assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
		assert_int_equal(the_opened(s)->open_flags, SHK_OF_BAD_ACK);
		assert_int_equal(the_opened(s)->ack_acks_synack, 1);
		assert_int_equal(the_opened(s)->confidence, SHK_CERTAIN);
		close_in_four(s);
		scene_finish(s);
		assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
		assert_int_equal(the_closed(s)->end[SERVER].rst, 1);
		assert_int_equal(the_closed(s)->arrows[2].proves, SHK_ARROW_WRONG_ACK);
		scene_free(s);
	}
}

static void test_wrong_ack_and_nothing_more(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 77777777, 0);
	server(s, R, 77777777, 0, 0);
	pass_and_tell(s, 10 * SECOND);
	assert_int_equal(the_opened(s)->open, SHK_O_EMBRYO_EXPIRED);
	assert_int_equal(the_opened(s)->ack_acks_synack, 0);
	assert_int_equal(the_opened(s)->confidence, SHK_INFERRED);
	scene_free(s);
}

/* An RST from somebody in between, and the listener's own answer right behind it. */
static void test_handshake_goes_on_after_an_rst_to_the_embryo(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, R, 5, 0, 0);
	client(s, A, 1, 1, 0);
	assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
	client(s, FA, 1, 1, 0);
	server(s, FA, 1, 2, 0);
	client(s, A, 2, 2, 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->close, SHK_C_3SEG);
	scene_free(s);
}

/* RFC 9293 3.5.1 figure 8 and 10: the server knows an older connection; the client's RST ends that. */
static void test_stale_ack_answers_the_syn(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		client(s, S, 0, 0, 0);
		server(s, A, 0 - 5000, 0 - 300, 0);
		client(s, R, 0 - 300, 0, 0);
		pass(s, 10 * MS);
		client(s, S, 0, 0, 0);
		server(s, SA, 0, 1, 0);
		client(s, A, 1, 1, 0);
		assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
		assert_int_equal(the_opened(s)->open_flags,
				 SHK_OF_CHALLENGE | SHK_OF_STALE_ACK_RST | SHK_OF_SYN_RETRANSMIT);
		assert_int_equal(the_opened(s)->confidence, SHK_CERTAIN);
		assert_int_equal(the_opened(s)->end[CLIENT].rst, 1);
		scene_finish(s);
		assert_int_equal(the_closed(s)->close, SHK_C_NONE);
		assert_int_equal(the_closed(s)->n_arrows, 6);
		scene_free(s);
	}
}

static void test_bad_synack_then_the_right_one(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		client(s, S, 0, 0, 0);
		server(s, SA, 50000, 4242, 0);
		client(s, R, 4242, 0, 0);
		pass(s, 10 * MS);
		client(s, S, 0, 0, 0);
		server(s, SA, 0, 1, 0);
		client(s, A, 1, 1, 0);
		assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
		assert_int_equal(the_opened(s)->open_flags, SHK_OF_BAD_SYNACK | SHK_OF_SYN_RETRANSMIT);
		assert_int_equal(the_opened(s)->synack_acks_syn, 1);
		assert_int_equal(the_opened(s)->end[SERVER].isn, SERVER_ISN);
		assert_int_equal(the_opened(s)->end[SERVER].synack, 2);
		assert_int_equal(the_opened(s)->end[SERVER].synack_retransmits, 0);
		assert_int_equal(the_opened(s)->syn_synack_ns, 10 * MS + 4 * STEP_NS);
		scene_free(s);
	}
}

static void test_bad_synack_and_nothing_more(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 4242, 0);
	client(s, R, 4242, 0, 0);
	pass_and_tell(s, 5 * SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_BAD_SYNACK);
	assert_int_equal(the_closed(s)->synack_acks_syn, 0);
	assert_int_equal(the_closed(s)->confidence, SHK_INFERRED);
	scene_free(s);
}

/* Not acceptable in SYN-SENT (RFC 9293 3.10.7.3): it acknowledges something else, or nothing. */
static void test_rst_that_the_client_ignores(void **state)
{
	(void)state;
	for (int has_ack = 0; has_ack < 2; has_ack++) {
		struct scene *s = scene_new(CLIENT_HOST);

		client(s, S, 0, 0, 0);
		server(s, has_ack ? RA : R, 0, 4242, 0);
		assert_int_equal(s->n_told, 0);
		server(s, SA, 0, 1, 0);
		client(s, A, 1, 1, 0);
		assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
		scene_finish(s);
		assert_int_equal(the_closed(s)->close, SHK_C_NONE);
		scene_free(s);
	}
}

/* The server's TIME-WAIT answers by ACK, the client's RST ends it, the next SYN succeeds. */
static void test_syn_meets_time_wait(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		handshake(s);
		server(s, FA, 1, 1, 0);
		client(s, FA, 1, 2, 0);
		server(s, A, 2, 2, 0);
		pass_and_tell(s, 2 * SECOND);
		assert_int_equal(the_closed(s)->close, SHK_C_3SEG);

		s->isn[CLIENT] -= 500; /* below what the server expects */
		client(s, S, 0, 0, 0);
		server(s, A, 2, 502, 0);
		client(s, R, 502, 0, 0);
		pass_and_tell(s, SECOND);
		s->isn[SERVER] += 65538;
		client(s, S, 0, 0, 0);
		server(s, SA, 0, 1, 0);
		client(s, A, 1, 1, 0);
		assert_int_equal(n_opened(s), 2);
		assert_int_equal(opened_at(s, 1)->open, SHK_O_TW_ACK_RST_RETRY);
		assert_int_equal(opened_at(s, 1)->open_flags,
				 SHK_OF_CHALLENGE | SHK_OF_STALE_ACK_RST | SHK_OF_SYN_RETRANSMIT);
		assert_int_equal(opened_at(s, 1)->confidence, SHK_CERTAIN);
		assert_true(opened_at(s, 1)->open_total_ns > SECOND);
		scene_finish(s);
		assert_int_equal(n_closed(s), 2);
		scene_free(s);
	}
}

/* RFC 5961 4.2: a SYN in ESTABLISHED is answered by a challenge ACK and changes nothing. */
static void test_syn_within_a_connection(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	handshake(s);
	client(s, S, 777, 0, 0);
	server(s, A, 1, 1, 0);
	close_in_four(s);
	pass_and_tell(s, SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	assert_int_equal(the_closed(s)->end[CLIENT].isn, CLIENT_ISN);
	assert_int_equal(the_closed(s)->end[CLIENT].syn_retransmits, 0);
	scene_free(s);
}

/* Nobody has sent a SYN that this would answer. */
static void test_forged_synack_within_a_connection(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	handshake(s);
	server(s, SA, 777, 4242, 0);
	close_in_four(s);
	pass_and_tell(s, SECOND);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	assert_int_equal(the_closed(s)->end[SERVER].isn, SERVER_ISN);
	scene_free(s);
}

/* RFC 9293 3.5.1 figure 9: the client crashed; its RST ends the old connection, the SYN opens another. */
static void test_half_open_connection_is_discovered(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	handshake(s);
	s->isn[CLIENT] += 1000000;
	client(s, S, 0, 0, 0);
	server(s, A, 1, 1 - 1000000, 0);
	client(s, R, 1 - 1000000, 0, 0);
	pass_and_tell(s, SECOND);
	assert_int_equal(the_closed(s)->close, SHK_C_HALF_OPEN_RESET);
	assert_int_equal(the_closed(s)->close_by, SHK_CLIENT);
	handshake(s);
	assert_int_equal(n_opened(s), 2);
	assert_int_equal(opened_at(s, 1)->end[CLIENT].isn, CLIENT_ISN + 1000000);
	scene_finish(s);
	assert_int_equal(n_closed(s), 2);
	scene_free(s);
}

/* The end of the old connection passed unseen: the SYN+ACK shows that there is a new one. */
static void test_reuse_after_an_end_that_was_missed(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	handshake(s);
	pass_and_tell(s, 100 * SECOND);
	s->isn[CLIENT] += 1000000;
	s->isn[SERVER] += 2000000;
	handshake(s);
	close_in_four(s);
	pass_and_tell(s, SECOND);
	assert_told_in_order(s);
	assert_int_equal(n_closed(s), 2);
	assert_int_equal(closed_at(s, 0)->close, SHK_C_NONE);
	assert_int_equal(closed_at(s, 0)->confidence, SHK_PARTIAL);
	assert_int_equal(closed_at(s, 1)->open, SHK_O_3WHS);
	assert_int_equal(closed_at(s, 1)->close, SHK_C_4SEG);
	assert_int_equal(closed_at(s, 1)->end[CLIENT].isn, CLIENT_ISN + 1000000);
	assert_int_equal(closed_at(s, 1)->end[SERVER].isn, SERVER_ISN + 2000000);
	assert_int_equal(closed_at(s, 1)->end[CLIENT].bytes, 0);
	scene_free(s);
}

/* A listener that lost its request makes another ISN: the last one counts, for its ACK comes. */
static void test_second_synack_with_another_isn(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0 - 3000, 1, 0);
	pass(s, SECOND);
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
	assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
	assert_int_equal(the_opened(s)->open_flags, SHK_OF_SYN_RETRANSMIT);
	assert_int_equal(the_opened(s)->end[SERVER].isn, SERVER_ISN);
	scene_free(s);
}

static void test_syn_missed(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	unseen(s, CLIENT, S, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
	assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
	assert_int_equal(the_opened(s)->confidence, SHK_PARTIAL);
	assert_int_equal(the_opened(s)->local, SHK_CLIENT);
	assert_int_equal(the_opened(s)->synack_acks_syn, -1); /* nothing to compare it with */
	assert_int_equal(the_opened(s)->ack_acks_synack, 1);
	assert_true(the_opened(s)->end[CLIENT].isn_known);
	assert_int_equal(the_opened(s)->end[CLIENT].isn, CLIENT_ISN);
	assert_true(the_opened(s)->syn_synack_ns == SHK_UNKNOWN_NS);
	assert_int_equal(the_opened(s)->synack_ack_ns, STEP_NS);
	assert_true(the_opened(s)->open_total_ns == SHK_UNKNOWN_NS);
	scene_free(s);
}

static void test_synack_lost_in_the_ring(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	lost(s, SERVER, SA, 0, 1);
	client(s, A, 1, 1, 0);
	assert_int_equal(the_opened(s)->open, SHK_O_3WHS); /* the gate knew what the ACK is for */
	assert_int_equal(the_opened(s)->confidence, SHK_PARTIAL);
	assert_int_equal(the_opened(s)->synack_acks_syn, -1);
	assert_false(the_opened(s)->end[SERVER].isn_known);
	assert_int_equal(the_opened(s)->open_total_ns, 2 * STEP_NS);
	scene_free(s);
}

/* The bad one tells nothing of the number that the ACK should cover. */
static void test_right_synack_lost_after_a_bad_one(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	s->isn[SERVER] = 3000000000;
	client(s, S, 0, 0, 0);
	server(s, SA, 50000, 4242, 0);
	client(s, R, 4242, 0, 0);
	lost(s, SERVER, SA, 0, 1);
	client(s, A, 1, 1, 0);
	assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
	assert_int_equal(the_opened(s)->confidence, SHK_PARTIAL);
	scene_free(s);
}

/* The FIN shows that both were synchronised, but not when. */
static void test_ack_lost_in_the_ring(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	lost(s, CLIENT, A, 1, 1);
	pass(s, SECOND);
	close_in_four(s);
	scene_finish(s);
	assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	assert_int_equal(the_closed(s)->ack_acks_synack, 1); /* the FIN's does */
	assert_true(the_closed(s)->synack_ack_ns == SHK_UNKNOWN_NS);
	assert_true(the_closed(s)->open_total_ns == SHK_UNKNOWN_NS);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	scene_free(s);
}

/* A client that closes at once lets its FIN carry the third leg: nothing is missing. */
static void test_fin_is_the_third_leg(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	close_in_four(s);
	scene_finish(s);
	assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
	assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
	assert_int_equal(the_closed(s)->synack_ack_ns, STEP_NS);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	scene_free(s);
}

/* The server's SYN was missed; that the client sends SYN+ACK tells of it. */
static void test_simultaneous_open_with_one_syn_missed(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	unseen(s, SERVER, S, 0, 0);
	client(s, SA, 0, 1, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->open, SHK_O_SIMULTANEOUS);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	scene_free(s);
}

static void test_connected_to_itself_with_the_syn_missed(void **state)
{
	struct scene *s = scene_new(TAP);

	(void)state;
	s->ends[CLIENT].sport = SERVER_PORT;
	memcpy(s->ends[CLIENT].saddr, s->ends[CLIENT].daddr, 16);
	s->isn[SERVER] = CLIENT_ISN;
	client(s, SA, 0, 1, 0);
	assert_int_equal(the_opened(s)->open, SHK_O_SELF);
	assert_int_equal(the_opened(s)->confidence, SHK_PARTIAL);
	scene_free(s);
}

static void test_segments_of_nobody_make_no_record(void **state)
{
	struct scene *s = scene_new(LOOPBACK);
	struct shk_engine_stats stats;

	(void)state;
	client(s, R, 1, 0, 0);
	server(s, RA, 1, 1, 0); /* at each of four hooks */
	server(s, A, 1, 1, 0);
	scene_finish(s);
	assert_int_equal(s->n_told, 0);
	shk_engine_stats(s->engine, &stats);
	assert_int_equal(stats.flows_created, 0);
	assert_int_equal(stats.ignored, stats.segments);
	assert_int_not_equal(stats.segments, 0);
	scene_free(s);
}

static void test_connection_older_than_the_observer(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	unseen(s, CLIENT, S, 0, 0);
	unseen(s, SERVER, SA, 0, 1);
	unseen(s, CLIENT, A, 1, 1);
	close_in_four(s);
	pass_and_tell(s, SECOND);
	assert_int_equal(n_opened(s), 0);
	assert_int_equal(the_closed(s)->open, SHK_O_PREEXISTING);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	assert_false(the_closed(s)->end[CLIENT].isn_known);
	assert_false(the_closed(s)->end[CLIENT].bytes_known);
	scene_free(s);
}

static void test_old_connection_whose_fin_is_never_acknowledged(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, FA, 1, 1, 0);
	pass_and_tell(s, 200 * SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_PREEXISTING);
	assert_int_equal(the_closed(s)->close, SHK_C_FIN_UNACKED);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rst_that_answers_a_wrong_ack_ends_nothing),
		cmocka_unit_test(test_wrong_ack_and_nothing_more),
		cmocka_unit_test(test_handshake_goes_on_after_an_rst_to_the_embryo),
		cmocka_unit_test(test_stale_ack_answers_the_syn),
		cmocka_unit_test(test_bad_synack_then_the_right_one),
		cmocka_unit_test(test_bad_synack_and_nothing_more),
		cmocka_unit_test(test_rst_that_the_client_ignores),
		cmocka_unit_test(test_syn_meets_time_wait),
		cmocka_unit_test(test_syn_within_a_connection),
		cmocka_unit_test(test_forged_synack_within_a_connection),
		cmocka_unit_test(test_half_open_connection_is_discovered),
		cmocka_unit_test(test_reuse_after_an_end_that_was_missed),
		cmocka_unit_test(test_second_synack_with_another_isn),
		cmocka_unit_test(test_syn_missed),
		cmocka_unit_test(test_synack_lost_in_the_ring),
		cmocka_unit_test(test_right_synack_lost_after_a_bad_one),
		cmocka_unit_test(test_ack_lost_in_the_ring),
		cmocka_unit_test(test_fin_is_the_third_leg),
		cmocka_unit_test(test_simultaneous_open_with_one_syn_missed),
		cmocka_unit_test(test_connected_to_itself_with_the_syn_missed),
		cmocka_unit_test(test_segments_of_nobody_make_no_record),
		cmocka_unit_test(test_connection_older_than_the_observer),
		cmocka_unit_test(test_old_connection_whose_fin_is_never_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
