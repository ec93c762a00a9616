/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a single segment gives away beside its flags and numbers.
 */
#ifndef SHK_CLUES_H
#define SHK_CLUES_H

#include "flow.h"

/* SHK_END_*: options of a SYN or SYN+ACK with more to them than that they are there. */
uint16_t shk_clue_marks(const struct shk_segment *seg);

/* What the RST @seg answers, if Linux sent it. */
enum shk_rst_shape shk_clue_rst_shape(const struct shk_segment *seg);

#endif /* SHK_CLUES_H */
