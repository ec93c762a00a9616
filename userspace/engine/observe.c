// SPDX-License-Identifier: GPL-2.0
#include "observe.h"

#include "compat.h"
#include "handshake.h"
#include "sight.h"
#include "tsval.h"

static struct shk_sight look_at(const struct shk_flow *f, const struct shk_event *ev, unsigned int from)
{
	const struct shk_segment *seg = &ev->seg;
	struct shk_sight s = {.ev = ev, .seg = seg, .from = from, .to = from ^ 1};

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

void shk_flow_turn(struct shk_flow *f, struct shk_arrows *arrows)
{
	uint8_t state;

	if (f->flags & SHK_FLOW_SELF)
		return;
	f->client ^= 1;
	for (uint32_t i = 0; arrows && i < arrows->n; i++) {
		struct shk_arrow *arrow = &arrows->arrow[i];

		arrow->from ^= 1;
		state = arrow->state[SHK_CLIENT];
		arrow->state[SHK_CLIENT] = arrow->state[SHK_SERVER];
		arrow->state[SHK_SERVER] = state;
	}
}

/* The opening comes to us after what followed it. So we did see it, and know who opened. */
static void adopt_opening(struct shk_flow *f, const struct shk_sight *s, const struct shk_ladder *ladder)
{
	f->phase = SHK_PHASE_OPEN;
	f->flags |= SHK_FLOW_DISORDER;
	if (f->client != (s->ack ? s->to : s->from))
		shk_flow_turn(f, ladder->arrows ? *ladder->arrows : NULL);
}

/* The other end's FIN, which nothing has acknowledged yet. */
static bool acks_waiting_fin(const struct shk_flow *f, const struct shk_sight *s)
{
	const struct shk_flow_end *to = &f->end[s->to];

	return s->ack && (to->has & (SHK_HAS_FIN | SHK_HAS_FIN_ACKED)) == SHK_HAS_FIN &&
	       s->seg->ack == to->end_seq + 1;
}

/* The segment's place in the ladder, filled but for what it proves; SHK_NO_ARROW if it gets none. */
static uint16_t add_arrow(const struct shk_flow *f, const struct shk_sight *s,
			  const struct shk_ladder *ladder)
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

static void finish_arrow(const struct shk_flow *f, const struct shk_sight *s, struct shk_arrow *arrow)
{
	arrow->proves = s->proves;
	arrow->state[SHK_CLIENT] = f->end[f->client].state;
	arrow->state[SHK_SERVER] = f->end[server_of(f)].state;
}

/*
 * Does it speak of the opening or the close? The gate has said so of most that do. What it may have
 * forgotten, and what follows from segments that it did not see, is found here; a capture has every segment.
 */
static bool is_evidence(const struct shk_flow *f, const struct shk_sight *s)
{
	if (s->seg->why & ~(SHK_WHY_FIRST_DATA | SHK_WHY_FIRST_ACK))
		return true;
	switch (f->phase) {
	case SHK_PHASE_NEW:
		return true;
	case SHK_PHASE_SYN:
	case SHK_PHASE_SYN_BOTH:
		return shk_sight_goes_on(f, s);
	case SHK_PHASE_SYNACK:
	case SHK_PHASE_RESET:
		return s->ack && s->from == f->client && shk_sight_covers_synack(f, s);
	default:
		return acks_waiting_fin(f, s);
	}
}

static void take_evidence(struct shk_flow *f, struct shk_sight *s, uint32_t sig,
			  const struct shk_ladder *ladder)
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
	shk_sight_open(f, s);
	shk_sight_close(f, s);
	if (retransmits < 0U + from->syn_retransmits + from->synack_retransmits)
		s->proves |= SHK_ARROW_RETRANSMIT;
	if (index != SHK_NO_ARROW)
		finish_arrow(f, s, &(*ladder->arrows)->arrow[index]);
}

#define ARRIVAL                                                                 \
	(SHK_HOOK_BIT(SHK_HOOK_PRE_ROUTING) | SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN) | \
	 SHK_HOOK_BIT(SHK_HOOK_CAPTURE))

/* At every hook: what is sent on this host itself is seen before it arrives. */
static void note_data(struct shk_flow *f, const struct shk_event *ev, unsigned int from)
{
	if (ev->seg.payload_len && !f->accepted && !f->wait_or_data && from == f->client &&
	    SHK_HOOK_BIT(ev->where) & ARRIVAL)
		f->wait_or_data = shk_flow_low(ev->ts_ns);
}

void shk_flow_observe(struct shk_flow *f, const struct shk_event *ev, unsigned int from,
		      const struct shk_ladder *ladder)
{
	uint8_t hook_bit = SHK_HOOK_BIT(ev->where);
	struct shk_sight s = look_at(f, ev, from);
	uint32_t sig;
	int recent;

	f->end[from].hooks |= hook_bit;
	note_data(f, ev, from);
	shk_tsval_note(f, ev, from);
	if (!ladder->all && !is_evidence(f, &s)) {
		f->several = 1;
		shk_compat_note(f, s.seg, from);
		if (s.ack)
			shk_sight_note_ack(f, &s);
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
	if ((f->end[0].has | f->end[1].has) & SHK_HAS_RST && !shk_flow_rst_is_doubtful(f))
		return true;
	if (f->flags & SHK_FLOW_SELF)
		return f->end[0].has & SHK_HAS_FIN_ACKED;
	return f->end[0].has & f->end[1].has & SHK_HAS_FIN_ACKED;
}
