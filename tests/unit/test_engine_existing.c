// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that were there before anybody watched, of which a segment may come first and the snapshot of
 * the sockets after it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_dsl.h"

enum { ESTABLISHED = 1, FIN_WAIT2 = 5, CLOSE_WAIT = 8 };

static struct scene *late_start(void)
{
	struct shk_engine_config config = scene_config;

	config.sockets_begin = true;
	return scene_new_with(SERVER_HOST, &config);
}

/* The snapshot finds the server's socket in @state; numbers are relative to the ISNs. */
static void existed(struct scene *s, uint8_t state, uint32_t snd_nxt, uint32_t rcv_nxt)
{
	struct shk_event ev = s->ends[SERVER];

	ev.kind = SHK_EV_SOCKET;
	ev.where = SHK_SOCK_EXISTED;
	ev.ts_ns = s->now_ns;
	ev.sock = (struct shk_socket){
		.iss = s->isn[SERVER],
		.irs = s->isn[CLIENT],
		.flags = SHK_SOCK_PASSIVE | SHK_SOCK_PREEXISTING,
		.old_state = state,
		.new_state = state,
		.value = (uint64_t)(s->isn[SERVER] + snd_nxt) << 32 | (uint32_t)(s->isn[CLIENT] + rcv_nxt),
	};
	scene_feed(s, &ev);
	s->now_ns += US;
}

static void test_the_snapshot_knows_who_opened(void **state)
{
	for (int snapshot = 0; snapshot < 4; snapshot++) {
		struct scene *s = late_start();
		const struct shk_conn *conn;

		(void)state;
		if (snapshot == 0)
			existed(s, ESTABLISHED, 1, 1);
		server(s, FA, 1, 1, 0);
		if (snapshot == 1)
			existed(s, ESTABLISHED, 1, 1);
		client(s, FA, 1, 2, 0);
		if (snapshot == 2)
			existed(s, ESTABLISHED, 1, 1);
		server(s, A, 2, 2, 0);
		if (snapshot == 3)
			existed(s, ESTABLISHED, 1, 1);
		scene_finish(s);
		conn = the_closed(s);
		assert_int_equal(conn->open, SHK_O_PREEXISTING);
		assert_int_equal(conn->end[CLIENT].port, CLIENT_PORT);
		assert_int_equal(conn->end[CLIENT].isn, CLIENT_ISN);
		assert_int_equal(conn->end[SERVER].isn, SERVER_ISN);
		assert_int_equal(conn->close, SHK_C_3SEG);
		assert_int_equal(conn->close_by, SHK_SERVER);
		assert_int_equal(conn->confidence, SHK_PARTIAL);
		assert_int_equal(conn->n_arrows, 3);
		assert_int_equal(conn->arrows[0].from, SHK_SERVER);
		assert_int_equal(conn->arrows[1].from, SHK_CLIENT);
		assert_int_equal(conn->arrows[2].from, SHK_SERVER);
		assert_int_equal(conn->arrows[2].state[SHK_SERVER], SHK_TIME_WAIT);
		scene_free(s);
	}
}

static void test_a_fin_before_the_start(void **state)
{
	struct scene *s = late_start();

	(void)state;
	existed(s, CLOSE_WAIT, 301, 502);
	pass(s, SECOND);
	server(s, FA, 301, 502, 0);
	client(s, A, 502, 302, 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	assert_int_equal(the_closed(s)->close_by, SHK_CLIENT);
	assert_int_equal(the_closed(s)->end[CLIENT].bytes, 500);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	/* When that FIN came is not known, nor what was sent since. */
	assert_true(the_closed(s)->fin_ack_ns == SHK_UNKNOWN_NS);
	assert_true(the_closed(s)->fin_fin_ns == SHK_UNKNOWN_NS);
	assert_false(the_closed(s)->half_close);
	scene_free(s);
}

static void test_its_own_fin_before_the_start(void **state)
{
	struct scene *s = late_start();

	(void)state;
	existed(s, FIN_WAIT2, 302, 501);
	client(s, FA, 501, 302, 0);
	server(s, A, 302, 502, 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	assert_int_equal(the_closed(s)->close_by, SHK_SERVER);
	assert_int_equal(the_closed(s)->end[CLIENT].bytes, 500);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_snapshot_knows_who_opened),
		cmocka_unit_test(test_a_fin_before_the_start),
		cmocka_unit_test(test_its_own_fin_before_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
