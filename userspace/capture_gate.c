// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "capture_gate.h"

/*
 * Room for half a million expectations: a capture of a busy link has as many openings and closings in
 * flight as there are in a round trip.
 */
#define GATE_BUCKETS 65536U
#define GATE_SIZE    (GATE_BUCKETS * sizeof(struct shk_gate_bucket))
#define HUGE_PAGE    (1UL << 21)

_Static_assert(GATE_SIZE % HUGE_PAGE == 0, "as aligned_alloc() wants it");

int shk_capture_gate_init(struct shk_capture_gate *g, const struct shk_hash_key *key)
{
	*g = (struct shk_capture_gate){.key = *key};
	g->buckets = aligned_alloc(HUGE_PAGE, GATE_SIZE);
	if (!g->buckets)
		return -ENOMEM;
	madvise(g->buckets, GATE_SIZE,
		MADV_HUGEPAGE); /* an access is a miss, and need not be one in the TLB too */
	memset(g->buckets, 0, GATE_SIZE);
	return 0;
}

void shk_capture_gate_release(struct shk_capture_gate *g)
{
	free(g->buckets);
	g->buckets = NULL;
}

static struct shk_gate_bucket *bucket_of(const struct shk_capture_gate *g, uint64_t hash)
{
	return &g->buckets[hash & (GATE_BUCKETS - 1)];
}

void shk_capture_gate_look(const struct shk_capture_gate *g, const struct shk_event *ev,
			   struct shk_capture_sight *sight)
{
	shk_tuple_from_event(&sight->tuple, ev);
	sight->hash = shk_tuple_hash(&sight->tuple, &g->key);
	__builtin_prefetch(bucket_of(g, sight->hash), 1);
}

bool shk_capture_gate_decide(struct shk_capture_gate *g, struct shk_event *ev,
			     const struct shk_capture_sight *sight)
{
	struct shk_gate_result result;

	shk_gate_judge(bucket_of(g, sight->hash), sight->hash, &sight->tuple, &ev->seg, ev->where, ev->ts_ns,
		       &result);
	ev->seg.why = result.why;
	return result.why;
}

bool shk_capture_gate_judge(struct shk_capture_gate *g, struct shk_event *ev)
{
	struct shk_capture_sight sight;

	shk_capture_gate_look(g, ev, &sight);
	return shk_capture_gate_decide(g, ev, &sight);
}
