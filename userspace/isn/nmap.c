// SPDX-License-Identifier: GPL-2.0
#include "isn/nmap.h"

#include <math.h>

#define NS_PER_US 1000.0

/* The shorter way round. */
static uint32_t distance(uint32_t a, uint32_t b)
{
	uint32_t up = b - a, down = a - b;

	return up < down ? up : down;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
	uint32_t rest;

	while (b) {
		rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static uint32_t eighths_of_log2(double x)
{
	return (uint32_t)(log2(x) * 8 + 0.5);
}

/* No probe answered by an ISN of 0 counts as answered. */
static uint32_t answered(const uint32_t *isn, const int64_t *ns, uint32_t n, uint32_t *seq, int64_t *at_ns)
{
	uint32_t i, kept = 0;

	for (i = 0; i < n && kept < SHK_NMAP_SAMPLES_MAX; i++) {
		if (!isn[i])
			continue;
		seq[kept] = isn[i];
		at_ns[kept++] = ns[i];
	}
	return kept;
}

static double deviation(const double *rate, uint32_t n, double mean, uint32_t divisor)
{
	double sum = 0, d;
	uint32_t i;

	for (i = 0; i < n; i++) {
		d = rate[i] / divisor - mean / divisor;
		sum += d * d;
	}
	return sqrt(sum / (n - 1));
}

bool shk_nmap_compute(const uint32_t *isn, const int64_t *ns, uint32_t n, struct shk_nmap *out)
{
	double rate[SHK_NMAP_SAMPLES_MAX - 1], mean = 0, us, s;
	uint32_t seq[SHK_NMAP_SAMPLES_MAX], i, diff;
	int64_t at_ns[SHK_NMAP_SAMPLES_MAX];

	*out = (struct shk_nmap){0};
	n = answered(isn, ns, n, seq, at_ns);
	if (n < SHK_NMAP_SAMPLES_MIN)
		return false;
	for (i = 0; i + 1 < n; i++) {
		diff = distance(seq[i], seq[i + 1]);
		us = (at_ns[i + 1] - at_ns[i]) / NS_PER_US;
		rate[i] = diff * 1e6 / (us < 1 ? 1 : us);
		mean += rate[i] / (n - 1);
		out->gcd = gcd(out->gcd, diff);
	}
	if (!out->gcd)
		return true;
	out->isr = mean > 1 ? eighths_of_log2(mean) : 0;
	s = deviation(rate, n - 1, mean, out->gcd > 9 ? out->gcd : 1);
	out->sp = s > 1 ? eighths_of_log2(s) : 0;
	return true;
}

const char *shk_nmap_words(uint32_t sp)
{
	static const struct {
		uint32_t below;
		const char *words;
	} scale[] = {
		{3, "Trivial joke"},      {6, "Easy"}, {11, "Medium"}, {12, "Formidable"},
		{16, "Worthy challenge"},
	};
	unsigned int i;

	for (i = 0; i < sizeof(scale) / sizeof(scale[0]); i++)
		if (sp < scale[i].below)
			return scale[i].words;
	return "Good luck!";
}
