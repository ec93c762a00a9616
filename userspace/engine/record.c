// SPDX-License-Identifier: GPL-2.0
#include "record.h"

#include <string.h>

#include "compat.h"
#include "handshake.h"
#include "observe.h"
#include "tsval.h"
#include "verdict.h"

/* Sequence arithmetic on the segment that ends a direction: between SYN and FIN lies the data. */
static void fill_bytes(struct shk_end *out, const struct shk_flow *f, const struct shk_flow_end *end)
{
	uint32_t bytes = end->end_seq - end->isn - 1;
	bool fin = end->has & SHK_HAS_FIN;

	if (!(end->has & SHK_HAS_ISN) || !(end->has & (SHK_HAS_FIN | SHK_HAS_RST)))
		return;
	if (end->has & SHK_HAS_ISN_GUESS)
		return;
	/* An RST without a handshake carries whatever number the rejected segment asked for. */
	if (!fin && (f->phase != SHK_PHASE_OPEN || bytes > INT32_MAX))
		return;
	out->bytes_known = true;
	out->bytes = bytes;
}

/* The least it sent, for an end that was cut off before it could say how much that was. */
static void fill_acked(struct shk_end *out, const struct shk_flow_end *end, const struct shk_flow_end *other)
{
	uint32_t acked = other->ack - end->isn - 1;

	if (!(end->has & SHK_HAS_ISN) || !(other->has & SHK_HAS_ACK))
		return;
	if (end->has & SHK_HAS_FIN && other->ack == end->end_seq + 1)
		acked--;
	if (acked > INT32_MAX)
		return; /* of another connection */
	out->acked_known = true;
	out->acked = acked;
}

static void fill_end(struct shk_end *out, const struct shk_flow *f, unsigned int i)
{
	const struct shk_flow_end *end = &f->end[i];

	memcpy(out->addr, f->addr[i], sizeof(out->addr));
	out->port = f->port[i];
	out->isn_known = end->has & SHK_HAS_ISN;
	out->isn = out->isn_known ? end->isn : 0;
	out->syn = end->syn;
	out->synack = end->synack;
	out->fin = end->fin;
	out->rst = end->rst;
	out->syn_retransmits = end->syn_retransmits;
	out->synack_retransmits = end->synack_retransmits;
	out->fin_retransmits = end->fin_retransmits;
	out->fin_acked = end->has & SHK_HAS_FIN_ACKED;
	out->options = end->options & SHK_END_OPTIONS;
	out->syn_flags = end->syn_flags;
	out->mss = end->mss;
	out->wscale = end->wscale;
	fill_bytes(out, f, end);
	fill_acked(out, end, &f->end[f->flags & SHK_FLOW_SELF ? i : i ^ 1]);
}

/* A host's own segments pass its LOCAL_OUT, those for it its LOCAL_IN. */
static enum shk_side local_side(const struct shk_flow *f, unsigned int client, unsigned int server)
{
	const uint8_t out = SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT), in = SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN);
	bool c = (f->end[client].hooks & out) || (f->end[server].hooks & in);
	bool s = (f->end[server].hooks & out) || (f->end[client].hooks & in);

	return c && s ? SHK_BOTH : c ? SHK_CLIENT : s ? SHK_SERVER : SHK_NEITHER;
}

/* Was every segment seen that the verdict on the opening rests on? */
static bool is_evidence_complete(const struct shk_conn *conn, const struct shk_flow *f)
{
	bool synack = conn->synack_acks_syn == 1, ack = conn->ack_acks_synack == 1 && f->ack_low;

	switch (conn->open) {
	case SHK_O_NONE:
	case SHK_O_PREEXISTING:
		return false;
	case SHK_O_SIMULTANEOUS:
		return synack && f->end[0].syn && f->end[1].syn;
	case SHK_O_SELF:
		return synack && f->syn_low;
	case SHK_O_EMBRYO_EXPIRED:
		return synack || f->requested;
	case SHK_O_EMBRYO_RST:
		return synack;
	default:
		return shk_open_failed(conn->open) || (synack && ack);
	}
}

/*
 * Events were lost while it lived, perhaps of this connection. Nothing that is missing can change what an
 * ordinary handshake was, once all of it was seen, nor a close of four segments; but for two: the SYN of
 * the server and the SYN+ACK of the client make it a simultaneous open, of which accept() knows nothing.
 */
static bool stands_despite_loss(const struct shk_conn *conn, const struct shk_flow *f)
{
	if (conn->open != SHK_O_3WHS || (conn->lost > 1 && !f->accepted))
		return false;
	return !(f->flags & SHK_FLOW_REPORTED) || conn->close == SHK_C_4SEG;
}

/* A socket has told that it is done, and what ended it is still to come to us, or is lost. */
static bool is_close_unseen(const struct shk_conn *conn, const struct shk_flow *f)
{
	return f->phase == SHK_PHASE_OPEN && (f->socket[0].closed || f->socket[1].closed) &&
	       (conn->close == SHK_C_NONE || conn->close == SHK_C_HALF_CLOSED);
}

static enum shk_confidence confidence(const struct shk_conn *conn, const struct shk_flow *f)
{
	if (conn->late || conn->evicted || f->flags & SHK_FLOW_DISORDER)
		return SHK_PARTIAL;
	if (conn->lost && !stands_despite_loss(conn, f))
		return SHK_PARTIAL;
	if (!is_evidence_complete(conn, f) || is_close_unseen(conn, f))
		return SHK_PARTIAL;
	if (f->flags & SHK_FLOW_EXPIRED || shk_open_is_inferred(conn, f) || shk_close_is_inferred(conn, f))
		return SHK_INFERRED;
	return conn->close == SHK_C_FIN_UNACKED ? SHK_PARTIAL
						: SHK_CERTAIN; /* its ACK may still be on its way */
}

static uint64_t identity(const struct shk_flow *f)
{
	static const struct shk_hash_key no_secret = {{0x7463707368616b65ULL, 1}};
	struct shk_hash_state s;

	shk_hash_init(&s, &no_secret);
	for (int i = 0; i < 2; i++) {
		shk_hash_add(&s, f->addr[i][0]);
		shk_hash_add(&s, f->addr[i][1]);
	}
	shk_hash_add(&s, (uint64_t)f->netns << 32 | (uint32_t)f->port[0] << 16 | f->port[1]);
	shk_hash_add(&s, f->first_ns);
	return shk_hash_end(&s, 48);
}

void shk_record_fill(struct shk_conn *conn, const struct shk_flow *f,
		     const struct shk_record_context *context)
{
	unsigned int client = f->client, server = shk_flow_server(f);

	memset(conn, 0, sizeof(*conn));
	conn->id = identity(f);
	conn->netns = f->netns;
	conn->first_ns = f->first_ns;
	conn->last_ns = f->last_ns;
	conn->real_offset_ns = context->real_offset_ns;
	conn->accept_wait_ns = SHK_UNKNOWN_NS;
	conn->time_wait_ns = SHK_UNKNOWN_NS;
	fill_end(&conn->end[SHK_CLIENT], f, client);
	fill_end(&conn->end[SHK_SERVER], f, server);
	conn->local = local_side(f, client, server);
	shk_open_fill(conn, f);
	shk_close_fill(conn, f);
	shk_compat_fill(&conn->compat, f);
	conn->witness_wire = f->end[0].hooks | f->end[1].hooks;
	conn->evicted = f->flags & SHK_FLOW_EVICTED;
	conn->lost = (uint32_t)((uint32_t)context->lost - f->lost_at);
	conn->late = f->late;
	conn->confidence = confidence(conn, f);
	shk_tsval_fill(conn, f);
	if (!context->arrows)
		return;
	conn->arrows = context->arrows->arrow;
	conn->n_arrows = context->arrows->n;
	conn->arrows_dropped = context->arrows->dropped;
}

/*
 * What an end on this host answers, it answers between two hooks of ours: that leg is its stack's. What it
 * waits for is on the way, or in the stack of the other end.
 */
void shk_record_split_legs(struct shk_conn *conn)
{
	conn->network_ns = SHK_UNKNOWN_NS;
	conn->host_ns = SHK_UNKNOWN_NS;
	if (conn->syn_synack_ns == SHK_UNKNOWN_NS || conn->synack_ack_ns == SHK_UNKNOWN_NS)
		return;
	switch (conn->local) {
	case SHK_CLIENT:
		conn->network_ns = conn->syn_synack_ns;
		conn->host_ns = conn->synack_ack_ns;
		break;
	case SHK_SERVER:
		conn->host_ns = conn->syn_synack_ns;
		conn->network_ns = conn->synack_ack_ns;
		break;
	case SHK_BOTH:
		conn->network_ns = 0;
		conn->host_ns = conn->syn_synack_ns + conn->synack_ack_ns;
		break;
	case SHK_NEITHER:
		break;
	}
}
