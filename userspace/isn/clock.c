// SPDX-License-Identifier: GPL-2.0
#include "isn/clock.h"

#include <math.h>
#include <stdlib.h>

#define NS_PER_SECOND 1e9
#define MS            1000000.0

/*
 * The time from choosing an ISN to the first hook varies by microseconds on this host, and by as much as the
 * delay of the network does for another. Over short gaps less is allowed, or anything were on any line.
 */
#define JITTER_MIN_NS (1 * MS)
#define JITTER_MAX_NS (50 * MS)
#define DRIFT         500e-6 /* of two clocks, far more than NTP lets pass */

/* Two numbers of a fast clock may be taken apart while it has not gone half round: 20 MHz in 100 s. */
#define WHOLE_NS      (100 * NS_PER_SECOND)
#define LEVERAGE_NS   (10 * MS) /* over less the slope says nothing */
#define SLOPES_MIN    8U
#define RATE_MAX_HZ   50e6       /* faster, it would go round within the life of a segment, 120 s */
#define TOLERANCE_MAX (1U << 25) /* by chance no more than one pair in 64 */

uint32_t shk_isn_pairs(const struct shk_isn_sample *samples, uint32_t n, enum shk_isn_pairing which,
		       struct shk_isn_pair *out)
{
	const struct shk_isn_sample *a, *b;
	uint32_t i, pairs = 0;
	bool same;

	for (i = 0; i + 1 < n; i++) {
		a = &samples[i];
		b = &samples[i + 1];
		same = a->tuple == b->tuple;
		if (which == SHK_PAIR_ANY || same == (which == SHK_PAIR_SAME_TUPLE))
			out[pairs++] = (struct shk_isn_pair){a->real_ns, b->real_ns, b->isn - a->isn};
	}
	return pairs;
}

uint32_t shk_isn_ticks(int64_t real_ns, double rate_hz)
{
	uint64_t mhz = (uint64_t)llround(rate_hz * 1000);

	return (uint32_t)((unsigned __int128)real_ns * mhz / 1000000000000ULL);
}

static double gap_ns(const struct shk_isn_pair *pair)
{
	return (double)(pair->to_ns - pair->from_ns);
}

static uint32_t distance(const struct shk_isn_pair *pair, double rate_hz)
{
	uint32_t ticks = shk_isn_ticks(pair->to_ns, rate_hz) - shk_isn_ticks(pair->from_ns, rate_hz);
	int64_t off = (int32_t)(pair->growth - ticks);

	return off < 0 ? -off : off;
}

uint32_t shk_isn_tolerance(const struct shk_isn_pair *pair, double rate_hz)
{
	double ns = gap_ns(pair) / 4;

	ns = ns < JITTER_MIN_NS ? JITTER_MIN_NS : ns > JITTER_MAX_NS ? JITTER_MAX_NS : ns;
	ns += gap_ns(pair) * DRIFT;
	ns = ns * rate_hz / NS_PER_SECOND + 2;
	return ns < TOLERANCE_MAX ? ns : TOLERANCE_MAX;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

uint32_t shk_isn_quantile(uint32_t *values, uint32_t n, double share)
{
	uint32_t place = n * share;

	if (!n)
		return 0;
	qsort(values, n, sizeof(*values), ascending);
	return values[place < n ? place : n - 1];
}

/*
 * ---- A clock ---------------------------------------------------------------------------------------
 */

static struct shk_isn_line try_clock(const struct shk_isn_pair *pairs, uint32_t n, double rate_hz,
				     uint32_t *work)
{
	struct shk_isn_line line = {.rate_hz = rate_hz};
	uint32_t i, off, on = 0;

	for (i = 0; i < n; i++) {
		off = distance(&pairs[i], rate_hz);
		if (off <= shk_isn_tolerance(&pairs[i], rate_hz))
			work[on++] = off;
	}
	line.share = (double)on / n;
	line.residual = shk_isn_quantile(work, on, 0.95);
	return line;
}

/* The median of the slopes: half of the pairs may be anything. In mHz, so that a slow clock has digits. */
static double median_slope(const struct shk_isn_pair *pairs, uint32_t n, double min_ns, uint32_t *work)
{
	uint32_t i, m = 0;
	double hz;

	for (i = 0; i < n; i++) {
		if (gap_ns(&pairs[i]) < min_ns || gap_ns(&pairs[i]) > WHOLE_NS)
			continue;
		hz = pairs[i].growth / gap_ns(&pairs[i]) * NS_PER_SECOND;
		work[m++] = hz < UINT32_MAX ? hz : UINT32_MAX;
	}
	return m < SLOPES_MIN ? 0 : shk_isn_quantile(work, m, 0.5);
}

/* Least squares through 0 of the pairs that are near: what @rate_hz would be if it were measured. */
static double refine(const struct shk_isn_pair *pairs, uint32_t n, double rate_hz)
{
	double along = 0, square = 0, s;
	uint32_t i, ticks;

	for (i = 0; i < n; i++) {
		if (distance(&pairs[i], rate_hz) > shk_isn_tolerance(&pairs[i], rate_hz))
			continue;
		ticks = shk_isn_ticks(pairs[i].to_ns, rate_hz) - shk_isn_ticks(pairs[i].from_ns, rate_hz);
		s = gap_ns(&pairs[i]) / NS_PER_SECOND;
		along += s * (int32_t)(pairs[i].growth - ticks);
		square += s * s;
	}
	return square > 0 ? rate_hz + along / square : 0;
}

/* On more pairs is better; on as many, nearer to them. */
static bool is_better(const struct shk_isn_line *a, const struct shk_isn_line *b)
{
	if (fabs(a->share - b->share) > 0.02)
		return a->share > b->share;
	return a->residual < b->residual;
}

struct shk_isn_line shk_isn_clock(const struct shk_isn_pair *pairs, uint32_t n, uint32_t *work)
{
	/* Linux; FreeBSD; RFC 793 and its successors; 4.4BSD without its steps; timers. */
	static const double known_hz[] = {15625000, 1048576, 1000000, 250000, 128000, 1000, 100};
	struct shk_isn_line best = {0}, line;
	double slope_hz;
	size_t i;

	for (i = 0; i < sizeof(known_hz) / sizeof(known_hz[0]); i++) {
		line = try_clock(pairs, n, known_hz[i], work);
		if (is_better(&line, &best))
			best = line;
	}
	slope_hz = median_slope(pairs, n, LEVERAGE_NS, work);
	if (slope_hz > 0 && slope_hz < RATE_MAX_HZ) {
		slope_hz = refine(pairs, n, slope_hz);
		line = try_clock(pairs, n, slope_hz, work);
		/* An unknown clock must do much better than a known one. */
		if (line.share > best.share + 0.1 ||
		    (line.share >= 0.9 && line.residual * 8.0 < best.residual))
			best = line;
	}
	if (best.share > 0)
		best.measured_hz = refine(pairs, n, best.rate_hz);
	return best;
}

/*
 * ---- A clock and a step ----------------------------------------------------------------------------
 */

struct sums {
	double n, t, g, tt, tg;
};

static bool usable(const struct shk_isn_pair *pair)
{
	return gap_ns(pair) < WHOLE_NS;
}

static struct sums sum_up(const struct shk_isn_pair *pairs, uint32_t n)
{
	struct sums s = {0};
	double t, g;
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (!usable(&pairs[i]))
			continue;
		t = gap_ns(&pairs[i]) / NS_PER_SECOND;
		g = (int32_t)pairs[i].growth;
		s.n++;
		s.t += t;
		s.g += g;
		s.tt += t * t;
		s.tg += t * g;
	}
	return s;
}

/* Least squares of @s; false if the times are all the same. */
static bool solve(const struct sums *s, double *step, double *rate)
{
	double spread = s->tt - s->t * s->t / s->n;

	if (s->n < SLOPES_MIN || spread <= 1e-9 * s->tt)
		return false;
	*rate = (s->tg - s->t * s->g / s->n) / spread;
	*step = (s->g - *rate * s->t) / s->n;
	return true;
}

static double off_line(const struct shk_isn_pair *pair, double step, double rate)
{
	return (int32_t)pair->growth - step - rate * gap_ns(pair) / NS_PER_SECOND;
}

struct shk_isn_affine shk_isn_affine_fit(const struct shk_isn_pair *pairs, uint32_t n, uint32_t *work)
{
	struct sums s = sum_up(pairs, n);
	struct shk_isn_affine fit = {0};
	double variance = 0, off, error;
	uint32_t i, m = 0;

	if (!solve(&s, &fit.step, &fit.rate_hz))
		return fit;
	for (i = 0; i < n; i++) {
		if (!usable(&pairs[i]))
			continue;
		off = off_line(&pairs[i], fit.step, fit.rate_hz);
		variance += off * off;
		work[m++] = fabs(off) < UINT32_MAX ? fabs(off) : UINT32_MAX;
	}
	variance /= s.n - 2;
	error = sqrt(variance * s.tt / (s.n * s.tt - s.t * s.t));
	fit.step_t = error > 0 ? fit.step / error : fit.step > 0 ? INFINITY : 0;
	fit.residual = shk_isn_quantile(work, m, 0.9);
	fit.mean_gap_s = s.t / s.n;
	fit.fits = true;
	return fit;
}
