// SPDX-License-Identifier: GPL-2.0
/*
 * Where an opening broke, and what to do about it: one sentence, with the numbers that show it.
 *
 * It says what was seen before what follows from it. Where the evidence leaves several causes, the sentence
 * names them and what would tell them apart, and nobody is blamed.
 */
#include "blame.h"

#include <errno.h>

#include "handshake.h"
#include "verdict.h"

static const char *const side_words[] = {[SHK_CLIENT] = "client", [SHK_SERVER] = "server"};

bool shk_blame_is_local(const struct shk_blamer *b, enum shk_side side)
{
	return b->conn->local == side || b->conn->local == SHK_BOTH;
}

void shk_blame_put(struct shk_blamer *b, enum shk_blame_where where)
{
	b->conn->blame.where = where;
}

const char *shk_blame_end(enum shk_side side)
{
	return side_words[side];
}

void shk_blame_put_end(struct shk_blamer *b, enum shk_side side, enum shk_blame_where local)
{
	shk_blame_put(b, shk_blame_is_local(b, side) ? local : SHK_BLAME_PEER);
}

/* "SYN seen 3 times in 3.0 s" */
static void say_seen(struct shk_blamer *b, const char *what, uint32_t n, const char *verb)
{
	uint64_t span_ns = b->conn->last_ns - b->conn->first_ns;

	shk_sentence_add(b->s, "%s %s ", what, verb);
	shk_sentence_add_times(b->s, n);
	if (n < 2)
		return;
	shk_sentence_add(b->s, " in ");
	shk_sentence_add_span(b->s, span_ns);
}

/*
 * ---- Nobody answered the SYN ---------------------------------------------------------------------
 */

/* Where on this host the segments of one end ended; false: they did not end here. */
static bool blame_way(struct shk_blamer *b, const char *what, uint32_t n, enum shk_way way)
{
	static const char *const chains[] = {
		[SHK_WAY_STUCK_OUT] = "LOCAL_OUT, never at POST_ROUTING: dropped by this host's own firewall "
				      "(see its OUTPUT and POSTROUTING rules)",
		[SHK_WAY_STUCK_FORWARD] =
			"FORWARD, never at POST_ROUTING: dropped by this host's own firewall "
			"(see its FORWARD rules)",
		[SHK_WAY_STUCK_IN] =
			"PRE_ROUTING, never at LOCAL_IN or FORWARD: dropped by this host's firewall "
			"(PREROUTING, INPUT) or routing (rp_filter)",
	};

	if (way != SHK_WAY_STUCK_OUT && way != SHK_WAY_STUCK_FORWARD && way != SHK_WAY_STUCK_IN)
		return false;
	shk_blame_put(b, SHK_BLAME_LOCAL_FIREWALL);
	say_seen(b, what, n, "seen");
	shk_sentence_add(b->s, " at %s", chains[way]);
	return true;
}

static void blame_silent_stack(struct shk_blamer *b)
{
	shk_blame_put(b, SHK_BLAME_LOCAL_STACK);
	say_seen(b, "SYN", b->conn->end[SHK_CLIENT].syn, "delivered to this host's TCP");
	shk_sentence_add(b->s, " (LOCAL_IN), no answer: ");
	if (b->conn->end[SHK_CLIENT].options & (SHK_OPT_MD5 | SHK_OPT_AO))
		shk_sentence_add(b->s, "is the peer's TCP-MD5 or TCP-AO key configured here?");
	else
		shk_sentence_add(b->s, "accept or SYN queue full (nstat: ListenOverflows, TCPReqQFullDrop) "
				       "or bad checksum");
}

static void blame_silence(struct shk_blamer *b)
{
	uint32_t n = b->conn->end[SHK_CLIENT].syn;
	enum shk_way way = shk_way_of(b->f, b->f->client, b->hooks);

	if (blame_way(b, "SYN", n, way))
		return;
	if (b->conn->open_flags & SHK_OF_CHALLENGE) {
		shk_blame_put_end(b, SHK_SERVER, SHK_BLAME_LOCAL_STACK);
		say_seen(b, "SYN", n, "sent");
		shk_sentence_add(b->s, ", answered by ACK: the server holds an earlier connection of these "
				       "ports, and no RST has ended it");
	} else if (way == SHK_WAY_DELIVERED && b->hooks & SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT)) {
		blame_silent_stack(b);
	} else if (way == SHK_WAY_LEFT) {
		shk_blame_put(b, SHK_BLAME_NETWORK);
		say_seen(b, "SYN", n, "left this host");
		shk_sentence_add(b->s,
				 " (POST_ROUTING), no answer arrived: lost on the way, filtered, or the "
				 "peer is down");
	} else {
		shk_blame_put(b, SHK_BLAME_NONE);
		say_seen(b, "SYN", n, "seen");
		shk_sentence_add(b->s, ", no answer: observe on the server's host to see whether it arrives");
	}
}

static void blame_refusal(struct shk_blamer *b)
{
	const struct shk_flow_end *client = &b->f->end[b->f->client];
	enum shk_way way = shk_way_of(b->f, b->f->client, b->hooks);
	bool told = b->f->socket[shk_flow_server(b->f)].reason == SHK_REASON_NO_SOCKET;

	/* An RST for a SYN that reached no TCP: a firewall's REJECT. */
	if (way == SHK_WAY_STUCK_IN || way == SHK_WAY_STUCK_OUT || way == SHK_WAY_STUCK_FORWARD) {
		shk_blame_put(b, SHK_BLAME_LOCAL_FIREWALL);
		shk_sentence_add(b->s,
				 "RST, although the SYN %s: rejected by this host's own firewall "
				 "(reject with tcp reset)",
				 way == SHK_WAY_STUCK_IN ? "reached no TCP here" : "did not leave this host");
		return;
	}
	shk_blame_put_end(b, SHK_SERVER, SHK_BLAME_LISTENER);
	if (told || client->hooks & SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN))
		shk_sentence_add(b->s, "nobody listens on port %u of this host",
				 b->conn->end[SHK_SERVER].port);
	else
		shk_sentence_add(b->s,
				 "the peer sent RST: nobody listens on its port %u, or a firewall there "
				 "rejects",
				 b->conn->end[SHK_SERVER].port);
	if (b->f->clues & SHK_CLUE_OTHER_SYN)
		shk_sentence_add(b->s, "; or it had a half-open request of another SYN");
}

/* A request that was dropped by no reset, no other SYN and no timer (tcp_req_err()). */
static void blame_icmp_to_listener(struct shk_blamer *b)
{
	shk_blame_put(b, SHK_BLAME_NETWORK);
	say_seen(b, "SYN+ACK", b->conn->end[SHK_SERVER].synack, "sent");
	shk_sentence_add(b->s,
			 ", then the request was dropped without a reset: an ICMP error said that the client "
			 "cannot be reached");
}

static void blame_error(struct shk_blamer *b)
{
	uint8_t sk_err = b->f->socket[b->f->client].sk_err;
	const char *what = sk_err == EHOSTUNREACH   ? "host unreachable"
			   : sk_err == ENETUNREACH  ? "network unreachable"
			   : sk_err == ECONNABORTED ? "aborted by an administrator (ss -K)"
						    : NULL;

	shk_blame_put(b, sk_err == ECONNABORTED ? SHK_BLAME_LOCAL_STACK : SHK_BLAME_NETWORK);
	say_seen(b, "SYN", b->conn->end[SHK_CLIENT].syn, "sent");
	if (what)
		shk_sentence_add(b->s, ", then the socket failed: %s (errno %u)", what, sk_err);
	else
		shk_sentence_add(b->s, ", then the socket failed with errno %u", sk_err);
}

static void blame_listener(struct shk_blamer *b)
{
	const struct shk_flow_end *server = &b->f->end[shk_flow_server(b->f)];
	uint32_t queued = server->has & SHK_HAS_ACK ? 0 : server->queued;

	shk_blame_put(b, SHK_BLAME_LISTENER);
	say_seen(b, "SYN", b->conn->end[SHK_CLIENT].syn, "dropped");
	if (b->conn->open == SHK_O_SYNQ_DROP)
		shk_sentence_add(
			b->s,
			": %u in the SYN queue, full, and tcp_syncookies is off: a flood, or too small "
			"a backlog",
			queued);
	else
		shk_sentence_add(
			b->s,
			": %u in the accept queue of port %u, full: the application must accept faster "
			"or listen with a larger backlog (somaxconn)",
			queued, b->conn->end[SHK_SERVER].port);
}

/*
 * ---- The handshake broke after the SYN+ACK -------------------------------------------------------
 */

static void blame_missing_ack(struct shk_blamer *b)
{
	enum shk_way way = shk_way_of(b->f, shk_flow_server(b->f), b->hooks);
	uint32_t n = b->conn->end[SHK_SERVER].synack;

	if (blame_way(b, "SYN+ACK", n, way))
		return;
	/* Where sending is not observed at all, nothing follows from not seeing it. */
	if (!n && b->f->requested && !b->conn->lost &&
	    (!b->hooks || b->hooks & SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT))) {
		shk_blame_put(b, SHK_BLAME_LOCAL_FIREWALL);
		shk_sentence_add(b->s,
				 "the listener took the SYN, but its SYN+ACK was seen nowhere: dropped by "
				 "this host's own firewall (OUTPUT) or routing, unless a filter or another "
				 "interface hides it from here");
	} else if (b->conn->open_flags & SHK_OF_BAD_ACK) {
		shk_blame_put_end(b, SHK_CLIENT, SHK_BLAME_LOCAL_STACK);
		shk_sentence_add(b->s,
				 "the client acknowledged a number that the server had not sent, and was "
				 "answered by RST: ");
		shk_sentence_add(b->s, b->conn->open_flags & SHK_OF_COOKIE ? "no valid SYN cookie"
									   : "a late duplicate, or forged");
	} else if (way == SHK_WAY_DELIVERED && b->hooks & SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT)) {
		shk_blame_put(b, SHK_BLAME_LOCAL_STACK);
		say_seen(b, "SYN+ACK", n, "delivered to this host's TCP");
		shk_sentence_add(b->s,
				 " (LOCAL_IN), no ACK: dropped there (nstat: TcpInErrs, TCPMD5NotFound)");
	} else if (way == SHK_WAY_LEFT) {
		shk_blame_put(b, SHK_BLAME_NETWORK);
		say_seen(b, "SYN+ACK", n, "left this host");
		shk_sentence_add(b->s,
				 " (POST_ROUTING), no ACK arrived: lost on the way, or the SYN's source "
				 "address was not real");
	} else {
		shk_blame_put(b, SHK_BLAME_NONE);
		say_seen(b, "SYN+ACK", n, "seen");
		shk_sentence_add(b->s, ", no ACK: lost on the way, or the SYN's source address was not real");
	}
}

static void blame_refused_ack(struct shk_blamer *b)
{
	shk_blame_put(b, SHK_BLAME_LISTENER);
	if (b->conn->cookie.fate == SHK_COOKIE_INVALID) {
		shk_sentence_add(
			b->s,
			"the third ACK brought back no valid SYN cookie to port %u: it came more than "
			"two minutes late, or is forged",
			b->conn->end[SHK_SERVER].port);
		return;
	}
	shk_sentence_add(b->s,
			 "the third ACK was answered by RST: accept queue of port %u full and "
			 "tcp_abort_on_overflow set, or its listener closed, or no valid SYN cookie",
			 b->conn->end[SHK_SERVER].port);
}

static void blame_embryo_reset(struct shk_blamer *b)
{
	enum shk_side by = b->f->rst_by == b->f->client ? SHK_CLIENT : SHK_SERVER;
	bool answers = shk_flow_rst_shape(b->f) == SHK_RST_ANSWERS_ACK;

	if (by == SHK_SERVER && b->conn->ack_acks_synack == 1) {
		blame_refused_ack(b);
		return;
	}
	shk_blame_put_end(b, by, answers ? SHK_BLAME_LOCAL_STACK : SHK_BLAME_APPLICATION);
	if (by == SHK_CLIENT && answers)
		shk_sentence_add(b->s,
				 "the client's TCP knew of no connection when the SYN+ACK came: given up "
				 "before, a port scan, or the SYN's source address was not real");
	else
		shk_sentence_add(b->s, "RST by the %s after the SYN+ACK%s", side_words[by],
				 answers ? ": it answers an ACK that the listener does not take" : "");
}

static void blame_other_syn(struct shk_blamer *b)
{
	shk_blame_put_end(b, SHK_CLIENT, SHK_BLAME_APPLICATION);
	shk_sentence_add(b->s, "the client sent a SYN with another ISN from the same port after ");
	shk_sentence_add_span(b->s, b->conn->last_ns - b->conn->first_ns);
	shk_sentence_add(b->s,
			 ", before it had acknowledged this SYN+ACK: it has restarted, or reuses the port");
}

static void blame_authentication(struct shk_blamer *b)
{
	const struct shk_end *end = b->conn->end;
	bool ao = (end[SHK_CLIENT].options | end[SHK_SERVER].options) & SHK_OPT_AO;
	bool client = end[SHK_CLIENT].options & (SHK_OPT_MD5 | SHK_OPT_AO);

	shk_blame_put_end(b, SHK_CLIENT, SHK_BLAME_LOCAL_STACK);
	shk_sentence_add(b->s, "the SYN came %s and the SYN+ACK %s TCP-%s: configure the key on both ends",
			 client ? "with" : "without", client ? "without" : "with", ao ? "AO" : "MD5");
}

static void blame_bad_synack(struct shk_blamer *b)
{
	shk_blame_put_end(b, SHK_SERVER, SHK_BLAME_LOCAL_STACK);
	say_seen(b, "SYN+ACK", b->conn->end[SHK_SERVER].synack, "seen");
	shk_sentence_add(b->s,
			 ", each with an ack that is not ISN + 1: another host has this address, or a box in "
			 "between rewrites numbers");
}

/*
 * ---- It opened, but late -------------------------------------------------------------------------
 */

static void blame_stall(struct shk_blamer *b)
{
	bool time_wait = b->conn->open == SHK_O_TW_ACK_RST_RETRY;

	shk_blame_put_end(b, SHK_SERVER, SHK_BLAME_LOCAL_STACK);
	shk_sentence_add(b->s, "the first SYN met %s and got an ACK",
			 time_wait ? "the server's TIME-WAIT of the same ports"
				   : "an earlier connection of the same ports");
	if (time_wait)
		shk_sentence_add(b->s, b->f->clues & SHK_CLUE_TW_BELOW
					       ? ", for its number was too low"
					       : ", for its timestamp was older (PAWS)");
	shk_sentence_add(b->s, "; the client's RST ended that, and a SYN after ");
	shk_sentence_add_span(b->s, b->conn->open_total_ns);
	shk_sentence_add(b->s, " opened this one");
}

static void blame_deaf_server(struct shk_blamer *b)
{
	bool watched = shk_is_server_watched(b->f);

	shk_blame_put(b, watched ? SHK_BLAME_LISTENER : SHK_BLAME_NONE);
	say_seen(b, "SYN+ACK", b->conn->end[SHK_SERVER].synack, "sent");
	shk_sentence_add(
		b->s, ", although its ACK had been seen: accept queue full%s",
		watched ? ", or TCP_DEFER_ACCEPT: the application must accept faster, or the client send"
			: ", TCP_DEFER_ACCEPT, or the ACK was lost behind this observer");
}

static void blame_detour(struct shk_blamer *b)
{
	uint32_t flags = b->conn->open_flags;

	if (flags & SHK_OF_STALE_ACK_RST && b->conn->open_total_ns != SHK_UNKNOWN_NS)
		blame_stall(b);
	else if (flags & SHK_OF_SYNACK_AFTER_ACK)
		blame_deaf_server(b);
}

static void blame_open(struct shk_blamer *b)
{
	switch (b->conn->open) {
	case SHK_O_TIMEOUT:
	case SHK_O_NF_DROP_OUT:
	case SHK_O_NF_DROP_IN:
		blame_silence(b);
		break;
	case SHK_O_REFUSED:
		blame_refusal(b);
		break;
	case SHK_O_ACCEPTQ_DROP_SYN:
	case SHK_O_SYNQ_DROP:
		blame_listener(b);
		break;
	case SHK_O_UNREACH:
		if (b->f->socket[shk_flow_server(b->f)].reason == SHK_REASON_DROPPED)
			blame_icmp_to_listener(b);
		else
			blame_error(b);
		break;
	case SHK_O_ABORTED_LOCAL:
		shk_blame_put(b, SHK_BLAME_APPLICATION);
		shk_sentence_add(
			b->s, "the client's application closed its socket before the handshake was over, ");
		shk_sentence_add_span(b->s, b->conn->last_ns - b->conn->first_ns);
		shk_sentence_add(b->s,
				 " after the SYN: raise its connect timeout, or see why the answer is late");
		break;
	case SHK_O_BAD_SYNACK:
		blame_bad_synack(b);
		break;
	case SHK_O_EMBRYO_EXPIRED:
		blame_missing_ack(b);
		break;
	case SHK_O_EMBRYO_RST:
		blame_embryo_reset(b);
		break;
	case SHK_O_EMBRYO_KILLED_BY_SYN:
		blame_other_syn(b);
		break;
	case SHK_O_AUTH_DROP:
		blame_authentication(b);
		break;
	case SHK_O_ACCEPTQ_ABORT:
	case SHK_O_ACCEPTQ_DROP_ACK:
		shk_blame_put(b, SHK_BLAME_LISTENER);
		shk_sentence_add(b->s,
				 "accept queue of port %u full at the third ACK, which the client takes for "
				 "accepted: the application must accept faster or listen with a larger "
				 "backlog",
				 b->conn->end[SHK_SERVER].port);
		break;
	case SHK_O_LISTENER_CLOSED:
		shk_blame_put_end(b, SHK_SERVER, SHK_BLAME_APPLICATION);
		shk_sentence_add(b->s, "the listener on port %u was closed before it accepted",
				 b->conn->end[SHK_SERVER].port);
		break;
	default:
		blame_detour(b);
		break;
	}
}

void shk_blame_fill(struct shk_conn *conn, const struct shk_flow *f, uint32_t hooks)
{
	struct shk_sentence sentence = {conn->blame.why, sizeof(conn->blame.why), 0};
	struct shk_blamer b = {conn, f, hooks, &sentence};

	blame_open(&b);
	if (conn->close != SHK_C_NONE && conn->blame.where == SHK_BLAME_NOTHING)
		shk_blame_close(&b);
}
