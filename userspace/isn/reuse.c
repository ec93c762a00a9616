// SPDX-License-Identifier: GPL-2.0
#include "isn/reuse.h"

#include <string.h>

#define SEQUENCE_SPACE 4294967296.0
#define WSCALE_MAX     14 /* RFC 7323 2.3 */

/* Numbers [@from, @from + @len). */
struct range {
	uint32_t from;
	uint32_t len;
};

static bool overlap(struct range a, struct range b)
{
	return a.len && b.len && (b.from - a.from < a.len || a.from - b.from < b.len);
}

static uint32_t saturated(uint64_t len)
{
	return len > UINT32_MAX ? UINT32_MAX : len;
}

static uint32_t window_of(const struct shk_conn *conn, enum shk_side side)
{
	const struct shk_end *end = &conn->end[side], *other = &conn->end[side ^ 1];
	unsigned int shift = end->wscale < WSCALE_MAX ? end->wscale : WSCALE_MAX;

	if (!(end->options & other->options & SHK_OPT_WSCALE))
		shift = 0;
	return 65535U << shift;
}

static void fill_end(struct shk_tuple_use *use, const struct shk_conn *conn, enum shk_side side)
{
	const struct shk_end *end = &conn->end[side];
	uint32_t octets = end->bytes_known ? end->bytes : end->acked_known ? end->acked : 0;

	use->isn[side] = end->isn;
	use->end[side] = end->isn + 1 + octets + (end->fin ? 1 : 0);
	use->window[side] = window_of(conn, side);
	use->rst[side] = end->rst;
	use->last_known[side] = end->tsval_last_known;
	use->tsval[side] = end->tsval;
	use->tsval_last[side] = end->tsval_last;
}

bool shk_use_from_conn(struct shk_tuple_use *use, const struct shk_conn *conn)
{
	const struct shk_end *client = &conn->end[SHK_CLIENT], *server = &conn->end[SHK_SERVER];

	memset(use, 0, sizeof(*use));
	if (shk_open_failed(conn->open) || conn->open == SHK_O_NONE)
		return false;
	if (!client->isn_known || !server->isn_known)
		return false;
	use->first_ns = conn->first_ns;
	use->last_ns = conn->last_ns;
	use->isn_ns[SHK_CLIENT] = conn->first_ns;
	use->isn_ns[SHK_SERVER] = conn->first_ns;
	if (conn->syn_synack_ns != SHK_UNKNOWN_NS)
		use->isn_ns[SHK_SERVER] += conn->syn_synack_ns;
	use->timestamps = client->options & server->options & SHK_OPT_TIMESTAMPS;
	fill_end(use, conn, SHK_CLIENT);
	fill_end(use, conn, SHK_SERVER);
	return true;
}

/*
 * ---- One direction: what @x sends to @y ------------------------------------------------------------
 */

/* What may still be under way: of a range beyond half the sequence space, only what a whole MSL carried. */
static struct range old_numbers(const struct shk_tuple_use *old, unsigned int x, uint64_t msl_ns)
{
	struct range all = {old->isn[x] + 1, old->end[x] - old->isn[x] - 1};
	uint64_t life_ns = old->last_ns - old->first_ns;
	double share;

	if (all.len <= INT32_MAX || life_ns <= msl_ns)
		return all;
	share = (double)msl_ns / life_ns;
	return (struct range){old->end[x] - (uint32_t)(all.len * share), all.len * share};
}

/* What @y takes in the course of the later use: all that @x sends, and the window beyond it. */
static struct range taken_numbers(const struct shk_tuple_use *new, unsigned int x)
{
	uint32_t sent = new->end[x] - new->isn[x] - 1;

	return (struct range){new->isn[x] + 1, saturated((uint64_t)sent + new->window[x ^ 1])};
}

/* Acknowledgment numbers: those of the old segments from @x, and those that the new @y takes. */
static struct range ack_numbers(const struct shk_tuple_use *use, unsigned int x)
{
	unsigned int y = x ^ 1;

	return (struct range){use->isn[y] + 1, saturated((uint64_t)(use->end[y] - use->isn[y] - 1) + 1)};
}

/* An old RST counts only if its number is exactly the one expected next, which moves over what @x sends. */
static bool rst_fits(const struct shk_tuple_use *old, const struct shk_tuple_use *new, unsigned int x)
{
	return old->rst[x] && old->end[x] - new->isn[x] - 1 <= new->end[x] - new->isn[x] - 1;
}

/* How far the later use begins beyond the last TSval of the earlier one; false: not known. */
static bool find_ts_margin(const struct shk_tuple_use *old, const struct shk_tuple_use *new, unsigned int x,
			   int32_t *margin)
{
	*margin = new->tsval[x] - old->tsval_last[x];
	return old->timestamps && new->timestamps && old->last_known[x];
}

/* Does @x's timestamp give away what is old? To the other end, which has had a newer one since the SYN. */
static bool are_times_old(const struct shk_tuple_use *old, const struct shk_tuple_use *new, unsigned int x)
{
	int32_t margin;

	return find_ts_margin(old, new, x, &margin) && margin > SHK_PAWS_WINDOW;
}

static enum shk_reuse direction_verdict(const struct shk_tuple_use *old, const struct shk_tuple_use *new,
					unsigned int x, uint64_t msl_ns, bool timestamps)
{
	bool old_times = timestamps && are_times_old(old, new, x);
	bool seq = overlap(old_numbers(old, x, msl_ns), taken_numbers(new, x));
	bool ack = overlap(ack_numbers(old, x), ack_numbers(new, x));

	if (seq && ack && !old_times)
		return SHK_AT_RISK_DATA;
	if (rst_fits(old, new, x))
		return SHK_AT_RISK_RST;
	if (seq && ack)
		return SHK_SAFE_TS;
	return seq ? SHK_SAFE_BY_PEER_ISN : SHK_SAFE_ISN;
}

/*
 * ---- Both ------------------------------------------------------------------------------------------
 */

static uint64_t gap_between(const struct shk_tuple_use *old, const struct shk_tuple_use *new)
{
	return new->first_ns > old->last_ns ? new->first_ns - old->last_ns : 0;
}

enum shk_reuse shk_reuse_verdict(const struct shk_tuple_use *old, const struct shk_tuple_use *new,
				 uint64_t msl_ns, bool timestamps)
{
	uint64_t gap_ns = gap_between(old, new);
	enum shk_reuse a, b;

	if (gap_ns > msl_ns)
		return SHK_SAFE_QUIET;
	a = direction_verdict(old, new, SHK_CLIENT, msl_ns, timestamps);
	b = direction_verdict(old, new, SHK_SERVER, msl_ns, timestamps);
	if (a == SHK_AT_RISK_DATA || b == SHK_AT_RISK_DATA)
		return SHK_AT_RISK_DATA;
	if (a == SHK_AT_RISK_RST || b == SHK_AT_RISK_RST)
		return SHK_AT_RISK_RST;
	/* They refuse all that is old, or just what nothing else would. */
	if (timestamps && are_times_old(old, new, SHK_CLIENT) && are_times_old(old, new, SHK_SERVER))
		return SHK_SAFE_TS;
	if (a == SHK_SAFE_TS || b == SHK_SAFE_TS)
		return SHK_SAFE_TS;
	return a > b ? a : b;
}

bool shk_reuse_at_risk(enum shk_reuse verdict)
{
	return verdict == SHK_AT_RISK_DATA || verdict == SHK_AT_RISK_RST;
}

void shk_reuse_judge(const struct shk_tuple_use *old, const struct shk_tuple_use *new,
		     struct shk_tuple_reuse *reuse)
{
	int32_t client = new->isn[SHK_CLIENT] - old->end[SHK_CLIENT];
	int32_t server = new->isn[SHK_SERVER] - old->end[SHK_SERVER];
	int32_t ts_client, ts_server;

	reuse->gap_ns = gap_between(old, new);
	reuse->margin = client < server ? client : server;
	reuse->ts_margin_known = find_ts_margin(old, new, SHK_CLIENT, &ts_client) &&
				 find_ts_margin(old, new, SHK_SERVER, &ts_server);
	if (reuse->ts_margin_known)
		reuse->ts_margin = ts_client < ts_server ? ts_client : ts_server;
	reuse->verdict = shk_reuse_verdict(old, new, SHK_MSL_RFC_NS, true);
	reuse->verdict_30s = shk_reuse_verdict(old, new, SHK_MSL_LINUX_NS, true);
}

/* Two ranges at random places meet if one begins in the other, or just as well the other way round. */
static double meet_by_chance(struct range a, struct range b)
{
	double p = ((double)a.len + b.len) / SEQUENCE_SPACE;

	if (!a.len || !b.len)
		return 0;
	return p < 1 ? p : 1;
}

double shk_reuse_random_risk(const struct shk_tuple_use *old, const struct shk_tuple_use *new,
			     bool timestamps)
{
	double safe = 1;
	unsigned int x;

	for (x = 0; x < 2; x++) {
		/* Where timestamps give an old segment away, its numbers do not matter. */
		if (timestamps && are_times_old(old, new, x))
			continue;
		safe *= 1 - meet_by_chance(old_numbers(old, x, SHK_MSL_RFC_NS), taken_numbers(new, x)) *
				    meet_by_chance(ack_numbers(old, x), ack_numbers(new, x));
	}
	return 1 - safe;
}
