/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine: events in, connections out. A pure function of its input.
 *
 * No I/O, no clock, no threads. Time is what the events say and what shk_engine_advance() is told, so a
 * replay gives what the live run gave. Events may be late, duplicated, seen at several hooks, or
 * missing; the record says how sure it is.
 *
 * Memory: config.flows_max connections of at most 256 octets each, allocated as they come; when the
 * table is full the one that has been silent longest is reported as it stands, with .evicted set; but
 * connections that are over, and only wait for stragglers, go first.
 */
#ifndef SHK_ENGINE_H
#define SHK_ENGINE_H

#include "conn.h"

struct shk_engine;

struct shk_engine_config {
	uint32_t	flows_max;	/* 0 means SHK_FLOWS_MAX_DEFAULT */
	uint64_t	hash_key[2];	/* secret, random in live use */
	uint64_t	linger_ns;	/* wait so long after the end of a connection for stragglers */
	uint32_t	hooks;		/* SHK_HOOK_BIT()s at which the sources look; 0: not known */
	uint32_t	arrows_max;	/* keep that many segments of each one, at most 1023; 0: none */
	bool		arrows_of_all;	/* keep also those that say nothing of the opening or the close */
	bool		sockets_begin;	/* a socket whose segments were not seen is worth a record too */
};

#define SHK_FLOWS_MAX_DEFAULT	1048576U
#define SHK_LINGER_LIVE_NS	100000000ULL	/* stragglers of a close on this host: 0.1 s */
#define SHK_LINGER_FILE_NS	300000000000ULL	/* more than 2 MSL, and two steps of a FIN's retransmission */

/* Called from feed, advance and finish. @conn is valid during the call. */
struct shk_engine_out {
	void (*opened)(void *arg, const struct shk_conn *conn);	/* decided: established or failed */
	void (*closed)(void *arg, const struct shk_conn *conn);	/* ended, evicted, or end of input */
	void *arg;
};

struct shk_engine_stats {
	uint64_t segments;		/* SHK_EV_SEGMENT fed */
	uint64_t ignored;		/* of these, segments that belong to no connection worth a record */
	uint64_t sockets;		/* SHK_EV_SOCKET fed */
	uint64_t unmatched;		/* of these, events that belong to no connection known */
	uint64_t lost;			/* sum of SHK_EV_LOST: segments */
	uint64_t sockets_lost;		/* likewise: of sockets */
	uint64_t flows_created;
	uint64_t flows_live;
	uint64_t evicted;
	uint64_t by_open[SHK_O_COUNT];	/* of the connections reported by closed() */
	uint64_t by_close[SHK_C_COUNT];
	uint64_t by_conflict[SHK_CONFLICT_COUNT];
};

/* NULL if memory is short. */
struct shk_engine *shk_engine_new(const struct shk_engine_config *config, const struct shk_engine_out *out);
void shk_engine_free(struct shk_engine *e);	/* accepts NULL; reports nothing */

/*
 * One event. Socket events join the connection of their segments, whichever come first. @late: it came
 * after the merge window, so it may be older than those before it.
 */
void shk_engine_feed(struct shk_engine *e, const struct shk_event *ev, bool late);

/*
 * These @n events will be fed next, all of them in this order. That need not be said, but spares the wait for
 * memory. At most SHK_AHEAD_MAX.
 */
#define SHK_AHEAD_MAX	16U
void shk_engine_expect(struct shk_engine *e, const struct shk_event *const events[], unsigned int n);

/* Time has come to @now_ns: report what it decides (no answer, linger over). Never goes back. */
void shk_engine_advance(struct shk_engine *e, uint64_t now_ns);

/* The input has ended: report everything that is left. */
void shk_engine_finish(struct shk_engine *e);

void shk_engine_stats(const struct shk_engine *e, struct shk_engine_stats *stats);

#endif /* SHK_ENGINE_H */
