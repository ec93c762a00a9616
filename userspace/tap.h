/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tap: somebody who listens in on what the engine is told, behind this vtable. Calls come in the order of
 * the engine's, each after the engine has had its own, so that whatever is learnt while the engine reports an
 * event can be noted before that event.
 */
#ifndef SHK_TAP_H
#define SHK_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "error.h"
#include "sink.h"

struct shk_tap;

/* Each returns 0, or -errno and *err, and is not called again after it failed, but for end(). */
struct shk_tap_ops {
	int (*begin)(struct shk_tap *t, const struct shk_header *header,
		     const struct shk_engine_config *engine, struct shk_error *err);
	/* @source: its place in header.sources */
	int (*event)(struct shk_tap *t, unsigned int source, const struct shk_event *ev, bool late,
		     struct shk_error *err);
	int (*advance)(struct shk_tap *t, uint64_t now_ns, struct shk_error *err);
	/* Nothing follows. Of @counts those of the sources and the merge are valid. */
	int (*end)(struct shk_tap *t, uint64_t now_ns, const struct shk_summary *counts,
		   struct shk_error *err);
};

struct shk_tap {
	const struct shk_tap_ops *ops;
};

#endif /* SHK_TAP_H */
