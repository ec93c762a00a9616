/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What will be fed next: each event's tuple is hashed once, and its flow is fetched from memory while there
 * is something else to do. With millions of connections that wait is longer than all the work.
 */
#ifndef SHK_AHEAD_H
#define SHK_AHEAD_H

#include "engine.h"
#include "flow.h"

/* By what an event's flow is found. */
struct shk_key {
	const struct shk_event *ev;
	struct shk_tuple tuple;
	uint64_t hash;
};

struct shk_ahead {
	struct shk_key keys[SHK_AHEAD_MAX];
	unsigned int n, next;
};

/* @n events, at most SHK_AHEAD_MAX. */
void shk_ahead_look(struct shk_ahead *a, const struct shk_flows *t, const struct shk_event *const events[],
		    unsigned int n);

/* The key of @ev, which has a tuple, foreseen or not. Valid until the next call. */
const struct shk_key *shk_ahead_take(struct shk_ahead *a, const struct shk_flows *t,
				     const struct shk_event *ev);

#endif /* SHK_AHEAD_H */
