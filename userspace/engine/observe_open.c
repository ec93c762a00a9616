// SPDX-License-Identifier: GPL-2.0
#include "before.h"
#include "clues.h"
#include "gate.h"
#include "handshake.h"
#include "sight.h"
#include "verdict.h"

/* What its SYN or SYN+ACK says of an end. */
static void learn_end(struct shk_flow_end *end, const struct shk_segment *seg)
{
	end->isn = seg->seq;
	end->has |= SHK_HAS_ISN;
	end->options = (seg->options & SHK_END_OPTIONS) | shk_clue_marks(seg);
	end->syn_flags = seg->tcp_flags;
	end->mss = seg->mss;
	end->wscale = seg->wscale;
	end->tsval = seg->tsval;
	if (seg->payload_len)
		end->has |= SHK_HAS_SYN_DATA;
}

static uint16_t syn_inside(unsigned int end)
{
	return end ? SHK_CLUE_SYN_INSIDE_1 : SHK_CLUE_SYN_INSIDE_0;
}

static void observe_syn(struct shk_flow *f, const struct shk_sight *s)
{
	struct shk_flow_end *from = &f->end[s->from];
	bool inside = f->phase == SHK_PHASE_OPEN && from->has & SHK_HAS_ISN && from->isn != s->seg->seq;

	if (from->syn && from->isn == s->seg->seq) {
		shk_sight_count_again(&from->syn_retransmits);
		f->open_flags |= SHK_OF_SYN_RETRANSMIT;
	} else if (inside) {
		f->clues &= ~(SHK_CLUE_SYN_CHALLENGED | syn_inside(s->to));
		f->clues |= syn_inside(s->from);
	}
	/* After a SYN+ACK, its ack has told the number already; then the SYN only came too late. */
	if (f->synack_low && !from->syn && !inside)
		f->flags |= SHK_FLOW_DISORDER;
	if (!from->syn && !inside)
		learn_end(from, s->seg);
	shk_sight_count(&from->syn);
	if (s->seg->payload_len)
		f->open_flags |= SHK_OF_DATA_ON_SYN;
	if (!f->syn_low && s->from == f->client)
		f->syn_low = shk_flow_low(s->ev->ts_ns);
	shk_sight_signal(f, s->from, SHK_SENT_SYN);
	shk_sight_signal(f, s->to, SHK_GOT_SYN);
}

/* Does this SYN+ACK acknowledge the other end's SYN, with none or all or part of its data? */
static bool synack_fits(const struct shk_flow *f, const struct shk_sight *s)
{
	const struct shk_flow_end *to = &f->end[s->to];
	uint32_t data = s->seg->ack - to->isn - 1;

	return data == 0 || (to->has & SHK_HAS_SYN_DATA && data <= 65535);
}

static bool observe_synack(struct shk_flow *f, struct shk_sight *s)
{
	struct shk_flow_end *from = &f->end[s->from], *to = &f->end[s->to];
	bool fits;

	if (!(to->has & SHK_HAS_ISN)) {
		to->isn = s->seg->ack - 1;
		to->has |= SHK_HAS_ISN;
	}
	if (from->synack && from->isn == s->seg->seq) {
		shk_sight_count_again(&from->synack_retransmits);
		f->open_flags |= SHK_OF_SYNACK_RETRANSMIT;
		if (from->has & SHK_HAS_SYNACKED)
			f->open_flags |= SHK_OF_SYNACK_AFTER_ACK;
	}
	shk_sight_count(&from->synack);
	fits = synack_fits(f, s);
	if (!fits) {
		s->proves |= SHK_ARROW_WRONG_ACK;
		f->flags |= SHK_FLOW_SYNACK_BAD;
		f->open_flags |= SHK_OF_BAD_SYNACK;
		return false;
	}
	s->proves |= SHK_PROVES_SYN_ACKED;
	to->has |= SHK_HAS_SYNACKED;
	if (s->seg->ack != to->isn + 1)
		f->clues |= SHK_CLUE_TFO_ACKED;
	shk_before_compare(f, s->from, s->ev);
	f->flags |= SHK_FLOW_SYNACK_OK;
	if (!f->synack_low)
		f->synack_low = shk_flow_low(s->ev->ts_ns);
	/*
	 * A listener that lost its request answers the next SYN with another number: the last one counts,
	 * unless the one before is what the client acknowledges.
	 */
	if (!(f->flags & SHK_FLOW_SELF) && (f->phase != SHK_PHASE_OPEN || !(from->has & SHK_HAS_ISN))) {
		if (from->synack > 1 && !from->syn && from->isn != s->seg->seq)
			f->finack_seq = from->isn;
		learn_end(from, s->seg);
	}
	if (s->ev->where == SHK_HOOK_LOCAL_OUT && s->seg->sock_state == 0)
		f->open_flags |= SHK_OF_COOKIE;
	shk_sight_signal(f, s->from, SHK_SENT_SYNACK);
	shk_sight_signal(f, s->to, SHK_GOT_SYNACK);
	return true;
}

/* Does its ack cover the other end's SYN+ACK? If that was not seen, the gate still knows. */
bool shk_sight_covers_synack(const struct shk_flow *f, const struct shk_sight *s)
{
	const struct shk_flow_end *to = &f->end[s->to];

	if (!(to->has & SHK_HAS_ISN))
		return s->seg->why & SHK_WHY_ACKS_SYNACK;
	return s->seg->ack - to->isn - 1 < SHK_GATE_REACH;
}

/* How far the first segments after a SYN may reach: what they may send before they are acknowledged. */
#define FIRST_FLIGHT_MAX 65535U

/*
 * After a SYN and no SYN+ACK that we saw: does the client send what follows its SYN, or the server data to
 * one who has sent just that? Neither would without a SYN+ACK. An ACK alone a server sends also in answer to
 * a SYN that it does not take (RFC 5961 4.2).
 */
bool shk_sight_goes_on(const struct shk_flow *f, const struct shk_sight *s)
{
	uint32_t isn = f->end[f->client].isn;

	if (f->phase != SHK_PHASE_SYN || s->syn || s->rst || !s->ack || f->flags & SHK_FLOW_SELF)
		return false;
	if (s->seg->why & SHK_WHY_ACKS_SYNACK)
		return false; /* says more */
	if (s->from == f->client)
		return s->seg->seq - isn - 1 <= FIRST_FLIGHT_MAX;
	return s->seg->payload_len && s->seg->ack - isn - 1 <= FIRST_FLIGHT_MAX;
}

/*
 * Is it the third leg, and not a later segment, nor a wrong one that the gate cannot tell from that? Before
 * it, the server has sent nothing that could be acknowledged, unless by Fast Open, and the client no more
 * than its first flight.
 */
static bool is_third_leg(const struct shk_flow *f, const struct shk_sight *s)
{
	const struct shk_flow_end *from = &f->end[s->from], *to = &f->end[s->to];
	/* A wrong one has taken its place in the gate; what lets it through is the RST in between. */
	uint8_t first =
		f->open_flags & SHK_OF_BAD_ACK ? SHK_WHY_ACKS_SYNACK | SHK_WHY_ANSWERS : SHK_WHY_ACKS_SYNACK;

	if (!(s->seg->why & first))
		return false;
	if (from->has & SHK_HAS_ISN && s->seg->seq - from->isn - 1 > FIRST_FLIGHT_MAX)
		return false;
	return !(to->has & SHK_HAS_ISN) || s->seg->ack == to->isn + 1 || f->clues & SHK_CLUE_TFO_ACKED;
}

/* Does it acknowledge the SYN+ACK before the last, which had another number? Then that is the server's. */
static bool takes_earlier_synack(struct shk_flow *f, const struct shk_sight *s)
{
	struct shk_flow_end *to = &f->end[s->to];

	if (f->phase != SHK_PHASE_SYNACK || to->has & SHK_HAS_SYNACKED || !f->finack_seq ||
	    s->seg->ack != f->finack_seq + 1 || s->seg->ack == to->isn + 1)
		return false;
	to->isn = f->finack_seq;
	return true;
}

/* The first ACK of each end that is not a SYN+ACK; later ones say nothing about the opening. */
static enum shk_step observe_ack(struct shk_flow *f, struct shk_sight *s)
{
	struct shk_flow_end *to = &f->end[s->to];
	bool earlier;

	if (f->clues & syn_inside(s->to))
		f->clues |= SHK_CLUE_SYN_CHALLENGED;
	if (shk_sight_goes_on(f, s)) {
		shk_sight_signal(f, f->client, SHK_GOT_SYNACK);
		return SHK_STEP_TRAFFIC;
	}
	if (s->from != f->client) {
		if (f->phase == SHK_PHASE_SYN && !f->end[s->from].synack)
			f->open_flags |= SHK_OF_CHALLENGE;
		return SHK_STEP_S_ACK;
	}
	earlier = takes_earlier_synack(f, s);
	if (!shk_sight_covers_synack(f, s)) {
		s->proves |= SHK_ARROW_WRONG_ACK;
		if (f->phase == SHK_PHASE_SYNACK)
			f->open_flags |= SHK_OF_BAD_ACK;
		return SHK_STEP_C_ACK_BAD;
	}
	if (!(to->has & SHK_HAS_SYNACKED)) {
		to->has |= SHK_HAS_SYNACKED;
		/* Of another one that shows that there was a third leg, the time is not that one's. */
		if (earlier || is_third_leg(f, s))
			f->ack_low = shk_flow_low(s->ev->ts_ns);
		s->proves |= SHK_PROVES_SYNACK_ACKED;
		/* From here on it is of the first ACK of a FIN; only Fast Open has that before. */
		if (!((f->end[0].has | f->end[1].has) & SHK_HAS_FIN_ACKED))
			f->finack_seq = 0;
		if (s->seg->payload_len)
			f->open_flags |= SHK_OF_DATA_ON_ACK;
		shk_sight_signal(f, s->to, SHK_GOT_ACK_OF_SYN);
		shk_sight_signal(f, s->from, SHK_GOT_SYNACK); /* had it not come, there were no ACK of it */
	}
	return SHK_STEP_C_ACK;
}

/*
 * Does the RST end the attempt? In SYN-SENT only if it acknowledges the SYN (RFC 9293 3.10.7.3). In
 * SYN-RECEIVED that of the client only if it has the very number that is expected; another is ignored, or
 * challenged (3.10.7.4). There a bad ACK is answered by an RST with its number, and the request stays; the
 * client, which is in ESTABLISHED, expects another.
 */
static bool rst_ends_attempt(const struct shk_flow *f, const struct shk_sight *s)
{
	if (f->phase == SHK_PHASE_SYN)
		return s->from == f->client || (s->ack && synack_fits(f, s));
	if (f->phase == SHK_PHASE_SYN_BOTH) /* either end is in SYN-SENT or SYN-RECEIVED */
		return s->seg->seq == f->end[s->from].isn + 1 || (s->ack && synack_fits(f, s));
	if (f->phase != SHK_PHASE_SYNACK || f->clues & SHK_CLUE_TFO_ACKED)
		return true;
	return s->seg->seq == f->end[s->from].isn + 1 || (s->ack && s->from != f->client);
}

/*
 * The ACK that was taken for the third leg, or for one that followed it, was none if the server answers it
 * like one that it does not know (RFC 9293 3.10.7.4): the request is still there, and waits for the right
 * one.
 */
static bool is_ack_rejected(const struct shk_flow *f, const struct shk_sight *s)
{
	const struct shk_flow_end *to = &f->end[s->to];

	return shk_open_is_doubtful(f) && s->from != f->client && !s->ack && to->has & SHK_HAS_ACK &&
	       s->seg->seq == to->ack && to->ack != f->end[s->from].isn + 1;
}

static void retract_ack(struct shk_flow *f, const struct shk_sight *s)
{
	f->end[s->from].has &= ~SHK_HAS_SYNACKED;
	f->end[s->from].state = SHK_SYN_RECEIVED;
	f->open_flags |= SHK_OF_BAD_ACK;
	f->open_flags &= ~SHK_OF_DATA_ON_ACK;
	f->phase = SHK_PHASE_SYNACK;
}

/*
 * An end that gets an ACK for a connection it does not know answers by an RST with the number that the ACK
 * asked for (RFC 9293 3.5.1, figures 9 and 10).
 */
static void note_stale_end(struct shk_flow *f, const struct shk_sight *s)
{
	const struct shk_flow_end *to = &f->end[s->to];

	if (s->ack || !(to->has & SHK_HAS_ACK) || to->ack != s->seg->seq)
		return;
	if (f->phase == SHK_PHASE_SYN && s->from == f->client && f->open_flags & SHK_OF_CHALLENGE)
		f->open_flags |= SHK_OF_STALE_ACK_RST;
	if (f->clues & syn_inside(s->from) && f->clues & SHK_CLUE_SYN_CHALLENGED)
		f->clues |= SHK_CLUE_HALF_OPEN;
}

static void step(struct shk_flow *f, enum shk_step step)
{
	f->phase = shk_phase_next(f->phase, step);
}

/* The handshake went on: so the RST had ended nothing, though both ends were closed on paper. */
static void revive(struct shk_flow *f, uint8_t before)
{
	if (f->phase == before)
		return;
	for (int i = 0; i < 2; i++) {
		f->end[i].has &= ~SHK_HAS_RST;
		f->end[i].state = f->phase == SHK_PHASE_OPEN ? SHK_ESTABLISHED : SHK_SYN_RECEIVED;
	}
	if (f->phase != SHK_PHASE_OPEN)
		f->end[f->client].state = SHK_ESTABLISHED;
}

void shk_sight_open(struct shk_flow *f, struct shk_sight *s)
{
	bool client = s->from == f->client, fits;
	uint8_t before = f->phase;

	if (s->rst) {
		note_stale_end(f, s);
		if (is_ack_rejected(f, s))
			retract_ack(f, s);
		step(f, !rst_ends_attempt(f, s) ? SHK_STEP_RST_BAD
			: client                ? SHK_STEP_C_RST
						: SHK_STEP_S_RST);
	} else if (s->syn && s->ack) {
		fits = observe_synack(f, s);
		step(f, client ? SHK_STEP_C_SYNACK : fits ? SHK_STEP_S_SYNACK : SHK_STEP_S_SYNACK_BAD);
		if (f->flags & SHK_FLOW_SELF)
			step(f, SHK_STEP_C_ACK); /* who sent it gets it too */
	} else if (s->syn) {
		observe_syn(f, s);
		step(f, client ? SHK_STEP_C_SYN : SHK_STEP_S_SYN);
	} else {
		step(f, s->ack ? observe_ack(f, s) : SHK_STEP_TRAFFIC);
	}
	if (s->fin)
		step(f, SHK_STEP_FIN);

	if (before == SHK_PHASE_RESET || before == SHK_PHASE_REFUSED)
		revive(f, before);
}
