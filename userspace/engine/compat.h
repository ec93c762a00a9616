/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Wireshark and Zeek would call a connection: their judgments, made from the same segments.
 */
#ifndef SHK_COMPAT_H
#define SHK_COMPAT_H

#include "flow.h"

/* Takes in a segment sent by end @from. The same one again, at the next hook, changes nothing. */
void shk_compat_note(struct shk_flow *f, const struct shk_segment *seg, unsigned int from);

/* @f begins with a SYN; @old is the tuple's earlier use. */
void shk_compat_inherit(struct shk_flow *f, const struct shk_flow *old);

void shk_compat_fill(struct shk_compat *out, const struct shk_flow *f);

#endif /* SHK_COMPAT_H */
