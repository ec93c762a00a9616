/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways to open and ways to close, each told by the segments and by the sockets of those ends that are on this
 * host, and what the engine should call it. Include after engine_dsl.h.
 */
#ifndef STORY_RIG_H
#define STORY_RIG_H

#include <errno.h>

enum {
	ESTABLISHED = 1,
	SYN_SENT = 2,
	FIN_WAIT2 = 5,
	TIME_WAIT = 6,
	CLOSE = 7,
	CLOSE_WAIT = 8,
	LAST_ACK = 9,
	CLOSING = 11
};

/* The socket of an end on this host says what it does; relative numbers. */
static void tell(struct scene *s, unsigned int end, uint8_t where, uint8_t old_state, uint8_t new_state,
		 uint16_t sk_err, uint32_t snd_nxt, uint32_t rcv_nxt)
{
	struct shk_event ev = s->ends[end];
	bool value = where == SHK_SOCK_CLOSED;

	if (s->vantage->local != SHK_BOTH && s->vantage->local != (enum shk_side)end)
		return;
	ev.kind = SHK_EV_SOCKET;
	ev.where = where;
	ev.ts_ns = s->now_ns;
	ev.sock = (struct shk_socket){
		.iss = s->isn[end],
		.irs = old_state == SYN_SENT && new_state == CLOSE ? 0 : s->isn[!end],
		.flags = end == CLIENT ? SHK_SOCK_ACTIVE : SHK_SOCK_PASSIVE,
		.old_state = old_state,
		.new_state = new_state,
		.sk_err = sk_err,
		.owner = end == CLIENT ? SHK_OWNER_CONNECT : SHK_OWNER_ACCEPT,
		.tgid = 100 + end,
		.value = value ? (uint64_t)(s->isn[end] + snd_nxt) << 32 | (uint32_t)(s->isn[!end] + rcv_nxt)
			       : 10 * US,
	};
	scene_feed(s, &ev);
	s->now_ns += 20 * US;
}

static void closed(struct scene *s, unsigned int end, uint8_t old_state, uint8_t new_state, uint16_t sk_err,
		   uint32_t snd_nxt, uint32_t rcv_nxt)
{
	tell(s, end, SHK_SOCK_CLOSED, old_state, new_state, sk_err, snd_nxt, rcv_nxt);
}

/*
 * ---- Ways to open --------------------------------------------------------------------------------
 */

static void connected(struct scene *s)
{
	tell(s, CLIENT, SHK_SOCK_CONNECTED, SYN_SENT, ESTABLISHED, 0, 0, 0);
}

static void accepted(struct scene *s)
{
	tell(s, SERVER, SHK_SOCK_ACCEPTED, ESTABLISHED, ESTABLISHED, 0, 0, 0);
}

static void in_three(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	connected(s);
	client(s, A, 1, 1, 0);
	accepted(s);
}

static void with_retransmissions(struct scene *s)
{
	client(s, S, 0, 0, 0);
	pass(s, SECOND);
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	pass(s, SECOND);
	server(s, SA, 0, 1, 0);
	connected(s);
	client(s, A, 1, 1, 0);
	accepted(s);
}

static void after_a_wrong_ack(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 77777777, 0);
	server(s, R, 77777777, 0, 0);
	connected(s);
	client(s, A, 1, 1, 0);
	accepted(s);
}

/* Within the reach of the gate, which cannot tell it from the ACK of data. */
static void after_a_near_wrong_ack(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 77777, 0);
	server(s, R, 77777, 0, 0);
	connected(s);
	client(s, A, 1, 1, 0);
	accepted(s);
}

/* An old SYN+ACK, which the client answers by RST (RFC 9293 3.10.7.3), then the right one. */
static void after_a_wrong_synack(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0x10000, 77, 0);
	client(s, R, 77, 0, 0);
	server(s, SA, 0, 1, 0);
	connected(s);
	client(s, A, 1, 1, 0);
	accepted(s);
}

/* RFC 5961 3.2: the request is challenged, and stays. */
static void after_a_stray_rst(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, R, 101, 0, 0);
	server(s, A, 1, 1, 0);
	connected(s);
	client(s, A, 1, 1, 0);
	accepted(s);
}

/* Its answer was on the way when the client retransmitted. */
static void with_doubles(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, S, 0, 0, 0);
	connected(s);
	client(s, A, 1, 1, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
	accepted(s);
}

static void both_at_once(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, S, 0, 0, 0);
	client(s, SA, 0, 1, 0);
	server(s, SA, 0, 1, 0);
	connected(s);
}

static void refused(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, RA, 0 - s->isn[SERVER], 1, 0);
	closed(s, CLIENT, SYN_SENT, CLOSE, ECONNREFUSED, 1, 0);
}

static void unanswered(struct scene *s)
{
	client(s, S, 0, 0, 0);
	pass(s, SECOND);
	client(s, S, 0, 0, 0);
	pass(s, 2 * SECOND);
	closed(s, CLIENT, SYN_SENT, CLOSE, ETIMEDOUT, 1, 0);
}

/* Nobody knows of the ACK; the request runs out of time. */
static void with_a_wrong_ack_only(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 77777, 0);
	server(s, R, 77777, 0, 0);
	pass(s, SECOND);
	server(s, SA, 0, 1, 0);
	pass(s, 2 * SECOND);
	tell(s, SERVER, SHK_SOCK_REQUEST_EXPIRED, 0, 0, 0, 0, 0);
}

static void reset_before_the_ack(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, R, 1, 0, 0);
}

/*
 * ---- Ways to close, without data before ------------------------------------------------------------
 */

static void not_at_all(struct scene *s)
{
	(void)s;
}

static void in_four(struct scene *s)
{
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
	pass(s, MS);
	server(s, FA, 1, 2, 0);
	closed(s, CLIENT, FIN_WAIT2, TIME_WAIT, 0, 2, 2);
	client(s, A, 2, 2, 0);
	closed(s, SERVER, LAST_ACK, CLOSE, 0, 2, 2);
}

static void in_four_by_the_server(struct scene *s)
{
	server(s, FA, 1, 1, 0);
	client(s, A, 1, 2, 0);
	pass(s, MS);
	client(s, FA, 1, 2, 0);
	closed(s, SERVER, FIN_WAIT2, TIME_WAIT, 0, 2, 2);
	server(s, A, 2, 2, 0);
	closed(s, CLIENT, LAST_ACK, CLOSE, 0, 2, 2);
}

static void in_three_by_the_server(struct scene *s)
{
	server(s, FA, 1, 1, 0);
	client(s, FA, 1, 2, 0);
	closed(s, SERVER, FIN_WAIT2, TIME_WAIT, 0, 2, 2);
	server(s, A, 2, 2, 0);
	closed(s, CLIENT, LAST_ACK, CLOSE, 0, 2, 2);
}

static void close_at_once(struct scene *s)
{
	client(s, FA, 1, 1, 0);
	server(s, FA, 1, 1, 0);
	client(s, A, 2, 2, 0);
	closed(s, SERVER, CLOSING, TIME_WAIT, 0, 2, 2);
	server(s, A, 2, 2, 0);
	closed(s, CLIENT, CLOSING, TIME_WAIT, 0, 2, 2);
}

static void half_closed_with_data(struct scene *s)
{
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
	pass(s, SECOND);
	server(s, PA, 1, 2, 500);
	client(s, A, 2, 501, 0);
	server(s, FA, 501, 2, 0);
	closed(s, CLIENT, FIN_WAIT2, TIME_WAIT, 0, 2, 502);
	client(s, A, 2, 502, 0);
	closed(s, SERVER, LAST_ACK, CLOSE, 0, 502, 2);
}

static void with_a_fin_again(struct scene *s)
{
	client(s, FA, 1, 1, 0);
	pass(s, 300 * MS);
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
	server(s, FA, 1, 2, 0);
	closed(s, CLIENT, FIN_WAIT2, TIME_WAIT, 0, 2, 2);
	client(s, A, 2, 2, 0);
	closed(s, SERVER, LAST_ACK, CLOSE, 0, 2, 2);
}

static void reset_by_the_client(struct scene *s)
{
	closed(s, CLIENT, ESTABLISHED, CLOSE, 0, 1, 1);
	client(s, RA, 1, 1, 0);
	closed(s, SERVER, ESTABLISHED, CLOSE, ECONNRESET, 1, 1);
}

static void challenged_and_reset(struct scene *s)
{
	client(s, R, 101, 0, 0);
	server(s, A, 1, 1, 0);
	client(s, R, 1, 0, 0);
	closed(s, SERVER, ESTABLISHED, CLOSE, ECONNRESET, 1, 1);
}

/* As a blind attacker sends it: outside the window nobody heeds it (RFC 9293 3.10.7.4). */
static void in_four_after_a_forged_rst(struct scene *s)
{
	client(s, R, 1000000000, 0, 0);
	in_four(s);
}

/* The client restarts: its SYN is answered by an ACK, which it resets (RFC 9293 3.5.1, figure 10). */
static void forgotten_by_the_client(struct scene *s)
{
	client(s, S, 0x20000000, 0, 0);
	server(s, A, 1, 1, 0);
	client(s, R, 1, 0, 0);
	closed(s, SERVER, ESTABLISHED, CLOSE, ECONNRESET, 1, 1);
}

static void fin_and_silence(struct scene *s)
{
	client(s, FA, 1, 1, 0);
	server(s, A, 1, 2, 0);
}

struct way {
	const char *name;
	void (*play)(struct scene *s);
	int verdict;
	int general; /* what it is called if the witness of the cause is missing */
};

static const struct way openings[] = {
	{"in three", in_three, SHK_O_3WHS, SHK_O_3WHS},
	{"with retransmissions", with_retransmissions, SHK_O_3WHS, SHK_O_3WHS},
	{"after a wrong ACK", after_a_wrong_ack, SHK_O_3WHS, SHK_O_3WHS},
	{"after a near wrong ACK", after_a_near_wrong_ack, SHK_O_3WHS, SHK_O_3WHS},
	{"after a wrong SYN+ACK", after_a_wrong_synack, SHK_O_3WHS, SHK_O_3WHS},
	{"after a stray RST", after_a_stray_rst, SHK_O_3WHS, SHK_O_3WHS},
	{"with doubles", with_doubles, SHK_O_3WHS, SHK_O_3WHS},
	{"both at once", both_at_once, SHK_O_SIMULTANEOUS, SHK_O_SIMULTANEOUS},
	/* these lead to no connection */
	{"refused", refused, SHK_O_REFUSED, SHK_O_REFUSED},
	{"unanswered", unanswered, SHK_O_TIMEOUT, SHK_O_TIMEOUT},
	{"with a wrong ACK only", with_a_wrong_ack_only, SHK_O_EMBRYO_EXPIRED, SHK_O_EMBRYO_EXPIRED},
	{"reset before the ACK", reset_before_the_ack, SHK_O_EMBRYO_RST, SHK_O_EMBRYO_RST},
};

#define OPENED 8

static const struct way closes[] = {
	{"not at all", not_at_all, SHK_C_NONE, SHK_C_NONE},
	{"in four", in_four, SHK_C_4SEG, SHK_C_4SEG},
	{"in four by the server", in_four_by_the_server, SHK_C_4SEG, SHK_C_4SEG},
	{"in three by the server", in_three_by_the_server, SHK_C_3SEG, SHK_C_3SEG},
	{"at once", close_at_once, SHK_C_SIMULTANEOUS, SHK_C_SIMULTANEOUS},
	{"half-closed with data", half_closed_with_data, SHK_C_4SEG, SHK_C_4SEG},
	{"with a FIN again", with_a_fin_again, SHK_C_4SEG, SHK_C_4SEG},
	{"reset by the client", reset_by_the_client, SHK_C_RST_LINGER0, SHK_C_RST},
	{"challenged and reset", challenged_and_reset, SHK_C_RST, SHK_C_RST},
	{"in four, after a forged RST", in_four_after_a_forged_rst, SHK_C_4SEG, SHK_C_4SEG},
	{"forgotten by the client", forgotten_by_the_client, SHK_C_HALF_OPEN_RESET, SHK_C_RST},
	{"FIN and silence", fin_and_silence, SHK_C_HALF_CLOSED, SHK_C_HALF_CLOSED},
};

#endif /* STORY_RIG_H */
