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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dropped_without_a_reset),
		cmocka_unit_test(test_dropped_by_a_reset),
		cmocka_unit_test(test_its_listener_is_gone),
		cmocka_unit_test(test_its_timer_ended_it),
		cmocka_unit_test(test_an_expired_request_whose_ack_was_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
