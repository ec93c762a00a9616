// SPDX-License-Identifier: GPL-2.0
/* Which RST is heeded (RFC 5961 3.2), and how sure an observer may be of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_dsl.h"

enum { ESTABLISHED = 1, CLOSE = 7 };

static void tell(struct scene *s, unsigned int end, uint8_t where, uint8_t new_state, uint16_t sk_err)
{
	struct shk_event ev = s->ends[end];

	ev.kind = SHK_EV_SOCKET;
	ev.where = where;
	ev.ts_ns = s->now_ns;
	ev.sock = (struct shk_socket){
		.iss = s->isn[end],
		.irs = s->isn[!end],
		.flags = end == CLIENT ? SHK_SOCK_ACTIVE : SHK_SOCK_PASSIVE,
		.old_state = ESTABLISHED,
		.new_state = new_state,
		.sk_err = sk_err,
		.value = where == SHK_SOCK_ACCEPTED ? US : 0,
	};
	scene_feed(s, &ev);
	s->now_ns += US;
}

static const struct shk_conn *settle(struct scene *s)
{
	pass_and_tell(s, SECOND);
	return the_closed(s);
}

static void test_the_expected_number_is_certain(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		for (unsigned int by = CLIENT; by <= SERVER; by++) {
			struct scene *s = scene_new(v);

			handshake(s);
			say(s, by, RA, 1, 1, 0);
			assert_int_equal(settle(s)->close, SHK_C_RST);
			assert_int_equal(the_closed(s)->close_by, by);
			assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
			scene_free(s);
		}
	}
}

/* It may stand behind data that we did not see, or come from somebody who guesses. */
static void test_another_number_is_inferred(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		handshake(s);
		client(s, R, 101, 0, 0);
		assert_int_equal(settle(s)->close, SHK_C_RST);
		assert_int_equal(the_closed(s)->confidence, SHK_INFERRED);
		scene_free(s);
	}
}

static void test_the_socket_knows_whether_it_was_heeded(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	handshake(s);
	tell(s, SERVER, SHK_SOCK_ACCEPTED, ESTABLISHED, 0);
	client(s, R, 10000001, 0, 0);
	pass_and_tell(s, 1000 * SECOND);
	assert_int_equal(n_closed(s), 0);
	client(s, R, 101, 0, 0);
	tell(s, SERVER, SHK_SOCK_CLOSED, CLOSE, ECONNRESET);
	assert_int_equal(settle(s)->close, SHK_C_RST);
	assert_int_equal(the_closed(s)->close_by, SHK_CLIENT);
	assert_int_equal(the_closed(s)->end[CLIENT].rst, 2);
	assert_int_equal(the_closed(s)->end[CLIENT].bytes, 100);
	assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
	scene_free(s);
}

static void test_what_was_not_heeded_ends_nothing(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	handshake(s);
	tell(s, SERVER, SHK_SOCK_ACCEPTED, ESTABLISHED, 0);
	client(s, R, 10000001, 0, 0);
	pass_and_tell(s, SECOND);
	scene_finish(s);
	assert_int_equal(the_closed(s)->close, SHK_C_NONE);
	assert_int_equal(the_closed(s)->end[CLIENT].rst, 1);
	scene_free(s);
}

/* The challenge alone tells, without any socket. */
static void test_a_challenged_rst_ends_nothing(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	handshake(s);
	client(s, R, 101, 0, 0);
	server(s, A, 1, 1, 0);
	pass_and_tell(s, 1000 * SECOND);
	assert_int_equal(n_closed(s), 0);
	close_in_four(s);
	assert_int_equal(settle(s)->close, SHK_C_4SEG);
	assert_int_equal(the_closed(s)->close_flags, SHK_CF_RST_CHALLENGED);
	assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
	assert_int_equal(the_closed(s)->arrows[4].state[SHK_SERVER], SHK_ESTABLISHED);
	scene_free(s);
}

/* Who sent it answers the challenge with the number that was asked for. */
static void test_a_challenged_rst_and_the_right_one(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		handshake(s);
		client(s, R, 101, 0, 0);
		server(s, A, 1, 1, 0);
		client(s, R, 1, 0, 0);
		assert_int_equal(settle(s)->close, SHK_C_RST);
		assert_int_equal(the_closed(s)->end[CLIENT].rst, 2);
		assert_true(the_closed(s)->close_flags & SHK_CF_RST_CHALLENGED);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		scene_free(s);
	}
}

/* On the way nobody can tell a challenge from an ACK that crosses the RST. */
static void test_a_challenge_on_the_way_leaves_a_doubt(void **state)
{
	struct scene *s = scene_new(TAP);

	(void)state;
	handshake(s);
	client(s, PA, 1, 1, 100);
	client(s, R, 101, 0, 0);
	server(s, A, 1, 1, 0);
	assert_int_equal(settle(s)->close, SHK_C_RST);
	assert_int_equal(the_closed(s)->close_flags, SHK_CF_RST_CHALLENGED);
	assert_int_equal(the_closed(s)->confidence, SHK_INFERRED);
	scene_free(s);
}

/*
 * A server that reads no further resets, and then answers an ACK that crossed its RST by another one, as if
 * it knew nothing of the connection; but it did.
 */
static void test_reset_again_for_a_late_ack(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		handshake(s);
		client(s, PA, 1, 1, 27);
		server(s, A, 1, 28, 0);
		server(s, PA, 1, 28, 42);
		server(s, RA, 43, 28, 0);
		client(s, A, 28, 43, 0);
		server(s, R, 43, 0, 0);
		pass_and_tell(s, SECOND);
		assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
		assert_int_equal(the_closed(s)->close_by, SHK_SERVER);
		assert_true(shk_close_broken(the_closed(s)->close));
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_expected_number_is_certain),
		cmocka_unit_test(test_another_number_is_inferred),
		cmocka_unit_test(test_the_socket_knows_whether_it_was_heeded),
		cmocka_unit_test(test_what_was_not_heeded_ends_nothing),
		cmocka_unit_test(test_a_challenged_rst_ends_nothing),
		cmocka_unit_test(test_a_challenged_rst_and_the_right_one),
		cmocka_unit_test(test_a_challenge_on_the_way_leaves_a_doubt),
		cmocka_unit_test(test_reset_again_for_a_late_ack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
