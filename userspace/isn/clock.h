/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Do ISNs lie on a line over time? Pairs of neighbouring samples are looked at, of one tuple or of different
 * ones: of how much the number grew in how much time.
 */
#ifndef SHK_ISN_CLOCK_H
#define SHK_ISN_CLOCK_H

#include "isn/audit.h"

struct shk_isn_pair {
	int64_t		from_ns, to_ns;	/* time of day */
	uint32_t	growth;		/* modulo 2^32 */
};

enum shk_isn_pairing { SHK_PAIR_SAME_TUPLE, SHK_PAIR_OTHER_TUPLE, SHK_PAIR_ANY };

/* Pairs of neighbours in @samples; @out has room for @n. Returns their number. */
uint32_t shk_isn_pairs(const struct shk_isn_sample *samples, uint32_t n, enum shk_isn_pairing which,
		       struct shk_isn_pair *out);

/* What a clock of @rate_hz that began at the epoch shows, modulo 2^32. */
uint32_t shk_isn_ticks(int64_t real_ns, double rate_hz);

/* A line through pairs. */
struct shk_isn_line {
	double		rate_hz;	/* nominal, if it is a clock that is known, else fitted */
	double		measured_hz;	/* fitted; 0: the pairs are too close together */
	double		share;		/* of the pairs, those on it */
	uint32_t	residual;	/* of those, 95 in 100 are no further from it, in counts */
};

/* The clock that fits best; .share says how well. Of @n pairs, at least 1. @work has room for @n. */
struct shk_isn_line shk_isn_clock(const struct shk_isn_pair *pairs, uint32_t n, uint32_t *work);

/* How far a pair may be from a line and yet be on it: hooks and networks take their time. */
uint32_t shk_isn_tolerance(const struct shk_isn_pair *pair, double rate_hz);

/* growth = step + rate * time, where nothing wraps. */
struct shk_isn_affine {
	bool		fits;
	double		step;
	double		rate_hz;
	double		step_t;		/* the step in units of its standard error */
	double		residual;	/* 90 in 100 are no further from it */
	double		mean_gap_s;
};
struct shk_isn_affine shk_isn_affine_fit(const struct shk_isn_pair *pairs, uint32_t n, uint32_t *work);

/* Of values in any order, which get sorted; @share in [0, 1]. */
uint32_t shk_isn_quantile(uint32_t *values, uint32_t n, double share);

#endif /* SHK_ISN_CLOCK_H */
