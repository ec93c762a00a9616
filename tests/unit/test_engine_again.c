// SPDX-License-Identifier: GPL-2.0
/* A tuple again, with the same number or inside its own connection: what is a new use, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_dsl.h"

/* Some clients take a refusal for an accident and try again with the same number, some always use one. */
static void test_same_number_after_a_refusal(void **state)
{
	static const uint64_t waits_ns[] = {MS, 500 * MS, 30 * SECOND};

	(void)state;
	for (unsigned int v = 0; v < TAP; v++) {
		for (int w = 0; w < 3; w++) {
			struct scene *s = scene_new(v);

			client(s, S, 0, 0, 0);
			server(s, RA, 0 - s->isn[SERVER], 1, 0);
			pass_and_tell(s, waits_ns[w]);
			handshake(s);
			close_in_four(s);
			scene_finish(s);
			assert_int_equal(n_closed(s), 2);
			assert_int_equal(closed_at(s, 0)->open, SHK_O_REFUSED);
			assert_int_equal(closed_at(s, 0)->end[CLIENT].syn, 1);
			assert_int_equal(closed_at(s, 1)->open, SHK_O_3WHS);
			assert_int_equal(closed_at(s, 1)->end[CLIENT].syn, 1);
			assert_int_equal(closed_at(s, 1)->close, SHK_C_4SEG);
			assert_int_equal(closed_at(s, 1)->confidence, SHK_CERTAIN);
			scene_free(s);
		}
	}
}

static void test_same_number_after_a_reset_handshake(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < TAP; v++) {
		struct scene *s = scene_new(v);

		client(s, S, 0, 0, 0);
		server(s, SA, 0, 1, 0);
		client(s, R, 1, 0, 0);
		pass_and_tell(s, SECOND);
		assert_int_equal(the_closed(s)->open, SHK_O_EMBRYO_RST);
		handshake(s);
		scene_finish(s);
		assert_int_equal(n_closed(s), 2);
		assert_int_equal(closed_at(s, 1)->open, SHK_O_3WHS);
		scene_free(s);
	}
}

/* A capture may hold everything twice: there the same number is the same attempt. */
static void test_same_number_in_a_capture(void **state)
{
	struct scene *s = scene_new(TAP);

	(void)state;
	for (int i = 0; i < 3; i++) {
		client(s, S, 0, 0, 0);
		server(s, RA, 0 - s->isn[SERVER], 1, 0);
		pass(s, 10 * MS);
	}
	scene_finish(s);
	assert_int_equal(the_closed(s)->open, SHK_O_REFUSED);
	assert_int_equal(the_closed(s)->end[CLIENT].syn, 3);
	assert_int_equal(the_closed(s)->end[SERVER].rst, 3);
	scene_free(s);
}

/* And another number is another connection, whatever becomes of it: its end may have been left out. */
static void test_another_number_in_a_capture(void **state)
{
	struct scene *s = scene_new(TAP);

	(void)state;
	handshake(s);
	s->isn[CLIENT] += 1000000;
	client(s, S, 0, 0, 0);
	server(s, A, 1, 1 - 1000000, 0);
	client(s, R, 1 - 1000000, 0, 0);
	pass(s, SECOND);
	handshake(s);
	close_in_four(s);
	scene_finish(s);
	assert_int_equal(n_closed(s), 2);
	assert_int_equal(closed_at(s, 0)->close, SHK_C_NONE);
	assert_int_equal(closed_at(s, 0)->end[CLIENT].syn, 1);
	assert_int_equal(closed_at(s, 0)->compat.completeness, 7);
	assert_int_equal(closed_at(s, 1)->open, SHK_O_3WHS);
	assert_true(closed_at(s, 1)->open_flags & SHK_OF_STALE_ACK_RST);
	assert_int_equal(closed_at(s, 1)->end[CLIENT].syn, 2);
	assert_int_equal(closed_at(s, 1)->close, SHK_C_4SEG);
	assert_int_equal(closed_at(s, 1)->compat.completeness, 55);
	scene_free(s);
}

/* The network made two of one SYN: the second comes before anything has become of it. */
static void test_a_doubled_syn_is_one_attempt(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	client(s, S, 0, 0, 0);
	server(s, RA, 0 - s->isn[SERVER], 1, 0);
	server(s, RA, 0 - s->isn[SERVER], 1, 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->open, SHK_O_REFUSED);
	assert_int_equal(the_closed(s)->end[CLIENT].syn_retransmits, 1);
	scene_free(s);
}

/* RFC 9293 3.5.1 figure 9, as Wireshark would divide it. */
static void test_streams_of_a_half_open_connection(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < TAP; v++) {
		struct scene *s = scene_new(v);

		handshake(s);
		s->isn[CLIENT] += 1000000;
		client(s, S, 0, 0, 0);
		server(s, A, 1, 1 - 1000000, 0);
		client(s, R, 1 - 1000000, 0, 0);
		pass(s, SECOND);
		handshake(s);
		scene_finish(s);
		assert_int_equal(n_closed(s), 2);
		assert_int_equal(closed_at(s, 0)->close, SHK_C_HALF_OPEN_RESET);
		assert_int_equal(closed_at(s, 0)->compat.completeness, 7);
		assert_int_equal(closed_at(s, 1)->compat.completeness, 39);
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_number_after_a_refusal),
		cmocka_unit_test(test_same_number_after_a_reset_handshake),
		cmocka_unit_test(test_same_number_in_a_capture),
		cmocka_unit_test(test_another_number_in_a_capture),
		cmocka_unit_test(test_a_doubled_syn_is_one_attempt),
		cmocka_unit_test(test_streams_of_a_half_open_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
