// SPDX-License-Identifier: GPL-2.0
/*
 * Four ISNs s in a row are one point of a cube:
 *
 *	x = s(t) - s(t-1)	y = s(t-1) - s(t-2)	z = s(t-2) - s(t-3)
 *
 * as signed numbers of 32 bits. Left all connections of a host in their order, as a stranger meets them;
 * right only steps within one tuple.
 */

#include <math.h>
#include <stdlib.h>

#include "report/chart.h"
#include "report/report.h"

#define DELAYS   4
#define SIZE     54.0  /* half an edge, in the units of the picture */
#define SLANT    0.866 /* the cosine of 30 degrees */
#define FLAT     0.42  /* and how much the ground is tilted towards us */
#define LEFT_X   113
#define RIGHT_X  327
#define MIDDLE_Y 124
#define LAYERS   3
#define TWO_31   2147483648.0
#define SMALL    0.02 /* of an edge: what is drawn as a point */

struct point {
	double x, y, z; /* -1 to 1 */
};

struct steps {
	const struct shk_isn_sample *sample;
	uint32_t n;
	bool one_tuple;
};

static bool point_at(const struct steps *s, uint32_t i, struct point *p)
{
	const struct shk_isn_sample *at = s->sample + i;

	if (s->one_tuple && at[0].tuple != at[DELAYS - 1].tuple)
		return false;
	p->x = (int32_t)(at[3].isn - at[2].isn) / TWO_31;
	p->y = (int32_t)(at[2].isn - at[1].isn) / TWO_31;
	p->z = (int32_t)(at[1].isn - at[0].isn) / TWO_31;
	return true;
}

/* The longest step; and how many points there are. */
static double extent(const struct steps *s, uint32_t *points)
{
	double most = 0;
	struct point p;

	*points = 0;
	for (uint32_t i = 0; i + DELAYS <= s->n; i++) {
		if (!point_at(s, i, &p))
			continue;
		++*points;
		most = fmax(most, fmax(fabs(p.x), fmax(fabs(p.y), fabs(p.z))));
	}
	return most;
}

/*
 * ---- The cube ------------------------------------------------------------------------------------
 */

static double across(double middle, struct point p)
{
	return middle + (p.x - p.y) * SLANT * SIZE;
}

static double down(struct point p)
{
	return MIDDLE_Y + (p.x + p.y) * FLAT * SIZE - p.z * SIZE;
}

/* Those that end in the corner farthest from us lie behind the points. */
static void edge(struct shk_chart *c, double middle, struct point a, struct point b)
{
	bool hidden = a.x + a.y + a.z == -3;

	shk_chart_line_at(c, hidden ? "edge back" : "edge", across(middle, a), down(a), across(middle, b),
			  down(b));
}

/* From each corner an edge along each coordinate in which it is low. */
static void cube(struct shk_chart *c, double middle)
{
	for (int corner = 0; corner < 8; corner++) {
		struct point a = {corner & 1 ? 1 : -1, corner & 2 ? 1 : -1, corner & 4 ? 1 : -1};

		if (a.x < 0)
			edge(c, middle, a, (struct point){1, a.y, a.z});
		if (a.y < 0)
			edge(c, middle, a, (struct point){a.x, 1, a.z});
		if (a.z < 0)
			edge(c, middle, a, (struct point){a.x, a.y, 1});
	}
}

static void axis_names(struct shk_chart *c, double middle)
{
	const struct point x = {0, 1.28, -1}, y = {1.28, 0, -1}, z = {-1.1, 1.1, 0};

	shk_chart_text(c, "middle", across(middle, x), down(x) + 5, "x");
	shk_chart_text(c, "middle", across(middle, y), down(y) + 5, "y");
	shk_chart_text(c, "middle", across(middle, z), down(z) + 4, "z");
}

/* Farther points are smaller and paler. */
static void points(struct shk_chart *c, const struct steps *s, double middle, uint32_t stride)
{
	static const char *const layers[][LAYERS] = {
		{"one far", "one mid", "one"},
		{"two big far", "two big mid", "two big"},
	};
	struct point p;
	int layer;

	for (int wanted = 0; wanted < LAYERS; wanted++) {
		shk_chart_dots_begin(c, layers[s->one_tuple][wanted]);
		for (uint32_t i = 0; i + DELAYS <= s->n; i += stride) {
			if (!point_at(s, i, &p))
				continue;
			layer = (p.x + p.y + 2) / 4 * LAYERS;
			if ((layer < LAYERS ? layer : LAYERS - 1) == wanted)
				shk_chart_dot_at(c, across(middle, p), down(p));
		}
		shk_chart_dots_end(c);
	}
}

static void panel(struct shk_chart *c, const struct steps *s, double middle, uint32_t n, const char *name)
{
	uint32_t stride = (s->n + SHK_REPORT_POINTS - 1) / SHK_REPORT_POINTS;

	cube(c, middle);
	axis_names(c, middle);
	if (n)
		points(c, s, middle, stride);
	shk_chart_text(c, "label middle", middle, 262, name);
	if (!n)
		shk_chart_text(c, "middle", middle, MIDDLE_Y, "too few");
}

/*
 * ---- The figure ----------------------------------------------------------------------------------
 */

static void caption_all(FILE *out, const struct shk_isn_host *host, double most, uint32_t n)
{
	char grouped[SHK_GROUPED_SIZE];

	fprintf(out, "x is the last step from ISN to ISN, y the one before, z the one before that; the cube "
		     "holds all that 32 bits can hold. A cloud that fills it shows no pattern; a "
		     "point, lines, planes or lumps are one, and make the next ISN easier to guess. ");
	if (!n)
		return;
	fprintf(out,
		"<strong>Left</strong> (%s points): connections in their order, whatever their tuple, "
		"as a stranger meets them. ",
		shk_html_grouped(grouped, n));
	if (most < SMALL)
		fprintf(out, "No step is longer than %s: all points are in one place. ",
			shk_html_grouped(grouped, most * TWO_31));
	else if (host->verdict == SHK_ISN_RFC6528 && host->reused)
		fprintf(out, "Lines come from tuples that are used again in the same order. ");
	else if (shk_isn_predictable(host->verdict))
		fprintf(out, "No cloud that fills the cube is to be expected here. ");
}

static void caption_one(FILE *out, const struct shk_isn_host *host, uint32_t n)
{
	char grouped[SHK_GROUPED_SIZE];

	if (!n) {
		fprintf(out, "<strong>Right</strong>: no tuple was used four times.");
		return;
	}
	fprintf(out, "<strong>Right</strong> (%s points): steps within one tuple",
		shk_html_grouped(grouped, n));
	if (host->verdict == SHK_ISN_RFC6528)
		fprintf(out, ". Used at regular times they fall on one point by construction, for then the "
			     "clock advances by the same amount. That is no weakness: only who owns "
			     "the tuple sees them");
	fprintf(out, ".");
}

void shk_report_steps(FILE *out, const struct shk_isn_host *host, const char *id)
{
	const struct steps all = {.sample = host->recent, .n = host->n_recent};
	const struct steps one = {.sample = host->kept, .n = host->n_kept, .one_tuple = true};
	uint32_t n_all, n_one;
	double most = extent(&all, &n_all);
	struct shk_chart c;

	extent(&one, &n_one);
	fprintf(out, "<figure>\n<h3>Steps from ISN to ISN</h3>\n");
	shk_chart_begin(&c, out, id, "Delayed coordinates",
			"Two cubes with a point for each three successive steps: of all connections, "
			"and within one tuple.");
	panel(&c, &all, LEFT_X, n_all, "all connections");
	panel(&c, &one, RIGHT_X, n_one, "within one tuple");
	shk_chart_text(&c, "middle", SHK_CHART_WIDTH / 2, 284, "each edge: −2³¹ to 2³¹");
	shk_chart_end(&c);
	fprintf(out, "<figcaption>");
	caption_all(out, host, most, n_all);
	caption_one(out, host, n_one);
	fprintf(out, "</figcaption>\n</figure>\n");
}
