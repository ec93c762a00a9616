// SPDX-License-Identifier: GPL-2.0
#include "observe.h"

#include "before.h"
#include "clues.h"
#include "compat.h"
#include "gate.h"
#include "handshake.h"
#include "states.h"

/* A segment on its way into the flow. Ends are numbered as in the tuple. */
struct sight {
	const struct shk_event *ev;
	const struct shk_segment *seg;
	unsigned int from, to;
	bool syn, ack, fin, rst;
	bool finack; /* the first to acknowledge the other end's FIN */
	uint8_t proves;
};

static struct sight look_at(const struct shk_flow *f, const struct shk_event *ev, unsigned int from)
{
	const struct shk_segment *seg = &ev->seg;
	struct sight s = {.ev = ev, .seg = seg, .from = from, .to = from ^ 1};

	if (f->flags & SHK_FLOW_SELF)
		s.to = from;
	s.syn = seg->tcp_flags & SHK_TCP_SYN;
	s.ack = seg->tcp_flags & SHK_TCP_ACK;
	s.rst = seg->tcp_flags & SHK_TCP_RST;
	/* Nobody closes with the SYN; such a segment is a probe, and RST outweighs both. */
	s.fin = (seg->tcp_flags & SHK_TCP_FIN) && !s.syn && !s.rst;
	return s;
}

static unsigned int server_of(const struct shk_flow *f)
{
	return f->flags & SHK_FLOW_SELF ? f->client : f->client ^ 1;
}

static void raise_count(uint16_t *count)
{
	if (*count < UINT16_MAX)
		++*count;
}

/* Equal for the same transmission at different hooks; a retransmission differs in ip_id, or not at all. */
static uint32_t signature(const struct shk_event *ev, unsigned int from)
{
	const struct shk_segment *seg = &ev->seg;
	uint64_t x = (uint64_t)seg->seq << 32 | seg->ack;

	x = (x ^ (uint64_t)seg->payload_len << 17) * 0x9e3779b97f4a7c15ULL;
	x ^= (uint64_t)seg->ip_id << 32 | (uint32_t)seg->tcp_flags << 1 | from;
	x *= 0xd6e8feb86659fd93ULL;
	return x >> 32;
}

/* The place among the recent ones of a segment seen at an earlier hook; -1: this is its first sight. */
static int find_recent(const struct shk_flow *f, uint32_t sig, uint8_t hook_bit)
{
	for (int i = 0; i < SHK_FLOW_RECENT; i++)
		if (f->recent[i].hooks && f->recent_signature[i] == sig && !(f->recent[i].hooks & hook_bit))
			return i;
	return -1;
}

/* Newest first, the oldest falls out. */
static void remember(struct shk_flow *f, uint32_t sig, uint8_t hook_bit, uint16_t arrow)
{
	for (int i = SHK_FLOW_RECENT - 1; i > 0; i--) {
		f->recent_signature[i] = f->recent_signature[i - 1];
		f->recent[i] = f->recent[i - 1];
	}
	f->recent_signature[0] = sig;
	f->recent[0] = (struct shk_flow_recent){.hooks = hook_bit, .arrow = arrow};
}

static void stamp_arrow(const struct shk_ladder *ladder, uint16_t index, const struct shk_event *ev)
{
	struct shk_arrow *arrow;

	if (!ladder->arrows || !*ladder->arrows || index >= (*ladder->arrows)->n)
		return;
	arrow = &(*ladder->arrows)->arrow[index];
	arrow->ts_ns[ev->where] = ev->ts_ns;
	if (ev->ts_ns < arrow->first_ns)
		arrow->first_ns = ev->ts_ns;
}

static void signal_end(struct shk_flow *f, unsigned int end, enum shk_signal signal)
{
	f->end[end].state = shk_state_next(f->end[end].state, signal);
}

/* What its SYN or SYN+ACK says of an end. */
static void learn_end(struct shk_flow_end *end, const struct shk_segment *seg)
{
	end->isn = seg->seq;
	end->has |= SHK_HAS_ISN;
	end->options = (seg->options & SHK_END_OPTIONS) | shk_clue_marks(seg);
	end->syn_flags = seg->tcp_flags;
	end->mss = seg->mss;
	end->wscale = seg->wscale;
	if (seg->payload_len)
		end->has |= SHK_HAS_SYN_DATA;
}

static uint16_t syn_inside(unsigned int end)
{
	return end ? SHK_CLUE_SYN_INSIDE_1 : SHK_CLUE_SYN_INSIDE_0;
}

static void observe_syn(struct shk_flow *f, const struct sight *s)
{
	struct shk_flow_end *from = &f->end[s->from];
	bool inside = f->phase == SHK_PHASE_OPEN && from->has & SHK_HAS_ISN && from->isn != s->seg->seq;

	if (from->syn && from->isn == s->seg->seq) {
		raise_count(&from->syn_retransmits);
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
	raise_count(&from->syn);
	if (s->seg->payload_len)
		f->open_flags |= SHK_OF_DATA_ON_SYN;
	if (!f->syn_low && s->from == f->client)
		f->syn_low = shk_flow_low(s->ev->ts_ns);
	signal_end(f, s->from, SHK_SENT_SYN);
	signal_end(f, s->to, SHK_GOT_SYN);
}

/* Does this SYN+ACK acknowledge the other end's SYN, with none or all or part of its data? */
static bool synack_fits(const struct shk_flow *f, const struct sight *s)
{
	const struct shk_flow_end *to = &f->end[s->to];
	uint32_t data = s->seg->ack - to->isn - 1;

	return data == 0 || (to->has & SHK_HAS_SYN_DATA && data <= 65535);
}

static bool observe_synack(struct shk_flow *f, struct sight *s)
{
	struct shk_flow_end *from = &f->end[s->from], *to = &f->end[s->to];
	bool fits;

	if (!(to->has & SHK_HAS_ISN)) {
		to->isn = s->seg->ack - 1;
		to->has |= SHK_HAS_ISN;
	}
	if (from->synack && from->isn == s->seg->seq) {
		raise_count(&from->synack_retransmits);
		f->open_flags |= SHK_OF_SYNACK_RETRANSMIT;
		if (from->has & SHK_HAS_SYNACKED)
			f->open_flags |= SHK_OF_SYNACK_AFTER_ACK;
	}
	raise_count(&from->synack);
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
	/* A listener that lost its request answers the next SYN with another number: the last one counts. */
	if (!(f->flags & SHK_FLOW_SELF) && (f->phase != SHK_PHASE_OPEN || !(from->has & SHK_HAS_ISN)))
		learn_end(from, s->seg);
	if (s->ev->where == SHK_HOOK_LOCAL_OUT && s->seg->sock_state == 0)
		f->open_flags |= SHK_OF_COOKIE;
	signal_end(f, s->from, SHK_SENT_SYNACK);
	signal_end(f, s->to, SHK_GOT_SYNACK);
	return true;
}

/* Does its ack cover the other end's SYN+ACK? If that was not seen, the gate still knows. */
static bool covers_synack(const struct shk_flow *f, const struct sight *s)
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
static bool goes_on(const struct shk_flow *f, const struct sight *s)
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

/* The first ACK of each end that is not a SYN+ACK; later ones say nothing about the opening. */
static enum shk_step observe_ack(struct shk_flow *f, struct sight *s)
{
	struct shk_flow_end *to = &f->end[s->to];

	if (f->clues & syn_inside(s->to))
		f->clues |= SHK_CLUE_SYN_CHALLENGED;
	if (goes_on(f, s)) {
		signal_end(f, f->client, SHK_GOT_SYNACK);
		return SHK_STEP_TRAFFIC;
	}
	if (s->from != f->client) {
		if (f->phase == SHK_PHASE_SYN && !f->end[s->from].synack)
			f->open_flags |= SHK_OF_CHALLENGE;
		return SHK_STEP_S_ACK;
	}
	if (!covers_synack(f, s)) {
		s->proves |= SHK_ARROW_WRONG_ACK;
		if (f->phase == SHK_PHASE_SYNACK)
			f->open_flags |= SHK_OF_BAD_ACK;
		return SHK_STEP_C_ACK_BAD;
	}
	if (!(to->has & SHK_HAS_SYNACKED)) {
		to->has |= SHK_HAS_SYNACKED;
		/* If the gate says that it is not the first, we missed that one, and its time. */
		if (s->seg->why & SHK_WHY_ACKS_SYNACK)
			f->ack_low = shk_flow_low(s->ev->ts_ns);
		s->proves |= SHK_PROVES_SYNACK_ACKED;
		if (s->seg->payload_len)
			f->open_flags |= SHK_OF_DATA_ON_ACK;
		signal_end(f, s->to, SHK_GOT_ACK_OF_SYN);
		signal_end(f, s->from, SHK_GOT_SYNACK); /* had it not come, there were no ACK of it */
	}
	return SHK_STEP_C_ACK;
}

/*
 * Does the server's RST end the attempt? In SYN-SENT only if it acknowledges the SYN (RFC 9293 3.10.7.3). A
 * bad ACK is answered by an RST with its number, and the request stays (3.10.7.4).
 */
static bool rst_ends_attempt(const struct shk_flow *f, const struct sight *s)
{
	if (f->phase == SHK_PHASE_SYN)
		return s->ack && synack_fits(f, s);
	if (f->phase == SHK_PHASE_SYNACK && f->open_flags & SHK_OF_BAD_ACK && !s->ack)
		return s->seg->seq != f->end[s->to].ack;
	return true;
}

/*
 * An end that gets an ACK for a connection it does not know answers by an RST with the number that the ACK
 * asked for (RFC 9293 3.5.1, figures 9 and 10).
 */
static void note_stale_end(struct shk_flow *f, const struct sight *s)
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

/* The opening comes to us after what followed it. So we did see it, and know who opened. */
static void adopt_opening(struct shk_flow *f, const struct sight *s, const struct shk_ladder *ladder)
{
	struct shk_arrows *arrows = ladder->arrows ? *ladder->arrows : NULL;
	uint8_t client = s->ack ? s->to : s->from, state;

	f->phase = SHK_PHASE_OPEN;
	f->flags |= SHK_FLOW_DISORDER;
	if (f->client == client)
		return;
	f->client = client;
	for (uint32_t i = 0; arrows && i < arrows->n; i++) {
		struct shk_arrow *arrow = &arrows->arrow[i];

		arrow->from ^= 1;
		state = arrow->state[SHK_CLIENT];
		arrow->state[SHK_CLIENT] = arrow->state[SHK_SERVER];
		arrow->state[SHK_SERVER] = state;
	}
}

static void observe_open(struct shk_flow *f, struct sight *s)
{
	bool client = s->from == f->client, fits;
	uint8_t before = f->phase;

	if (s->rst) {
		note_stale_end(f, s);
		step(f, client                   ? SHK_STEP_C_RST
			: rst_ends_attempt(f, s) ? SHK_STEP_S_RST
						 : SHK_STEP_S_RST_BAD);
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

/* What its TCP takes to answer a segment at most: longer if it took longer for the SYN, on a slow host. */
static uint64_t at_once_ns(const struct shk_flow *f, unsigned int end)
{
	uint64_t synack_ns = shk_flow_synack_ns(f), answer_ns = 2 * (synack_ns - shk_flow_syn_ns(f));

	if (end == f->client || !f->syn_low || !synack_ns || answer_ns > SHK_AT_ONCE_NS)
		return SHK_SOFTIRQ_NS;
	return answer_ns > SHK_SOFTIRQ_NS ? answer_ns : SHK_SOFTIRQ_NS;
}

/* How soon after the ACK of its FIN an end resets. */
static void note_haste(struct shk_flow *f, const struct sight *s)
{
	uint64_t since_ns = s->ev->ts_ns - shk_flow_finack_ns(f, s->from);

	if (!(f->end[s->from].has & SHK_HAS_FIN_ACKED))
		return;
	if (since_ns < SHK_SOON_NS)
		f->close_flags |= SHK_CLOSE_RST_SOON;
	if (since_ns < at_once_ns(f, s->from))
		f->close_flags |= SHK_CLOSE_RST_AT_ONCE;
}

static void observe_rst(struct shk_flow *f, const struct sight *s)
{
	struct shk_flow_end *from = &f->end[s->from];

	raise_count(&from->rst);
	/* An attempt that goes on after an RST was not ended by it: see the table in handshake.c. */
	if (f->phase == SHK_PHASE_SYN || f->phase == SHK_PHASE_SYNACK)
		return;
	if (!((f->end[0].has | f->end[1].has) & SHK_HAS_RST)) {
		f->rst_by = s->from;
		f->clues &= ~(3U << SHK_CLUE_RST_SHAPE_SHIFT);
		f->clues |= shk_clue_rst_shape(s->seg) << SHK_CLUE_RST_SHAPE_SHIFT;
		note_haste(f, s);
	}
	if ((f->end[0].has | f->end[1].has) & SHK_HAS_FIN)
		f->close_flags |= SHK_CF_RST_AFTER_FIN;
	if (f->end[s->to].state == SHK_TIME_WAIT)
		f->close_flags |= SHK_CF_RST_IN_TIME_WAIT;
	if (!(from->has & (SHK_HAS_FIN | SHK_HAS_RST))) {
		from->end_seq = s->seg->seq;
		f->fin_ns[s->from] = s->ev->ts_ns;
	}
	from->has |= SHK_HAS_RST;
	signal_end(f, s->from, SHK_SENT_RST);
	signal_end(f, s->to, SHK_GOT_RST);
}

/* The other end's FIN, which nothing has acknowledged yet. */
static bool acks_waiting_fin(const struct shk_flow *f, const struct sight *s)
{
	const struct shk_flow_end *to = &f->end[s->to];

	return s->ack && (to->has & (SHK_HAS_FIN | SHK_HAS_FIN_ACKED)) == SHK_HAS_FIN &&
	       s->seg->ack == to->end_seq + 1;
}

static bool acks_fin(const struct shk_flow_end *acker, const struct shk_flow_end *closer)
{
	return (closer->has & SHK_HAS_FIN) && (acker->has & SHK_HAS_ACK) && acker->ack == closer->end_seq + 1;
}

/* If the segment acknowledges the other end's FIN, remember the first time. */
static void note_finack(struct shk_flow *f, struct sight *s)
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
	signal_end(f, s->to, SHK_GOT_ACK_OF_FIN);
}

/*
 * Both FINs are known now: did the second acknowledge the first, and was it the first to do so? If it did
 * not, it was sent before the other one arrived, whatever else came to us before it; but for one that comes
 * to us second, and was acknowledged already.
 */
static void note_second_fin(struct shk_flow *f, const struct sight *s)
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

static void observe_fin(struct shk_flow *f, struct sight *s)
{
	struct shk_flow_end *from = &f->end[s->from];
	uint32_t number = s->seg->seq + s->seg->payload_len;
	bool first = !(from->has & SHK_HAS_FIN);

	raise_count(&from->fin);
	if (!first) {
		raise_count(&from->fin_retransmits);
		f->close_flags |= SHK_CF_FIN_RETRANSMIT;
		s->proves |= SHK_ARROW_RETRANSMIT;
	} else {
		from->end_seq = number;
		from->has |= SHK_HAS_FIN;
		f->fin_ns[s->from] = s->ev->ts_ns;
	}
	signal_end(f, s->from, SHK_SENT_FIN);
	signal_end(f, s->to, SHK_GOT_FIN);
	if (first && s->from != s->to && f->end[s->to].has & SHK_HAS_FIN)
		note_second_fin(f, s);
	if (!(from->has & SHK_HAS_FIN_ACKED) && acks_fin(&f->end[s->to], from)) {
		/* Its acknowledgment came to us before the FIN did. */
		f->flags |= SHK_FLOW_DISORDER;
		from->has |= SHK_HAS_FIN_ACKED;
		shk_flow_set_finack_ns(f, s->from, s->ev->ts_ns);
		signal_end(f, s->from, SHK_GOT_ACK_OF_FIN);
	}
}

static void note_ack(struct shk_flow *f, const struct sight *s)
{
	f->end[s->from].ack = s->seg->ack;
	f->end[s->from].has |= SHK_HAS_ACK;
}

static void observe_close(struct shk_flow *f, struct sight *s)
{
	/* Of no consequence with a SYN or RST, but counted like any other. */
	if (s->seg->tcp_flags & SHK_TCP_FIN && !s->fin)
		raise_count(&f->end[s->from].fin);
	if (s->seg->payload_len && (f->end[0].has | f->end[1].has) & SHK_HAS_RST)
		f->close_flags |= SHK_CF_DATA_AFTER_RST;
	if (s->ack && !s->syn)
		note_ack(f, s);
	if (s->rst) {
		observe_rst(f, s);
		return;
	}
	if (s->ack && !s->syn)
		note_finack(f, s);
	if (s->fin)
		observe_fin(f, s);
}

/* The segment's place in the ladder, filled but for what it proves; SHK_NO_ARROW if it gets none. */
static uint16_t add_arrow(const struct shk_flow *f, const struct sight *s, const struct shk_ladder *ladder)
{
	struct shk_arrow *arrow = ladder->arrows ? shk_arrows_add(ladder->arrows, ladder->max) : NULL;

	if (!arrow)
		return SHK_NO_ARROW;
	arrow->ts_ns[s->ev->where] = s->ev->ts_ns;
	arrow->first_ns = s->ev->ts_ns;
	arrow->seq = s->seg->seq;
	arrow->ack = s->seg->ack;
	arrow->payload_len = s->seg->payload_len;
	arrow->tcp_flags = s->seg->tcp_flags;
	arrow->from = s->from == f->client ? SHK_CLIENT : SHK_SERVER;
	return (*ladder->arrows)->n - 1;
}

static void finish_arrow(const struct shk_flow *f, const struct sight *s, struct shk_arrow *arrow)
{
	arrow->proves = s->proves;
	arrow->state[SHK_CLIENT] = f->end[f->client].state;
	arrow->state[SHK_SERVER] = f->end[server_of(f)].state;
}

/*
 * Does it speak of the opening or the close? The gate has said so of most that do. What it may have
 * forgotten, and what follows from segments that it did not see, is found here; a capture has every segment.
 */
static bool is_evidence(const struct shk_flow *f, const struct sight *s)
{
	if (s->seg->why & ~(SHK_WHY_FIRST_DATA | SHK_WHY_FIRST_ACK))
		return true;
	switch (f->phase) {
	case SHK_PHASE_NEW:
		return true;
	case SHK_PHASE_SYN:
	case SHK_PHASE_SYN_BOTH:
		return goes_on(f, s);
	case SHK_PHASE_SYNACK:
	case SHK_PHASE_RESET:
		return s->ack && s->from == f->client && covers_synack(f, s);
	default:
		return acks_waiting_fin(f, s);
	}
}

static void take_evidence(struct shk_flow *f, struct sight *s, uint32_t sig, const struct shk_ladder *ladder)
{
	const struct shk_flow_end *from = &f->end[s->from];
	unsigned int retransmits;
	uint16_t index;

	if (f->phase == SHK_PHASE_MIDSTREAM && s->syn && s->ev->ts_ns < f->first_ns)
		adopt_opening(f, s, ladder);
	/* Once told, the time of the beginning is part of the identity. */
	if (s->ev->ts_ns < f->first_ns && !(f->flags & SHK_FLOW_OPENED))
		f->first_ns = s->ev->ts_ns;
	index = add_arrow(f, s, ladder);
	remember(f, sig, SHK_HOOK_BIT(s->ev->where), index);

	retransmits = from->syn_retransmits + from->synack_retransmits;
	observe_open(f, s);
	observe_close(f, s);
	if (retransmits < 0U + from->syn_retransmits + from->synack_retransmits)
		s->proves |= SHK_ARROW_RETRANSMIT;
	if (index != SHK_NO_ARROW)
		finish_arrow(f, s, &(*ladder->arrows)->arrow[index]);
}

void shk_flow_observe(struct shk_flow *f, const struct shk_event *ev, unsigned int from,
		      const struct shk_ladder *ladder)
{
	uint8_t hook_bit = SHK_HOOK_BIT(ev->where);
	struct sight s = look_at(f, ev, from);
	uint32_t sig;
	int recent;

	f->end[from].hooks |= hook_bit;
	if (!ladder->all && !is_evidence(f, &s)) {
		f->several = 1;
		shk_compat_note(f, s.seg, from);
		if (s.ack)
			note_ack(f, &s);
		return;
	}
	sig = signature(ev, from);
	recent = find_recent(f, sig, hook_bit);
	if (recent >= 0) {
		f->recent[recent].hooks |= hook_bit;
		stamp_arrow(ladder, f->recent[recent].arrow, ev);
		return;
	}
	f->several = f->phase != SHK_PHASE_NEW;
	shk_compat_note(f, s.seg, from);
	take_evidence(f, &s, sig, ladder);
}

bool shk_flow_is_over(const struct shk_flow *f)
{
	if (f->phase == SHK_PHASE_REFUSED || f->phase == SHK_PHASE_RESET)
		return true;
	if (f->phase != SHK_PHASE_OPEN && f->phase != SHK_PHASE_MIDSTREAM)
		return false;
	if ((f->end[0].has | f->end[1].has) & SHK_HAS_RST)
		return true;
	if (f->flags & SHK_FLOW_SELF)
		return f->end[0].has & SHK_HAS_FIN_ACKED;
	return f->end[0].has & f->end[1].has & SHK_HAS_FIN_ACKED;
}
