// SPDX-License-Identifier: GPL-2.0
/* The second witness: sockets join their segments, say who and why, and where the two do not agree. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "engine_sockets.h"

enum { TIME_WAIT = 6, CLOSE = 7, LAST_ACK = 9, SYN_SENT = 2, ESTABLISHED = 1, FIN_WAIT2 = 5 };

static struct shk_event owned(const struct scene *s, unsigned int end, uint8_t where, uint8_t owner)
{
	struct shk_event ev = socket_event(s, end, where);

	ev.sock.owner = owner;
	ev.sock.pid = 4000 + end;
	ev.sock.tgid = 4000 + end;
	ev.sock.cgroup = 70 + end;
	snprintf(ev.sock.comm, sizeof(ev.sock.comm), "%s", end == CLIENT ? "curl" : "nginx");
	ev.sock.new_state = ESTABLISHED;
	return ev;
}

static void connected(struct scene *s)
{
	struct shk_event ev = owned(s, CLIENT, SHK_SOCK_CONNECTED, SHK_OWNER_CONNECT);

	ev.sock.value = 150 * US;
	feed(s, &ev);
}

static void accepted(struct scene *s, uint64_t wait_ns)
{
	struct shk_event ev = owned(s, SERVER, SHK_SOCK_ACCEPTED, SHK_OWNER_ACCEPT);

	ev.sock.value = wait_ns;
	feed(s, &ev);
}

/* snd_nxt and rcv_nxt relative to the ISNs. */
static void closed(struct scene *s, unsigned int end, uint8_t old_state, uint8_t new_state, uint16_t sk_err,
		   uint32_t snd_nxt, uint32_t rcv_nxt)
{
	struct shk_event ev = socket_event(s, end, SHK_SOCK_CLOSED);

	ev.sock.old_state = old_state;
	ev.sock.new_state = new_state;
	ev.sock.sk_err = sk_err;
	if (old_state == SYN_SENT)
		ev.sock.irs = 0;
	ev.sock.value = (uint64_t)(s->isn[end] + snd_nxt) << 32 | (uint32_t)(s->isn[!end] + rcv_nxt);
	feed(s, &ev);
}

static void handshake_with_sockets(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	connected(s);
	client(s, A, 1, 1, 0);
	accepted(s, 40 * MS);
}

static void assert_processes(const struct shk_conn *conn)
{
	const struct shk_process *c = &conn->end[CLIENT].process, *v = &conn->end[SERVER].process;

	assert_int_equal(c->pid, 4000);
	assert_string_equal(c->comm, "curl");
	assert_int_equal(c->owner, SHK_OWNER_CONNECT);
	assert_int_equal(c->cgroup, 70);
	assert_int_equal(v->pid, 4001);
	assert_string_equal(v->comm, "nginx");
	assert_int_equal(v->owner, SHK_OWNER_ACCEPT);
	assert_int_equal(v->cgroup, 71);
}

static void test_both_ends_have_their_process(void **state)
{
	(void)state;
	for (unsigned int vantage = 0; vantage < VANTAGES; vantage++) {
		struct scene *s = scene_new(vantage);

		handshake_with_sockets(s);
		assert_int_equal(the_opened(s)->end[CLIENT].process.pid, 4000);
		assert_true(the_opened(s)->witness_socket);
		close_in_four(s);
		closed(s, SERVER, LAST_ACK, CLOSE, 0, 2, 2);
		closed(s, CLIENT, FIN_WAIT2, TIME_WAIT, 0, 2, 2);
		scene_finish(s);
		assert_processes(the_closed(s));
		assert_int_equal(the_closed(s)->accept_wait_ns, 40 * MS);
		assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		assert_int_equal(the_closed(s)->conflicts, 0);
		assert_int_equal(the_closed(s)->local, SHK_BOTH);
		assert_true(the_closed(s)->witness_wire);
		scene_free(s);
	}
}

static void test_without_sockets_nothing_is_said_of_them(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake(s);
	close_in_four(s);
	scene_finish(s);
	assert_false(the_closed(s)->witness_socket);
	assert_int_equal(the_closed(s)->end[CLIENT].process.pid, 0);
	assert_true(the_closed(s)->accept_wait_ns == SHK_UNKNOWN_NS);
	assert_true(the_closed(s)->time_wait_ns == SHK_UNKNOWN_NS);
	scene_free(s);
}

/* Each order of the sockets' events among the segments that time allows gives the same record. */
static void test_order_of_witnesses_does_not_matter(void **state)
{
	(void)state;
	for (int accept_at = 0; accept_at < 6; accept_at++) {
		struct scene *s = scene_new(LOOPBACK);

		client(s, S, 0, 0, 0);
		server(s, SA, 0, 1, 0);
		connected(s);
		client(s, A, 1, 1, 0);
		for (int i = 0; i < 6; i++) {
			if (i == accept_at)
				accepted(s, i * MS + 1);
			switch (i) {
			case 0:
				client(s, FA, 1, 1, 0);
				break;
			case 1:
				server(s, A, 1, 2, 0);
				break;
			case 2:
				server(s, FA, 1, 2, 0);
				break;
			case 3:
				client(s, A, 2, 2, 0);
				break;
			case 4:
				closed(s, CLIENT, FIN_WAIT2, TIME_WAIT, 0, 2, 2);
				closed(s, SERVER, LAST_ACK, CLOSE, 0, 2, 2);
				break;
			}
		}
		scene_finish(s);
		assert_processes(the_closed(s));
		assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
		assert_int_equal(the_closed(s)->close_by, SHK_CLIENT);
		assert_int_equal(the_closed(s)->accept_wait_ns, accept_at * MS + 1);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		assert_int_equal(the_closed(s)->conflicts, 0);
		scene_free(s);
	}
}

/* The tuple is used twice; the sockets of the first use speak up after the second has begun. */
static void test_numbers_tell_the_uses_of_a_tuple_apart(void **state)
{
	struct scene *s = scene_new(LOOPBACK);
	struct shk_engine_stats stats;

	(void)state;
	handshake(s);
	close_in_four(s);
	s->isn[CLIENT] += 100000;
	s->isn[SERVER] += 100000;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	s->isn[CLIENT] -= 100000;
	s->isn[SERVER] -= 100000;
	accepted(s, MS);
	shk_engine_stats(s->engine, &stats);
	assert_int_equal(stats.sockets, 1);
	assert_int_equal(stats.unmatched, 1);
	s->isn[CLIENT] += 100000;
	s->isn[SERVER] += 100000;
	connected(s);
	client(s, A, 1, 1, 0);
	scene_finish(s);
	assert_int_equal(n_closed(s), 2);
	assert_int_equal(closed_at(s, 0)->end[SERVER].process.pid, 0);
	assert_int_equal(closed_at(s, 1)->end[CLIENT].process.pid, 4000);
	assert_int_equal(closed_at(s, 1)->end[SERVER].process.pid, 0);
	scene_free(s);
}

static void test_rewritten_numbers_are_a_conflict(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);
	struct shk_event ev;

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	ev = owned(s, CLIENT, SHK_SOCK_CONNECTED, SHK_OWNER_CONNECT);
	ev.sock.irs += 77;
	feed(s, &ev);
	client(s, A, 1, 1, 0);
	assert_int_equal(the_opened(s)->conflicts, SHK_CONFLICT_ISN);
	close_in_four(s);
	scene_finish(s);
	assert_int_equal(the_closed(s)->conflicts, SHK_CONFLICT_ISN);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	assert_int_equal(the_closed(s)->end[SERVER].isn, SERVER_ISN);
	scene_free(s);
}

static void test_bytes_that_differ_are_a_conflict(void **state)
{
	static const struct {
		uint32_t snd_nxt, rcv_nxt;
		uint16_t sk_err;
		uint32_t conflicts;
	} cases[] = {
		{2, 2, 0, 0},
		{3, 2, 0, SHK_CONFLICT_BYTES},
		{2, 1, 0, SHK_CONFLICT_BYTES},
		{1, 1, ETIMEDOUT, SHK_CONFLICT_CLOSE}, /* its own FIN was still waiting */
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct scene *s = scene_new(SERVER_HOST);

		handshake(s);
		close_in_four(s);
		closed(s, SERVER, LAST_ACK, CLOSE, cases[c].sk_err, cases[c].snd_nxt, cases[c].rcv_nxt);
		scene_finish(s);
		assert_int_equal(the_closed(s)->conflicts, cases[c].conflicts);
		assert_int_equal(the_closed(s)->confidence, cases[c].conflicts ? SHK_PARTIAL : SHK_CERTAIN);
		assert_int_equal(the_closed(s)->end[SERVER].sk_err, cases[c].sk_err);
		scene_free(s);
	}
}

/* LAST-ACK and TIME-WAIT are reached by FINs: those were not seen, and nobody said that anything was lost. */
static void test_a_close_that_the_wire_did_not_see_is_a_gap(void **state)
{
	(void)state;
	for (int told = 0; told < 2; told++) {
		struct scene *s = scene_new(LOOPBACK);

		handshake_with_sockets(s);
		client(s, FA, 1, 1, 0);
		if (told)
			announce_loss(s, 1);
		closed(s, SERVER, LAST_ACK, CLOSE, 0, 2, 2);
		scene_finish(s);
		assert_int_equal(the_closed(s)->conflicts, told ? 0 : SHK_CONFLICT_GAP);
		assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
		scene_free(s);
	}
}

static void test_who_could_not_connect_and_why(void **state)
{
	static const struct {
		uint16_t sk_err;
		enum shk_open open;
	} cases[] = {
		{0, SHK_O_ABORTED_LOCAL},     {ETIMEDOUT, SHK_O_TIMEOUT},    {EHOSTUNREACH, SHK_O_UNREACH},
		{ENETUNREACH, SHK_O_UNREACH}, {ECONNREFUSED, SHK_O_REFUSED},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct scene *s = scene_new(CLIENT_HOST);
		struct shk_event ev;

		client(s, S, 0, 0, 0);
		pass(s, SECOND);
		client(s, S, 0, 0, 0);
		ev = owned(s, CLIENT, SHK_SOCK_CLOSED, SHK_OWNER_CONNECT);
		ev.sock.irs = 0;
		ev.sock.old_state = SYN_SENT;
		ev.sock.new_state = CLOSE;
		ev.sock.sk_err = cases[c].sk_err;
		feed(s, &ev);
		/* The socket is done: there is nothing more to wait for than stragglers. */
		pass_and_tell(s, 2 * SHK_LINGER_LIVE_NS);
		assert_int_equal(the_closed(s)->open, cases[c].open);
		assert_int_equal(the_closed(s)->end[CLIENT].process.pid, 4000);
		assert_int_equal(the_closed(s)->end[CLIENT].syn, 2);
		scene_finish(s);
		scene_free(s);
	}
}

/* The listener had no room at the third ACK. Later data may get in: then it is an opening like any other. */
static void test_third_ack_without_room(void **state)
{
	(void)state;
	for (int room_later = 0; room_later < 2; room_later++) {
		struct scene *s = scene_new(SERVER_HOST);
		struct shk_event ev;

		handshake(s);
		ev = socket_event(s, SERVER, SHK_SOCK_ACK_REFUSED);
		ev.sock.reason = SHK_REASON_ACCEPT_QUEUE_FULL;
		ev.sock.new_state = 12;
		ev.sock.value = 3;
		feed(s, &ev);
		pass(s, SECOND);
		server(s, SA, 0, 1, 0);
		if (room_later)
			accepted(s, MS);
		client(s, RA, 1, 1, 0);
		scene_finish(s);
		assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
		assert_int_equal(the_closed(s)->open, room_later ? SHK_O_3WHS : SHK_O_ACCEPTQ_DROP_ACK);
		assert_int_equal(the_closed(s)->blame.where, SHK_BLAME_LISTENER);
		scene_free(s);
	}
}

/* An error ends a connection in silence: no segment will. */
static void test_a_socket_that_gave_up_ends_the_record(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake_with_sockets(s);
	closed(s, CLIENT, ESTABLISHED, CLOSE, ETIMEDOUT, 1, 1);
	pass_and_tell(s, 2 * SHK_LINGER_LIVE_NS);
	assert_int_equal(the_closed(s)->end[CLIENT].sk_err, ETIMEDOUT);
	scene_finish(s);
	scene_free(s);
}

/* FIN-WAIT-2 and TIME-WAIT without a socket: the kernel still answers for the connection. */
static void test_a_minisock_goes_on(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	handshake_with_sockets(s);
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
	closed(s, CLIENT, FIN_WAIT2, FIN_WAIT2, 0, 2, 1);
	pass_and_tell(s, 10 * SECOND);
	assert_int_equal(n_closed(s), 0);
	server(s, FA, 1, 2, 0);
	client(s, A, 2, 2, 0);
	pass_and_tell(s, SECOND);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	scene_finish(s);
	scene_free(s);
}

static void test_end_of_time_wait(void **state)
{
	struct shk_engine_config config = scene_config;
	struct shk_event ev;
	struct scene *s;

	(void)state;
	config.linger_ns = 70 * SECOND;
	s = scene_new_with(CLIENT_HOST, &config);
	handshake_with_sockets(s);
	close_in_four(s);
	closed(s, CLIENT, FIN_WAIT2, TIME_WAIT, 0, 2, 2);
	pass(s, 61 * SECOND);
	ev = socket_event(s, CLIENT, SHK_SOCK_TIME_WAIT_ENDED);
	ev.sock.iss = ev.sock.irs = 0;
	ev.sock.value = (uint64_t)(CLIENT_ISN + 2) << 32 | (SERVER_ISN + 2);
	feed(s, &ev);
	assert_in_range(the_closed(s)->time_wait_ns, 61 * SECOND, 61 * SECOND + MS);
	scene_finish(s);
	scene_free(s);
}

/* The third leg got lost on its way to us: the sockets know that it arrived. */
static void test_sockets_make_up_for_a_lost_leg(void **state)
{
	struct scene *s = scene_new(LOOPBACK);

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	connected(s);
	lost(s, CLIENT, A, 1, 1);
	accepted(s, MS);
	announce_loss(s, 4);
	pass_and_tell(s, 600 * SECOND);
	assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
	assert_int_equal(n_closed(s), 0);
	close_in_four(s);
	scene_finish(s);
	assert_int_equal(the_closed(s)->open, SHK_O_3WHS);
	assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	assert_processes(the_closed(s));
	scene_free(s);
}

static struct scene *scene_where_sockets_begin(unsigned int vantage)
{
	struct shk_engine_config config = scene_config;

	config.sockets_begin = true;
	return scene_new_with(vantage, &config);
}

static void test_sockets_alone(void **state)
{
	struct scene *s = scene_where_sockets_begin(LOOPBACK);

	(void)state;
	pass(s, SECOND);
	connected(s);
	assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
	accepted(s, MS);
	closed(s, CLIENT, LAST_ACK, CLOSE, 0, 2, 2);
	pass_and_tell(s, SECOND);
	assert_processes(the_closed(s));
	assert_false(the_closed(s)->witness_wire);
	assert_true(the_closed(s)->witness_socket);
	assert_int_equal(the_closed(s)->end[CLIENT].isn, CLIENT_ISN);
	assert_int_equal(the_closed(s)->end[SERVER].isn, SERVER_ISN);
	assert_true(the_closed(s)->end[SERVER].isn_known);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	assert_int_equal(the_closed(s)->end[CLIENT].port, CLIENT_PORT);
	scene_finish(s);
	scene_free(s);
}

static void test_sockets_do_not_begin_where_segments_are_filtered(void **state)
{
	struct scene *s = scene_new(LOOPBACK);
	struct shk_engine_stats stats;

	(void)state;
	connected(s);
	accepted(s, MS);
	scene_finish(s);
	shk_engine_stats(s->engine, &stats);
	assert_int_equal(stats.unmatched, 2);
	assert_int_equal(s->n_told, 0);
	scene_free(s);
}

/* Whether the socket that was there connected or accepted is a guess: then its own number is one off. */
static void test_what_existed_at_the_start(void **state)
{
	(void)state;
	for (int wrong = 0; wrong < 2; wrong++) {
		struct scene *s = scene_where_sockets_begin(LOOPBACK);

		for (unsigned int end = CLIENT; end <= SERVER; end++) {
			struct shk_event ev = owned(s, end, SHK_SOCK_EXISTED, SHK_OWNER_HOLDS);

			ev.sock.flags |= SHK_SOCK_PREEXISTING;
			ev.sock.iss += wrong;
			feed(s, &ev);
		}
		client(s, FA, 501, 301, 0);
		server(s, FA, 301, 502, 0);
		client(s, A, 502, 302, 0);
		scene_finish(s);
		assert_int_equal(the_closed(s)->open, SHK_O_PREEXISTING);
		assert_int_equal(the_closed(s)->close, SHK_C_3SEG);
		assert_int_equal(the_closed(s)->end[CLIENT].isn, CLIENT_ISN);
		assert_int_equal(the_closed(s)->end[SERVER].isn, SERVER_ISN);
		assert_int_equal(the_closed(s)->end[CLIENT].bytes, 500);
		assert_int_equal(the_closed(s)->end[SERVER].bytes, 300);
		assert_int_equal(the_closed(s)->end[SERVER].process.owner, SHK_OWNER_HOLDS);
		assert_int_equal(the_closed(s)->conflicts, 0);
		scene_free(s);
	}
}

/* Who accepted is a better answer than who held a descriptor or closed it. */
static void test_the_better_owner_stays(void **state)
{
	static const uint8_t orders[][3] = {
		{SHK_OWNER_HOLDS, SHK_OWNER_ACCEPT, SHK_OWNER_CLOSE},
		{SHK_OWNER_CLOSE, SHK_OWNER_HOLDS, SHK_OWNER_ACCEPT},
		{SHK_OWNER_ACCEPT, SHK_OWNER_CLOSE, SHK_OWNER_HOLDS},
	};

	(void)state;
	for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
		struct scene *s = scene_new(SERVER_HOST);

		handshake(s);
		for (int i = 0; i < 3; i++) {
			struct shk_event ev = owned(s, SERVER, SHK_SOCK_RESET_RECEIVED, orders[o][i]);

			ev.sock.tgid = orders[o][i];
			feed(s, &ev);
		}
		scene_finish(s);
		assert_int_equal(the_closed(s)->end[SERVER].process.pid, SHK_OWNER_ACCEPT);
		scene_free(s);
	}
}

static void test_lost_sockets_make_a_record_partial(void **state)
{
	struct scene *s = scene_new(LOOPBACK);
	struct shk_event ev = {.kind = SHK_EV_LOST, .where = SHK_WITNESS_SOCKET, .lost.count = 1};

	(void)state;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	connected(s);
	client(s, A, 1, 1, 0);
	feed(s, &ev);
	assert_int_equal(the_opened(s)->confidence, SHK_CERTAIN);
	close_in_four(s);
	scene_finish(s);
	assert_int_equal(the_closed(s)->confidence, SHK_PARTIAL);
	assert_int_equal(the_closed(s)->lost, 0); /* no segment is missing */
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends_have_their_process),
		cmocka_unit_test(test_without_sockets_nothing_is_said_of_them),
		cmocka_unit_test(test_order_of_witnesses_does_not_matter),
		cmocka_unit_test(test_numbers_tell_the_uses_of_a_tuple_apart),
		cmocka_unit_test(test_rewritten_numbers_are_a_conflict),
		cmocka_unit_test(test_bytes_that_differ_are_a_conflict),
		cmocka_unit_test(test_a_close_that_the_wire_did_not_see_is_a_gap),
		cmocka_unit_test(test_who_could_not_connect_and_why),
		cmocka_unit_test(test_third_ack_without_room),
		cmocka_unit_test(test_a_socket_that_gave_up_ends_the_record),
		cmocka_unit_test(test_a_minisock_goes_on),
		cmocka_unit_test(test_end_of_time_wait),
		cmocka_unit_test(test_sockets_make_up_for_a_lost_leg),
		cmocka_unit_test(test_sockets_alone),
		cmocka_unit_test(test_sockets_do_not_begin_where_segments_are_filtered),
		cmocka_unit_test(test_what_existed_at_the_start),
		cmocka_unit_test(test_the_better_owner_stays),
		cmocka_unit_test(test_lost_sockets_make_a_record_partial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
