// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "report/report.h"
#include "report/view.h"

#define TWO_32     4294967296.0
#define LINE_MIN   3 /* samples that a tuple with a line of its own has */
#define TURNS_MAX  6 /* of the clock; for longer times they are laid over each other */
#define CLIP_TIMES 4 /* the picture of residuals reaches that many times as far as 95 of 100 */

static bool has_one_clock(const struct shk_isn_host *host)
{
	return host->verdict == SHK_ISN_GLOBAL_CLOCK;
}

struct shk_run shk_view_tuple_at(const struct shk_view *v, uint32_t first)
{
	struct shk_run run = {first, 1};

	while (first + run.n < v->n && v->sample[first + run.n].tuple == v->sample[first].tuple)
		run.n++;
	return run;
}

/* What should lie on one line. */
static struct shk_run line_at(const struct shk_view *v, uint32_t first)
{
	return has_one_clock(v->host) ? (struct shk_run){first, v->n - first} : shk_view_tuple_at(v, first);
}

static void find_span(struct shk_view *v)
{
	int64_t end_ns = v->sample[0].real_ns;

	v->begin_ns = end_ns;
	for (uint32_t i = 1; i < v->n; i++) {
		if (v->sample[i].real_ns < v->begin_ns)
			v->begin_ns = v->sample[i].real_ns;
		if (v->sample[i].real_ns > end_ns)
			end_ns = v->sample[i].real_ns;
	}
	v->span_s = (end_ns - v->begin_ns) / 1e9;
	if (v->span_s <= 0)
		v->span_s = 1;
}

/* The tuples with most samples, longest first. */
static void find_lines(struct shk_view *v)
{
	struct shk_run run;
	unsigned int at;

	for (uint32_t i = 0; i < v->n; i += run.n) {
		run = line_at(v, i);
		if (run.n < LINE_MIN)
			continue;
		for (at = v->n_lines; at && v->line[at - 1].n < run.n; at--)
			if (at < SHK_VIEW_LINES)
				v->line[at] = v->line[at - 1];
		if (at < SHK_VIEW_LINES)
			v->line[at] = run;
		if (v->n_lines < SHK_VIEW_LINES)
			v->n_lines++;
	}
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* From the middle of what the tuple's offsets are, so that one bad sample moves nothing. */
static void measure_run(struct shk_view *v, struct shk_run run, double *scratch)
{
	const uint32_t *offset = v->host->offset + run.first;
	double *residual = v->residual_us + run.first, middle;

	for (uint32_t i = 0; i < run.n; i++) {
		residual[i] = (int32_t)(offset[i] - offset[0]) / v->host->rate_hz * 1e6;
		scratch[i] = residual[i];
	}
	qsort(scratch, run.n, sizeof(*scratch), compare_doubles);
	middle = scratch[run.n / 2];
	for (uint32_t i = 0; i < run.n; i++)
		residual[i] = run.n > 1 ? residual[i] - middle : NAN;
}

/* How far the picture reaches: as far as any, or not much farther than most. */
static void find_limit(struct shk_view *v, double *scratch)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < v->n; i++)
		if (!isnan(v->residual_us[i]))
			scratch[n++] = fabs(v->residual_us[i]);
	if (!n)
		return;
	qsort(scratch, n, sizeof(*scratch), compare_doubles);
	v->limit_us = fmin(scratch[n - 1], CLIP_TIMES * scratch[(n - 1) * 95 / 100]) * 1.08;
	if (v->limit_us < 1)
		v->limit_us = 1;
}

static int measure(struct shk_view *v)
{
	double *scratch;
	struct shk_run run;

	if (!v->host->rate_hz || !v->host->offset || v->sample != v->host->kept)
		return 0;
	v->residual_us = calloc(v->n, sizeof(double));
	scratch = calloc(v->n, sizeof(double));
	if (v->residual_us && scratch) {
		for (uint32_t i = 0; i < v->n; i += run.n) {
			run = line_at(v, i);
			measure_run(v, run, scratch);
		}
		find_limit(v, scratch);
	}
	free(scratch);
	return v->residual_us && scratch ? 0 : -ENOMEM;
}

int shk_view_open(struct shk_view *v, const struct shk_isn_host *host)
{
	*v = (struct shk_view){.host = host, .sample = host->kept, .n = host->n_kept};
	if (!v->n) {
		v->sample = host->recent;
		v->n = host->n_recent;
	}
	v->stride = (v->n + SHK_REPORT_POINTS - 1) / SHK_REPORT_POINTS;
	find_span(v);
	if (host->rate_hz > 0)
		v->turn_s = TWO_32 / host->rate_hz;
	v->folded = v->turn_s && v->span_s > TURNS_MAX * v->turn_s;
	if (v->turn_s && v->sample == host->kept)
		find_lines(v);
	return measure(v);
}

void shk_view_close(struct shk_view *v)
{
	free(v->residual_us);
}
