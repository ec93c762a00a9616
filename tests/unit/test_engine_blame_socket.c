// SPDX-License-Identifier: GPL-2.0
/*
 * Ways to open and to close that only a socket tells from others: the same segments, and what the kernel
 * knows of them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pattern_rig.h"

enum { ESTABLISHED = 1, SYN_SENT = 2, FIN_WAIT2 = 5, CLOSE = 7, LAST_ACK = 9, LISTEN = 10 };

#define SERVER_HERE (ONLY(SERVER_HOST) | ONLY(LOOPBACK))
#define CLIENT_HERE (ONLY(CLIENT_HOST) | ONLY(LOOPBACK))

static void tell(struct scene *s, unsigned int end, uint8_t where, const struct shk_socket *sock)
{
	struct shk_event ev = s->ends[end];

	ev.kind = SHK_EV_SOCKET;
	ev.where = where;
	ev.ts_ns = s->now_ns;
	ev.sock = *sock;
	scene_feed(s, &ev);
	s->now_ns += US;
}

static struct shk_socket socket_of(const struct scene *s, unsigned int end)
{
	return (struct shk_socket){
		.iss = s->isn[end],
		.irs = s->isn[!end],
		.flags = end == CLIENT ? SHK_SOCK_ACTIVE : SHK_SOCK_PASSIVE,
	};
}

/* The socket is done: it was in @old_state, and @new_state is what is left of the connection. */
static void done(struct scene *s, unsigned int end, uint8_t old_state, uint8_t new_state, uint16_t sk_err,
		 uint8_t flags)
{
	struct shk_socket sock = socket_of(s, end);

	sock.old_state = old_state;
	sock.new_state = new_state;
	sock.sk_err = sk_err;
	sock.flags |= flags;
	if (old_state == SYN_SENT)
		sock.irs = 0;
	tell(s, end, SHK_SOCK_CLOSED, &sock);
}

static void sent_reset(struct scene *s, unsigned int end, uint16_t reason)
{
	struct shk_socket sock = socket_of(s, end);

	sock.reason = reason;
	tell(s, end, SHK_SOCK_RESET_SENT, &sock);
}

/* No socket of a connection: a listener, or nobody. */
static void answered(struct scene *s, uint8_t where, uint16_t reason, uint64_t value)
{
	const struct shk_socket sock = {.reason = reason, .value = value, .old_state = LISTEN};

	tell(s, SERVER, where, &sock);
}

static void accepted_from(struct scene *s, uint64_t wait_ns, uint8_t flags)
{
	struct shk_socket sock = socket_of(s, SERVER);

	sock.new_state = ESTABLISHED;
	sock.owner = SHK_OWNER_ACCEPT;
	sock.tgid = 811;
	sock.value = wait_ns;
	sock.flags = flags;
	tell(s, SERVER, SHK_SOCK_ACCEPTED, &sock);
}

static void accepted(struct scene *s, uint64_t wait_ns)
{
	accepted_from(s, wait_ns, 0);
}

/*
 * ---- Openings ------------------------------------------------------------------------------------
 */

static void syn_dropped(struct scene *s, uint16_t reason)
{
	client(s, S, 0, 0, 0);
	answered(s, SHK_SOCK_SYN_REFUSED, reason, 129);
	pass(s, SECOND);
	client(s, S, 0, 0, 0);
	answered(s, SHK_SOCK_SYN_REFUSED, reason, 129);
}

static void accept_queue_full(struct scene *s)
{
	syn_dropped(s, SHK_REASON_ACCEPT_QUEUE_FULL);
}

static void syn_queue_full(struct scene *s)
{
	syn_dropped(s, SHK_REASON_SYN_QUEUE_FULL);
}

static void timed_out(struct scene *s)
{
	client(s, S, 0, 0, 0);
	pass(s, SECOND);
	client(s, S, 0, 0, 0);
	pass(s, 2 * SECOND);
	done(s, CLIENT, SYN_SENT, CLOSE, ETIMEDOUT, 0);
}

static void unreachable(struct scene *s)
{
	client(s, S, 0, 0, 0);
	done(s, CLIENT, SYN_SENT, CLOSE, EHOSTUNREACH, 0);
}

static void given_up(struct scene *s)
{
	client(s, S, 0, 0, 0);
	pass(s, SECOND);
	done(s, CLIENT, SYN_SENT, CLOSE, 0, 0);
}

static void given_up_before_the_answer(struct scene *s)
{
	given_up(s);
	server(s, SA, 0, 1, 0);
	client(s, R, 1, 0, 0);
}

static void third_ack_refused(struct scene *s, uint16_t reason)
{
	handshake(s);
	answered(s, SHK_SOCK_RESET_SENT, reason, 0);
	server(s, R, 1, 0, 0);
}

static void abort_on_overflow(struct scene *s)
{
	third_ack_refused(s, SHK_REASON_INVALID_SYN);
}

static void listener_gone(struct scene *s)
{
	third_ack_refused(s, SHK_REASON_NO_SOCKET);
}

static void deferred_accept(struct scene *s)
{
	handshake(s);
	pass(s, 250 * MS);
	client(s, PA, 1, 1, 5);
	pass(s, 50 * MS);
	accepted_from(s, 50 * MS, SHK_SOCK_DEFERRED);
}

/* After some waiting such a listener takes an ACK alone. */
static void deferred_in_vain(struct scene *s)
{
	handshake(s);
	pass(s, 300 * MS);
	accepted_from(s, 50 * MS, SHK_SOCK_DEFERRED);
}

/* The machine took its time, and data came meanwhile. */
static void late_but_not_deferred(struct scene *s)
{
	handshake(s);
	pass(s, 250 * MS);
	client(s, PA, 1, 1, 5);
	pass(s, 50 * MS);
	accepted(s, 50 * MS);
}

/* It took its time, and then the data came. */
static void late_but_before_data(struct scene *s)
{
	handshake(s);
	pass(s, 300 * MS);
	client(s, PA, 1, 1, 5);
	pass(s, 50 * MS);
	accepted(s, 100 * MS);
}

static void accepted_at_once(struct scene *s)
{
	handshake(s);
	pass(s, 300 * MS);
	accepted(s, 300 * MS);
}

static void request_expired(struct scene *s)
{
	struct shk_socket sock = socket_of(s, SERVER);

	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	pass(s, SECOND);
	server(s, SA, 0, 1, 0);
	pass(s, 2 * SECOND);
	tell(s, SERVER, SHK_SOCK_REQUEST_EXPIRED, &sock);
}

static void test_openings(void **state)
{
	static const struct pattern patterns[] = {
		{"accept queue full", accept_queue_full, SERVER_HERE, SHK_O_ACCEPTQ_DROP_SYN, SHK_C_NONE,
		 SHK_INFERRED, SHK_BLAME_LISTENER,
		 "SYN dropped twice in 1.0 s: 129 in the accept queue of port 443, full"},
		{"SYN queue full", syn_queue_full, SERVER_HERE, SHK_O_SYNQ_DROP, SHK_C_NONE, SHK_INFERRED,
		 SHK_BLAME_LISTENER, "129 in the SYN queue, full, and tcp_syncookies is off"},
		{"timed out", timed_out, ONLY(CLIENT_HOST), SHK_O_TIMEOUT, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_NETWORK, "SYN left this host twice in 3.0 s"},
		{"unreachable", unreachable, CLIENT_HERE, SHK_O_UNREACH, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_NETWORK, "host unreachable (errno 113)"},
		{"given up", given_up, CLIENT_HERE, SHK_O_ABORTED_LOCAL, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_APPLICATION, "1.0 s after the SYN"},
		{"given up before the answer", given_up_before_the_answer, CLIENT_HERE, SHK_O_ABORTED_LOCAL,
		 SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_APPLICATION, "closed its socket before"},
		{"abort on overflow", abort_on_overflow, SERVER_HERE, SHK_O_ACCEPTQ_ABORT, SHK_C_NONE,
		 SHK_CERTAIN, SHK_BLAME_LISTENER, "accept queue of port 443 full at the third ACK"},
		{"listener gone", listener_gone, SERVER_HERE, SHK_O_LISTENER_CLOSED, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_APPLICATION, "the listener on port 443 was closed"},
		{"deferred accept", deferred_accept, SERVER_HERE, SHK_O_DEFER_ACCEPT, SHK_C_NONE,
		 SHK_INFERRED, SHK_BLAME_NOTHING, NULL},
		{"no data", deferred_in_vain, SERVER_HERE, SHK_O_3WHS, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_NOTHING, NULL},
		{"slow machine", late_but_not_deferred, SERVER_HERE, SHK_O_3WHS, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_NOTHING, NULL},
		{"data later", late_but_before_data, SERVER_HERE, SHK_O_3WHS, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_NOTHING, NULL},
		{"accepted late", accepted_at_once, SERVER_HERE, SHK_O_3WHS, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_NOTHING, NULL},
		{"request expired", request_expired, ONLY(SERVER_HOST), SHK_O_EMBRYO_EXPIRED, SHK_C_NONE,
		 SHK_CERTAIN, SHK_BLAME_NETWORK, "SYN+ACK left this host twice in 3.0 s"},
	};

	(void)state;
	CHECK_ALL(patterns);
}

/*
 * ---- Closes --------------------------------------------------------------------------------------
 */

/* The segments are the same in all that follow: the socket makes the difference. */
static void aborted(struct scene *s, bool is_accepted, uint16_t sk_err, uint8_t flags, uint16_t reason)
{
	handshake(s);
	if (is_accepted)
		accepted(s, 100 * US);
	pass(s, SECOND);
	done(s, SERVER, ESTABLISHED, CLOSE, sk_err, flags);
	sent_reset(s, SERVER, reason);
	server(s, RA, 1, 1, 0);
}

static void unread(struct scene *s)
{
	aborted(s, true, 0, SHK_SOCK_UNREAD, SHK_REASON_NONE);
}

static void unread_in_words(struct scene *s)
{
	aborted(s, true, 0, 0, SHK_REASON_ABORT_ON_CLOSE);
}

static void linger_zero(struct scene *s)
{
	aborted(s, true, 0, 0, SHK_REASON_NONE);
}

static void linger_zero_in_words(struct scene *s)
{
	aborted(s, true, 0, 0, SHK_REASON_STATE);
}

static void never_accepted(struct scene *s)
{
	aborted(s, false, 0, 0, SHK_REASON_NONE);
}

static void killed(struct scene *s)
{
	aborted(s, true, ECONNABORTED, 0, SHK_REASON_NONE);
}

static void keepalive(struct scene *s)
{
	aborted(s, true, ETIMEDOUT, 0, SHK_REASON_NONE);
}

static void out_of_memory(struct scene *s)
{
	aborted(s, true, 0, 0, SHK_REASON_ABORT_ON_MEMORY);
}

static void data_unacknowledged(struct scene *s)
{
	handshake(s);
	accepted(s, 100 * US);
	pass(s, 900 * SECOND);
	done(s, SERVER, ESTABLISHED, CLOSE, ETIMEDOUT, 0);
}

static void last_fin_unacknowledged(struct scene *s)
{
	handshake(s);
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
	server(s, FA, 1, 2, 0);
	pass(s, SECOND);
	server(s, FA, 1, 2, 0);
	pass(s, SECOND);
	done(s, SERVER, LAST_ACK, CLOSE, ETIMEDOUT, 0);
}

/* The minisock in FIN-WAIT-2 is gone, and the client has not closed. */
static void orphan_expired(struct scene *s)
{
	struct shk_socket sock = socket_of(s, SERVER);

	handshake(s);
	server(s, FA, 1, 1, 0);
	client(s, A, 1, 2, 0);
	done(s, SERVER, FIN_WAIT2, FIN_WAIT2, 0, 0);
	pass(s, 60 * SECOND);
	sock.value = (uint64_t)(s->isn[SERVER] + 2) << 32 | (s->isn[CLIENT] + 1);
	tell(s, SERVER, SHK_SOCK_TIME_WAIT_ENDED, &sock);
}

/* As many minisocks as may be. */
static void no_room_for_time_wait(struct scene *s)
{
	struct shk_socket sock = socket_of(s, SERVER);

	handshake(s);
	server(s, FA, 1, 1, 0);
	client(s, FA, 1, 2, 0);
	sock.old_state = FIN_WAIT2;
	sock.new_state = CLOSE;
	tell(s, SERVER, SHK_SOCK_TIME_WAIT_REFUSED, &sock);
	server(s, A, 2, 2, 0);
}

static void test_closes(void **state)
{
	static const struct pattern patterns[] = {
		{"unread", unread, SERVER_HERE, SHK_O_3WHS, SHK_C_RST_UNREAD, SHK_CERTAIN,
		 SHK_BLAME_APPLICATION, "read to the end"},
		{"unread, told", unread_in_words, SERVER_HERE, SHK_O_3WHS, SHK_C_RST_UNREAD, SHK_CERTAIN,
		 SHK_BLAME_APPLICATION, "read to the end"},
		{"linger 0", linger_zero, SERVER_HERE, SHK_O_3WHS, SHK_C_RST_LINGER0, SHK_CERTAIN,
		 SHK_BLAME_APPLICATION, "SO_LINGER with 0"},
		{"linger 0, told", linger_zero_in_words, SERVER_HERE, SHK_O_3WHS, SHK_C_RST_LINGER0,
		 SHK_CERTAIN, SHK_BLAME_APPLICATION, "SO_LINGER with 0"},
		{"never accepted", never_accepted, SERVER_HERE, SHK_O_3WHS, SHK_C_RST_LISTENER_CLOSE,
		 SHK_INFERRED, SHK_BLAME_APPLICATION, "waited to be accepted"},
		{"killed", killed, SERVER_HERE, SHK_O_3WHS, SHK_C_ABORT_DIAG, SHK_CERTAIN,
		 SHK_BLAME_LOCAL_STACK, "ss -K"},
		{"keepalive", keepalive, SERVER_HERE, SHK_O_3WHS, SHK_C_KEEPALIVE, SHK_CERTAIN,
		 SHK_BLAME_NETWORK, "keepalive probes were not answered"},
		{"no room", no_room_for_time_wait, SERVER_HERE, SHK_O_3WHS, SHK_C_TW_OVERFLOW, SHK_CERTAIN,
		 SHK_BLAME_LOCAL_STACK, "tcp_max_tw_buckets"},
		{"out of memory", out_of_memory, SERVER_HERE, SHK_O_3WHS, SHK_C_OOM, SHK_CERTAIN,
		 SHK_BLAME_LOCAL_STACK, "tcp_mem"},
		{"data", data_unacknowledged, SERVER_HERE, SHK_O_3WHS, SHK_C_RTO_TIMEOUT, SHK_CERTAIN,
		 SHK_BLAME_NETWORK, "the server gave up after 15.0 min: its data was not acknowledged"},
		{"last FIN", last_fin_unacknowledged, SERVER_HERE, SHK_O_3WHS, SHK_C_LASTACK_TIMEOUT,
		 SHK_CERTAIN, SHK_BLAME_NETWORK, "the server's FIN sent twice, never acknowledged"},
		{"orphan", orphan_expired, ONLY(SERVER_HOST), SHK_O_3WHS, SHK_C_FW2_EXPIRED, SHK_CERTAIN,
		 SHK_BLAME_PEER, "stopped waiting for the other FIN"},
	};

	(void)state;
	CHECK_ALL(patterns);
}

/* Of a connection without data, both FINs were taken in. */
static void closed_by_fins(struct scene *s, unsigned int end, uint8_t old_state, uint8_t new_state)
{
	struct shk_socket sock = socket_of(s, end);

	sock.old_state = old_state;
	sock.new_state = new_state;
	sock.value = (uint64_t)(s->isn[end] + 2) << 32 | (s->isn[!end] + 2);
	tell(s, end, SHK_SOCK_CLOSED, &sock);
}

/*
 * The four-segment close as both witnesses tell it, in every order in which their streams can be merged: the
 * verdict is the same, and sure.
 */
static void test_every_interleaving_of_the_witnesses(void **state)
{
	enum { SEGMENTS = 4, SOCKETS = 2, EVENTS = SEGMENTS + SOCKETS };

	(void)state;
	for (unsigned int order = 0; order < 1U << EVENTS; order++) {
		unsigned int segment = 0, socket = 0;
		struct scene *s;

		if (__builtin_popcount(order) != SOCKETS)
			continue;
		s = watch(LOOPBACK);
		handshake(s);
		accepted(s, 100 * US);
		for (unsigned int i = 0; i < EVENTS; i++) {
			if (order >> i & 1)
				closed_by_fins(s, socket ? SERVER : CLIENT, socket ? LAST_ACK : FIN_WAIT2,
					       socket ? CLOSE : 6),
					socket++;
			else
				say(s, segment == 0 || segment == 3 ? CLIENT : SERVER, segment & 1 ? A : FA,
				    segment == 3 ? 2 : 1, segment == 0 ? 1 : 2, 0),
					segment++;
		}
		pass_and_tell(s, SECOND);
		scene_finish(s);
		assert_int_equal(the_closed(s)->close, SHK_C_4SEG);
		assert_int_equal(the_closed(s)->confidence, SHK_CERTAIN);
		assert_int_equal(the_closed(s)->blame.where, SHK_BLAME_NOTHING);
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openings),
		cmocka_unit_test(test_closes),
		cmocka_unit_test(test_every_interleaving_of_the_witnesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
