// SPDX-License-Identifier: GPL-2.0
/* Segments with wrong numbers in the handshake: what they prove, and what they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pattern_rig.h"

/* RFC 9293 3.10.7.4: such an ACK is answered by RST, and the request stays. */
static const uint32_t wrong_acks[] = {2, 77777, (1U << 24) - 1, 1U << 24, 77777777, 0, (uint32_t)-5};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void begin(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
}

static void wrong_ack(struct scene *s, uint32_t ack)
{
	client(s, A, 1, ack, 0);
	server(s, R, ack, 0, 0);
}

static void test_wrong_ack_and_no_more(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		for (size_t i = 0; i < N(wrong_acks); i++) {
			struct scene *s = watch(v);
			const struct shk_conn *conn;

			begin(s);
			wrong_ack(s, wrong_acks[i]);
			pass_and_tell(s, 300 * SECOND);
			scene_finish(s);
			conn = the_closed(s);
			assert_int_equal(conn->open, SHK_O_EMBRYO_EXPIRED);
			assert_int_equal(conn->open_told, SHK_O_EMBRYO_EXPIRED);
			assert_int_equal(conn->confidence, SHK_INFERRED);
			assert_int_equal(conn->close, SHK_C_NONE);
			assert_int_equal(conn->ack_acks_synack, 0);
			assert_true(conn->open_flags & SHK_OF_BAD_ACK);
			assert_int_equal(conn->blame.where,
					 conn->local == SHK_CLIENT || conn->local == SHK_BOTH
						 ? SHK_BLAME_LOCAL_STACK
						 : SHK_BLAME_PEER);
			assert_non_null(strstr(conn->blame.why, "answered by RST"));
			scene_free(s);
		}
	}
}

static void test_wrong_ack_then_right(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		for (size_t i = 0; i < N(wrong_acks); i++) {
			struct scene *s = watch(v);
			const struct shk_conn *conn;

			begin(s);
			wrong_ack(s, wrong_acks[i]);
			pass(s, SECOND);
			client(s, A, 1, 1, 0);
			close_in_four(s);
			scene_finish(s);
			conn = the_closed(s);
			assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
			assert_int_equal(the_opened(s)->confidence, SHK_CERTAIN);
			assert_int_equal(conn->open, SHK_O_3WHS);
			assert_int_equal(conn->close, SHK_C_4SEG);
			assert_int_equal(conn->confidence, SHK_CERTAIN);
			assert_true(conn->open_flags & SHK_OF_BAD_ACK);
			assert_in_range(conn->synack_ack_ns, SECOND, 2 * SECOND);
			scene_free(s);
		}
	}
}

/* Two of them cross their answers on the way. */
static void test_two_wrong_acks(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = watch(v);

		begin(s);
		client(s, A, 1, 77777777, 0);
		client(s, A, 1, 88888888, 0);
		server(s, R, 77777777, 0, 0);
		server(s, R, 88888888, 0, 0);
		pass_and_tell(s, 300 * SECOND);
		scene_finish(s);
		assert_int_equal(the_closed(s)->open, SHK_O_EMBRYO_EXPIRED);
		assert_int_equal(the_closed(s)->confidence, SHK_INFERRED);
		scene_free(s);
	}
}

/* What the gate lets through need not be the third leg: it was lost, or this one is wrong. */
static void test_ack_beyond_and_no_answer(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = watch(v);

		begin(s);
		client(s, A, 1, 77777, 0);
		pass_and_tell(s, SECOND);
		scene_finish(s);
		assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
		scene_free(s);
	}
}

/* In the window of nobody: answered by an ACK (3.10.7.4, first), and the request stays. */
static void test_right_ack_with_a_wrong_number(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = watch(v);

		begin(s);
		client(s, A, 500000000, 1, 0);
		server(s, A, 1, 1, 0);
		pass_and_tell(s, 300 * SECOND);
		scene_finish(s);
		assert_int_not_equal(the_closed(s)->confidence, SHK_CERTAIN);
		scene_free(s);
	}
}

/* RFC 5961 3.2: only the very number that is expected ends a request; one near it is challenged. */
static void test_rst_of_another_number(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = watch(v);

		begin(s);
		client(s, R, 101, 0, 0);
		server(s, A, 1, 1, 0);
		pass_and_tell(s, 300 * SECOND);
		scene_finish(s);
		assert_int_equal(the_closed(s)->open, SHK_O_EMBRYO_EXPIRED);
		assert_int_equal(the_closed(s)->confidence, SHK_INFERRED);
		scene_free(s);

		s = watch(v);
		begin(s);
		client(s, R, 101, 0, 0);
		server(s, A, 1, 1, 0);
		client(s, R, 1, 0, 0);
		pass_and_tell(s, 300 * SECOND);
		scene_finish(s);
		assert_int_equal(the_closed(s)->open, SHK_O_EMBRYO_RST);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		scene_free(s);

		s = watch(v);
		begin(s);
		client(s, R, 101, 0, 0);
		client(s, A, 1, 1, 0);
		close_in_four(s);
		scene_finish(s);
		assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
		assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		scene_free(s);
	}
}

/* By an RST of somebody in between, which the client never got: the handshake goes on. */
static void test_refused_in_vain(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = watch(v);

		client(s, S, 0, 0, 0);
		server(s, RA, 0 - s->isn[SERVER], 1, 0);
		server(s, SA, 0, 1, 0);
		client(s, A, 1, 1, 0);
		close_in_four(s);
		scene_finish(s);
		assert_int_equal(the_opened(s)->open, SHK_O_REFUSED);
		assert_int_equal(the_closed(s)->open_told, SHK_O_REFUSED);
		assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
		assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
		scene_free(s);
	}
}

/* Two SYN+ACKs with different numbers: the server's is the one that the client acknowledges. */
static void test_earlier_of_two_synacks(void **state)
{
	static const uint32_t apart[] = {5000, (uint32_t)-5000, 1000000000, (uint32_t)-1000000000};

	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		for (size_t i = 0; i < 2 * N(apart); i++) {
			struct scene *s = watch(v);
			uint32_t later = apart[i / 2], taken = i % 2 ? later : 0;
			const struct shk_conn *conn;

			begin(s);
			server(s, SA, later, 1, 0);
			client(s, A, 1, taken + 1, 0);
			client(s, PA, 1, taken + 1, 100);
			server(s, A, taken + 1, 101, 0);
			client(s, FA, 101, taken + 1, 0);
			server(s, FA, taken + 1, 102, 0);
			client(s, A, 102, taken + 2, 0);
			scene_finish(s);
			conn = the_closed(s);
			assert_int_equal(conn->open, SHK_O_3WHS);
			assert_int_equal(conn->end[SHK_SERVER].isn, s->isn[SERVER] + taken);
			assert_int_equal(conn->ack_acks_synack, 1);
			assert_true(conn->synack_ack_ns != SHK_UNKNOWN_NS);
			assert_false(conn->open_flags & SHK_OF_BAD_ACK);
			assert_int_equal(conn->close, SHK_C_3SEG);
			scene_free(s);
		}
	}
}

/* After the handshake somebody in between sends an RST in the shape of no socket's answer. */
static void test_forged_answer_after_the_handshake(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = watch(v);

		handshake(s);
		server(s, PA, 1, 1, 100);
		client(s, A, 1, 101, 0);
		server(s, R, 101, 0, 0);
		pass_and_tell(s, 300 * SECOND);
		scene_finish(s);
		assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
		assert_int_equal(the_closed(s)->close, SHK_C_RST);
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_ack_and_no_more),
		cmocka_unit_test(test_wrong_ack_then_right),
		cmocka_unit_test(test_two_wrong_acks),
		cmocka_unit_test(test_ack_beyond_and_no_answer),
		cmocka_unit_test(test_right_ack_with_a_wrong_number),
		cmocka_unit_test(test_rst_of_another_number),
		cmocka_unit_test(test_refused_in_vain),
		cmocka_unit_test(test_earlier_of_two_synacks),
		cmocka_unit_test(test_forged_answer_after_the_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
