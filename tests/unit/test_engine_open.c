// SPDX-License-Identifier: GPL-2.0
/* How connections open, or fail to: RFC 9293 3.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_dsl.h"

static void test_three_way_handshake_from_every_vantage(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);
		const struct shk_conn *conn;

		handshake(s);
		conn = the_opened(s); /* at once, not when it has ended */
		assert_int_equal(conn->open, SHK_O_3WHS);
		assert_int_equal(conn->open_flags, 0);
		assert_int_equal(conn->confidence, SHK_CERTAIN);
		assert_int_equal(conn->local, vantages[v].local);
		assert_int_equal(conn->synack_acks_syn, 1);
		assert_int_equal(conn->ack_acks_synack, 1);
		assert_int_equal(conn->syn_synack_ns, STEP_NS);
		assert_int_equal(conn->synack_ack_ns, STEP_NS);
		assert_int_equal(conn->open_total_ns, 2 * STEP_NS);
		scene_finish(s);
		assert_int_equal(the_closed(s)->close, SHK_C_NONE);
		scene_free(s);
	}
}

static void test_ends_say_who_they_are(void **state)
{
	struct scene *s = scene_new(LOOPBACK);
	const struct shk_end *end;

	(void)state;
	handshake(s);
	end = the_opened(s)->end;
	assert_memory_equal(end[CLIENT].addr, s->ends[CLIENT].saddr, 16);
	assert_memory_equal(end[SERVER].addr, s->ends[CLIENT].daddr, 16);
	assert_int_equal(end[CLIENT].port, CLIENT_PORT);
	assert_int_equal(end[SERVER].port, SERVER_PORT);
	for (int i = 0; i < 2; i++) {
		assert_true(end[i].isn_known);
		assert_false(end[i].bytes_known);
		assert_int_equal(end[i].isn, i ? SERVER_ISN : CLIENT_ISN);
		assert_int_equal(end[i].syn, i == CLIENT);
		assert_int_equal(end[i].synack, i == SERVER);
		assert_int_equal(end[i].syn_retransmits + end[i].synack_retransmits, 0);
		assert_int_equal(end[i].mss, 1400 + i);
		assert_int_equal(end[i].wscale, 7 + i);
		assert_int_equal(end[i].options, SHK_OPT_MSS | SHK_OPT_WSCALE);
		assert_int_equal(end[i].syn_flags, i ? SA : S);
	}
	scene_free(s);
}

/* Who is the lower end of the tuple must not matter. */
static void test_roles_do_not_depend_on_ports(void **state)
{
	(void)state;
	for (uint16_t port = SERVER_PORT - 1; port <= SERVER_PORT + 1; port++) {
		struct scene *s = scene_new(CLIENT_HOST);

		scene_call(s, 1, port);
		memcpy(s->ends[CLIENT].saddr, s->ends[CLIENT].daddr, 16); /* ::2 to ::1 */
		s->ends[CLIENT].daddr[15] = 1;
		memcpy(s->ends[SERVER].daddr, s->ends[CLIENT].saddr, 16);
		memcpy(s->ends[SERVER].saddr, s->ends[CLIENT].daddr, 16);
		handshake(s);
		assert_int_equal(the_opened(s)->end[CLIENT].port, port);
		assert_int_equal(the_opened(s)->end[CLIENT].isn, CLIENT_ISN);
		assert_int_equal(the_opened(s)->local, SHK_CLIENT);
		scene_free(s);
	}
}

static void test_refused(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		client(s, S, 0, 0, 0);
		server(s, RA, 0 - SERVER_ISN, 1, 0);
		assert_int_equal(the_opened(s)->open, SHK_O_REFUSED);
		assert_int_equal(n_closed(s), 0);
		pass_and_tell(s, SHK_LINGER_LIVE_NS);
		assert_int_equal(the_closed(s)->open, SHK_O_REFUSED);
		assert_int_equal(the_closed(s)->close, SHK_C_NONE);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		assert_int_equal(the_closed(s)->end[SERVER].rst, 1);
		assert_false(the_closed(s)->end[SERVER].isn_known);
		assert_false(the_closed(s)->end[CLIENT].bytes_known);
		scene_free(s);
	}
}

/* Who waits for how long: nobody knows that there is no answer before another SYN is overdue. */
static void test_no_answer(void **state)
{
	/* The intervals between the SYNs, 0 ended; and how long after the last one we give up. */
	static const struct {
		unsigned int intervals_s[8];
		unsigned int verdict_after_s;
	} cases[] = {
		{{0}, 4},
		{{1, 0}, 4},
		{{1, 2, 0}, 6},
		{{1, 2, 4, 0}, 11},
		{{1, 2, 4, 8, 16, 32, 0}, 77},
		{{1, 1, 1, 1, 2, 4, 8, 0}, 20}, /* tcp_syn_linear_timeouts, Linux 6.5 and later */
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		for (unsigned int v = 0; v < VANTAGES; v++) {
			struct scene *s = scene_new(v);
			unsigned int syns = 1;
			uint64_t last_ns = s->now_ns;

			client(s, S, 0, 0, 0);
			for (const unsigned int *i = cases[c].intervals_s; *i; i++, syns++) {
				pass_and_tell(s, *i * SECOND - STEP_NS);
				last_ns = s->now_ns;
				client(s, S, 0, 0, 0);
			}
			last_ns += SHK_LINGER_LIVE_NS;
			shk_engine_advance(s->engine, last_ns + cases[c].verdict_after_s * SECOND - MS);
			assert_int_equal(s->n_told, 0);
			shk_engine_advance(s->engine, last_ns + cases[c].verdict_after_s * SECOND + MS);
			assert_int_equal(the_opened(s)->open, SHK_O_TIMEOUT);
			assert_int_equal(the_closed(s)->open, SHK_O_TIMEOUT);
			assert_int_equal(the_closed(s)->confidence, SHK_INFERRED);
			assert_int_equal(the_closed(s)->end[CLIENT].syn, syns);
			assert_int_equal(the_closed(s)->end[CLIENT].syn_retransmits, syns - 1);
			assert_int_equal(the_closed(s)->open_flags, syns > 1 ? SHK_OF_SYN_RETRANSMIT : 0);
			scene_free(s);
		}
	}
}

static void test_an_event_of_another_connection_tells_the_time_too(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	pass(s, 4 * SECOND + SHK_LINGER_LIVE_NS);
	scene_call(s, 1, CLIENT_PORT + 1);
	client(s, S, 0, 0, 0);
	assert_int_equal(the_closed(s)->open, SHK_O_TIMEOUT);
	assert_int_equal(the_closed(s)->end[CLIENT].port, CLIENT_PORT);
	scene_free(s);
}

static void test_input_ends_before_the_answer_could_come(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	scene_finish(s);
	assert_int_equal(n_opened(s), 0);
	assert_int_equal(the_closed(s)->open, SHK_O_NONE);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	scene_free(s);
}

static void test_retransmitted_syn_and_synack_are_one_connection(void **state)
{
	(void)state;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		for (unsigned int v = 0; v < VANTAGES; v++) {
			struct scene *s = scene_new(v);
			const struct shk_conn *conn;

			s->ip_id_step = !ipv6;
			client(s, S, 0, 0, 0);
			pass(s, SECOND - STEP_NS);
			client(s, S, 0, 0, 0);
			server(s, SA, 0, 1, 0);
			pass(s, SECOND);
			server(s, SA, 0, 1, 0);
			client(s, A, 1, 1, 0);
			conn = the_opened(s);
			assert_int_equal(conn->open, SHK_O_3WHS);
			assert_int_equal(conn->open_flags, SHK_OF_SYN_RETRANSMIT | SHK_OF_SYNACK_RETRANSMIT);
			assert_int_equal(conn->confidence, SHK_CERTAIN);
			assert_int_equal(conn->end[CLIENT].syn, 2);
			assert_int_equal(conn->end[CLIENT].syn_retransmits, 1);
			assert_int_equal(conn->end[SERVER].synack, 2);
			assert_int_equal(conn->end[SERVER].synack_retransmits, 1);
			assert_int_equal(conn->syn_synack_ns, SECOND + STEP_NS);
			assert_int_equal(conn->open_total_ns, 2 * SECOND + 3 * STEP_NS);
			scene_free(s);
		}
	}
}

/* The host's own firewall drops the first SYN between LOCAL_OUT and POST_ROUTING. */
static void test_syn_that_did_not_leave_the_host(void **state)
{
	struct scene *s = scene_new(LOOPBACK);

	(void)state;
	s->ip_id_step = 0;
	s->hooks = SHK_HOOK_BIT(OUT);
	client(s, S, 0, 0, 0);
	s->hooks = UINT32_MAX;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
	assert_int_equal(the_opened(s)->end[CLIENT].syn, 2);
	scene_finish(s);
	assert_int_equal(the_closed(s)->n_arrows, 4);
	assert_int_equal(the_closed(s)->arrows[0].ts_ns[POST], 0);
	assert_int_not_equal(the_closed(s)->arrows[1].ts_ns[IN], 0);
	scene_free(s);
}

static void test_synack_never_acknowledged(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	pass_and_tell(s, SECOND);
	server(s, SA, 0, 1, 0);
	pass_and_tell(s, 2 * SECOND);
	server(s, SA, 0, 1, 0);
	pass_and_tell(s, 6 * SECOND + SHK_LINGER_LIVE_NS - 2 * STEP_NS);
	assert_int_equal(s->n_told, 0);
	pass_and_tell(s, 2 * STEP_NS);
	assert_int_equal(the_opened(s)->open, SHK_O_EMBRYO_EXPIRED);
	assert_int_equal(the_closed(s)->confidence, SHK_INFERRED);
	assert_int_equal(the_closed(s)->end[SERVER].synack_retransmits, 2);
	assert_int_equal(the_closed(s)->synack_acks_syn, 1);
	assert_int_equal(the_closed(s)->ack_acks_synack, -1);
	assert_true(the_closed(s)->synack_ack_ns == SHK_UNKNOWN_NS);
	scene_free(s);
}

static void test_embryo_reset_by_either_end(void **state)
{
	(void)state;
	for (unsigned int by = CLIENT; by <= SERVER; by++) {
		struct scene *s = scene_new(SERVER_HOST);

		client(s, S, 0, 0, 0);
		server(s, SA, 0, 1, 0);
		say(s, by, R, 1, 0, 0);
		assert_int_equal(s->n_told, 0); /* it might yet turn out to have ended nothing */
		pass_and_tell(s, SHK_LINGER_LIVE_NS);
		assert_int_equal(the_opened(s)->open, SHK_O_EMBRYO_RST);
		assert_int_equal(the_closed(s)->open, SHK_O_EMBRYO_RST);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		assert_int_equal(the_closed(s)->end[by].rst, 1);
		scene_free(s);
	}
}

/* RFC 9293 3.5 figure 7. */
static void test_simultaneous_open(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		client(s, S, 0, 0, 0);
		server(s, S, 0, 0, 0);
		client(s, SA, 0, 1, 0);
		server(s, SA, 0, 1, 0);
		client(s, A, 1, 1, 0);
		assert_int_equal(the_opened(s)->open, SHK_O_SIMULTANEOUS);
		close_in_four(s);
		scene_finish(s);
		assert_int_equal(the_closed(s)->open, SHK_O_SIMULTANEOUS);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		assert_int_equal(the_closed(s)->end[CLIENT].isn, CLIENT_ISN);
		assert_int_equal(the_closed(s)->end[SERVER].isn, SERVER_ISN);
		assert_int_equal(the_closed(s)->end[CLIENT].synack, 1);
		assert_int_equal(the_closed(s)->end[SERVER].synack, 1);
		assert_int_equal(the_closed(s)->end[SERVER].syn, 1);
		assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
		scene_free(s);
	}
}

static void test_connected_to_itself(void **state)
{
	(void)state;
	for (unsigned int v = LOOPBACK; v < VANTAGES; v += TAP) {
		struct scene *s = scene_new(v);

		s->ends[CLIENT].sport = SERVER_PORT;
		memcpy(s->ends[CLIENT].saddr, s->ends[CLIENT].daddr, 16);
		s->isn[SERVER] = CLIENT_ISN;
		client(s, S, 0, 0, 0);
		client(s, SA, 0, 1, 0);
		assert_int_equal(the_opened(s)->open, SHK_O_SELF);
		client(s, FA, 11, 11, 0);
		client(s, A, 12, 12, 0);
		pass_and_tell(s, SECOND);
		assert_told_in_order(s);
		assert_int_equal(the_closed(s)->open, SHK_O_SELF);
		assert_int_equal(the_closed(s)->close, SHK_C_SIMULTANEOUS);
		assert_int_equal(the_closed(s)->close_by, SHK_BOTH);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		assert_int_equal(the_closed(s)->local, vantages[v].local);
		assert_int_equal(the_closed(s)->end[CLIENT].bytes, 10);
		assert_int_equal(the_closed(s)->end[SERVER].isn, CLIENT_ISN);
		scene_free(s);
	}
}

static void test_data_on_the_syn(void **state)
{
	static const struct {
		uint32_t acked;
		enum shk_open open;
	} cases[] = {
		{5, SHK_O_TFO_DATA}, /* RFC 7413: Fast Open took it, even without a cookie */
		{0, SHK_O_3WHS},     /* it did not: the client will send it again */
	};

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		struct scene *s = scene_new(LOOPBACK);

		client(s, S, 0, 0, 5);
		server(s, SA, 0, 1 + cases[c].acked, 0);
		client(s, A, 1 + cases[c].acked, 1, 0);
		assert_int_equal(the_opened(s)->open, cases[c].open);
		assert_int_equal(the_opened(s)->open_flags, SHK_OF_DATA_ON_SYN);
		assert_int_equal(the_opened(s)->synack_acks_syn, 1);
		assert_int_equal(the_opened(s)->confidence, SHK_CERTAIN);
		scene_free(s);
	}
}

static void test_refused_with_data_on_the_syn(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	client(s, S, 0, 0, 5);
	server(s, RA, 0 - SERVER_ISN, 6, 0);
	assert_int_equal(the_opened(s)->open, SHK_O_REFUSED);
	scene_free(s);
}

static void test_data_on_the_ack(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, PA, 1, 1, 100);
	assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
	assert_int_equal(the_opened(s)->open_flags, SHK_OF_DATA_ON_ACK);
	scene_free(s);
}

static void test_syn_cookie_shows_at_local_out_only(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		for (int cookies = 0; cookies < 2; cookies++) {
			bool visible = cookies && (v == LOOPBACK || v == SERVER_HOST);
			struct scene *s = scene_new(v);

			s->cookies = cookies;
			handshake(s);
			assert_int_equal(the_opened(s)->open, visible ? SHK_O_COOKIE : SHK_O_3WHS);
			assert_int_equal(the_opened(s)->open_flags, visible ? SHK_OF_COOKIE : 0);
			scene_free(s);
		}
	}
}

/* Of the legs of a handshake, this host is to blame for those that lie between two of its own hooks. */
static void test_legs_are_split_into_network_and_host(void **state)
{
	(void)state;
	for (unsigned int vantage = 0; vantage < VANTAGES; vantage++) {
		struct scene *s = scene_new(vantage);
		const struct shk_conn *conn;

		client(s, S, 0, 0, 0);
		pass(s, 30 * MS);
		server(s, SA, 0, 1, 0);
		client(s, A, 1, 1, 0);
		conn = the_opened(s);
		if (conn->local == SHK_NEITHER) {
			assert_true(conn->network_ns == SHK_UNKNOWN_NS);
			assert_true(conn->host_ns == SHK_UNKNOWN_NS);
		} else {
			assert_int_equal(conn->network_ns + conn->host_ns, conn->open_total_ns);
			assert_int_equal(conn->network_ns > 30 * MS, conn->local == SHK_CLIENT);
			assert_int_equal(conn->network_ns == 0, conn->local == SHK_BOTH);
		}
		scene_finish(s);
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_way_handshake_from_every_vantage),
		cmocka_unit_test(test_ends_say_who_they_are),
		cmocka_unit_test(test_roles_do_not_depend_on_ports),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_an_event_of_another_connection_tells_the_time_too),
		cmocka_unit_test(test_input_ends_before_the_answer_could_come),
		cmocka_unit_test(test_retransmitted_syn_and_synack_are_one_connection),
		cmocka_unit_test(test_syn_that_did_not_leave_the_host),
		cmocka_unit_test(test_synack_never_acknowledged),
		cmocka_unit_test(test_embryo_reset_by_either_end),
		cmocka_unit_test(test_simultaneous_open),
		cmocka_unit_test(test_connected_to_itself),
		cmocka_unit_test(test_data_on_the_syn),
		cmocka_unit_test(test_refused_with_data_on_the_syn),
		cmocka_unit_test(test_data_on_the_ack),
		cmocka_unit_test(test_syn_cookie_shows_at_local_out_only),
		cmocka_unit_test(test_legs_are_split_into_network_and_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
