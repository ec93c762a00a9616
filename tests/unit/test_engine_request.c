// SPDX-License-Identifier: GPL-2.0
/* Requests that come to nothing, as the listener knows it and the wire does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_sockets.h"

static void request(struct scene *s, uint8_t where, uint16_t reason)
{
	struct shk_event ev = socket_event(s, SERVER, where);

	ev.sock.old_state = 12;
	ev.sock.new_state = 7;
	ev.sock.reason = reason;
	feed(s, &ev);
}

static struct scene *half_open(void)
{
	struct scene *s = scene_new(SERVER_HOST);

	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	return s;
}

/* Nothing on the wire ends it, so an ICMP error did. */
static void test_dropped_without_a_reset(void **state)
{
	struct scene *s = half_open();

	(void)state;
	request(s, SHK_SOCK_REQUEST_DROPPED, 0);
	pass_and_tell(s, SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_UNREACH);
	assert_int_equal(the_closed(s)->confidence, SHK_INFERRED);
	assert_int_equal(the_closed(s)->blame.where, SHK_BLAME_NETWORK);
	assert_non_null(strstr(the_closed(s)->blame.why, "SYN+ACK sent once, then the request was dropped"));
	scene_free(s);
}

/* The reset is seen first, or it comes late: it is the better word in any case. */
static void test_dropped_by_a_reset(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct scene *s = half_open();

		if (!late)
			client(s, R, 1, 0, 0);
		request(s, SHK_SOCK_REQUEST_DROPPED, 0);
		if (late)
			client(s, R, 1, 0, 0);
		pass_and_tell(s, SECOND);
		assert_int_equal(the_closed(s)->open, SHK_O_EMBRYO_RST);
		scene_free(s);
	}
}

static void test_its_listener_is_gone(void **state)
{
	struct scene *s = half_open();

	(void)state;
	request(s, SHK_SOCK_REQUEST_EXPIRED, SHK_REASON_LISTENER_CLOSED);
	pass_and_tell(s, SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_LISTENER_CLOSED);
	assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
	assert_int_equal(the_closed(s)->blame.where, SHK_BLAME_APPLICATION);
	scene_free(s);
}

static void test_its_timer_ended_it(void **state)
{
	struct scene *s = half_open();

	(void)state;
	request(s, SHK_SOCK_REQUEST_EXPIRED, 0);
	pass_and_tell(s, SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_EMBRYO_EXPIRED);
	assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
	scene_free(s);
}

/* What is known of the queue outlasts the request. */
static void test_an_expired_request_whose_ack_was_refused(void **state)
{
	struct scene *s = half_open();

	(void)state;
	client(s, A, 1, 1, 0);
	request(s, SHK_SOCK_ACK_REFUSED, SHK_REASON_ACCEPT_QUEUE_FULL);
	request(s, SHK_SOCK_REQUEST_EXPIRED, 0);
	pass_and_tell(s, SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_ACCEPTQ_DROP_ACK);
	scene_free(s);
}

/* A slow host takes 2 ms and more to answer a third ACK by RST; then the time alone does not tell why. */
static void test_a_third_ack_refused_by_a_slow_host(void **state)
{
	static const struct {
		uint8_t where;
		uint16_t reason;
		enum shk_open open;
	} words[] = {
		{0, 0, SHK_O_3WHS},
		{SHK_SOCK_ACK_REFUSED, SHK_REASON_ACCEPT_QUEUE_FULL, SHK_O_ACCEPTQ_ABORT},
		{SHK_SOCK_RESET_SENT, SHK_REASON_NO_SOCKET, SHK_O_LISTENER_CLOSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct scene *s = half_open();

		client(s, A, 1, 1, 0);
		pass(s, 3 * MS);
		if (words[i].where)
			request(s, words[i].where, words[i].reason);
		server(s, R, 1, 0, 0);
		pass_and_tell(s, SECOND);
		assert_int_equal(the_closed(s)->open, words[i].open);
		scene_free(s);
	}
}

/*
 * ---- Without hooks -------------------------------------------------------------------------------
 */

static void made(struct scene *s)
{
	struct shk_event ev = socket_event(s, SERVER, SHK_SOCK_REQUEST_MADE);

	ev.sock.old_state = 10;
	ev.sock.new_state = 12;
	feed(s, &ev);
}

/* A capture shows no firewall's work. That the listener took the SYN tells which way the answer was lost. */
static void test_made_and_its_answer_never_seen(void **state)
{
	(void)state;
	for (int expires = 0; expires < 2; expires++) {
		struct scene *s = scene_new(TAP);

		client(s, S, 0, 0, 0);
		made(s);
		pass(s, SECOND);
		client(s, S, 0, 0, 0);
		if (expires)
			request(s, SHK_SOCK_REQUEST_EXPIRED, 0);
		pass_and_tell(s, 200 * SECOND);
		assert_int_equal(the_closed(s)->open, SHK_O_EMBRYO_EXPIRED);
		assert_int_equal(the_closed(s)->confidence, expires ? SHK_CERTAIN : SHK_INFERRED);
		assert_int_equal(the_closed(s)->local, SHK_SERVER);
		assert_int_equal(the_closed(s)->blame.where, SHK_BLAME_LOCAL_FIREWALL);
		assert_non_null(strstr(the_closed(s)->blame.why, "its SYN+ACK was seen nowhere"));
		scene_free(s);
	}
}

static void test_not_made_and_no_answer(void **state)
{
	struct scene *s = scene_new(TAP);

	(void)state;
	client(s, S, 0, 0, 0);
	pass_and_tell(s, 200 * SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_TIMEOUT);
	assert_int_equal(the_closed(s)->local, SHK_NEITHER);
	scene_free(s);
}

/* The next request has a number of its own, and comes before the SYN+ACK that shows it. */
static void test_made_anew_is_no_conflict(void **state)
{
	struct scene *s = scene_new(TAP);

	(void)state;
	client(s, S, 0, 0, 0);
	made(s);
	server(s, SA, 0, 1, 0);
	s->isn[SERVER] += 77777;
	client(s, S, 0, 0, 0);
	made(s);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
	client(s, R, 1, 0, 0);
	pass_and_tell(s, SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
	assert_int_equal(the_closed(s)->conflicts, 0);
	assert_int_equal(the_closed(s)->end[SHK_SERVER].isn, s->isn[SERVER]);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_third_ack_refused_by_a_slow_host),
		cmocka_unit_test(test_made_and_its_answer_never_seen),
		cmocka_unit_test(test_not_made_and_no_answer),
		cmocka_unit_test(test_made_anew_is_no_conflict),
		cmocka_unit_test(test_dropped_without_a_reset),
		cmocka_unit_test(test_dropped_by_a_reset),
		cmocka_unit_test(test_its_listener_is_gone),
		cmocka_unit_test(test_its_timer_ended_it),
		cmocka_unit_test(test_an_expired_request_whose_ack_was_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
