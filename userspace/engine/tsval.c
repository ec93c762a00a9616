// SPDX-License-Identifier: GPL-2.0
/*
 * A flow has room for the first TSval of each end, and for one number that says how far both went beyond it:
 * rounded up, so that the end is at worst said to be later than it was.
 *
 * RFC 7323 5.4: the clock of TSvals ticks once a millisecond at most. One that is faster may have gone round
 * between two segments that were seen, so nothing is said of it.
 */
#include "tsval.h"

#include "verdict.h"

#define MANTISSA_BITS 11
#define MANTISSA_MAX  ((1U << MANTISSA_BITS) - 1)
#define SPAN_UNKNOWN  UINT16_MAX
#define REORDERED_MAX (1 << 20) /* a segment that was overtaken has a TSval so far below at most */
#define TICK_NS       1000000ULL
#define TICKS_JITTER  100U
#define WRAP_TICKS    ((uint64_t)INT32_MAX)

static uint16_t round_up(uint32_t ticks)
{
	unsigned int shift = 0;

	while ((uint64_t)ticks + (1U << shift) - 1 > (uint64_t)MANTISSA_MAX << shift)
		shift++;
	return shift << MANTISSA_BITS | (uint32_t)(((uint64_t)ticks + (1U << shift) - 1) >> shift);
}

static uint32_t ticks_of(uint16_t span)
{
	return (uint32_t)(span & MANTISSA_MAX) << (span >> MANTISSA_BITS);
}

void shk_tsval_note(struct shk_flow *f, const struct shk_event *ev, unsigned int from)
{
	const struct shk_segment *seg = &ev->seg;
	struct shk_flow_end *end = &f->end[from];
	uint64_t age_ticks = ev->ts_ns > f->first_ns ? (ev->ts_ns - f->first_ns) / TICK_NS : 0;
	uint32_t ticks = seg->tsval - end->tsval;

	if (!(seg->options & end->options & SHK_OPT_TIMESTAMPS) || f->tsval_span == SPAN_UNKNOWN)
		return;
	if (seg->tcp_flags & (SHK_TCP_FIN | SHK_TCP_RST))
		end->options |= SHK_END_TSVAL_LAST;
	if (-ticks <= REORDERED_MAX)
		return;
	if (age_ticks > WRAP_TICKS || ticks > age_ticks + age_ticks / 8 + TICKS_JITTER)
		f->tsval_span = SPAN_UNKNOWN;
	else if (ticks > ticks_of(f->tsval_span))
		f->tsval_span = round_up(ticks);
}

/* From this observer to that end and back, at most; 0 for one on this host. */
static uint64_t way_ns(const struct shk_conn *conn, enum shk_side side)
{
	uint64_t ns = side == SHK_CLIENT ? conn->synack_ack_ns : conn->syn_synack_ns;

	if (conn->local == side || conn->local == SHK_BOTH || ns == SHK_UNKNOWN_NS)
		return 0;
	return ns;
}

/*
 * What it sent before its FIN it may have sent again until it heard that the FIN was acknowledged. A capture
 * has that too.
 */
static uint64_t ticks_after_fin(const struct shk_conn *conn, const struct shk_flow *f, enum shk_side side,
				unsigned int i)
{
	uint64_t fin_ns = f->fin_ns[i], acked_ns = shk_flow_finack_ns(f, i);

	if (f->end[i].hooks & SHK_HOOK_BIT(SHK_HOOK_CAPTURE) || !(f->end[i].has & SHK_HAS_FIN))
		return 0;
	return ((acked_ns > fin_ns ? acked_ns - fin_ns : 0) + way_ns(conn, side)) / TICK_NS + 1;
}

/* Is everything known that it can have sent? */
static bool is_last_known(const struct shk_conn *conn, const struct shk_flow *f, unsigned int i)
{
	const struct shk_flow_end *end = &f->end[i];

	if (f->tsval_span == SPAN_UNKNOWN || conn->lost || conn->late || conn->evicted)
		return false;
	if (end->hooks & SHK_HOOK_BIT(SHK_HOOK_CAPTURE))
		return true;
	if (!(end->options & SHK_END_TSVAL_LAST))
		return false;
	return !(end->has & SHK_HAS_FIN) || end->has & SHK_HAS_FIN_ACKED;
}

static void fill_end(struct shk_conn *conn, const struct shk_flow *f, enum shk_side side, unsigned int i)
{
	struct shk_end *end = &conn->end[side];

	end->tsval_known = f->end[i].options & SHK_OPT_TIMESTAMPS;
	if (!end->tsval_known)
		return;
	end->tsval = f->end[i].tsval;
	end->tsval_last_known = is_last_known(conn, f, i);
	if (end->tsval_last_known)
		end->tsval_last = end->tsval + ticks_of(f->tsval_span) + ticks_after_fin(conn, f, side, i);
}

void shk_tsval_fill(struct shk_conn *conn, const struct shk_flow *f)
{
	fill_end(conn, f, SHK_CLIENT, f->client);
	fill_end(conn, f, SHK_SERVER, shk_flow_server(f));
}
