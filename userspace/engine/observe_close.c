// SPDX-License-Identifier: GPL-2.0
#include "clues.h"
#include "handshake.h"
#include "sight.h"

/* What its TCP takes to answer a segment at most: longer if it took longer for the SYN, on a slow host. */
static uint64_t at_once_ns(const struct shk_flow *f, unsigned int end)
{
	uint64_t synack_ns = shk_flow_synack_ns(f), answer_ns = 2 * (synack_ns - shk_flow_syn_ns(f));

	if (end == f->client || !f->syn_low || !synack_ns || answer_ns > SHK_AT_ONCE_NS)
		return SHK_SOFTIRQ_NS;
	return answer_ns > SHK_SOFTIRQ_NS ? answer_ns : SHK_SOFTIRQ_NS;
}

/* How soon after the ACK of its FIN an end resets. */
static void note_haste(struct shk_flow *f, const struct shk_sight *s)
{
	uint64_t since_ns = s->ev->ts_ns - shk_flow_finack_ns(f, s->from);

	if (!(f->end[s->from].has & SHK_HAS_FIN_ACKED))
		return;
	if (since_ns < SHK_SOON_NS)
		f->close_flags |= SHK_CLOSE_RST_SOON;
	if (since_ns < at_once_ns(f, s->from))
		f->close_flags |= SHK_CLOSE_RST_AT_ONCE;
}

/*
 * An RST is heeded if it has exactly the number that its receiver expects next (RFC 5961 3.2), which is what
 * this acknowledged last, unless we missed that. Behind a FIN the number of the FIN will do too.
 */
static bool is_exact(const struct shk_flow *f, const struct shk_sight *s)
{
	const struct shk_flow_end *from = &f->end[s->from], *to = &f->end[s->to];

	if (from->has & SHK_HAS_FIN && s->seg->seq - from->end_seq <= 1)
		return true;
	if (to->has & SHK_HAS_ACK)
		return s->seg->seq == to->ack;
	return from->has & SHK_HAS_ISN && s->seg->seq == from->isn + 1;
}

/* The RST that may have ended it: the first, but one that counts more than those that may not. */
static void take_rst(struct shk_flow *f, const struct shk_sight *s)
{
	struct shk_flow_end *from = &f->end[s->from];

	/* The first of an end tells the cause: from then on it has no socket, and answers all that comes. */
	if (f->rst_by != s->from || !(from->has & SHK_HAS_RST)) {
		f->clues &= ~(3U << SHK_CLUE_RST_SHAPE_SHIFT);
		f->clues |= shk_clue_rst_shape(s->seg) << SHK_CLUE_RST_SHAPE_SHIFT;
	}
	f->rst_by = s->from;
	f->close_flags &= ~(SHK_CLOSE_RST_EXACT | SHK_CLOSE_RST_SOON | SHK_CLOSE_RST_AT_ONCE);
	if (is_exact(f, s))
		f->close_flags |= SHK_CLOSE_RST_EXACT;
	note_haste(f, s);
	if (!(from->has & SHK_HAS_FIN)) {
		from->end_seq = s->seg->seq;
		f->fin_ns[s->from] = s->ev->ts_ns;
	}
}

/* Who was challenged says it again with the number that was asked for. */
static bool is_better_rst(const struct shk_flow *f, const struct shk_sight *s)
{
	return f->rst_by == s->from && !(f->close_flags & SHK_CLOSE_RST_EXACT) && is_exact(f, s);
}

static void observe_rst(struct shk_flow *f, const struct shk_sight *s)
{
	struct shk_flow_end *from = &f->end[s->from];
	bool first = !((f->end[0].has | f->end[1].has) & SHK_HAS_RST);

	shk_sight_count(&from->rst);
	/* An attempt that goes on after an RST was not ended by it: see the table in handshake.c. */
	if (f->phase == SHK_PHASE_SYN || f->phase == SHK_PHASE_SYNACK)
		return;
	if (first || shk_flow_rst_is_doubtful(f) || is_better_rst(f, s)) {
		take_rst(f, s);
	} else if (!(from->has & (SHK_HAS_FIN | SHK_HAS_RST))) {
		from->end_seq = s->seg->seq;
		f->fin_ns[s->from] = s->ev->ts_ns;
	}
	if ((f->end[0].has | f->end[1].has) & SHK_HAS_FIN)
		f->close_flags |= SHK_CF_RST_AFTER_FIN;
	if (f->end[s->to].state == SHK_TIME_WAIT)
		f->close_flags |= SHK_CF_RST_IN_TIME_WAIT;
	from->has |= SHK_HAS_RST;
	shk_sight_signal(f, s->from, SHK_SENT_RST);
	shk_sight_signal(f, s->to, SHK_GOT_RST);
}

/*
 * Does it answer an RST that has another number than was expected (RFC 5961 3.2)? The ACK of what came before
 * the RST looks the same if it crosses the RST on its way.
 */
static bool is_challenge(const struct shk_flow *f, const struct shk_sight *s)
{
	const struct shk_flow_end *from = &f->end[s->from], *to = &f->end[s->to];

	return s->ack && !s->syn && !s->fin && !s->rst && !s->seg->payload_len && s->from != s->to &&
	       (to->has & (SHK_HAS_RST | SHK_HAS_FIN)) == SHK_HAS_RST && !(from->has & SHK_HAS_RST) &&
	       s->seg->ack != to->end_seq && s->ev->ts_ns >= f->fin_ns[s->to];
}

static void observe_challenge(struct shk_flow *f, const struct shk_sight *s)
{
	struct shk_flow_end *from = &f->end[s->from], *to = &f->end[s->to];
	bool fin = from->has & SHK_HAS_FIN;

	f->close_flags |= SHK_CF_RST_CHALLENGED;
	/* Only where the RST arrived and the answer left, nothing can have crossed. */
	if (!(to->hooks & SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN)) || s->ev->where != SHK_HOOK_LOCAL_OUT)
		return;
	if (f->socket[0].closed || f->socket[1].closed)
		return;
	to->has &= ~SHK_HAS_RST;
	to->state = fin ? SHK_CLOSE_WAIT : SHK_ESTABLISHED;
	from->state = !fin                            ? SHK_ESTABLISHED
		      : from->has & SHK_HAS_FIN_ACKED ? SHK_FIN_WAIT_2
						      : SHK_FIN_WAIT_1;
	f->fin_ns[s->to] = 0;
	f->close_flags &= ~(SHK_CLOSE_RST_SOON | SHK_CLOSE_RST_AT_ONCE | SHK_CF_RST_AFTER_FIN);
}

static bool acks_fin(const struct shk_flow_end *acker, const struct shk_flow_end *closer)
{
	return (closer->has & SHK_HAS_FIN) && (acker->has & SHK_HAS_ACK) && acker->ack == closer->end_seq + 1;
}

/* If the segment acknowledges the other end's FIN, remember the first time. */
static void note_finack(struct shk_flow *f, struct shk_sight *s)
{
	if (!acks_fin(&f->end[s->from], &f->end[s->to]))
		return;
	s->proves |= SHK_PROVES_FIN_ACKED;
	if (f->end[s->to].has & SHK_HAS_FIN_ACKED)
		return;
	f->end[s->to].has |= SHK_HAS_FIN_ACKED;
	s->finack = true;
	shk_flow_set_finack_ns(f, s->to, s->ev->ts_ns);
	if (!(f->end[s->from].has & SHK_HAS_FIN_ACKED)) {
		f->finack_seq = s->seg->seq;
		if (s->seg->payload_len)
			f->close_flags |= SHK_CLOSE_FINACK_DATA;
	}
	shk_sight_signal(f, s->to, SHK_GOT_ACK_OF_FIN);
}

/*
 * Both FINs are known now: did the second acknowledge the first, and was it the first to do so? If it did
 * not, it was sent before the other one arrived, whatever else came to us before it; but for one that comes
 * to us second, and was acknowledged already.
 */
static void note_second_fin(struct shk_flow *f, const struct shk_sight *s)
{
	const struct shk_flow_end *from = &f->end[s->from], *to = &f->end[s->to];

	f->fin_last = s->from;
	if (acks_fin(from, to) || acks_fin(to, from)) {
		f->fins = s->finack ? SHK_FINS_ACKS : SHK_FINS_AFTER_ACK;
		return;
	}
	f->fins = SHK_FINS_CROSSED;
	f->end[s->from].state = SHK_CLOSING; /* not LAST-ACK: it sent its FIN before it got the other */
}

static void observe_fin(struct shk_flow *f, struct shk_sight *s)
{
	struct shk_flow_end *from = &f->end[s->from];
	uint32_t number = s->seg->seq + s->seg->payload_len;
	bool first = !(from->has & SHK_HAS_FIN);

	shk_sight_count(&from->fin);
	if (!first) {
		shk_sight_count_again(&from->fin_retransmits);
		f->close_flags |= SHK_CF_FIN_RETRANSMIT;
		s->proves |= SHK_ARROW_RETRANSMIT;
	} else {
		from->end_seq = number;
		from->has |= SHK_HAS_FIN;
		f->fin_ns[s->from] = s->ev->ts_ns;
	}
	shk_sight_signal(f, s->from, SHK_SENT_FIN);
	shk_sight_signal(f, s->to, SHK_GOT_FIN);
	if (first && s->from != s->to && f->end[s->to].has & SHK_HAS_FIN)
		note_second_fin(f, s);
	if (!(from->has & SHK_HAS_FIN_ACKED) && acks_fin(&f->end[s->to], from)) {
		/* Its acknowledgment came to us before the FIN did. */
		f->flags |= SHK_FLOW_DISORDER;
		from->has |= SHK_HAS_FIN_ACKED;
		shk_flow_set_finack_ns(f, s->from, s->ev->ts_ns);
		shk_sight_signal(f, s->from, SHK_GOT_ACK_OF_FIN);
	}
}

void shk_sight_close(struct shk_flow *f, struct shk_sight *s)
{
	/* Of no consequence with a SYN or RST, but counted like any other. */
	if (s->seg->tcp_flags & SHK_TCP_FIN && !s->fin)
		shk_sight_count(&f->end[s->from].fin);
	if (s->seg->payload_len && (f->end[0].has | f->end[1].has) & SHK_HAS_RST &&
	    !shk_flow_rst_is_doubtful(f))
		f->close_flags |= SHK_CF_DATA_AFTER_RST;
	if (is_challenge(f, s))
		observe_challenge(f, s);
	if (s->ack && !s->syn)
		shk_sight_note_ack(f, s);
	if (s->rst) {
		observe_rst(f, s);
		return;
	}
	if (s->ack && !s->syn)
		note_finack(f, s);
	if (s->fin)
		observe_fin(f, s);
}
