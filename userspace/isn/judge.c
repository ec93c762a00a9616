// SPDX-License-Identifier: GPL-2.0
#include "isn/judge.h"

#include <stdlib.h>

/*
 * The order of the questions matters. What all tuples have in common is looked for first: that is what makes
 * ISNs predictable, and only pairs of different tuples can show it. A clock for each tuple comes next, and
 * what has neither is random only if tuples were used again.
 */

#define CONSTANT_MIN         3U /* samples */
#define CONSTANT_SHARE       0.9
#define STEPS_MIN            4U /* pairs */
#define STEPS_SHARE          0.97
#define CLOCK_PAIRS_MIN      3U /* on it by chance: once in 200 for each */
#define CLOCK_SHARE          0.9
#define LINE_PAIRS_MIN       8U
#define LINE_JITTER          0.05 /* seconds */
#define STEP_T_MIN           5.0
#define GCD_MIN              32U
#define POSITIVE_SAMPLES_MIN 20U
#define NEAR                 (1U << 28)
#define NEAR_SHARE           0.95 /* 8 of 8 by chance: once in 16 million */
#define TUPLES_REUSED_MIN    3U
#define TUPLES_MIN           16U
#define OWN_CLOCK_SHARE      0.5 /* more may be off the line than a network makes late */
#define RANDOM_SAMPLES_MIN   20U
#define RANDOM_PAIRS_MIN     8U
#define RANDOM_ON_CLOCK      0.05

static bool decide(struct shk_isn_host *host, enum shk_isn_verdict verdict)
{
	host->verdict = verdict;
	return true;
}

static void lacks(struct shk_isn_host *host, uint32_t needed, bool of_used_tuples)
{
	host->verdict = SHK_ISN_INSUFFICIENT;
	host->needed = needed ? needed : 1;
	host->needs_reuse = of_used_tuples;
}

static void take_line(struct shk_isn_host *host, const struct shk_isn_line *line)
{
	host->rate_hz = line->rate_hz;
	host->rate_measured_hz = line->measured_hz;
	host->residual = line->residual;
	host->residual_ns = line->residual * 1e9 / line->rate_hz;
}

/*
 * ---- What all tuples have in common ----------------------------------------------------------------
 */

static uint32_t growths(const struct shk_isn_pair *pairs, uint32_t n, uint32_t *out)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		out[i] = pairs[i].growth;
	return n;
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

/* Backwards counts as well: over a network the later ISN may be seen first. */
static uint32_t size_of(uint32_t growth)
{
	return growth <= INT32_MAX ? growth : -growth;
}

/* What all growths are multiples of. */
static uint32_t common_step(const struct shk_isn_pair *pairs, uint32_t n)
{
	uint32_t i, g = 0;

	for (i = 0; i < n; i++)
		g = gcd(g, size_of(pairs[i].growth));
	return g;
}

static void sort(uint32_t *values, uint32_t n)
{
	shk_isn_quantile(values, n, 0);
}

/* The commonest of sorted values, and how often it is there. */
static uint32_t mode_of(const uint32_t *values, uint32_t n, uint32_t *count)
{
	uint32_t i, run = 0, mode = 0;

	for (*count = 0, i = 0; i < n; i++) {
		run = i && values[i] == values[i - 1] ? run + 1 : 1;
		if (run > *count) {
			*count = run;
			mode = values[i];
		}
	}
	return mode;
}

/* Most of them, since one may have been forced. */
static bool is_constant(struct shk_isn_host *host, struct shk_isn_work *w)
{
	uint32_t i, count;

	for (i = 0; i < host->n_recent; i++)
		w->values[i] = host->recent[i].isn;
	sort(w->values, host->n_recent);
	mode_of(w->values, host->n_recent, &count);
	return count >= host->n_recent * CONSTANT_SHARE && decide(host, SHK_ISN_CONSTANT);
}

/* The ISNs in their own order, which is the true one even if a network changed it, are equally far apart. */
static bool is_fixed_step(struct shk_isn_host *host, struct shk_isn_work *w)
{
	uint32_t i, n = host->n_recent, count, step;

	for (i = 0; i < n; i++)
		w->values[i] = host->recent[i].isn - host->recent[0].isn + (1U << 31);
	sort(w->values, n);
	for (i = 0; i + 1 < n; i++)
		w->values[i] = w->values[i + 1] - w->values[i];
	sort(w->values, --n);
	step = mode_of(w->values, n, &count);
	if (n < STEPS_MIN || !step || count < n * STEPS_SHARE)
		return false;
	host->step = step;
	return decide(host, SHK_ISN_FIXED_INCREMENT);
}

/* A clock that all tuples share: one of those that are known, however long the gaps. */
static bool is_common_clock(struct shk_isn_host *host, struct shk_isn_work *w, uint32_t n)
{
	struct shk_isn_line line;

	if (n < CLOCK_PAIRS_MIN)
		return false;
	line = shk_isn_clock(w->pairs, n, w->values);
	if (line.share < CLOCK_SHARE)
		return false;
	take_line(host, &line);
	return decide(host, SHK_ISN_GLOBAL_CLOCK);
}

/* Upwards, and never far. */
static bool grows(const struct shk_isn_pair *pairs, uint32_t n)
{
	uint32_t i, near = 0;
	int64_t sum = 0;

	for (i = 0; i < n; i++) {
		if (size_of(pairs[i].growth) > NEAR)
			continue;
		near++;
		sum += (int32_t)pairs[i].growth;
	}
	return sum > 0 && near >= n * NEAR_SHARE;
}

/* A counter that grows with time, in steps or not, and perhaps with each connection. */
static bool is_counter(struct shk_isn_host *host, struct shk_isn_work *w, uint32_t n)
{
	struct shk_isn_affine fit;
	double allowed;
	uint32_t g;

	if (n < LINE_PAIRS_MIN || !grows(w->pairs, n))
		return false;
	fit = shk_isn_affine_fit(w->pairs, n, w->values);
	g = common_step(w->pairs, n);
	allowed = fit.rate_hz * fit.mean_gap_s / 4;
	if (allowed > fit.rate_hz * LINE_JITTER)
		allowed = fit.rate_hz * LINE_JITTER;
	if (g >= GCD_MIN && allowed < 1.1 * g)
		allowed = 1.1 * g;
	if (!fit.fits || fit.rate_hz <= 0 || fit.residual > allowed + 2)
		return false;
	host->rate_hz = fit.rate_hz;
	host->rate_measured_hz = fit.rate_hz;
	host->residual = fit.residual;
	host->residual_ns = fit.residual * 1e9 / fit.rate_hz;
	if (fit.step_t < STEP_T_MIN)
		return decide(host, SHK_ISN_GLOBAL_CLOCK);
	host->step = g >= GCD_MIN ? g : fit.step;
	return decide(host, SHK_ISN_COUNTER_CLOCK);
}

static bool is_random_step(struct shk_isn_host *host, struct shk_isn_work *w, uint32_t n)
{
	uint32_t collisions;

	if (n + 1 < POSITIVE_SAMPLES_MIN || !grows(w->pairs, n))
		return false;
	collisions = shk_isn_collisions(w->values, growths(w->pairs, n, w->values), 0);
	host->entropy_bits = shk_isn_collision_bits(n, collisions);
	host->entropy_cap_bits = shk_isn_collision_bits(n, 0);
	return decide(host, SHK_ISN_RANDOM_POSITIVE);
}

/*
 * ---- What each tuple has for itself ----------------------------------------------------------------
 */

static void count_tuples(struct shk_isn_host *host)
{
	const struct shk_isn_sample *s = host->kept;
	uint32_t i, run = 0;

	for (i = 0; i < host->n_kept; i++) {
		run = i && s[i].tuple == s[i - 1].tuple ? run + 1 : 1;
		host->tuples += run == 1;
		host->reused += run == 2;
	}
}

/* The ISNs' distance from the clock, for every sample kept. */
static void find_offsets(struct shk_isn_host *host, struct shk_isn_work *w)
{
	uint32_t i;

	for (i = 0; i < host->n_kept; i++)
		w->offset[i] = host->kept[i].isn - shk_isn_ticks(host->kept[i].real_ns, host->rate_hz);
	host->offset = w->offset;
}

/* One point for each tuple: its last sample, which nothing later contradicts. */
static uint32_t find_points(const struct shk_isn_host *host, struct shk_isn_work *w)
{
	const struct shk_isn_sample *s = host->kept;
	uint32_t i, n = 0;

	for (i = 0; i < host->n_kept; i++) {
		if (i + 1 < host->n_kept && s[i].tuple == s[i + 1].tuple)
			continue;
		w->points[n++] = (struct shk_isn_point){
			.real_ns = s[i].real_ns,
			.value = host->offset ? host->offset[i] : s[i].isn,
			.port = host->role == SHK_CLIENT ? s[i].own_port : s[i].peer_port,
		};
	}
	return n;
}

static void test_across(struct shk_isn_host *host, struct shk_isn_work *w)
{
	uint32_t n = find_points(host, w);

	shk_isn_cross(w->points, n, host->residual, &host->cross);
	host->entropy_bits = shk_isn_collision_bits(n, host->cross.collisions);
	host->entropy_cap_bits = shk_isn_collision_bits(n, 0);
}

/* Two neighbours off the line are one sample that is: it leaves the line and the next one comes back. */
static uint64_t count_strays(const struct shk_isn_line *line, uint32_t pairs)
{
	return (uint64_t)((1 - line->share) * pairs / 2 + 0.5);
}

static bool is_own_clock(struct shk_isn_host *host, struct shk_isn_work *w, const struct shk_isn_line *line,
			 uint32_t n)
{
	if (n < CLOCK_PAIRS_MIN || line->share < OWN_CLOCK_SHARE)
		return false;
	take_line(host, line);
	find_offsets(host, w);
	host->excluded[SHK_ISN_UNKNOWN] += count_strays(line, n);
	if (host->tuples < TUPLES_MIN)
		lacks(host, TUPLES_MIN - host->tuples, false);
	else if (host->reused < TUPLES_REUSED_MIN && n < LINE_PAIRS_MIN)
		lacks(host, TUPLES_REUSED_MIN - host->reused, true);
	else
		host->verdict = SHK_ISN_RFC6528;
	test_across(host, w);
	return true;
}

static void judge_each_tuple(struct shk_isn_host *host, struct shk_isn_work *w)
{
	struct shk_isn_line line = {0};
	uint32_t n;

	n = shk_isn_pairs(host->kept, host->n_kept, SHK_PAIR_SAME_TUPLE, w->pairs);
	if (n)
		line = shk_isn_clock(w->pairs, n, w->values);
	if (is_own_clock(host, w, &line, n))
		return;
	if (n < CLOCK_PAIRS_MIN)
		lacks(host, CLOCK_PAIRS_MIN - n, true);
	else if (n < RANDOM_PAIRS_MIN)
		lacks(host, RANDOM_PAIRS_MIN - n, true);
	else if (host->n_kept < RANDOM_SAMPLES_MIN)
		lacks(host, RANDOM_SAMPLES_MIN - host->n_kept, false);
	else if (line.share > RANDOM_ON_CLOCK || grows(w->pairs, n))
		lacks(host, n, true);
	else
		host->verdict = SHK_ISN_RANDOM;
	test_across(host, w);
}

static void judge(struct shk_isn_host *host, struct shk_isn_work *w)
{
	uint32_t n;

	if (host->n_recent < CONSTANT_MIN) {
		lacks(host, CONSTANT_MIN - host->n_recent, false);
		return;
	}
	if (is_constant(host, w) || is_fixed_step(host, w))
		return;
	n = shk_isn_pairs(host->recent, host->n_recent, SHK_PAIR_OTHER_TUPLE, w->pairs);
	if (is_common_clock(host, w, n) || is_counter(host, w, n) || is_random_step(host, w, n))
		return;
	judge_each_tuple(host, w);
}

/*
 * ---- nmap ------------------------------------------------------------------------------------------
 */

/* The last samples that are as far apart as nmap's probes are. */
static bool compute_nmap(const struct shk_isn_host *host, struct shk_nmap *out)
{
	uint32_t isn[SHK_NMAP_SAMPLES_MAX], i, n = 0;
	int64_t ns[SHK_NMAP_SAMPLES_MAX];
	const struct shk_isn_sample *s;

	for (i = host->n_recent; i-- > 0 && n < SHK_NMAP_SAMPLES_MAX;) {
		s = &host->recent[i];
		if (n && ns[SHK_NMAP_SAMPLES_MAX - n] - s->real_ns < SHK_NMAP_DELAY_NS)
			continue;
		n++;
		isn[SHK_NMAP_SAMPLES_MAX - n] = s->isn;
		ns[SHK_NMAP_SAMPLES_MAX - n] = s->real_ns;
	}
	return shk_nmap_compute(isn + SHK_NMAP_SAMPLES_MAX - n, ns + SHK_NMAP_SAMPLES_MAX - n, n, out);
}

void shk_isn_judge_store(struct shk_isn_store *s, struct shk_isn_work *w, struct shk_isn_host *host)
{
	shk_isn_store_sort(s);
	host->n_recent = shk_isn_store_recent(s, w->recent);
	host->recent = w->recent;
	host->kept = s->kept;
	host->n_kept = s->n_kept;
	host->judged = s->n_kept > host->n_recent ? s->n_kept : host->n_recent;
	count_tuples(host);
	judge(host, w);
	if (host->rate_hz > 0 && !host->offset)
		find_offsets(host, w);
	host->nmap_known = compute_nmap(host, &host->nmap);
}
