// SPDX-License-Identifier: GPL-2.0
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "ahead.h"
#include "before.h"
#include "cookie.h"
#include "flow.h"
#include "handshake.h"
#include "minisock.h"
#include "observe.h"
#include "record.h"
#include "socket.h"
#include "verdict.h"

#define SECOND_NS 1000000000ULL

/*
 * NAT changes a SYN's tuple, not its number: the same number under another tuple, at once, is the same SYN. A
 * power of two.
 */
#define RECENT_SYNS    256U
#define TRANSLATION_NS 10000000ULL

struct recent_syn {
	uint32_t isn;
	uint32_t netns;
	uint64_t ts_ns;
	struct shk_flow *flow; /* may be another connection's by now: it never moves, but is used again */
};

struct shk_engine {
	struct shk_engine_config config;
	struct shk_engine_out out;
	struct shk_engine_stats stats;
	struct shk_flows *flows;
	struct shk_processes *processes;
	uint64_t now_ns;          /* latest time heard of */
	uint64_t sockets_lost_ns; /* when a loss of socket events was last announced; 0: never */
	int64_t real_offset_ns;
	struct recent_syn syns[RECENT_SYNS];
	struct shk_ahead ahead;
};

struct shk_engine *shk_engine_new(const struct shk_engine_config *config, const struct shk_engine_out *out)
{
	struct shk_engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->config = *config;
	e->out = *out;
	if (!e->config.flows_max)
		e->config.flows_max = SHK_FLOWS_MAX_DEFAULT;
	if (e->config.arrows_max > SHK_NO_ARROW)
		e->config.arrows_max = SHK_NO_ARROW;
	e->flows = shk_flows_new(e->config.flows_max, config->hash_key, config->linger_ns,
				 config->arrows_max > 0);
	e->processes = shk_processes_new();
	if (!e->flows || !e->processes) {
		shk_engine_free(e);
		return NULL;
	}
	return e;
}

void shk_engine_free(struct shk_engine *e)
{
	if (!e)
		return;
	shk_flows_free(e->flows);
	shk_processes_free(e->processes);
	free(e);
}

/*
 * ---- Reports -------------------------------------------------------------------------------------
 */

/* Sockets were lost while it lived, and one of its own may be among them: its end is here, and nobody's. */
static bool lacks_socket(const struct shk_engine *e, const struct shk_conn *conn)
{
	bool client = conn->local == SHK_CLIENT || conn->local == SHK_BOTH;
	bool server = conn->local == SHK_SERVER || conn->local == SHK_BOTH;

	return e->sockets_lost_ns > conn->first_ns && ((client && !conn->end[SHK_CLIENT].process.pid) ||
						       (server && !conn->end[SHK_SERVER].process.pid));
}

static void fill(const struct shk_engine *e, struct shk_conn *conn, const struct shk_flow *f)
{
	struct shk_arrows **arrows = shk_flows_arrows(e->flows, f);
	const struct shk_record_context context = {
		.arrows = arrows ? *arrows : NULL,
		.real_offset_ns = e->real_offset_ns,
		.lost = e->stats.lost,
	};

	shk_record_fill(conn, f, &context);
	shk_socket_fill(conn, f, e->processes);
	shk_cookie_fill(conn, f);
	shk_record_split_legs(conn);
	if (lacks_socket(e, conn))
		conn->confidence = SHK_PARTIAL;
	shk_blame_fill(conn, f, e->config.hooks);
}

/* Has what it waits for not come in the time it would have taken? The lists wait longer, for stragglers. */
static void note_expiry(const struct shk_engine *e, struct shk_flow *f)
{
	if (f->list >= SHK_LIST_CLOSING && e->now_ns >= f->last_ns + shk_list_span_ns(f->list))
		f->flags |= SHK_FLOW_EXPIRED;
}

static void report_opened(struct shk_engine *e, struct shk_flow *f)
{
	struct shk_conn conn;

	if (f->flags & SHK_FLOW_OPENED)
		return;
	f->flags |= SHK_FLOW_OPENED;
	fill(e, &conn, f);
	conn.open_told = conn.open;
	e->out.opened(e->out.arg, &conn);
}

static void count(struct shk_engine *e, const struct shk_conn *conn)
{
	e->stats.by_open[conn->open]++;
	e->stats.by_close[conn->close]++;
	for (unsigned int bit = 0; bit < SHK_CONFLICT_COUNT; bit++)
		e->stats.by_conflict[bit] += conn->conflicts >> bit & 1;
}

/*
 * Every connection is reported once, here. What is left of it is a tombstone. @time_wait_ns: how long it was
 * in TIME-WAIT, if that is over.
 */
static void report_closed(struct shk_engine *e, struct shk_flow *f, uint64_t time_wait_ns)
{
	struct shk_arrows **arrows = shk_flows_arrows(e->flows, f);
	enum shk_open told;
	struct shk_conn conn;

	note_expiry(e, f);
	if (!(f->flags & SHK_FLOW_OPENED))
		f->open = shk_open_verdict(f, e->config.hooks);
	if (f->open != SHK_O_NONE && f->open != SHK_O_PREEXISTING)
		report_opened(e, f);
	told = f->flags & SHK_FLOW_OPENED ? f->open : SHK_O_NONE;
	shk_open_revise(f);
	f->flags |= SHK_FLOW_REPORTED;
	fill(e, &conn, f);
	conn.open_told = told;
	conn.time_wait_ns = time_wait_ns;
	count(e, &conn);
	e->out.closed(e->out.arg, &conn);
	if (arrows) {
		free(*arrows);
		*arrows = NULL;
	}
}

static void remove_flow(struct shk_engine *e, struct shk_flow *f)
{
	for (int i = 0; i < 2; i++)
		shk_processes_put(e->processes, shk_flow_process(f, i));
	shk_flows_remove(e->flows, f);
}

/* The third leg was not seen, but the sockets are connected: no embryo. */
static bool is_established_unseen(const struct shk_flow *f)
{
	return f->phase != SHK_PHASE_OPEN && f->phase != SHK_PHASE_MIDSTREAM && shk_socket_established(f) &&
	       !shk_socket_is_over(f);
}

/*
 * ---- Waiting -------------------------------------------------------------------------------------
 */

static void expire(struct shk_engine *e, uint64_t now_ns)
{
	struct shk_flow *f;
	uint64_t when_ns;

	while ((f = shk_flows_expired(e->flows, now_ns, &when_ns))) {
		if (f->flags & SHK_FLOW_REPORTED) {
			remove_flow(e, f);
			continue;
		}
		if (is_established_unseen(f)) {
			f->phase = SHK_PHASE_OPEN;
			f->flags |= SHK_FLOW_DISORDER;
			f->open = shk_open_verdict(f, e->config.hooks);
			report_opened(e, f);
			shk_flows_touch(e->flows, f, SHK_LIST_LIVE, when_ns);
			continue;
		}
		if (f->list != SHK_LIST_LINGER)
			f->flags |= SHK_FLOW_EXPIRED;
		report_closed(e, f, SHK_UNKNOWN_NS);
		/* Not the time when we happen to look, which differs between a live run and a replay. */
		shk_flows_touch(e->flows, f, SHK_LIST_TOMBSTONE, when_ns);
	}
}

static bool is_over(const struct shk_flow *f)
{
	return shk_flow_is_over(f) || shk_socket_is_over(f);
}

/* How long to wait for another request or its answer; the spans and their reason are in flow.c. */
static enum shk_list embryo_list(const struct shk_flow *f, uint64_t ts_ns)
{
	uint64_t interval_ns = ts_ns > f->last_ns && f->last_ns ? ts_ns - f->last_ns : 0;
	uint64_t wait_ns = 2 * interval_ns + SECOND_NS;
	enum shk_list list = SHK_LIST_EMBRYO;

	while (list < SHK_LIST_EMBRYO_7 && shk_list_span_ns(list) < wait_ns)
		list++;
	/* Another segment in between makes the interval look short: the schedule never goes back. */
	return f->list > list && f->list <= SHK_LIST_EMBRYO_7 ? f->list : list;
}

static enum shk_list choose_list(const struct shk_flow *f, uint64_t ts_ns)
{
	bool unacked = ((f->end[0].has & (SHK_HAS_FIN | SHK_HAS_FIN_ACKED)) == SHK_HAS_FIN) ||
		       ((f->end[1].has & (SHK_HAS_FIN | SHK_HAS_FIN_ACKED)) == SHK_HAS_FIN);

	if (f->flags & SHK_FLOW_REPORTED)
		return SHK_LIST_TOMBSTONE;
	if (is_over(f))
		return SHK_LIST_LINGER;
	if (unacked)
		return SHK_LIST_CLOSING;
	if (f->phase == SHK_PHASE_OPEN || f->phase == SHK_PHASE_MIDSTREAM)
		return SHK_LIST_LIVE;
	return embryo_list(f, ts_ns);
}

/*
 * ---- Events --------------------------------------------------------------------------------------
 */

static struct shk_flow *add_flow(struct shk_engine *e, const struct shk_key *key)
{
	struct shk_flow *f = shk_flows_add(e->flows, &key->tuple, key->hash), *oldest;
	const struct shk_event *ev = key->ev;

	if (!f) {
		oldest = shk_flows_oldest(e->flows);
		if (!oldest)
			return NULL;
		/* Of one that only lingers nothing is missing but stragglers. */
		if (!(oldest->flags & SHK_FLOW_REPORTED) && oldest->list != SHK_LIST_LINGER) {
			e->stats.evicted++;
			oldest->flags |= SHK_FLOW_EVICTED;
		}
		if (!(oldest->flags & SHK_FLOW_REPORTED))
			report_closed(e, oldest, SHK_UNKNOWN_NS);
		remove_flow(e, oldest);
		f = shk_flows_add(e->flows, &key->tuple, key->hash);
		if (!f)
			return NULL;
	}
	e->stats.flows_created++;
	f->first_ns = ev->ts_ns;
	f->lost_at = (uint32_t)e->stats.lost;
	f->end[0].state = f->end[1].state = SHK_STATE_UNKNOWN;
	f->client = key->tuple.dir;
	if (key->tuple.same_ends)
		f->flags |= SHK_FLOW_SELF;
	else if ((ev->seg.tcp_flags & (SHK_TCP_SYN | SHK_TCP_ACK)) == (SHK_TCP_SYN | SHK_TCP_ACK))
		f->client ^= 1;
	return f;
}

/*
 * At a hook only a SYN, SYN+ACK or FIN opens a record: an ACK or RST by itself is the echo of something else.
 * A capture has every segment of a connection, so each is part of one.
 */
static bool is_worth_a_flow(const struct shk_event *ev)
{
	uint16_t flags = ev->seg.tcp_flags;

	if (ev->where == SHK_HOOK_CAPTURE)
		return true;
	return (flags & (SHK_TCP_SYN | SHK_TCP_FIN)) && !(flags & SHK_TCP_RST);
}

/*
 * The tuple is in use again: what was known under it is over. If a segment says so, *@before keeps what it
 * tells of the new connection.
 */
static void retire(struct shk_engine *e, struct shk_flow *f, struct shk_flow *before)
{
	if (f->phase == SHK_PHASE_SYN)
		f->flags |= SHK_FLOW_EXPIRED; /* its client has given up */
	else if (before && f->phase == SHK_PHASE_SYNACK && !is_over(f))
		f->clues |= SHK_CLUE_OTHER_SYN;
	else if (!is_over(f))
		f->flags |= SHK_FLOW_DISORDER; /* its end was missed */
	if (!(f->flags & SHK_FLOW_REPORTED))
		report_closed(e, f, SHK_UNKNOWN_NS);
	if (before)
		*before = *f;
	remove_flow(e, f);
}

static void report_if_opened(struct shk_engine *e, struct shk_flow *f)
{
	if (f->flags & (SHK_FLOW_OPENED | SHK_FLOW_REPORTED))
		return;
	f->open = shk_open_verdict(f, e->config.hooks);
	if (shk_open_is_doubtful(f))
		return;
	/* An RST after the SYN+ACK may yet turn out to have ended nothing: that is told at the end. */
	if (f->phase == SHK_PHASE_OPEN || f->phase == SHK_PHASE_REFUSED)
		report_opened(e, f);
}

/* A SYN that was seen under another tuple a moment ago was translated in between. */
static void note_translation(struct shk_engine *e, struct shk_flow *f, const struct shk_event *ev)
{
	struct recent_syn *syn = &e->syns[ev->seg.seq & (RECENT_SYNS - 1)];

	if (syn->flow && syn->flow != f && syn->isn == ev->seg.seq && syn->netns == ev->netns &&
	    ev->ts_ns - syn->ts_ns < TRANSLATION_NS && syn->flow->end[syn->flow->client].isn == syn->isn) {
		syn->flow->clues |= SHK_CLUE_TRANSLATED;
		f->clues |= SHK_CLUE_TRANSLATED;
		return;
	}
	*syn = (struct recent_syn){ev->seg.seq, ev->netns, ev->ts_ns, f};
}

static void feed_segment(struct shk_engine *e, const struct shk_event *ev, bool late)
{
	bool syn = (ev->seg.tcp_flags & (SHK_TCP_SYN | SHK_TCP_ACK | SHK_TCP_RST)) == SHK_TCP_SYN;
	struct shk_ladder ladder = {.max = e->config.arrows_max, .all = e->config.arrows_of_all};
	const struct shk_key *key = shk_ahead_take(&e->ahead, e->flows, ev);
	struct shk_flow *f = shk_flows_find(e->flows, &key->tuple, key->hash), before;
	unsigned int from = key->tuple.dir;
	bool again = false;

	e->stats.segments++;
	if (f && shk_before_is_left(f, ev, from, is_over(f), e->config.hooks)) {
		retire(e, f, &before);
		again = syn;
		f = NULL;
	}
	if (!f && is_worth_a_flow(ev)) {
		f = add_flow(e, key);
		if (f && again)
			shk_before_remember(f, &before, ev, from);
	}
	if (!f) {
		e->stats.ignored++;
		return;
	}
	if (late && f->late < UINT16_MAX)
		f->late++;
	if (!(f->flags & SHK_FLOW_REPORTED))
		ladder.arrows = shk_flows_arrows(e->flows, f);
	shk_flow_observe(f, ev, from, &ladder);
	if (syn && e->config.hooks)
		note_translation(e, f, ev);
	shk_flows_touch(e->flows, f, choose_list(f, ev->ts_ns), e->now_ns);

	report_if_opened(e, f);
}

/* The connection that the event speaks of, if need be a new one; NULL if there is none. */
static struct shk_flow *find_for_socket(struct shk_engine *e, const struct shk_key *key)
{
	struct shk_flow *f = shk_flows_find(e->flows, &key->tuple, key->hash);
	const struct shk_event *ev = key->ev;

	if (f && shk_socket_matches(f, ev, key->tuple.dir))
		return f;
	if (!e->config.sockets_begin || !shk_socket_begins(ev) || (f && ev->ts_ns < f->first_ns))
		return NULL;
	if (f)
		retire(e, f, NULL);
	f = add_flow(e, key);
	if (f)
		shk_socket_begin(f, ev, key->tuple.dir);
	return f;
}

static void feed_socket(struct shk_engine *e, const struct shk_event *ev)
{
	const struct shk_key *key = shk_ahead_take(&e->ahead, e->flows, ev);
	struct shk_flow *f = find_for_socket(e, key);
	unsigned int self = key->tuple.dir;
	struct shk_arrows **arrows;

	e->stats.sockets++;
	if (!f) {
		/* TIME-WAIT outlasts what is remembered here, or ends because the tuple is in use again. */
		e->stats.unmatched += !shk_minisock_speaks(ev);
		return;
	}
	arrows = shk_flows_arrows(e->flows, f);
	if (shk_socket_turns(f, ev, self))
		shk_flow_turn(f, arrows ? *arrows : NULL);
	shk_socket_observe(f, ev, self, e->processes);
	if (f->flags & SHK_FLOW_REPORTED)
		return;
	if (ev->where == SHK_SOCK_TIME_WAIT_ENDED) {
		report_closed(e, f, shk_minisock_age_ns(f, self, ev->ts_ns));
		shk_flows_touch(e->flows, f, SHK_LIST_TOMBSTONE, e->now_ns);
		return;
	}
	shk_flows_touch(e->flows, f, choose_list(f, ev->ts_ns), e->now_ns);
	report_if_opened(e, f);
}

static void feed_lost(struct shk_engine *e, const struct shk_event *ev)
{
	if (ev->where == SHK_WITNESS_WIRE) {
		e->stats.lost += ev->lost.count;
		return;
	}
	e->stats.sockets_lost += ev->lost.count;
	if (ev->lost.count && ev->ts_ns > e->sockets_lost_ns)
		e->sockets_lost_ns = ev->ts_ns;
}

void shk_engine_expect(struct shk_engine *e, const struct shk_event *const events[], unsigned int n)
{
	shk_ahead_look(&e->ahead, e->flows, events, n);
}

void shk_engine_feed(struct shk_engine *e, const struct shk_event *ev, bool late)
{
	shk_engine_advance(e, ev->ts_ns);
	switch (ev->kind) {
	case SHK_EV_SEGMENT:
		if (ev->where < SHK_HOOK_COUNT)
			feed_segment(e, ev, late);
		break;
	case SHK_EV_SOCKET:
		feed_socket(e, ev);
		break;
	case SHK_EV_LOST:
		feed_lost(e, ev);
		break;
	case SHK_EV_CLOCK:
		e->real_offset_ns = (int64_t)(ev->clock.real_ns - ev->ts_ns);
		break;
	}
}

void shk_engine_advance(struct shk_engine *e, uint64_t now_ns)
{
	if (now_ns <= e->now_ns)
		return;
	expire(e, now_ns);
	e->now_ns = now_ns;
}

void shk_engine_finish(struct shk_engine *e)
{
	struct shk_flow *f;

	while ((f = shk_flows_oldest(e->flows))) {
		if (!(f->flags & SHK_FLOW_REPORTED))
			report_closed(e, f, SHK_UNKNOWN_NS);
		remove_flow(e, f);
	}
}

void shk_engine_stats(const struct shk_engine *e, struct shk_engine_stats *stats)
{
	*stats = e->stats;
	stats->flows_live = shk_flows_count(e->flows);
}
