/* SPDX-License-Identifier: GPL-2.0 */
/* "Why not 0?": one reuse, judged again with ISNs chosen in other ways. */
#ifndef SHK_ISN_WHAT_IF_H
#define SHK_ISN_WHAT_IF_H

#include "isn/audit.h"

/*
 * Adds a reuse of a tuple to @sum. Times, octets, windows and timestamps are those that were; @new->number
 * is one more than that of the last connection closed before it.
 */
void shk_what_if_add(struct shk_counterfactual *sum, const struct shk_tuple_use *old,
		     const struct shk_tuple_use *new);

#endif /* SHK_ISN_WHAT_IF_H */
