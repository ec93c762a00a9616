/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way back: conflicts between the witnesses, found in the records, told to the source that counts them.
 * Many at a time, so that it costs little even where every connection has one.
 */
#ifndef SHK_CONFLICT_REPORT_H
#define SHK_CONFLICT_REPORT_H

#include "source.h"

/* All 0 is an empty one. */
struct shk_conflict_report {
	struct shk_source	*to;		/* NULL: nobody counts them */
	struct shk_conflicts	untold;		/* of one namespace */
	struct shk_error	err;		/* the first failure; nothing more is told then */
};

/* A record of @netns has these SHK_CONFLICT_*. */
void shk_conflict_report_add(struct shk_conflict_report *r, uint32_t netns, uint32_t conflicts);
void shk_conflict_report_send(struct shk_conflict_report *r);

/* 0, or -errno and *err. */
int shk_conflict_report_failed(const struct shk_conflict_report *r, struct shk_error *err);

#endif /* SHK_CONFLICT_REPORT_H */
