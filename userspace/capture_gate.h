/* SPDX-License-Identifier: GPL-2.0 */
/* The gate in front of captures: the same kmod/gate.h that the module has, over memory of this process. */
#ifndef SHK_CAPTURE_GATE_H
#define SHK_CAPTURE_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gate.h"

struct shk_capture_gate {
	struct shk_gate_bucket *buckets;
	struct shk_hash_key key;
};

/* 0 or -ENOMEM. */
int shk_capture_gate_init(struct shk_capture_gate *g, const struct shk_hash_key *key);
void shk_capture_gate_release(struct shk_capture_gate *g);

/* Whether this segment belongs to a handshake or begins data; .seg.why of @ev says why. */
bool shk_capture_gate_judge(struct shk_capture_gate *g, struct shk_event *ev);

/*
 * The same in two steps, for who has more segments to look at between them: by the second one the gate's
 * memory is at hand. @ev stays as it is in between.
 */
struct shk_capture_sight {
	struct shk_tuple tuple;
	uint64_t hash;
};

void shk_capture_gate_look(const struct shk_capture_gate *g, const struct shk_event *ev,
			   struct shk_capture_sight *sight);
bool shk_capture_gate_decide(struct shk_capture_gate *g, struct shk_event *ev,
			     const struct shk_capture_sight *sight);

#endif /* SHK_CAPTURE_GATE_H */
