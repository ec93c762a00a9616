// SPDX-License-Identifier: GPL-2.0
/* Every way to close otherwise than by two FINs that the wire can tell, and who is blamed for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pattern_rig.h"

static void deliberate_reset(struct scene *s)
{
	handshake(s);
	pass(s, SECOND);
	server(s, RA, 1, 1, 0);
}

static void answer_of_no_socket(struct scene *s)
{
	handshake(s);
	pass(s, SECOND);
	server(s, R, 1, 0, 0);
}

static void reset_of_no_known_shape(struct scene *s)
{
	handshake(s);
	pass(s, SECOND);
	s->with.window = 512;
	server(s, R, 1, 0, 0);
}

/* TCP_LINGER2 < 0: the ACK of its FIN is answered like one for nobody. */
static void no_wait_for_the_other_fin(struct scene *s)
{
	handshake(s);
	client(s, FA, 11, 1, 0);
	server(s, A, 1, 12, 0);
	pass(s, 20 * US - STEP_NS);
	client(s, R, 12, 0, 0);
}

/* What the gate does not show: data, in less time than most hosts take to answer a segment. */
static void data_right_behind(struct scene *s)
{
	handshake(s);
	client(s, FA, 11, 1, 0);
	server(s, A, 1, 12, 0);
	pass(s, 350 * US);
	server(s, PA, 1, 12, 5);
	client(s, R, 12, 0, 0);
}

static void data_acknowledges_the_fin(struct scene *s)
{
	handshake(s);
	client(s, FA, 11, 1, 0);
	server(s, PA, 1, 12, 500);
	client(s, R, 12, 0, 0);
}

/* The client has closed both directions, the server goes on sending (which the gate does not show). */
static void data_after_close(struct scene *s)
{
	handshake(s);
	client(s, FA, 11, 1, 0);
	server(s, A, 1, 12, 0);
	pass(s, SECOND);
	server(s, PA, 1, 12, 5);
	client(s, R, 12, 0, 0);
}

static void last_fin_too_late(struct scene *s)
{
	handshake(s);
	client(s, FA, 11, 1, 0);
	server(s, A, 1, 12, 0);
	pass(s, 70 * SECOND);
	server(s, FA, 1, 12, 0);
	client(s, R, 12, 0, 0);
}

static void data_and_fin_too_late(struct scene *s)
{
	handshake(s);
	client(s, FA, 11, 1, 0);
	server(s, A, 1, 12, 0);
	pass(s, SECOND);
	server(s, FA, 501, 12, 0);
	client(s, R, 12, 0, 0);
}

static void last_fin_unacknowledged(struct scene *s)
{
	handshake(s);
	client(s, FA, 1, 1, 0);
	server(s, FA, 1, 2, 0);
	pass(s, SECOND);
	server(s, FA, 1, 2, 0);
}

static void fin_unacknowledged(struct scene *s)
{
	handshake(s);
	client(s, FA, 1, 1, 0);
	pass(s, SECOND);
	client(s, FA, 1, 1, 0);
}

static void test_closed_otherwise(void **state)
{
	const uint8_t server_here = ONLY(SERVER_HOST) | ONLY(LOOPBACK);
	const uint8_t client_here = ONLY(CLIENT_HOST) | ONLY(LOOPBACK);
	const struct pattern patterns[] = {
		{"deliberate", deliberate_reset, server_here, SHK_O_3WHS, SHK_C_RST, SHK_CERTAIN,
		 SHK_BLAME_APPLICATION, "reset by the server 1.0 s after the first segment: an abort"},
		{"deliberate", deliberate_reset, ONLY(CLIENT_HOST) | ONLY(TAP), SHK_O_3WHS, SHK_C_RST,
		 SHK_CERTAIN, SHK_BLAME_PEER, "reset by the server"},
		{"answer", answer_of_no_socket, server_here, SHK_O_3WHS, SHK_C_RST, SHK_CERTAIN,
		 SHK_BLAME_LOCAL_STACK, "no connection any more"},
		{"odd shape", reset_of_no_known_shape, EVERYWHERE, SHK_O_3WHS, SHK_C_RST, SHK_CERTAIN,
		 SHK_BLAME_NONE, "its shape is not one of Linux"},
		{"data after close", data_after_close, client_here, SHK_O_3WHS, SHK_C_RST_DATA_AFTER_CLOSE,
		 SHK_INFERRED, SHK_BLAME_APPLICATION, "it had closed both directions, and more data came"},
		{"data after close", data_after_close, ONLY(SERVER_HOST) | ONLY(TAP), SHK_O_3WHS,
		 SHK_C_RST_DATA_AFTER_CLOSE, SHK_INFERRED, SHK_BLAME_PEER, "reset by the client"},
		{"no wait", no_wait_for_the_other_fin, client_here, SHK_O_3WHS, SHK_C_RST_LINGER2,
		 SHK_INFERRED, SHK_BLAME_APPLICATION, "TCP_LINGER2"},
		/* elsewhere it may have been data that did not pass the gate */
		{"no wait", no_wait_for_the_other_fin, ONLY(SERVER_HOST) | ONLY(TAP), SHK_O_3WHS, SHK_C_RST,
		 SHK_CERTAIN, SHK_BLAME_PEER, "an answer to a segment"},
		{"data right behind", data_right_behind, client_here, SHK_O_3WHS, SHK_C_RST_DATA_AFTER_CLOSE,
		 SHK_INFERRED, SHK_BLAME_APPLICATION, "more data came"},
		{"data with the ACK", data_acknowledges_the_fin, EVERYWHERE & ~client_here, SHK_O_3WHS,
		 SHK_C_RST_DATA_AFTER_CLOSE, SHK_INFERRED, SHK_BLAME_PEER, "more data came"},
		{"data with the ACK", data_acknowledges_the_fin, client_here, SHK_O_3WHS,
		 SHK_C_RST_DATA_AFTER_CLOSE, SHK_INFERRED, SHK_BLAME_APPLICATION, "more data came"},
		{"data and FIN", data_and_fin_too_late, client_here, SHK_O_3WHS, SHK_C_RST_DATA_AFTER_CLOSE,
		 SHK_INFERRED, SHK_BLAME_APPLICATION, "more data came"},
		{"late FIN", last_fin_too_late, server_here, SHK_O_3WHS, SHK_C_FW2_EXPIRED, SHK_INFERRED,
		 SHK_BLAME_APPLICATION, "when the other FIN came"},
		{"last FIN", last_fin_unacknowledged, EVERYWHERE, SHK_O_3WHS, SHK_C_LASTACK_TIMEOUT,
		 SHK_INFERRED, SHK_BLAME_NETWORK, "the server's FIN sent twice, never acknowledged"},
		{"FIN", fin_unacknowledged, EVERYWHERE, SHK_O_3WHS, SHK_C_FIN_UNACKED, SHK_INFERRED,
		 SHK_BLAME_NETWORK, "the client's FIN sent twice, never acknowledged"},
	};

	(void)state;
	CHECK_ALL(patterns);
}

/* RFC 9293 3.5.1, figure 9, from every vantage that has hooks, and for either end. */
static void test_half_open(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < TAP; v++) {
		for (unsigned int by = CLIENT; by <= SERVER; by++) {
			struct scene *s = watch(v);

			handshake(s);
			say(s, by, S, 1000000, 0, 0);
			say(s, !by, A, 1, 1, 0);
			say(s, by, R, 1, 0, 0);
			pass_and_tell(s, SECOND);
			assert_int_equal(the_closed(s)->close, SHK_C_HALF_OPEN_RESET);
			assert_int_equal(the_closed(s)->close_by, by);
			assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
			assert_non_null(strstr(the_closed(s)->blame.why, "forgotten this connection"));
			scene_free(s);
		}
	}
}

/* A connection that opens and closes as it should blames nobody. */
static void test_nothing_to_blame(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = watch(v);

		handshake(s);
		close_in_four(s);
		pass_and_tell(s, SECOND);
		assert_int_equal(the_opened(s)->blame.where, SHK_BLAME_NOTHING);
		assert_int_equal(the_closed(s)->blame.where, SHK_BLAME_NOTHING);
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_otherwise),
		cmocka_unit_test(test_half_open),
		cmocka_unit_test(test_nothing_to_blame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
