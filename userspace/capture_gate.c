// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture_gate.h"

/*
 * Room for half a million expectations: a capture of a busy link has as many openings and closings in
 * flight as there are in a round trip.
 */
#define GATE_BUCKETS 65536U
#define GATE_SIZE    (GATE_BUCKETS * sizeof(struct shk_gate_bucket))

int shk_capture_gate_init(struct shk_capture_gate *g, const struct shk_hash_key *key)
{
	*g = (struct shk_capture_gate){.key = *key};
	g->buckets = aligned_alloc(sizeof(struct shk_gate_bucket), GATE_SIZE);
	if (!g->buckets)
		return -ENOMEM;
	memset(g->buckets, 0, GATE_SIZE);
	return 0;
}

void shk_capture_gate_release(struct shk_capture_gate *g)
{
	free(g->buckets);
	g->buckets = NULL;
}

bool shk_capture_gate_judge(struct shk_capture_gate *g, struct shk_event *ev)
{
	struct shk_gate_result result;
	struct shk_tuple tuple;
	uint64_t hash;

	shk_tuple_from_event(&tuple, ev);
	hash = shk_tuple_hash(&tuple, &g->key);
	shk_gate_judge(&g->buckets[hash & (GATE_BUCKETS - 1)], hash, &tuple, &ev->seg, ev->where, ev->ts_ns,
		       &result);
	ev->seg.why = result.why;
	return result.why;
}
