// SPDX-License-Identifier: GPL-2.0
/*
 * One host in four pictures: ISNs over time, how far they lie from the clock's line, their steps, their
 * offsets.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/chart.h"
#include "report/report.h"
#include "report/view.h"

#define TWO_32  4294967296.0
#define BINS    16
#define ZOOM    16 /* ISNs that take less of their range than one in so many are drawn larger */
#define ID_SIZE 24

static const char *const line_classes[SHK_VIEW_LINES] = {"one", "two", "three"};

/* "400 ISNs", "1,366 of 4,096 ISNs, every 3rd" */
static void write_number(FILE *out, const struct shk_view *v)
{
	char shown[SHK_GROUPED_SIZE], all[SHK_GROUPED_SIZE];
	uint32_t n = (v->n + v->stride - 1) / v->stride;

	if (v->stride == 1)
		fprintf(out, "%s ISNs", shk_html_grouped(all, n));
	else
		fprintf(out, "%s of %s ISNs, one in %u", shk_html_grouped(shown, n),
			shk_html_grouped(all, v->n), v->stride);
}

/*
 * ---- Time ----------------------------------------------------------------------------------------
 */

struct unit {
	double seconds;
	const char *name;
};

static struct unit unit_of(double span_s)
{
	if (span_s > 7200)
		return (struct unit){3600, "hours"};
	if (span_s > 300)
		return (struct unit){60, "minutes"};
	if (span_s < 1)
		return (struct unit){1e-3, "milliseconds"};
	return (struct unit){1, "seconds"};
}

static void time_axis(struct shk_chart *c, const struct shk_view *v, double span_s)
{
	struct unit unit = unit_of(span_s);
	time_t seconds = v->begin_ns / 1000000000;
	char label[80], clock[16] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	snprintf(label, sizeof(label), "%s since %s UTC", unit.name, clock);
	c->x0 = 0;
	c->x1 = span_s / unit.seconds;
	shk_chart_axis_x(c, label);
	c->x1 = span_s;
}

/* Where all are close together, what they do is seen only from near by. */
static bool is_narrow(const struct shk_view *v, uint32_t *lowest, uint32_t *highest)
{
	*lowest = UINT32_MAX;
	*highest = 0;
	for (uint32_t i = 0; i < v->n; i++) {
		if (v->sample[i].isn < *lowest)
			*lowest = v->sample[i].isn;
		if (v->sample[i].isn > *highest)
			*highest = v->sample[i].isn;
	}
	return *highest > *lowest && (*highest - *lowest) < TWO_32 / ZOOM;
}

static void narrow_axis(struct shk_chart *c, uint32_t lowest, uint32_t highest)
{
	double span = (double)highest - lowest, unit = span > 2e6 ? 1e6 : span > 2e3 ? 1e3 : 1;
	char grouped[SHK_GROUPED_SIZE], label[64];

	snprintf(label, sizeof(label), "ISN − %s%s", shk_html_grouped(grouped, lowest),
		 unit == 1e6   ? ", millions"
		 : unit == 1e3 ? ", thousands"
			       : "");
	c->y0 = -0.04 * span / unit;
	c->y1 = 1.04 * span / unit;
	shk_chart_axis_y(c, label);
	c->y0 = lowest - 0.04 * span;
	c->y1 = highest + 0.04 * span;
}

static void isn_axis(struct shk_chart *c, const struct shk_view *v)
{
	uint32_t lowest, highest;

	if (is_narrow(v, &lowest, &highest)) {
		narrow_axis(c, lowest, highest);
		return;
	}
	c->y0 = 0;
	c->y1 = TWO_32;
	shk_chart_tick_y(c, 0, "0");
	shk_chart_tick_y(c, TWO_32 / 4, "2³⁰");
	shk_chart_tick_y(c, TWO_32 / 2, "2³¹");
	shk_chart_tick_y(c, TWO_32 * 3 / 4, "3·2³⁰");
	shk_chart_tick_y(c, TWO_32, "2³²");
	shk_chart_label_y(c, "ISN");
}

static double time_of(const struct shk_view *v, uint32_t i)
{
	double t = (v->sample[i].real_ns - v->begin_ns) / 1e9;

	return v->folded ? fmod(t, v->turn_s) : t;
}

/* The line of the clock through the sample of the run that lies in its middle, wrapping as ISNs do. */
static void clock_line(struct shk_chart *c, const struct shk_view *v, struct shk_run run,
		       const char *class_name)
{
	double end_s = v->folded ? v->turn_s : v->span_s, rate = v->host->rate_hz, t = 0, next, isn;
	uint32_t best = run.first;

	for (uint32_t i = run.first; i < run.first + run.n; i++)
		if (fabs(v->residual_us[i]) < fabs(v->residual_us[best]))
			best = i;
	isn = fmod(v->sample[best].isn - fmod(time_of(v, best) * rate, TWO_32) + TWO_32, TWO_32);
	while (t < end_s) {
		next = fmin(end_s, t + (TWO_32 - isn) / rate);
		shk_chart_line(c, class_name, t, isn, next, isn + (next - t) * rate);
		isn = 0;
		t = next;
	}
}

static bool is_on_line(const struct shk_view *v, uint32_t i)
{
	for (unsigned int line = 0; line < v->n_lines; line++)
		if (i - v->line[line].first < v->line[line].n)
			return true;
	return false;
}

static void time_chart(FILE *out, const struct shk_view *v, const char *id)
{
	struct shk_chart c;
	char class_name[24];

	shk_chart_begin(&c, out, id, "ISNs over time",
			"Each point is an ISN; lines are what a clock of the generator's rate would "
			"give a tuple.");
	isn_axis(&c, v);
	time_axis(&c, v, v->folded ? v->turn_s : v->span_s);
	for (unsigned int line = 0; line < v->n_lines; line++) {
		snprintf(class_name, sizeof(class_name), "line %s", line_classes[line]);
		clock_line(&c, v, v->line[line], class_name);
	}
	shk_chart_dots_begin(&c, "");
	for (uint32_t i = 0; i < v->n; i += v->stride)
		if (!is_on_line(v, i))
			shk_chart_dot(&c, time_of(v, i), v->sample[i].isn);
	shk_chart_dots_end(&c);
	for (unsigned int line = 0; line < v->n_lines; line++) {
		snprintf(class_name, sizeof(class_name), "%s big", line_classes[line]);
		shk_chart_dots_begin(&c, class_name);
		for (uint32_t i = v->line[line].first; i < v->line[line].first + v->line[line].n;
		     i += v->stride)
			shk_chart_dot(&c, time_of(v, i), v->sample[i].isn);
		shk_chart_dots_end(&c);
	}
	shk_chart_end(&c);
}

/* What there is to see. */
static const char *time_words(const struct shk_view *v)
{
	switch (v->host->verdict) {
	case SHK_ISN_CONSTANT:
		return "All are the same: the next one is known before it comes";
	case SHK_ISN_FIXED_INCREMENT:
	case SHK_ISN_COUNTER_CLOCK:
		return "One staircase for all tuples: who has seen one step knows the next ones";
	case SHK_ISN_GLOBAL_CLOCK:
		return "All lie on one line, whatever the tuple: who has seen one ISN knows the others";
	case SHK_ISN_RANDOM_POSITIVE:
		return "Each lies above the one before, whatever the tuple, until 2³² is reached";
	case SHK_ISN_RANDOM:
		return "No line rises for any tuple: a new ISN may lie anywhere, also before the last one";
	default:
		break;
	}
	if (v->n_lines)
		return "Coloured: the tuples used most. Each follows a line of its own, which rises with "
		       "the clock; the other tuples (grey) lie elsewhere";
	return "No tuple was used often enough to show a line";
}

static void time_figure(FILE *out, const struct shk_view *v, const char *id)
{
	fprintf(out, "<figure>\n<h3>ISNs over time</h3>\n");
	time_chart(out, v, id);
	fprintf(out, "<figcaption>");
	write_number(out, v);
	fprintf(out, ". %s", time_words(v));
	if (v->folded)
		fprintf(out, ". Times are laid over each other every %.1f s, one turn of the clock",
			v->turn_s);
	fprintf(out, ".</figcaption>\n</figure>\n");
}

/*
 * ---- Residuals -----------------------------------------------------------------------------------
 */

static uint32_t residual_dots(struct shk_chart *c, const struct shk_view *v, bool beyond)
{
	double limit = v->limit_us, residual;
	uint32_t n = 0;

	shk_chart_dots_begin(c, beyond ? "clip" : "one");
	for (uint32_t i = 0; i < v->n; i += v->stride) {
		residual = v->residual_us[i];
		if (isnan(residual) || (fabs(residual) > limit) != beyond)
			continue;
		shk_chart_dot(c, (v->sample[i].real_ns - v->begin_ns) / 1e9,
			      residual > limit    ? limit
			      : residual < -limit ? -limit
						  : residual);
		n++;
	}
	shk_chart_dots_end(c);
	return n;
}

static void residual_figure(FILE *out, const struct shk_view *v, const char *id)
{
	double p95_us = v->host->residual_ns / 1e3;
	bool in_ms = v->limit_us > 3000;
	struct shk_chart c;
	uint32_t beyond;

	if (!v->limit_us)
		return;
	fprintf(out, "<figure>\n<h3>Distance from the clock’s line</h3>\n");
	shk_chart_begin(&c, out, id, "Residuals", "Each point is how far an ISN lies from its tuple's line.");
	time_axis(&c, v, v->span_s);
	c.y1 = v->limit_us / (in_ms ? 1000 : 1);
	c.y0 = -c.y1;
	if (p95_us < v->limit_us)
		shk_chart_box(&c, "band", 0, -p95_us / (in_ms ? 1000 : 1), v->span_s,
			      p95_us / (in_ms ? 1000 : 1));
	shk_chart_axis_y(&c, in_ms ? "distance in ms" : "distance in µs");
	c.y1 = v->limit_us;
	c.y0 = -c.y1;
	shk_chart_line(&c, "zero", 0, 0, v->span_s, 0);
	residual_dots(&c, v, false);
	beyond = residual_dots(&c, v, true);
	shk_chart_end(&c);
	fprintf(out, "<figcaption>Of tuples used more than once. 95 of 100 ISNs lie in the band. What is "
		     "left is mostly the time from where the kernel read its clock to where the "
		     "segment was seen");
	if (beyond)
		fprintf(out, "; %u beyond the picture %s marked at its edge", beyond,
			beyond == 1 ? "is" : "are");
	fprintf(out, ".</figcaption>\n</figure>\n");
}

/*
 * ---- Offsets -------------------------------------------------------------------------------------
 */

/* The first of each tuple; returns their number. */
static uint32_t count_offsets(const struct shk_view *v, uint32_t bins[BINS])
{
	uint32_t n = 0, number;
	struct shk_run run;

	for (uint32_t i = 0; i < v->n; i += run.n) {
		run = shk_view_tuple_at(v, i);
		number = v->residual_us ? v->host->offset[i] : v->sample[i].isn;
		bins[number >> 28]++;
		n++;
	}
	return n;
}

static void offset_chart(FILE *out, const struct shk_view *v, const uint32_t bins[BINS], uint32_t n,
			 const char *id)
{
	double mean = (double)n / BINS, sigma = sqrt(mean * (BINS - 1) / BINS);
	uint32_t highest = 1;
	struct shk_chart c;

	for (int i = 0; i < BINS; i++)
		if (bins[i] > highest)
			highest = bins[i];
	shk_chart_begin(
		&c, out, id, v->residual_us ? "Offsets" : "ISNs by size",
		"A histogram of one number for each tuple, by its four top bits, with the height that "
		"chance would give them all.");
	c.x1 = BINS;
	c.y1 = fmax(highest, mean + 2 * sigma) * 1.15;
	shk_chart_box(&c, "band", 0, fmax(0, mean - 2 * sigma), BINS, mean + 2 * sigma);
	shk_chart_tick_x(&c, 0, "0");
	shk_chart_tick_x(&c, BINS / 4, "2³⁰");
	shk_chart_tick_x(&c, BINS / 2, "2³¹");
	shk_chart_tick_x(&c, BINS * 3 / 4, "3·2³⁰");
	shk_chart_tick_x(&c, BINS, "2³²");
	shk_chart_label_x(&c, v->residual_us ? "offset F of a tuple" : "first ISN of a tuple");
	shk_chart_axis_y(&c, "tuples");
	for (int i = 0; i < BINS; i++)
		if (bins[i])
			shk_chart_box(&c, "mine", i + 0.08, 0, i + 0.92, bins[i]);
	shk_chart_line(&c, "zero", 0, mean, BINS, mean);
	shk_chart_end(&c);
}

static void offset_figure(FILE *out, const struct shk_view *v, const char *id)
{
	const struct shk_isn_cross *cross = &v->host->cross;
	uint32_t bins[BINS] = {0}, n = count_offsets(v, bins);
	char grouped[SHK_GROUPED_SIZE];

	fprintf(out, "<figure>\n<h3>%s</h3>\n", v->residual_us ? "Offsets of the tuples" : "ISNs by size");
	offset_chart(out, v, bins, n, id);
	fprintf(out,
		"<figcaption>One number for each of %s tuples. The line is the mean, and 95 of 100 "
		"bars should end in the band if the numbers are spread by chance",
		shk_html_grouped(grouped, n));
	if (cross->chi2_known)
		fprintf(out,
			". χ² is %.1f with 15 degrees of freedom; more than 25.0 comes by chance once "
			"in twenty times",
			cross->chi2);
	else
		fprintf(out, ". With fewer than %u tuples that claims little", SHK_ISN_CHI2_MIN);
	fprintf(out, ".</figcaption>\n</figure>\n");
}

/*
 * ---- All of them ---------------------------------------------------------------------------------
 */

int shk_report_figures(FILE *out, const struct shk_isn_host *host, unsigned int number)
{
	char id[ID_SIZE];
	struct shk_view v;
	int rc;

	rc = shk_view_open(&v, host);
	if (!rc) {
		fprintf(out, "<section>\n<h2>");
		shk_report_host_name(out, host);
		fprintf(out, " as %s: %s</h2>\n<div class=\"figures\">\n",
			host->role == SHK_CLIENT ? "client" : "server", shk_isn_code(host->verdict));
		snprintf(id, sizeof(id), "time%u", number);
		time_figure(out, &v, id);
		snprintf(id, sizeof(id), "residual%u", number);
		residual_figure(out, &v, id);
		snprintf(id, sizeof(id), "steps%u", number);
		shk_report_steps(out, host, id);
		snprintf(id, sizeof(id), "offset%u", number);
		offset_figure(out, &v, id);
		fprintf(out, "</div>\n</section>\n");
	}
	shk_view_close(&v);
	return rc;
}
