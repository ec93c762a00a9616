/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How two FINs stand to each other, whatever else ended the connection.
 */
#ifndef SHK_FINS_H
#define SHK_FINS_H

#include "flow.h"

/* The end whose FIN came first; of one FIN, whose it is. */
unsigned int shk_fins_first(const struct shk_flow *f);

/* SHK_C_4SEG, SHK_C_3SEG or SHK_C_SIMULTANEOUS; SHK_C_NONE unless both ends sent one. */
enum shk_close shk_fins_shape(const struct shk_flow *f);

#endif /* SHK_FINS_H */
