// SPDX-License-Identifier: GPL-2.0
/* How it opened, or why it did not. */
#include "verdict.h"

#include <errno.h>

#include "handshake.h"

enum shk_way shk_way_of(const struct shk_flow *f, unsigned int end, uint32_t hooks)
{
	const uint32_t pre = SHK_HOOK_BIT(SHK_HOOK_PRE_ROUTING), in = SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN);
	const uint32_t forward = SHK_HOOK_BIT(SHK_HOOK_FORWARD), out = SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT);
	const uint32_t post = SHK_HOOK_BIT(SHK_HOOK_POST_ROUTING);
	uint32_t seen = f->end[end].hooks;

	if (seen & in)
		return SHK_WAY_DELIVERED;
	if (f->clues & SHK_CLUE_TRANSLATED) /* it went on under another tuple */
		return SHK_WAY_UNKNOWN;
	if (seen & post && !(seen & out && seen & pre))
		return SHK_WAY_LEFT;
	if (seen & forward)
		return hooks & post ? SHK_WAY_STUCK_FORWARD : SHK_WAY_UNKNOWN;
	if (seen & pre)
		return (hooks & in) && (hooks & forward) ? SHK_WAY_STUCK_IN : SHK_WAY_UNKNOWN;
	if (seen & out && hooks & post)
		return SHK_WAY_STUCK_OUT;
	return SHK_WAY_UNKNOWN;
}

/* Both must use them, or neither (RFC 2385, RFC 5925): else a segment is dropped before it is looked at. */
static bool is_authentication_mismatch(const struct shk_flow *f)
{
	const struct shk_flow_end *client = &f->end[f->client], *server = &f->end[shk_flow_server(f)];

	return client->syn && server->synack &&
	       (client->options ^ server->options) & (SHK_OPT_MD5 | SHK_OPT_AO);
}

/*
 * ---- Failures ------------------------------------------------------------------------------------
 */

/* The client's socket is done before anybody answered: its error says why. */
static enum shk_open failed_in_syn_sent(uint8_t sk_err)
{
	switch (sk_err) {
	case 0:
		return SHK_O_ABORTED_LOCAL;
	case ECONNREFUSED:
		return SHK_O_REFUSED;
	case ETIMEDOUT:
		return SHK_O_TIMEOUT;
	default:
		return SHK_O_UNREACH;
	}
}

static enum shk_open refused_by_listener(const struct shk_flow *f)
{
	switch (f->socket[shk_flow_server(f)].reason) {
	case SHK_REASON_ACCEPT_QUEUE_FULL:
		return SHK_O_ACCEPTQ_DROP_SYN;
	case SHK_REASON_SYN_QUEUE_FULL:
		return SHK_O_SYNQ_DROP;
	default:
		return SHK_O_NONE;
	}
}

static enum shk_open dropped_by_this_host(const struct shk_flow *f, uint32_t hooks)
{
	/* Of a SYN that was answered, no matter how, at least one arrived. */
	if (f->end[shk_flow_server(f)].hooks || f->end[f->client].hooks == 0)
		return SHK_O_NONE;
	switch (shk_way_of(f, f->client, hooks)) {
	case SHK_WAY_STUCK_OUT:
	case SHK_WAY_STUCK_FORWARD:
		return SHK_O_NF_DROP_OUT;
	case SHK_WAY_STUCK_IN:
		return SHK_O_NF_DROP_IN;
	default:
		return SHK_O_NONE;
	}
}

static enum shk_open unanswered(const struct shk_flow *f, uint32_t hooks)
{
	const struct shk_flow_socket *client = &f->socket[f->client],
				     *server = &f->socket[shk_flow_server(f)];
	enum shk_open open = SHK_O_TIMEOUT, cause;

	if (!client->closed && !server->closed && !(f->flags & SHK_FLOW_EXPIRED))
		return SHK_O_NONE;
	if (client->closed)
		open = failed_in_syn_sent(client->sk_err);
	/* What the client's error is named does not say why nobody answered. */
	if (open != SHK_O_TIMEOUT)
		return open;
	cause = refused_by_listener(f);
	/* It was answered, but nobody saw that. */
	if (!cause && f->requested)
		cause = SHK_O_EMBRYO_EXPIRED;
	if (!cause)
		cause = dropped_by_this_host(f, hooks);
	if (!cause && f->flags & SHK_FLOW_SYNACK_BAD)
		cause = SHK_O_BAD_SYNACK;
	return cause ? cause : open;
}

static enum shk_open unacknowledged(const struct shk_flow *f)
{
	const struct shk_flow_socket *client = &f->socket[f->client],
				     *server = &f->socket[shk_flow_server(f)];

	/* A cookie leaves no embryo. */
	if (f->clues & SHK_CLUE_OTHER_SYN)
		return f->open_flags & SHK_OF_COOKIE ? SHK_O_EMBRYO_EXPIRED : SHK_O_EMBRYO_KILLED_BY_SYN;
	if (client->closed && !client->sk_err)
		return SHK_O_ABORTED_LOCAL;
	if (!(f->flags & SHK_FLOW_EXPIRED) && !server->closed)
		return SHK_O_NONE;
	if (server->reason == SHK_REASON_LISTENER_CLOSED)
		return SHK_O_LISTENER_CLOSED;
	if (server->reason == SHK_REASON_DROPPED)
		return SHK_O_UNREACH;
	return is_authentication_mismatch(f) ? SHK_O_AUTH_DROP : SHK_O_EMBRYO_EXPIRED;
}

static enum shk_open reset_before_the_ack(const struct shk_flow *f)
{
	const struct shk_flow_socket *client = &f->socket[f->client];

	if (f->clues & SHK_CLUE_OTHER_SYN)
		return SHK_O_EMBRYO_KILLED_BY_SYN;
	/* The SYN+ACK came too late: nobody waited for it any more. */
	if (client->closed && !client->sk_err && f->end[f->client].rst)
		return SHK_O_ABORTED_LOCAL;
	return SHK_O_EMBRYO_RST;
}

/*
 * ---- Successes -----------------------------------------------------------------------------------
 */

static bool is_out_of_servers_time_wait(const struct shk_flow *f)
{
	return f->clues & SHK_CLUE_TW_ISN_SERVER ||
	       (f->clues & SHK_CLUE_TW_SERVER && f->end[f->client].syn && f->end[shk_flow_server(f)].synack);
}

/* An echo in a SYN has no other source than the TIME-WAIT that the client took over (RFC 6191). */
static bool is_out_of_clients_time_wait(const struct shk_flow *f)
{
	return f->clues & SHK_CLUE_TW_ISN_CLIENT || f->end[f->client].options & SHK_END_TSECR;
}

static enum shk_open fast_open(const struct shk_flow *f)
{
	const struct shk_flow_end *client = &f->end[f->client];
	bool asked = client->options & (SHK_OPT_TFO | SHK_OPT_TFO_EXPERIMENT);

	if (f->clues & SHK_CLUE_TFO_ACKED)
		return SHK_O_TFO_DATA;
	if (!asked)
		return SHK_O_NONE;
	if (client->has & SHK_HAS_SYN_DATA)
		return SHK_O_TFO_FALLBACK;
	return client->options & SHK_END_TFO_COOKIE ? SHK_O_NONE : SHK_O_TFO_COOKIE_REQ;
}

static enum shk_open opened(const struct shk_flow *f)
{
	enum shk_open open;

	if (f->flags & SHK_FLOW_SELF)
		return SHK_O_SELF;
	/* Nobody answers SYN+ACK who has not got a SYN. */
	if ((f->end[0].syn && f->end[1].syn) || f->end[f->client].synack)
		return SHK_O_SIMULTANEOUS;
	if (f->open_flags & SHK_OF_COOKIE ||
	    (f->clues & SHK_CLUE_COOKIE && f->end[shk_flow_server(f)].synack))
		return SHK_O_COOKIE;
	if (f->open_flags & SHK_OF_STALE_ACK_RST && f->clues & SHK_CLUE_TW_SERVER)
		return SHK_O_TW_ACK_RST_RETRY;
	if (is_out_of_clients_time_wait(f))
		return SHK_O_TW_RECYCLE_ACTIVE;
	if (is_out_of_servers_time_wait(f))
		return SHK_O_TW_RECYCLE_PASSIVE;
	open = fast_open(f);
	return open ? open : SHK_O_3WHS;
}

enum shk_open shk_open_verdict(const struct shk_flow *f, uint32_t hooks)
{
	switch ((enum shk_phase)f->phase) {
	case SHK_PHASE_OPEN:
		return opened(f);
	case SHK_PHASE_REFUSED:
		return SHK_O_REFUSED;
	case SHK_PHASE_RESET:
		return reset_before_the_ack(f);
	case SHK_PHASE_MIDSTREAM:
		return SHK_O_PREEXISTING;
	case SHK_PHASE_SYN:
	case SHK_PHASE_SYN_BOTH:
		return unanswered(f, hooks);
	case SHK_PHASE_SYNACK:
		return unacknowledged(f);
	default:
		return SHK_O_NONE;
	}
}

/* Why a right ACK was refused, if the socket tells. */
static enum shk_open refusal(const struct shk_flow *f)
{
	switch (f->socket[shk_flow_server(f)].reason) {
	case SHK_REASON_NO_SOCKET:
	case SHK_REASON_LISTENER_CLOSED:
		return SHK_O_LISTENER_CLOSED;
	case SHK_REASON_INVALID_SYN: /* what tcp_check_req() calls every reset of a request */
	case SHK_REASON_ACCEPT_QUEUE_FULL:
		return SHK_O_ACCEPTQ_ABORT;
	default:
		return SHK_O_EMBRYO_RST;
	}
}

/*
 * Does the server's RST answer the third leg? It repeats the number of that ACK, no socket sends it, and it
 * comes so soon that nothing can have come in between. Where the socket tells why, a slow host may take
 * longer, but not as long as a request lives.
 */
static bool is_ack_refused(const struct shk_flow *f)
{
	unsigned int by = shk_flow_server(f);
	const struct shk_flow_end *client = &f->end[f->client], *server = &f->end[by];
	uint64_t ack_ns = shk_flow_ack_ns(f);
	uint64_t reach_ns = refusal(f) == SHK_O_EMBRYO_RST ? SHK_AT_ONCE_NS : SHK_SOON_NS;

	return f->phase == SHK_PHASE_OPEN && !(f->clues & (SHK_CLUE_SYN_INSIDE_0 | SHK_CLUE_SYN_INSIDE_1)) &&
	       server->has & SHK_HAS_RST && f->rst_by == by && shk_flow_rst_shape(f) == SHK_RST_ANSWERS_ACK &&
	       !((client->has | server->has) & SHK_HAS_FIN) && client->has & SHK_HAS_ACK &&
	       server->end_seq == client->ack && ack_ns && f->fin_ns[by] - ack_ns < reach_ns;
}

/*
 * An ACK beyond the SYN+ACK shows that there was a third leg, or is wrong. Which of the two, the server
 * tells: it goes on, or answers by RST.
 */
bool shk_open_is_doubtful(const struct shk_flow *f)
{
	const struct shk_flow_end *client = &f->end[f->client], *server = &f->end[shk_flow_server(f)];

	return f->phase == SHK_PHASE_OPEN && !f->ack_low && server->has & SHK_HAS_SYNACKED &&
	       server->synack && !server->syn && !client->synack && !f->established &&
	       !(server->has & SHK_HAS_ACK) && !((client->has | server->has) & (SHK_HAS_FIN | SHK_HAS_RST));
}

bool shk_is_server_watched(const struct shk_flow *f)
{
	return f->end[f->client].hooks & SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN) &&
	       f->end[shk_flow_server(f)].hooks & SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT);
}

/* The queue was full at the third ACK, and nothing came of it later: only the client was connected. */
static bool is_ack_dropped(const struct shk_flow *f)
{
	unsigned int server = shk_flow_server(f);

	return f->open == SHK_O_3WHS && f->socket[server].reason == SHK_REASON_ACCEPT_QUEUE_FULL &&
	       !(f->established & 1U << server);
}

/*
 * Such a listener takes an ACK that brings data at once, and after some waiting also one without. And one
 * whose queue was full makes its socket late too: it repeats its SYN+ACK.
 */
static bool is_deferred(const struct shk_flow *f)
{
	const uint16_t late = SHK_OF_DEFERRED | SHK_OF_CHILD_LATE;

	return (f->open_flags & (late | SHK_OF_SYNACK_AFTER_ACK)) == late;
}

bool shk_open_revise(struct shk_flow *f)
{
	if (shk_is_server_watched(f) && is_ack_refused(f)) {
		f->phase = SHK_PHASE_RESET;
		f->open = refusal(f);
		return true;
	}
	/* The RST came from somebody in between: the handshake went on. */
	if (f->open == SHK_O_REFUSED && f->phase == SHK_PHASE_OPEN) {
		f->open = opened(f);
		return true;
	}
	if (is_ack_dropped(f)) {
		f->open = SHK_O_ACCEPTQ_DROP_ACK;
		return true;
	}
	if (f->open == SHK_O_3WHS && is_deferred(f)) {
		f->open = SHK_O_DEFER_ACCEPT;
		return true;
	}
	return false;
}

bool shk_open_is_inferred(const struct shk_conn *conn, const struct shk_flow *f)
{
	bool by_hook = f->open_flags & SHK_OF_COOKIE;

	switch (conn->open) {
	case SHK_O_COOKIE:
		return !by_hook;
	case SHK_O_TW_RECYCLE_ACTIVE:
		return !(f->clues & SHK_CLUE_TW_ISN_CLIENT);
	case SHK_O_TW_RECYCLE_PASSIVE:
		return !(f->clues & SHK_CLUE_TW_ISN_SERVER) && !f->met_time_wait;
	case SHK_O_UNREACH: /* not for a client that was told so */
		return f->socket[shk_flow_server(f)].reason == SHK_REASON_DROPPED;
	case SHK_O_EMBRYO_EXPIRED: /* a request has its timer, a cookie none */
		return !f->socket[shk_flow_server(f)].closed;
	case SHK_O_DEFER_ACCEPT:
	case SHK_O_EMBRYO_KILLED_BY_SYN:
	case SHK_O_AUTH_DROP:
	case SHK_O_NF_DROP_IN:
	case SHK_O_NF_DROP_OUT:
		return true;
	default:
		return false;
	}
}

/*
 * ---- The record ----------------------------------------------------------------------------------
 */

#define ACE (SHK_TCP_AE | SHK_TCP_CWR | SHK_TCP_ECE)

/* RFC 3168 6.1.1 and the table of RFC 9768 3.1.1. */
static uint32_t ecn_flags(uint16_t syn, uint16_t synack)
{
	const uint16_t classic = SHK_TCP_CWR | SHK_TCP_ECE;

	if ((syn & classic) != classic)
		return 0;
	switch (synack & ACE) {
	case SHK_TCP_ECE:
	case SHK_TCP_AE | SHK_TCP_ECE:
		return SHK_OF_ECN;
	case SHK_TCP_CWR:
	case SHK_TCP_CWR | SHK_TCP_ECE:
	case SHK_TCP_AE:
	case SHK_TCP_AE | SHK_TCP_CWR:
		return (syn & ACE) == ACE ? SHK_OF_ACCECN : 0;
	default:
		return 0;
	}
}

/* What both ends agreed on in their SYN and SYN+ACK. */
static uint32_t agreed_flags(const struct shk_flow *f)
{
	const struct shk_flow_end *client = &f->end[f->client], *server = &f->end[shk_flow_server(f)];
	uint32_t flags;

	if (!client->syn || !server->synack)
		return 0;
	flags = ecn_flags(client->syn_flags, server->syn_flags);
	if (client->options & server->options & SHK_OPT_MPTCP)
		flags |= SHK_OF_MPTCP;
	if (client->options & server->options & SHK_END_MP_JOIN)
		flags |= SHK_OF_MP_JOIN;
	return flags;
}

void shk_open_fill(struct shk_conn *conn, const struct shk_flow *f)
{
	uint64_t syn_ns = shk_flow_syn_ns(f), synack_ns = shk_flow_synack_ns(f), ack_ns = shk_flow_ack_ns(f);
	bool acked = f->end[shk_flow_server(f)].has & SHK_HAS_SYNACKED;

	conn->open = f->open;
	conn->open_flags = f->open_flags | agreed_flags(f);
	conn->syn_synack_ns = synack_ns ? shk_flow_span(syn_ns, synack_ns) : SHK_UNKNOWN_NS;
	conn->synack_ack_ns = ack_ns ? shk_flow_span(synack_ns, ack_ns) : SHK_UNKNOWN_NS;
	conn->open_total_ns = ack_ns ? shk_flow_span(syn_ns, ack_ns) : SHK_UNKNOWN_NS;
	conn->synack_acks_syn = f->flags & SHK_FLOW_SYNACK_OK ? 1 : f->flags & SHK_FLOW_SYNACK_BAD ? 0 : -1;
	/* A SYN+ACK that acknowledges a number only we derived from it proves nothing. */
	if (conn->synack_acks_syn == 1 && !f->end[f->client].syn && !(f->flags & SHK_FLOW_SELF))
		conn->synack_acks_syn = -1;
	conn->ack_acks_synack = acked ? 1 : f->open_flags & SHK_OF_BAD_ACK ? 0 : -1;
}
