/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The merge: many streams, each nearly in order, become one in order of time.
 *
 * Events are copied in and held for a window, because another CPU may still come up with an earlier
 * one. What arrives after its time has been given out is passed on at once, marked late and counted:
 * nothing is ever dropped here. Equal times keep the order of push.
 */
#ifndef SHK_MERGE_H
#define SHK_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "uapi/tcpshake.h"

#define SHK_MERGE_WINDOW_NS	20000000ULL

struct shk_merge;

struct shk_merge *shk_merge_new(unsigned int streams, uint64_t window_ns);	/* NULL: no memory */
void shk_merge_free(struct shk_merge *m);	/* accepts NULL */

/* 0, or -ENOMEM: the event was not taken. */
int shk_merge_push(struct shk_merge *m, unsigned int stream, const struct shk_event *ev);

/*
 * The next event whose time has come, that is older than @now_ns minus the window; NULL if there is
 * none. @now_ns UINT64_MAX gives out everything. Valid until the next push. *late: see above.
 */
const struct shk_event *shk_merge_next(struct shk_merge *m, uint64_t now_ns, bool *late);

uint64_t shk_merge_late(const struct shk_merge *m);	/* how many so far */
uint64_t shk_merge_held(const struct shk_merge *m);	/* how many are waiting */

#endif /* SHK_MERGE_H */
