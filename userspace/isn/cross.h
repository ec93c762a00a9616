/* SPDX-License-Identifier: GPL-2.0 */
/* Are numbers uniform and independent from tuple to tuple? And how much of them can at most be known? */
#ifndef SHK_ISN_CROSS_H
#define SHK_ISN_CROSS_H

#include "isn/audit.h"

/* One number of each tuple. */
struct shk_isn_point {
	int64_t		real_ns;
	uint32_t	value;		/* F, or the ISN where there is no clock */
	uint16_t	port;		/* of the end whose port differs from tuple to tuple */
};

/* @points get sorted. Values nearer than @grain count as equal: no clock is known better than that. */
void shk_isn_cross(struct shk_isn_point *points, uint32_t n, uint32_t grain, struct shk_isn_cross *out);

/* Bits that @n values with @collisions certify: Renyi's entropy of second order is at least that. */
double shk_isn_collision_bits(uint32_t n, uint32_t collisions);

/* Pairs of @values no further apart than @grain; sorts them. */
uint32_t shk_isn_collisions(uint32_t *values, uint32_t n, uint32_t grain);

#endif /* SHK_ISN_CROSS_H */
