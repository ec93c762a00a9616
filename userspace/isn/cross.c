// SPDX-License-Identifier: GPL-2.0
#include "isn/cross.h"

#include <math.h>
#include <stdlib.h>

#define SPACE        4294967296.0
#define CHI2_BINS    16U
#define CHI2_LIMIT   44.3 /* once in 10,000 */
#define Z_LIMIT      4.5  /* for the worst of 32 bits and two correlations: once in 4000 */
#define LINEAR_MIN   8U
#define LINEAR_SHARE 0.5
#define COARSE_SHIFT 17 /* differences are compared to 2^17, as good as 8 ms of the fastest clock */

static int by_time(const void *a, const void *b)
{
	const struct shk_isn_point *x = a, *y = b;

	return (x->real_ns > y->real_ns) - (x->real_ns < y->real_ns);
}

static int by_port(const void *a, const void *b)
{
	const struct shk_isn_point *x = a, *y = b;

	return x->port != y->port ? (x->port > y->port) - (x->port < y->port) : by_time(a, b);
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double chi2(const struct shk_isn_point *points, uint32_t n)
{
	double bins[CHI2_BINS] = {0}, expected = (double)n / CHI2_BINS, sum = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		bins[points[i].value >> 28]++;
	for (i = 0; i < CHI2_BINS; i++)
		sum += (bins[i] - expected) * (bins[i] - expected) / expected;
	return sum;
}

/* Of each with the next, in the order they are in. */
static double serial(const struct shk_isn_point *points, uint32_t n)
{
	double mean = 0, square = 0, along = 0, x;
	uint32_t i;

	for (i = 0; i < n; i++)
		mean += points[i].value / SPACE / n;
	for (i = 0; i < n; i++) {
		x = points[i].value / SPACE - mean;
		square += x * x;
		if (i + 1 < n)
			along += x * (points[i + 1].value / SPACE - mean);
	}
	return square > 0 ? along / square : 1;
}

static double worst_bit(const struct shk_isn_point *points, uint32_t n)
{
	double z, worst = 0;
	uint32_t bit, i, ones;

	for (bit = 0; bit < 32; bit++) {
		for (ones = 0, i = 0; i < n; i++)
			ones += points[i].value >> bit & 1;
		z = (ones - n / 2.0) / (sqrt(n) / 2);
		if (fabs(z) > fabs(worst))
			worst = z;
	}
	return worst;
}

/* The longest run of equals among sorted values. */
static uint32_t longest_run(const uint32_t *values, uint32_t n)
{
	uint32_t i, run = 0, longest = 0;

	for (i = 0; i < n; i++) {
		run = i && values[i] == values[i - 1] ? run + 1 : 1;
		if (run > longest)
			longest = run;
	}
	return longest;
}

/*
 * If the hash of the tuple were linear in the port, neighbours would all differ by the same. Points are in
 * order of port; neighbours are those one or two apart, since Linux gives clients every other port.
 */
static double linear_share(const struct shk_isn_point *points, uint32_t n, uint32_t *work)
{
	uint32_t i, apart, m, run;
	double share = 0;

	for (apart = 1; apart <= 2; apart++) {
		for (m = 0, i = 0; i + 1 < n; i++)
			if (points[i + 1].port - points[i].port == (int)apart)
				work[m++] = (points[i + 1].value - points[i].value) >> COARSE_SHIFT;
		if (m < LINEAR_MIN)
			continue;
		qsort(work, m, sizeof(*work), ascending);
		run = longest_run(work, m);
		if ((double)run / m > share)
			share = (double)run / m;
	}
	return share;
}

uint32_t shk_isn_collisions(uint32_t *values, uint32_t n, uint32_t grain)
{
	uint32_t i, j, collisions = 0;

	qsort(values, n, sizeof(*values), ascending);
	for (i = 0; i < n; i++)
		for (j = i + 1; j < n && values[j] - values[i] <= grain && collisions < UINT32_MAX; j++)
			collisions++;
	return collisions;
}

double shk_isn_collision_bits(uint32_t n, uint32_t collisions)
{
	double pairs = (double)n * (n - 1.0) / 2, bits;

	if (n < 2)
		return 0;
	bits = log2(pairs / (collisions ? collisions : 1));
	return bits < 32 ? bits : 32;
}

static bool speaks_nothing_against(const struct shk_isn_cross *c)
{
	double limit = Z_LIMIT / sqrt(c->n);
	double many = c->collisions_expected + 5 * sqrt(c->collisions_expected) + 3;

	return (!c->chi2_known || c->chi2 < CHI2_LIMIT) && fabs(c->serial_time) < limit &&
	       fabs(c->serial_port) < limit && fabs(c->bit_balance) < Z_LIMIT &&
	       c->linear_in_port < LINEAR_SHARE && c->collisions < many;
}

void shk_isn_cross(struct shk_isn_point *points, uint32_t n, uint32_t grain, struct shk_isn_cross *out)
{
	uint32_t *work;
	uint32_t i;

	*out = (struct shk_isn_cross){.n = n};
	if (n < 2)
		return;
	work = calloc(n, sizeof(*work));
	if (!work)
		return;
	out->chi2_known = n >= SHK_ISN_CHI2_MIN;
	out->chi2 = chi2(points, n);
	qsort(points, n, sizeof(*points), by_time);
	out->serial_time = serial(points, n);
	qsort(points, n, sizeof(*points), by_port);
	out->serial_port = serial(points, n);
	out->serial_limit = 1.96 / sqrt(n);
	out->bit_balance = worst_bit(points, n);
	out->linear_in_port = linear_share(points, n, work);
	for (i = 0; i < n; i++)
		work[i] = points[i].value;
	out->collisions = shk_isn_collisions(work, n, grain);
	out->collisions_expected = (double)n * (n - 1.0) / 2 * (2.0 * grain + 1) / SPACE;
	out->uniform = speaks_nothing_against(out);
	free(work);
}
