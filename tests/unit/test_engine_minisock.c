// SPDX-License-Identifier: GPL-2.0
/* TIME-WAIT as the kernel keeps it: begun anew, given up for a SYN, refused, ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_sockets.h"

enum { FIN_WAIT2 = 5, TIME_WAIT = 6, CLOSE = 7, LISTEN = 10 };

/* The minisock of the end that has sent @sent octets of the sequence space and got @got. */
static void minisock(struct scene *s, unsigned int end, uint8_t where, uint8_t new_state, uint32_t sent,
		     uint32_t got)
{
	struct shk_event ev = socket_event(s, end, where);

	ev.sock.iss = ev.sock.irs = 0;
	ev.sock.old_state = TIME_WAIT;
	ev.sock.new_state = new_state;
	ev.sock.value = (uint64_t)(s->isn[end] + sent) << 32 | (uint32_t)(s->isn[!end] + got);
	feed(s, &ev);
}

static void gone(struct scene *s, unsigned int end, uint8_t new_state)
{
	struct shk_event ev = socket_event(s, end, SHK_SOCK_CLOSED);

	ev.sock.old_state = FIN_WAIT2;
	ev.sock.new_state = new_state;
	ev.sock.value = (uint64_t)(s->isn[end] + 2) << 32 | (uint32_t)(s->isn[!end] + 2);
	feed(s, &ev);
}

static void test_begun_anew(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake(s);
	close_in_four(s);
	gone(s, CLIENT, TIME_WAIT);
	server(s, FA, 1, 2, 0);
	minisock(s, CLIENT, SHK_SOCK_TIME_WAIT_RESTARTED, TIME_WAIT, 2, 2);
	client(s, A, 2, 2, 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	assert_int_equal(the_closed(s)->close_flags, SHK_CF_FIN_RETRANSMIT | SHK_CF_TIME_WAIT_RESTARTED);
	scene_free(s);
}

/* Somebody else's numbers, or those of an earlier use. */
static void test_of_another_use(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake(s);
	close_in_four(s);
	minisock(s, CLIENT, SHK_SOCK_TIME_WAIT_RESTARTED, TIME_WAIT, 3, 2);
	minisock(s, CLIENT, SHK_SOCK_TIME_WAIT_ENDED, CLOSE, 3, 2);
	scene_finish(s);
	assert_int_equal(the_closed(s)->close_flags, 0);
	assert_true(the_closed(s)->time_wait_ns == SHK_UNKNOWN_NS);
	scene_free(s);
}

/* The FIN that an orphan waited for begins its TIME-WAIT. */
static void test_begun_by_an_orphan(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake(s);
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
	gone(s, CLIENT, FIN_WAIT2);
	server(s, FA, 1, 2, 0);
	minisock(s, CLIENT, SHK_SOCK_TIME_WAIT_RESTARTED, TIME_WAIT, 2, 2);
	client(s, A, 2, 2, 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->close_flags, 0);
	scene_free(s);
}

static void test_lasts_from_the_last_fin(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);
	uint64_t fin_ns;

	(void)state;
	handshake(s);
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
	fin_ns = s->now_ns;
	server(s, FA, 1, 2, 0);
	client(s, A, 2, 2, 0);
	gone(s, CLIENT, TIME_WAIT);
	pass(s, 50 * MS);
	minisock(s, CLIENT, SHK_SOCK_TIME_WAIT_RESTARTED, TIME_WAIT, 2, 2);
	pass(s, 20 * MS);
	minisock(s, CLIENT, SHK_SOCK_TIME_WAIT_ENDED, CLOSE, 2, 2);
	assert_int_equal(the_closed(s)->time_wait_ns, s->now_ns - US - fin_ns);
	scene_free(s);
}

/* The earlier use was not seen, and the new ISN is no step from its last number. */
static void test_given_up_for_a_syn(void **state)
{
	(void)state;
	for (int told = 0; told < 2; told++) {
		struct scene *s = scene_new(SERVER_HOST);

		client(s, S, 0, 0, 0);
		if (told)
			minisock(s, SERVER, SHK_SOCK_TIME_WAIT_BROKEN, LISTEN, -777, -100);
		server(s, SA, 0, 1, 0);
		client(s, A, 1, 1, 0);
		assert_int_equal(the_opened(s)->open, told ? SHK_O_TW_RECYCLE_PASSIVE : SHK_O_3WHS);
		assert_int_equal(the_opened(s)->confidence, SHK_CERTAIN);
		scene_free(s);
	}
}

/* Here it is the new connection's end that says so of the old one: nothing is to be learned of the new. */
static void test_a_clients_minisock_says_nothing_of_the_next(void **state)
{
	struct scene *s = scene_new(LOOPBACK);

	(void)state;
	client(s, S, 0, 0, 0);
	minisock(s, CLIENT, SHK_SOCK_TIME_WAIT_BROKEN, LISTEN, -777, -100);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
	assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
	scene_free(s);
}

/* A kernel that gives no reason for the reset of a minisock tells of it here. */
static void test_data_for_who_is_gone(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake(s);
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
	gone(s, CLIENT, FIN_WAIT2);
	server(s, PA, 1, 2, 10);
	minisock(s, CLIENT, SHK_SOCK_TIME_WAIT_BROKEN, CLOSE, 2, 1);
	client(s, R, 2, 0, 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->close, SHK_C_RST_DATA_AFTER_CLOSE);
	assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
	scene_free(s);
}

static void test_no_room(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);
	struct shk_event ev;

	(void)state;
	handshake(s);
	close_in_four(s);
	ev = socket_event(s, CLIENT, SHK_SOCK_TIME_WAIT_REFUSED);
	feed(s, &ev);
	gone(s, CLIENT, TIME_WAIT);
	scene_finish(s);
	assert_int_equal(the_closed(s)->close, SHK_C_TW_OVERFLOW);
	assert_int_equal(the_closed(s)->fins, SHK_C_4SEG);
	assert_int_equal(the_closed(s)->blame.where, SHK_BLAME_LOCAL_STACK);
	assert_non_null(strstr(the_closed(s)->blame.why, "tcp_max_tw_buckets"));
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begun_anew),
		cmocka_unit_test(test_of_another_use),
		cmocka_unit_test(test_begun_by_an_orphan),
		cmocka_unit_test(test_lasts_from_the_last_fin),
		cmocka_unit_test(test_given_up_for_a_syn),
		cmocka_unit_test(test_a_clients_minisock_says_nothing_of_the_next),
		cmocka_unit_test(test_data_for_who_is_gone),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
