// SPDX-License-Identifier: GPL-2.0
/* How it closed. */
#include "verdict.h"

#include <errno.h>

#include "fins.h"
#include "handshake.h"

/*
 * Between the ACK of the first FIN and the second FIN an application that just follows suit needs less
 * than this; who takes longer keeps the connection half-closed on purpose. It is five times the longest
 * delayed ACK of Linux (TCP_ATO_MIN, 40 ms).
 */
#define HALF_CLOSE_MIN_NS 200000000ULL

static bool has(const struct shk_flow *f, unsigned int end, uint8_t what)
{
	return f->end[end].has & what;
}

static bool is_clean(const struct shk_flow *f)
{
	return f->end[f->client].has & f->end[shk_flow_server(f)].has & SHK_HAS_FIN_ACKED;
}

static enum shk_side side_of(const struct shk_flow *f, unsigned int end)
{
	return end == f->client ? SHK_CLIENT : SHK_SERVER;
}

/*
 * ---- By FIN --------------------------------------------------------------------------------------
 */

static void fill_half_close(struct shk_conn *conn, const struct shk_flow *f, unsigned int first,
			    unsigned int second)
{
	uint32_t bytes = f->end[second].end_seq - f->finack_seq;
	uint64_t finack_ns = shk_flow_finack_ns(f, first);

	conn->fin_fin_ns = shk_flow_span(f->fin_ns[first], f->fin_ns[second]);
	if (conn->close != SHK_C_4SEG && conn->close != SHK_C_FIN_UNACKED)
		return;
	if (!has(f, first, SHK_HAS_FIN_ACKED) || finack_ns > f->fin_ns[second])
		return;
	if (f->flags & SHK_FLOW_DISORDER || !f->fin_ns[first])
		return; /* finack_seq may belong to another segment */
	if (!bytes && f->fin_ns[second] - finack_ns < HALF_CLOSE_MIN_NS)
		return;
	conn->half_close = true;
	conn->half_close_ns = conn->fin_fin_ns;
	conn->half_close_bytes = bytes;
}

static void fill_close_by_fin(struct shk_conn *conn, const struct shk_flow *f)
{
	unsigned int first = shk_fins_first(f), second = first ^ 1;

	conn->close_by = side_of(f, first);
	if (has(f, first, SHK_HAS_FIN_ACKED))
		conn->fin_ack_ns = shk_flow_span(f->fin_ns[first], shk_flow_finack_ns(f, first));
	if (f->flags & SHK_FLOW_SELF) {
		conn->close = has(f, first, SHK_HAS_FIN_ACKED) ? SHK_C_SIMULTANEOUS : SHK_C_FIN_UNACKED;
		conn->close_by = SHK_BOTH;
	} else if (has(f, 0, SHK_HAS_FIN) && has(f, 1, SHK_HAS_FIN)) {
		conn->close =
			f->end[0].has & f->end[1].has & SHK_HAS_FIN_ACKED ? conn->fins : SHK_C_FIN_UNACKED;
		if (conn->close == SHK_C_SIMULTANEOUS)
			conn->close_by = SHK_BOTH;
		fill_half_close(conn, f, first, second);
	} else if (has(f, first, SHK_HAS_FIN_ACKED)) {
		conn->close = SHK_C_HALF_CLOSED;
		conn->half_close = true;
		conn->half_close_ns = shk_flow_span(f->fin_ns[first], f->last_ns);
	} else {
		conn->close = SHK_C_FIN_UNACKED;
	}
}

/*
 * ---- By RST --------------------------------------------------------------------------------------
 */

/* A socket that nobody had accepted yet was aborted because its listener was closed. */
static enum shk_close aborted(const struct shk_flow *f, unsigned int by)
{
	return by == f->client || f->established >> by & 1 ? SHK_C_RST_LINGER0 : SHK_C_RST_LISTENER_CLOSE;
}

/* In the kernel's own words, if the socket of the end that sent the RST was witnessed, and if it has any. */
static enum shk_close told_by_reason(const struct shk_flow *f, unsigned int by)
{
	switch (f->socket[by].reason) {
	case SHK_REASON_ABORT_ON_CLOSE:
		return SHK_C_RST_UNREAD;
	case SHK_REASON_ABORT_ON_LINGER:
		return SHK_C_RST_LINGER2;
	case SHK_REASON_STATE: /* of tcp_disconnect(), as is the next */
	case SHK_REASON_DISCONNECT_WITH_DATA:
		return aborted(f, by);
	case SHK_REASON_ABORT_ON_MEMORY:
		return SHK_C_OOM;
	case SHK_REASON_KEEPALIVE_TIMEOUT:
		return SHK_C_KEEPALIVE;
	default:
		return SHK_C_RST;
	}
}

/* From what its socket ended with. Who gives up data that nobody acknowledges sends no RST. */
static enum shk_close told_by_socket(const struct shk_flow *f, unsigned int by)
{
	const struct shk_flow_socket *socket = &f->socket[by];

	if (socket->sk_err == ECONNABORTED)
		return SHK_C_ABORT_DIAG;
	if (!socket->closed || has(f, by, SHK_HAS_FIN) || shk_flow_rst_shape(f) != SHK_RST_DELIBERATE)
		return SHK_C_RST;
	if (socket->sk_err == ETIMEDOUT)
		return SHK_C_KEEPALIVE;
	if (socket->sk_err)
		return SHK_C_RST;
	return socket->unread ? SHK_C_RST_UNREAD : aborted(f, by);
}

static bool is_watched(const struct shk_flow *f, unsigned int end)
{
	return f->end[end].hooks & SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT) &&
	       f->end[end ^ 1].hooks & SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN);
}

/*
 * Who answers by the RST of no socket has closed and is gone. It had been in FIN-WAIT-2: there a FIN alone is
 * taken, but not what else comes (RFC 9293 3.10.7.4, and 3.6 for half-duplex close). If it does not wait
 * there, the ACK of its FIN gets that answer; who stands elsewhere can't tell this from data right behind.
 */
static enum shk_close told_by_shape(const struct shk_flow *f, unsigned int by)
{
	unsigned int other = by ^ 1;

	if (f->clues & SHK_CLUE_HALF_OPEN)
		return SHK_C_HALF_OPEN_RESET;
	if (f->flags & SHK_FLOW_SELF || shk_flow_rst_shape(f) != SHK_RST_ANSWERS_ACK)
		return SHK_C_RST;
	if (!has(f, by, SHK_HAS_FIN) || !has(f, by, SHK_HAS_FIN_ACKED) || f->flags & SHK_FLOW_DISORDER)
		return SHK_C_RST;
	if (has(f, other, SHK_HAS_FIN) && f->end[other].end_seq == f->finack_seq)
		return SHK_C_FW2_EXPIRED;
	if (has(f, other, SHK_HAS_FIN) || f->close_flags & SHK_CLOSE_FINACK_DATA)
		return SHK_C_RST_DATA_AFTER_CLOSE;
	if (f->socket[by].reason == SHK_REASON_TIMEWAIT_SOCKET) /* the answer of a minisock */
		return SHK_C_RST_DATA_AFTER_CLOSE;
	/* Where there never was any data, none came too late. */
	if (is_watched(f, by))
		return f->close_flags & SHK_CLOSE_RST_AT_ONCE || !f->seen_data ? SHK_C_RST_LINGER2
									       : SHK_C_RST_DATA_AFTER_CLOSE;
	return f->close_flags & SHK_CLOSE_RST_SOON ? SHK_C_RST : SHK_C_RST_DATA_AFTER_CLOSE;
}

static void fill_close_by_rst(struct shk_conn *conn, const struct shk_flow *f)
{
	conn->close = told_by_reason(f, f->rst_by);
	if (conn->close == SHK_C_RST)
		conn->close = told_by_socket(f, f->rst_by);
	if (conn->close == SHK_C_RST)
		conn->close = told_by_shape(f, f->rst_by);
	conn->close_by = side_of(f, f->rst_by);
	/* An RST on the heels of the FIN: nobody used the open half. */
	if (conn->half_close && !conn->half_close_bytes && conn->half_close_ns < HALF_CLOSE_MIN_NS) {
		conn->half_close = false;
		conn->half_close_ns = SHK_UNKNOWN_NS;
	}
}

/*
 * ---- By silence ----------------------------------------------------------------------------------
 */

/* The end whose FIN nobody acknowledged, after the other's was; -1: none. */
static int last_ack_end(const struct shk_flow *f)
{
	for (int i = 0; i < 2; i++)
		if (has(f, i, SHK_HAS_FIN) && !has(f, i, SHK_HAS_FIN_ACKED) && has(f, i ^ 1, SHK_HAS_FIN) &&
		    has(f, i ^ 1, SHK_HAS_FIN_ACKED))
			return i;
	return -1;
}

/* Neither a clean close nor an RST: a timer may have ended it, as the sockets tell or the silence. */
static void fill_close_by_timer(struct shk_conn *conn, const struct shk_flow *f)
{
	int last = last_ack_end(f), by = f->socket[0].sk_err ? 0 : 1;
	bool timed_out = f->socket[by].sk_err == ETIMEDOUT;

	if (last >= 0 && (f->socket[last].sk_err == ETIMEDOUT ||
			  (f->flags & SHK_FLOW_EXPIRED && f->end[last].fin_retransmits))) {
		conn->close = SHK_C_LASTACK_TIMEOUT;
	} else if (timed_out && !has(f, by, SHK_HAS_FIN)) {
		conn->close = SHK_C_RTO_TIMEOUT;
		conn->close_by = side_of(f, by);
	} else if (f->socket[by].sk_err == ECONNABORTED) {
		conn->close = SHK_C_ABORT_DIAG;
		conn->close_by = side_of(f, by);
	} else if (conn->close == SHK_C_HALF_CLOSED && f->close_flags & SHK_CF_MINISOCK_GONE) {
		conn->close = SHK_C_FW2_EXPIRED;
	}
}

/* It had the right number, or a socket was closed by it or had sent it. */
static bool is_rst_proved(const struct shk_flow *f)
{
	return f->close_flags & SHK_CLOSE_RST_EXACT || f->socket[0].closed || f->socket[1].closed;
}

bool shk_close_is_inferred(const struct shk_conn *conn, const struct shk_flow *f)
{
	uint8_t reason = f->socket[f->rst_by].reason;

	if (conn->close >= SHK_C_RST && conn->close <= SHK_C_OOM && !is_rst_proved(f))
		return true;
	switch (conn->close) {
	case SHK_C_RST_DATA_AFTER_CLOSE:
	case SHK_C_RST_LINGER2:
		return reason != SHK_REASON_ABORT_ON_DATA && reason != SHK_REASON_ABORT_ON_LINGER &&
		       reason != SHK_REASON_TIMEWAIT_SOCKET;
	case SHK_C_RST_LISTENER_CLOSE: /* that nobody accepted it was not seen */
		return true;
	case SHK_C_FW2_EXPIRED:
		return !(f->close_flags & SHK_CF_MINISOCK_GONE);
	default:
		return false;
	}
}

/* A clean close stays one, whatever strays in afterwards; otherwise an RST decides. */
void shk_close_fill(struct shk_conn *conn, const struct shk_flow *f)
{
	bool rst = (f->end[0].has | f->end[1].has) & SHK_HAS_RST && !shk_flow_rst_is_doubtful(f);

	conn->fins = shk_fins_shape(f);
	conn->close = SHK_C_NONE;
	conn->close_by = SHK_NEITHER;
	conn->close_flags = f->close_flags & SHK_CLOSE_FLAGS;
	conn->fin_ack_ns = SHK_UNKNOWN_NS;
	conn->fin_fin_ns = SHK_UNKNOWN_NS;
	conn->half_close_ns = SHK_UNKNOWN_NS;
	if (f->phase != SHK_PHASE_OPEN && f->phase != SHK_PHASE_MIDSTREAM)
		return;
	if ((f->end[0].has | f->end[1].has) & SHK_HAS_FIN)
		fill_close_by_fin(conn, f);
	if (is_clean(f)) {
		if (f->close_flags & SHK_CLOSE_NO_TIME_WAIT)
			conn->close = SHK_C_TW_OVERFLOW;
		return;
	}
	if (rst)
		fill_close_by_rst(conn, f);
	else
		fill_close_by_timer(conn, f);
}
