/* SPDX-License-Identifier: GPL-2.0 */
/* One segment of a ladder in words. */
#ifndef SHK_ARROW_TEXT_H
#define SHK_ARROW_TEXT_H

#include "engine/conn.h"
#include "text.h"

/* "[2] SYN+ACK seq=3613714083 ack=1820808725 = client ISN+1", instead of what @t held. */
void shk_arrow_label(struct shk_text *t, const struct shk_conn *conn, uint32_t number);

/*
 * "OUT +0 POST +11", likewise: the hooks that saw it, in µs after the first. By time; equal times in the
 * order in which a segment passes them that stays on one host.
 */
void shk_arrow_stamps(struct shk_text *t, const struct shk_arrow *arrow);

#endif /* SHK_ARROW_TEXT_H */
