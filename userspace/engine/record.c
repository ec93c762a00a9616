// SPDX-License-Identifier: GPL-2.0
#include "record.h"

#include <errno.h>
#include <string.h>

#include "handshake.h"
#include "observe.h"

/*
 * Between the ACK of the first FIN and the second FIN an application that just follows suit needs less
 * than this; who takes longer keeps the connection half-closed on purpose. It is five times the longest
 * delayed ACK of Linux (TCP_ATO_MIN, 40 ms).
 */
#define HALF_CLOSE_MIN_NS 200000000ULL

static unsigned int server_of(const struct shk_flow *f)
{
	return f->flags & SHK_FLOW_SELF ? f->client : f->client ^ 1;
}

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

enum shk_open shk_record_open(const struct shk_flow *f)
{
	bool expired = f->flags & SHK_FLOW_EXPIRED;

	switch ((enum shk_phase)f->phase) {
	case SHK_PHASE_OPEN:
		if (f->flags & SHK_FLOW_SELF)
			return SHK_O_SELF;
		/* Nobody answers SYN+ACK who has not got a SYN. */
		if ((f->end[0].syn && f->end[1].syn) || f->end[f->client].synack)
			return SHK_O_SIMULTANEOUS;
		return SHK_O_3WHS;
	case SHK_PHASE_REFUSED:
		return SHK_O_REFUSED;
	case SHK_PHASE_RESET:
		return SHK_O_EMBRYO_RST;
	case SHK_PHASE_MIDSTREAM:
		return SHK_O_PREEXISTING;
	case SHK_PHASE_SYN:
	case SHK_PHASE_SYN_BOTH:
		if (f->socket[f->client].closed)
			return failed_in_syn_sent(f->socket[f->client].sk_err);
		return expired ? SHK_O_TIMEOUT : SHK_O_NONE;
	case SHK_PHASE_SYNACK:
		return expired || f->socket[server_of(f)].closed ? SHK_O_EMBRYO_EXPIRED : SHK_O_NONE;
	default:
		return SHK_O_NONE;
	}
}

static uint64_t span(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns && to_ns >= from_ns ? to_ns - from_ns : SHK_UNKNOWN_NS;
}

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
	out->isn = end->isn;
	out->syn = end->syn;
	out->synack = end->synack;
	out->fin = end->fin;
	out->rst = end->rst;
	out->syn_retransmits = end->syn_retransmits;
	out->synack_retransmits = end->synack_retransmits;
	out->fin_retransmits = end->fin_retransmits;
	out->options = end->options;
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

static void fill_open(struct shk_conn *conn, const struct shk_flow *f)
{
	uint64_t syn_ns = shk_flow_syn_ns(f), synack_ns = shk_flow_synack_ns(f), ack_ns = shk_flow_ack_ns(f);
	bool acked = f->end[server_of(f)].has & SHK_HAS_SYNACKED;

	conn->open = f->open;
	conn->open_flags = f->open_flags;
	conn->syn_synack_ns = synack_ns ? span(syn_ns, synack_ns) : SHK_UNKNOWN_NS;
	conn->synack_ack_ns = ack_ns ? span(synack_ns, ack_ns) : SHK_UNKNOWN_NS;
	conn->open_total_ns = ack_ns ? span(syn_ns, ack_ns) : SHK_UNKNOWN_NS;
	conn->synack_acks_syn = f->flags & SHK_FLOW_SYNACK_OK ? 1 : f->flags & SHK_FLOW_SYNACK_BAD ? 0 : -1;
	/* A SYN+ACK that acknowledges a number only we derived from it proves nothing. */
	if (conn->synack_acks_syn == 1 && !f->end[f->client].syn && !(f->flags & SHK_FLOW_SELF))
		conn->synack_acks_syn = -1;
	conn->ack_acks_synack = acked ? 1 : f->open_flags & SHK_OF_BAD_ACK ? 0 : -1;
}

/* Both FINs were seen; @first came first. Neither may acknowledge the other in a simultaneous close. */
static enum shk_close close_of_two_fins(const struct shk_flow *f, unsigned int first, unsigned int second)
{
	uint64_t finack_ns = shk_flow_finack_ns(f, first);

	if ((f->end[0].has & f->end[1].has & SHK_HAS_FIN_ACKED) == 0)
		return SHK_C_FIN_UNACKED;
	if (finack_ns > f->fin_ns[second])
		return SHK_C_SIMULTANEOUS;
	if (finack_ns < f->fin_ns[second])
		return SHK_C_4SEG;
	/* A capture may have no more than microseconds. */
	return f->fins == SHK_FINS_ACKS      ? SHK_C_3SEG
	       : f->fins == SHK_FINS_CROSSED ? SHK_C_SIMULTANEOUS
					     : SHK_C_4SEG;
}

static void fill_half_close(struct shk_conn *conn, const struct shk_flow *f, unsigned int first,
			    unsigned int second)
{
	uint32_t bytes = f->end[second].end_seq - f->finack_seq;
	uint64_t finack_ns = shk_flow_finack_ns(f, first);

	conn->fin_fin_ns = span(f->fin_ns[first], f->fin_ns[second]);
	if (conn->close != SHK_C_4SEG && conn->close != SHK_C_FIN_UNACKED)
		return;
	if (!(f->end[first].has & SHK_HAS_FIN_ACKED) || finack_ns > f->fin_ns[second])
		return;
	if (f->flags & SHK_FLOW_DISORDER)
		return; /* finack_seq may belong to another segment */
	if (!bytes && f->fin_ns[second] - finack_ns < HALF_CLOSE_MIN_NS)
		return;
	conn->half_close = true;
	conn->half_close_ns = conn->fin_fin_ns;
	conn->half_close_bytes = bytes;
}

static enum shk_side side_of(const struct shk_flow *f, unsigned int end)
{
	return end == f->client ? SHK_CLIENT : SHK_SERVER;
}

static unsigned int first_closer(const struct shk_flow *f)
{
	if (!(f->end[0].has & f->end[1].has & SHK_HAS_FIN))
		return f->end[0].has & SHK_HAS_FIN ? 0 : 1;
	if (f->fin_ns[0] != f->fin_ns[1])
		return f->fin_ns[0] < f->fin_ns[1] ? 0 : 1;
	return f->fin_last ^ 1;
}

static void fill_close_by_fin(struct shk_conn *conn, const struct shk_flow *f)
{
	bool fin0 = f->end[0].has & SHK_HAS_FIN, fin1 = f->end[1].has & SHK_HAS_FIN;
	unsigned int first = first_closer(f), second = first ^ 1;

	conn->close_by = side_of(f, first);
	if (f->end[first].has & SHK_HAS_FIN_ACKED)
		conn->fin_ack_ns = span(f->fin_ns[first], shk_flow_finack_ns(f, first));
	if (f->flags & SHK_FLOW_SELF) {
		conn->close = f->end[first].has & SHK_HAS_FIN_ACKED ? SHK_C_SIMULTANEOUS : SHK_C_FIN_UNACKED;
		conn->close_by = SHK_BOTH;
	} else if (fin0 && fin1) {
		conn->close = close_of_two_fins(f, first, second);
		if (conn->close == SHK_C_SIMULTANEOUS)
			conn->close_by = SHK_BOTH;
		fill_half_close(conn, f, first, second);
	} else if (f->end[first].has & SHK_HAS_FIN_ACKED) {
		conn->close = SHK_C_HALF_CLOSED;
		conn->half_close = true;
		conn->half_close_ns = span(f->fin_ns[first], f->last_ns);
	} else {
		conn->close = SHK_C_FIN_UNACKED;
	}
}

/* A clean close stays one, whatever strays in afterwards; otherwise an RST decides. */
static void fill_close(struct shk_conn *conn, const struct shk_flow *f)
{
	bool fin = (f->end[0].has | f->end[1].has) & SHK_HAS_FIN;
	bool clean = f->end[f->client].has & f->end[server_of(f)].has & SHK_HAS_FIN_ACKED;
	bool rst = (f->end[0].has | f->end[1].has) & SHK_HAS_RST;

	conn->close = SHK_C_NONE;
	conn->close_by = SHK_NEITHER;
	conn->close_flags = f->close_flags;
	conn->fin_ack_ns = SHK_UNKNOWN_NS;
	conn->fin_fin_ns = SHK_UNKNOWN_NS;
	conn->half_close_ns = SHK_UNKNOWN_NS;
	if (f->phase != SHK_PHASE_OPEN && f->phase != SHK_PHASE_MIDSTREAM)
		return;
	if (fin)
		fill_close_by_fin(conn, f);
	if (rst && !clean) {
		conn->close = SHK_C_RST;
		conn->close_by = side_of(f, f->rst_by);
		/* An RST on the heels of the FIN: nobody used the open half. */
		if (conn->half_close && !conn->half_close_bytes && conn->half_close_ns < HALF_CLOSE_MIN_NS) {
			conn->half_close = false;
			conn->half_close_ns = SHK_UNKNOWN_NS;
		}
	}
}

/* Was every segment seen that the verdict on the opening rests on? */
static bool is_evidence_complete(const struct shk_conn *conn, const struct shk_flow *f)
{
	bool synack = conn->synack_acks_syn == 1, ack = conn->ack_acks_synack == 1 && f->ack_low;

	switch (conn->open) {
	case SHK_O_NONE:
	case SHK_O_PREEXISTING:
		return false;
	case SHK_O_3WHS:
		return synack && ack;
	case SHK_O_SIMULTANEOUS:
		return synack && f->end[0].syn && f->end[1].syn;
	case SHK_O_SELF:
		return synack && f->syn_low;
	case SHK_O_EMBRYO_EXPIRED:
	case SHK_O_EMBRYO_RST:
		return synack;
	default:
		return true;
	}
}

static enum shk_confidence confidence(const struct shk_conn *conn, const struct shk_flow *f)
{
	if (conn->lost || conn->late || conn->evicted || f->flags & SHK_FLOW_DISORDER)
		return SHK_PARTIAL;
	if (!is_evidence_complete(conn, f))
		return SHK_PARTIAL;
	if (f->flags & SHK_FLOW_EXPIRED)
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

void shk_record_fill(struct shk_conn *conn, const struct shk_flow *f, const struct shk_arrows *arrows,
		     int64_t real_offset_ns, uint64_t lost)
{
	unsigned int client = f->client, server = server_of(f);

	memset(conn, 0, sizeof(*conn));
	conn->id = identity(f);
	conn->netns = f->netns;
	conn->first_ns = f->first_ns;
	conn->last_ns = f->last_ns;
	conn->real_offset_ns = real_offset_ns;
	conn->accept_wait_ns = SHK_UNKNOWN_NS;
	conn->time_wait_ns = SHK_UNKNOWN_NS;
	fill_end(&conn->end[SHK_CLIENT], f, client);
	fill_end(&conn->end[SHK_SERVER], f, server);
	conn->local = local_side(f, client, server);
	fill_open(conn, f);
	fill_close(conn, f);
	conn->witness_wire = f->end[0].hooks | f->end[1].hooks;
	conn->evicted = f->flags & SHK_FLOW_EVICTED;
	conn->lost = (uint32_t)((uint32_t)lost - f->lost_at);
	conn->late = f->late;
	conn->confidence = confidence(conn, f);
	if (!arrows)
		return;
	conn->arrows = arrows->arrow;
	conn->n_arrows = arrows->n;
	conn->arrows_dropped = arrows->dropped;
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
