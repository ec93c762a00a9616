// SPDX-License-Identifier: GPL-2.0
#include "before.h"

#include "compat.h"
#include "handshake.h"

#define TIME_WAIT_NS 60000000000ULL /* TCP_TIMEWAIT_LEN of Linux; the timer is never early */
#define COOKIE_NS    60000000000ULL /* a cookie's count changes once a minute (net/ipv4/syncookies.c) */
#define REUSE_STEP   65537U         /* from the last number before to the ISN (tcp_timewait_state_process) */
#define ISN_CLOCK_NS 64             /* the clock in Linux' ISNs (net/core/secure_seq.c) */

static bool is_in_time_wait(const struct shk_flow *old, unsigned int end, uint64_t now_ns)
{
	uint64_t since_ns = old->fin_ns[end ^ 1];

	return !(old->flags & SHK_FLOW_SELF || old->close_flags & SHK_CLOSE_NO_TIME_WAIT) &&
	       old->end[end].state == SHK_TIME_WAIT && now_ns >= since_ns && now_ns - since_ns < TIME_WAIT_NS;
}

/*
 * A cookie is a hash of the tuple and a slow count, plus the client's ISN. If this ISN moved, and not as the
 * clock of RFC 6528 does, nothing but a cookie moves by as much. Had it moved as the clock does, an ordinary
 * server's number would have done so too, but for the jitter of the way; that tells nothing.
 */
static bool is_off_the_clock(uint32_t moved, uint64_t gap_ns)
{
	uint64_t ticks = gap_ns / ISN_CLOCK_NS, jitter = 31250 + ticks / 4096; /* 2 ms, and 244 ppm */
	int32_t off = moved - (uint32_t)ticks;

	return (uint64_t)(off < 0 ? -(int64_t)off : off) > jitter;
}

/*
 * What the SYN+ACK will be compared with waits where its own numbers will stand: neither an ISN nor an end of
 * the sequence space is known of the server yet.
 */
void shk_before_remember(struct shk_flow *f, const struct shk_flow *old, const struct shk_event *ev,
			 unsigned int client)
{
	unsigned int server = client ^ 1;
	const struct shk_flow_end *was = old->end;
	uint64_t gap_ns = ev->ts_ns - shk_flow_syn_ns(old);
	uint32_t moved = ev->seg.seq - was[client].isn;

	shk_compat_inherit(f, old);
	f->clues |= SHK_CLUE_BEFORE;
	if (is_in_time_wait(old, client, ev->ts_ns)) {
		f->clues |= SHK_CLUE_TW_CLIENT;
		if (ev->seg.seq == was[client].end_seq + 1 + REUSE_STEP)
			f->clues |= SHK_CLUE_TW_ISN_CLIENT;
	}
	if (is_in_time_wait(old, server, ev->ts_ns)) {
		f->clues |= SHK_CLUE_TW_SERVER;
		f->end[server].end_seq = was[server].end_seq + 1 + REUSE_STEP;
		if ((int32_t)(ev->seg.seq - (was[client].end_seq + 1)) <= 0)
			f->clues |= SHK_CLUE_TW_BELOW;
	}
	if (was[client].syn && was[server].synack && old->client == client && moved && gap_ns < COOKIE_NS &&
	    is_off_the_clock(moved, gap_ns)) {
		f->clues |= SHK_CLUE_COOKIE;
		f->end[server].isn = was[server].isn + moved;
	}
}

/* What the minisock itself says, whether or not that use was seen. */
void shk_before_told(struct shk_flow *f, unsigned int server, uint32_t snd_nxt, uint32_t rcv_nxt)
{
	const struct shk_flow_end *client = &f->end[server ^ 1];

	f->met_time_wait = 1;
	f->clues |= SHK_CLUE_TW_SERVER;
	if (client->has & SHK_HAS_ISN && (int32_t)(client->isn - rcv_nxt) <= 0)
		f->clues |= SHK_CLUE_TW_BELOW;
	if (f->end[server].has & SHK_HAS_ISN)
		return;
	f->clues |= SHK_CLUE_BEFORE;
	f->end[server].end_seq = snd_nxt + REUSE_STEP;
}

void shk_before_compare(struct shk_flow *f, unsigned int server, const struct shk_event *ev)
{
	struct shk_flow_end *end = &f->end[server];
	bool request = ev->where == SHK_HOOK_LOCAL_OUT && ev->seg.sock_state;

	if (!(f->clues & SHK_CLUE_BEFORE) || end->has & SHK_HAS_ISN)
		return;
	if (f->clues & SHK_CLUE_TW_SERVER && end->end_seq == ev->seg.seq)
		f->clues |= SHK_CLUE_TW_ISN_SERVER;
	if (end->isn != ev->seg.seq || request)
		f->clues &= ~SHK_CLUE_COOKIE;
}

/*
 * The same number once more: a retransmission, unless what it opened has been and gone, or was refused, and
 * the client tries again. But a capture may hold everything twice.
 */
static bool is_retry(const struct shk_flow *f, const struct shk_event *ev, uint32_t hooks)
{
	if (ev->where == SHK_HOOK_CAPTURE)
		return false;
	switch ((enum shk_phase)f->phase) {
	case SHK_PHASE_OPEN:
		return hooks & SHK_HOOKS_NETFILTER;
	case SHK_PHASE_REFUSED:
		return true;
	case SHK_PHASE_RESET: /* for a while it may yet turn out that the RST ended nothing */
		return f->flags & SHK_FLOW_REPORTED;
	default:
		return false;
	}
}

bool shk_before_is_left(const struct shk_flow *f, const struct shk_event *ev, unsigned int from, bool over,
			uint32_t hooks)
{
	const struct shk_segment *seg = &ev->seg;
	const struct shk_flow_end *end = &f->end[from], *other = &f->end[from ^ 1];

	over |= f->flags & SHK_FLOW_REPORTED;
	if (!(seg->tcp_flags & SHK_TCP_SYN) || seg->tcp_flags & SHK_TCP_RST || ev->ts_ns < f->first_ns)
		return false;
	if ((end->has & SHK_HAS_ISN) && end->isn == seg->seq)
		return over && !(seg->tcp_flags & SHK_TCP_ACK) && ev->ts_ns > f->last_ns &&
		       is_retry(f, ev, hooks);
	/* Late, so it belongs to what is over. */
	if (over && ev->ts_ns < f->last_ns)
		return false;
	if (over || f->phase == SHK_PHASE_MIDSTREAM)
		/* For a SYN+ACK: the SYN before it was missed, if it answers another one. */
		return !(seg->tcp_flags & SHK_TCP_ACK) || seg->ack - 1 != other->isn;
	/* A capture may have left out any part of what was before: there it is another connection. */
	if (ev->where == SHK_HOOK_CAPTURE && f->phase == SHK_PHASE_OPEN && !(seg->tcp_flags & SHK_TCP_ACK))
		return end->has & SHK_HAS_ISN && !(f->flags & SHK_FLOW_SELF);
	/*
	 * A SYN within a connection changes nothing (RFC 5961 4.2), but a SYN+ACK to such a SYN does: we
	 * missed the end of the old connection.
	 */
	if (f->phase == SHK_PHASE_OPEN)
		return seg->tcp_flags & SHK_TCP_ACK && seg->ack - 1 != other->isn &&
		       other->syn > other->syn_retransmits + 1;
	/* A client that tries again with another number has given up the first attempt. */
	return (f->phase == SHK_PHASE_SYN || f->phase == SHK_PHASE_SYNACK) && from == f->client &&
	       !(seg->tcp_flags & SHK_TCP_ACK);
}
