/* SPDX-License-Identifier: GPL-2.0 */
/* A picture of the report: one SVG element with axes, written piece by piece. */
#ifndef SHK_CHART_H
#define SHK_CHART_H

#include <stdio.h>

#define SHK_CHART_WIDTH	 440
#define SHK_CHART_HEIGHT 300

struct shk_chart {
	FILE *out;
	double left, right, top, bottom;	/* of the area for the data, in the units of the picture */
	double x0, x1, y0, y1;			/* what of the data lies there; set before an axis is drawn */
};

/*
 * @id is that of the element, unique in the page. @title and @desc are for those who do not see it.
 */
void shk_chart_begin(struct shk_chart *c, FILE *out, const char *id, const char *title, const char *desc);
void shk_chart_end(struct shk_chart *c);

double shk_chart_x(const struct shk_chart *c, double x);
double shk_chart_y(const struct shk_chart *c, double y);

/* One tick with a grid line across. */
void shk_chart_tick_x(struct shk_chart *c, double x, const char *label);
void shk_chart_tick_y(struct shk_chart *c, double y, const char *label);

/* About five ticks at round numbers. */
void shk_chart_axis_x(struct shk_chart *c, const char *label);
void shk_chart_axis_y(struct shk_chart *c, const char *label);
void shk_chart_label_x(struct shk_chart *c, const char *label);
void shk_chart_label_y(struct shk_chart *c, const char *label);

/* Points of one class of the style sheet are one element: begin, any number of points, end. */
void shk_chart_dots_begin(struct shk_chart *c, const char *class_name);
void shk_chart_dot(struct shk_chart *c, double x, double y);		/* in units of the data */
void shk_chart_dot_at(struct shk_chart *c, double x, double y);	/* of the picture */
void shk_chart_dots_end(struct shk_chart *c);

void shk_chart_line(struct shk_chart *c, const char *class_name, double x0, double y0, double x1, double y1);
void shk_chart_line_at(struct shk_chart *c, const char *class_name, double x0, double y0, double x1,
		       double y1);
void shk_chart_box(struct shk_chart *c, const char *class_name, double x0, double y0, double x1, double y1);
void shk_chart_text(struct shk_chart *c, const char *class_name, double x, double y, const char *text);

/*
 * ---- What stands in HTML -------------------------------------------------------------------------
 */

/* Escaped; what is no character of XML, or no UTF-8, becomes U+FFFD. */
void shk_html_text(FILE *out, const char *text);

/* "1,234,567" */
#define SHK_GROUPED_SIZE 32
const char *shk_html_grouped(char buf[SHK_GROUPED_SIZE], unsigned long long value);

#endif /* SHK_CHART_H */
