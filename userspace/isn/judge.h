/* SPDX-License-Identifier: GPL-2.0 */
/* From the samples of a host to the generator that chose them. */
#ifndef SHK_ISN_JUDGE_H
#define SHK_ISN_JUDGE_H

#include "isn/clock.h"
#include "isn/cross.h"
#include "isn/store.h"

/* What it takes; allocated once. */
struct shk_isn_work {
	struct shk_isn_sample	recent[SHK_ISN_RECENT_MAX];
	struct shk_isn_pair	pairs[SHK_ISN_KEPT_MAX];
	struct shk_isn_point	points[SHK_ISN_KEPT_MAX];
	uint32_t		values[SHK_ISN_KEPT_MAX];
	uint32_t		offset[SHK_ISN_KEPT_MAX];
};

/* Fills all of @host but its name, .samples and .excluded, to which it adds. */
void shk_isn_judge_store(struct shk_isn_store *s, struct shk_isn_work *w, struct shk_isn_host *host);

#endif /* SHK_ISN_JUDGE_H */
