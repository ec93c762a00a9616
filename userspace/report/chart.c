// SPDX-License-Identifier: GPL-2.0
#include "report/chart.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TICKS_WANTED  5
#define TICKS_MAX     12
#define LEFT_MARGIN   58
#define RIGHT_MARGIN  14
#define TOP_MARGIN    14
#define BOTTOM_MARGIN 46

/*
 * ---- HTML ----------------------------------------------------------------------------------------
 */

/* Octets of the UTF-8 sequence that @s begins with; 0 if it is none. */
static unsigned int utf8_size(const unsigned char *s)
{
	unsigned int n = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;

	for (unsigned int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than needed, surrogates, beyond the last plane. */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
	    (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	/* U+FFFE and U+FFFF are no characters. */
	return *s == 0xef && s[1] == 0xbf && s[2] > 0xbd ? 0 : n;
}

static const char *entity_of(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	}
	return c < 0x20 && c != '\t' && c != '\n' ? "\xef\xbf\xbd" : NULL;
}

void shk_html_text(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	const char *entity;
	unsigned int n;

	for (; *s; s += n ? n : 1) {
		n = utf8_size(s);
		entity = n ? entity_of(*s) : "\xef\xbf\xbd";
		if (entity)
			fputs(entity, out);
		else
			fwrite(s, 1, n, out);
	}
}

const char *shk_html_grouped(char buf[SHK_GROUPED_SIZE], unsigned long long value)
{
	char digits[SHK_GROUPED_SIZE];
	int n = snprintf(digits, sizeof(digits), "%llu", value);
	char *to = buf;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return buf;
}

/*
 * ---- The picture ---------------------------------------------------------------------------------
 */

void shk_chart_begin(struct shk_chart *c, FILE *out, const char *id, const char *title, const char *desc)
{
	*c = (struct shk_chart){
		.out = out,
		.left = LEFT_MARGIN,
		.right = SHK_CHART_WIDTH - RIGHT_MARGIN,
		.top = TOP_MARGIN,
		.bottom = SHK_CHART_HEIGHT - BOTTOM_MARGIN,
		.x1 = 1,
		.y1 = 1,
	};
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-labelledby=\"%s-t %s-d\">\n<title id=\"%s-t\">",
		SHK_CHART_WIDTH, SHK_CHART_HEIGHT, id, id, id);
	shk_html_text(out, title);
	fprintf(out, "</title>\n<desc id=\"%s-d\">", id);
	shk_html_text(out, desc);
	fprintf(out, "</desc>\n");
}

void shk_chart_end(struct shk_chart *c)
{
	fprintf(c->out, "</svg>\n");
}

double shk_chart_x(const struct shk_chart *c, double x)
{
	return c->left + (x - c->x0) / (c->x1 - c->x0) * (c->right - c->left);
}

double shk_chart_y(const struct shk_chart *c, double y)
{
	return c->bottom - (y - c->y0) / (c->y1 - c->y0) * (c->bottom - c->top);
}

void shk_chart_line_at(struct shk_chart *c, const char *class_name, double x0, double y0, double x1,
		       double y1)
{
	fprintf(c->out, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", class_name, x0, y0, x1, y1);
}

void shk_chart_line(struct shk_chart *c, const char *class_name, double x0, double y0, double x1, double y1)
{
	shk_chart_line_at(c, class_name, shk_chart_x(c, x0), shk_chart_y(c, y0), shk_chart_x(c, x1),
			  shk_chart_y(c, y1));
}

void shk_chart_box(struct shk_chart *c, const char *class_name, double x0, double y0, double x1, double y1)
{
	double left = shk_chart_x(c, x0), top = shk_chart_y(c, y1);

	fprintf(c->out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
		class_name, left, top, shk_chart_x(c, x1) - left, shk_chart_y(c, y0) - top);
}

void shk_chart_text(struct shk_chart *c, const char *class_name, double x, double y, const char *text)
{
	fprintf(c->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class_name, x, y);
	shk_html_text(c->out, text);
	fprintf(c->out, "</text>\n");
}

void shk_chart_dots_begin(struct shk_chart *c, const char *class_name)
{
	fprintf(c->out, "<path class=\"dots %s\" d=\"", class_name);
}

/* A line of no length with round ends. */
void shk_chart_dot_at(struct shk_chart *c, double x, double y)
{
	fprintf(c->out, "M%.1f %.1fh0", x, y);
}

void shk_chart_dot(struct shk_chart *c, double x, double y)
{
	shk_chart_dot_at(c, shk_chart_x(c, x), shk_chart_y(c, y));
}

void shk_chart_dots_end(struct shk_chart *c)
{
	fprintf(c->out, "\"/>\n");
}

/*
 * ---- Axes ----------------------------------------------------------------------------------------
 */

void shk_chart_tick_x(struct shk_chart *c, double x, const char *label)
{
	double at = shk_chart_x(c, x);

	shk_chart_line_at(c, "grid", at, c->top, at, c->bottom);
	shk_chart_text(c, "tick middle", at, c->bottom + 17, label);
}

void shk_chart_tick_y(struct shk_chart *c, double y, const char *label)
{
	double at = shk_chart_y(c, y);

	shk_chart_line_at(c, "grid", c->left, at, c->right, at);
	shk_chart_text(c, "tick end", c->left - 6, at + 4, label);
}

void shk_chart_label_x(struct shk_chart *c, const char *label)
{
	shk_chart_text(c, "label middle", (c->left + c->right) / 2, SHK_CHART_HEIGHT - 8, label);
}

void shk_chart_label_y(struct shk_chart *c, const char *label)
{
	double y = (c->top + c->bottom) / 2;

	fprintf(c->out, "<text class=\"label middle\" transform=\"translate(13 %.1f) rotate(-90)\">", y);
	shk_html_text(c->out, label);
	fprintf(c->out, "</text>\n");
}

/* 1, 2 or 5 times a power of ten. */
static double round_step(double span)
{
	double raw = span / TICKS_WANTED, power = pow(10, floor(log10(raw))), times = raw / power;

	return power * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10);
}

typedef void tick_fn(struct shk_chart *c, double value, const char *label);

static void round_ticks(struct shk_chart *c, tick_fn *tick, double from, double to)
{
	double step = round_step(to - from), value = ceil(from / step - 1e-9) * step;
	int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
	char label[32];

	for (int i = 0; i < TICKS_MAX && value <= to + step * 1e-6; i++, value += step) {
		snprintf(label, sizeof(label), "%s%.*f", value < -step * 1e-6 ? "−" : "", decimals,
			 fabs(value));
		tick(c, value, label);
	}
}

void shk_chart_axis_x(struct shk_chart *c, const char *label)
{
	round_ticks(c, shk_chart_tick_x, c->x0, c->x1);
	shk_chart_label_x(c, label);
}

void shk_chart_axis_y(struct shk_chart *c, const char *label)
{
	round_ticks(c, shk_chart_tick_y, c->y0, c->y1);
	shk_chart_label_y(c, label);
}
