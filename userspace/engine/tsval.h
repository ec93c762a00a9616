/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The timestamps of each end (RFC 7323): its first TSval, and one that no data it sent lies beyond. They tell
 * whether the tuple's next use can know an old segment by its timestamp.
 */
#ifndef SHK_TSVAL_H
#define SHK_TSVAL_H

#include "flow.h"

/* A segment of end @from, of any kind. */
void shk_tsval_note(struct shk_flow *f, const struct shk_event *ev, unsigned int from);

/* To be called when all else of @conn but the conflicts is filled. */
void shk_tsval_fill(struct shk_conn *conn, const struct shk_flow *f);

#endif /* SHK_TSVAL_H */
