// SPDX-License-Identifier: GPL-2.0
/* Why a connection did not close as it should: see blame.c. */
#include "blame.h"
#include "verdict.h"

/* "reset by the server 1.2 s after the SYN" */
static void say_reset(struct shk_blamer *b)
{
	shk_sentence_add(b->s, "reset by the %s ", shk_blame_end(b->conn->close_by));
	shk_sentence_add_span(b->s, b->conn->last_ns - b->conn->first_ns);
	shk_sentence_add(b->s, " after the first segment: ");
}

/* The cause in a few words, and what the application of the end that sent the RST should do. */
static const char *cause_words(enum shk_close close)
{
	switch (close) {
	case SHK_C_RST_UNREAD:
		return "it closed with data unread (RFC 2525 2.17); read to the end before close()";
	case SHK_C_RST_LINGER0:
		return "it aborted on purpose (SO_LINGER with 0, or connect() to AF_UNSPEC)";
	case SHK_C_RST_LINGER2:
		return "it does not wait for the other FIN (TCP_LINGER2 < 0)";
	case SHK_C_RST_LISTENER_CLOSE:
		return "the listener was closed while this connection waited to be accepted";
	case SHK_C_RST_DATA_AFTER_CLOSE:
		return "it had closed both directions, and more data came; let it read to the end, or use "
		       "shutdown()";
	case SHK_C_ABORT_DIAG:
		return "an administrator killed the socket (ss -K)";
	case SHK_C_OOM:
		return "out of TCP memory (nstat: TCPAbortOnMemory; sysctl tcp_mem, tcp_max_orphans)";
	default:
		return NULL;
	}
}

/* Which of the two causes an RST has shows in its shape, not which of several aborts it was. */
static void blame_rst(struct shk_blamer *b)
{
	enum shk_side by = b->conn->close_by;

	switch (shk_flow_rst_shape(b->f)) {
	case SHK_RST_DELIBERATE:
		shk_blame_put_end(b, by, SHK_BLAME_APPLICATION);
		say_reset(b);
		shk_sentence_add(b->s, "an abort, for it carries the connection's own numbers: data unread, "
				       "SO_LINGER 0, or a timer; the socket would tell");
		break;
	case SHK_RST_ANSWERS_ACK:
	case SHK_RST_ANSWERS_NO_ACK:
		shk_blame_put_end(b, by, SHK_BLAME_LOCAL_STACK);
		say_reset(b);
		shk_sentence_add(b->s,
				 "an answer to a segment for which its TCP had no connection any more, or to "
				 "a wrong ACK");
		break;
	case SHK_RST_UNKNOWN:
		shk_blame_put(b, SHK_BLAME_NONE);
		say_reset(b);
		shk_sentence_add(b->s, "its shape is not one of Linux, so nothing tells why");
		break;
	}
}

static void blame_silence(struct shk_blamer *b, const char *what, uint32_t n)
{
	shk_blame_put(b, SHK_BLAME_NETWORK);
	shk_sentence_add(b->s, "%s sent ", what);
	shk_sentence_add_times(b->s, n);
	shk_sentence_add(b->s, ", never acknowledged: the other end or the way to it is gone");
}

static void blame_fin(struct shk_blamer *b, enum shk_side by)
{
	if (b->f->flags & SHK_FLOW_EXPIRED || b->conn->close == SHK_C_LASTACK_TIMEOUT)
		blame_silence(b, by == SHK_CLIENT ? "the client's FIN" : "the server's FIN",
			      b->conn->end[by].fin);
}

static enum shk_side unacknowledged_fin(const struct shk_blamer *b)
{
	uint8_t has = b->f->end[b->f->client].has;

	return has & SHK_HAS_FIN && !(has & SHK_HAS_FIN_ACKED) ? SHK_CLIENT : SHK_SERVER;
}

static void blame_half_open(struct shk_blamer *b)
{
	shk_blame_put_end(b, b->conn->close_by, SHK_BLAME_LOCAL_STACK);
	shk_sentence_add(b->s, "the %s sent a SYN from the same port and reset the answer ",
			 shk_blame_end(b->conn->close_by));
	shk_sentence_add_span(b->s, b->conn->last_ns - b->conn->first_ns);
	shk_sentence_add(b->s, " after the first segment: it had restarted and forgotten this connection");
}

static void blame_timer(struct shk_blamer *b, const char *what)
{
	shk_blame_put(b, SHK_BLAME_NETWORK);
	shk_sentence_add(b->s, "the %s gave up after ", shk_blame_end(b->conn->close_by));
	shk_sentence_add_span(b->s, b->conn->last_ns - b->conn->first_ns);
	shk_sentence_add(b->s, ": %s; the other end or the way to it is gone", what);
}

static void blame_expired(struct shk_blamer *b)
{
	enum shk_side by = b->conn->close_by;

	shk_blame_put_end(b, by == SHK_CLIENT ? SHK_SERVER : SHK_CLIENT, SHK_BLAME_APPLICATION);
	shk_sentence_add(b->s, "the %s closed first and ", shk_blame_end(by));
	shk_sentence_add(b->s, b->conn->close_flags & SHK_CF_MINISOCK_GONE
				       ? "stopped waiting for the other FIN (tcp_fin_timeout): the other "
					 "application does not close"
				       : "knew nothing of the connection any more when the other FIN came "
					 "(tcp_fin_timeout): that application closes too late");
}

static void blame_time_wait(struct shk_blamer *b)
{
	shk_blame_put(b, SHK_BLAME_LOCAL_STACK);
	shk_sentence_add(b->s,
			 "closed in good order, but without TIME-WAIT: there are net.ipv4.tcp_max_tw_buckets "
			 "of them already, so old segments may come into the tuple's next use");
}

void shk_blame_close(struct shk_blamer *b)
{
	const char *cause = cause_words(b->conn->close);

	switch (b->conn->close) {
	case SHK_C_RST:
		blame_rst(b);
		break;
	case SHK_C_HALF_OPEN_RESET:
		blame_half_open(b);
		break;
	case SHK_C_FIN_UNACKED:
	case SHK_C_LASTACK_TIMEOUT:
		blame_fin(b, unacknowledged_fin(b));
		break;
	case SHK_C_KEEPALIVE:
		blame_timer(b, "its keepalive probes were not answered");
		break;
	case SHK_C_RTO_TIMEOUT:
		blame_timer(b, "its data was not acknowledged");
		break;
	case SHK_C_FW2_EXPIRED:
		blame_expired(b);
		break;
	case SHK_C_TW_OVERFLOW:
		blame_time_wait(b);
		break;
	default:
		if (!cause)
			break;
		shk_blame_put_end(b, b->conn->close_by,
				  b->conn->close == SHK_C_ABORT_DIAG || b->conn->close == SHK_C_OOM
					  ? SHK_BLAME_LOCAL_STACK
					  : SHK_BLAME_APPLICATION);
		say_reset(b);
		shk_sentence_add(b->s, "%s", cause);
		break;
	}
}
