// SPDX-License-Identifier: GPL-2.0
/*
 * Why not 0: what other generators would have done to the same connections, and how far the real ones kept
 * each use of a tuple from the one before.
 */
#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "format.h"
#include "report/chart.h"
#include "report/report.h"

#define LINUX_HZ 15625000.0

/*
 * ---- The counterfactual --------------------------------------------------------------------------
 */

/* Counts are whole; an expectation may be a small fraction. */
static void write_risk(FILE *out, enum shk_what_if g, double risk)
{
	char grouped[SHK_GROUPED_SIZE];

	if (g != SHK_GR || risk == 0)
		fprintf(out, "<td class=\"n\">%s</td>", shk_html_grouped(grouped, risk));
	else if (risk >= 0.01)
		fprintf(out, "<td class=\"n\">%.2f</td>", risk);
	else
		fprintf(out, "<td class=\"n\">%.1g</td>", risk);
}

static void counterfactual_row(FILE *out, const struct shk_counterfactual *cf, enum shk_what_if g)
{
	double share = cf->reuses ? cf->at_risk[g] / cf->reuses : 0;

	fprintf(out, "<tr%s><td>", g == SHK_GL ? " class=\"us\"" : "");
	shk_html_text(out, shk_what_if_words(g));
	fprintf(out, "</td>");
	write_risk(out, g, cf->at_risk[g]);
	fprintf(out,
		"<td class=\"share\"><svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 100 10\" "
		"preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"band\" width=\"100\" "
		"height=\"10\"/><rect class=\"risk\" width=\"%.2f\" height=\"10\"/></svg></td><td "
		"class=\"n percent\">%.2g %%</td>",
		100 * share, 100 * share);
	write_risk(out, g, cf->at_risk_ts[g]);
	fprintf(out, "</tr>\n");
}

static void counterfactual_sentence(FILE *out, const struct shk_counterfactual *cf)
{
	char reuses[SHK_GROUPED_SIZE], zero[SHK_GROUPED_SIZE], seen[SHK_GROUPED_SIZE],
		quiet[SHK_GROUPED_SIZE];

	fprintf(out,
		"<p>Addresses and ports were used again %s times, %s of them after so long that "
		"nothing old could be left. <strong>Had every ISN been 0, %s would have been at risk; "
		"with the ISNs that were chosen, %s.</strong></p>\n",
		shk_html_grouped(reuses, cf->reuses), shk_html_grouped(quiet, cf->quiet),
		shk_html_grouped(zero, cf->at_risk[SHK_G0]),
		cf->at_risk[SHK_GL] >= 1 ? shk_html_grouped(seen, cf->at_risk[SHK_GL]) : "none was");
}

void shk_report_counterfactual(FILE *out, const struct shk_report *report)
{
	const struct shk_counterfactual *cf = report->counterfactual;

	fprintf(out, "<section>\n<h2>Why not begin at 0?</h2>\n");
	if (!cf->reuses) {
		fprintf(out, "<p>This trace cannot tell: no addresses and ports were used twice in it.</p>\n"
			     "</section>\n");
		return;
	}
	counterfactual_sentence(out, cf);
	fprintf(out, "<p>The same connections, with the times, lengths and windows that they had, if ISNs "
		     "had been chosen in another way:</p>\n<div "
		     "class=\"wide\"><table>\n<thead><tr><th>ISNs</th><th class=\"n\">reuses at "
		     "risk</th><th class=\"share\"></th><th class=\"n percent\">share</th><th "
		     "class=\"n\">at risk with the<br/>timestamps there "
		     "were</th></tr></thead>\n<tbody>\n");
	for (int g = 0; g < SHK_WHAT_IF_COUNT; g++)
		counterfactual_row(out, cf, g);
	fprintf(out, "</tbody></table></div>\n"
		     "<p class=\"note\">At risk: an old segment, had the network delayed it, would "
		     "have been taken for a new one. The second and third column count what the ISNs "
		     "alone prevent. For random ISNs it is the average over all of them; they have "
		     "another fault, for half of them are lower than the last one, and a TIME-WAIT end "
		     "refuses those at first.</p>\n</section>\n");
}

/*
 * ---- Margins -------------------------------------------------------------------------------------
 */

/* Powers of four: bins -16 to -1 lie before the old end, 0 to 15 beyond it. */
#define SIDE 16

static int bin_of(int32_t margin)
{
	uint32_t size = margin < 0 ? -(uint32_t)margin : (uint32_t)margin;
	int bin = 0;

	while (size >>= 2)
		bin++;
	return margin < 0 ? -1 - bin : bin;
}

static void margin_ticks(struct shk_chart *c)
{
	static const struct {
		int bin;
		const char *label;
	} ticks[] = {
		{-15, "−2³⁰"}, {-10, "−2²⁰"}, {-5, "−2¹⁰"}, {0, "0"}, {5, "2¹⁰"}, {10, "2²⁰"}, {15, "2³⁰"},
	};

	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++)
		shk_chart_tick_x(c, ticks[i].bin, ticks[i].label);
}

static void margins_chart(FILE *out, const struct shk_report *report)
{
	uint32_t bins[2 * SIDE] = {0}, highest = 1;
	struct shk_chart c;

	for (uint32_t i = 0; i < report->n_margins; i++) {
		uint32_t *bin = &bins[SIDE + bin_of(report->margins[i])];

		if (++*bin > highest)
			highest = *bin;
	}
	shk_chart_begin(
		&c, out, "margins", "Margins of reuses",
		"A histogram: how many sequence numbers lie between the end of a use and the beginning "
		"of the next, in powers of four.");
	c.x0 = -SIDE;
	c.x1 = SIDE;
	c.y1 = highest * 1.1;
	margin_ticks(&c);
	shk_chart_label_x(&c, "sequence numbers from old end to new ISN");
	shk_chart_axis_y(&c, "reuses");
	for (int i = 0; i < 2 * SIDE; i++)
		if (bins[i])
			shk_chart_box(&c, i < SIDE ? "risk" : "mine", i - SIDE + 0.06, 0, i - SIDE + 0.94,
				      bins[i]);
	shk_chart_line(&c, "zero", 0, c.y0, 0, c.y1);
	shk_chart_line(&c, "zero", c.x0, 0, c.x1, 0);
	shk_chart_end(&c);
}

static void margins_figure(FILE *out, const struct shk_report *report)
{
	char shown[SHK_GROUPED_SIZE], all[SHK_GROUPED_SIZE];

	fprintf(out, "<figure>\n<h3>How far a new use lies from the old one</h3>\n");
	margins_chart(out, report);
	fprintf(out,
		"<figcaption>Right of 0 the new ISN lies beyond everything that was sent before, left "
		"of it before its end. To Linux’s clock 2¹⁰ is 66 µs, 2²⁰ is 67 ms and 2³⁰ is 69 s. "
		"The worse of both directions counts; %s of %s reuses.</figcaption>\n</figure>\n",
		shk_html_grouped(shown, report->n_margins), shk_html_grouped(all, report->totals->margins));
}

static void verdicts_table(FILE *out, const struct shk_isn_totals *totals)
{
	char rfc[SHK_GROUPED_SIZE], linux_msl[SHK_GROUPED_SIZE];

	fprintf(out, "<div>\n<h3>What kept old segments out</h3>\n<div class=\"wide\"><table>\n<thead><tr>"
		     "<th>first that would have</th><th class=\"n\">reuses,<br/>MSL 120 s</th><th "
		     "class=\"n\">MSL 30 s</th></tr></thead>\n<tbody>\n");
	for (int v = 0; v < SHK_REUSE_COUNT; v++) {
		if (!totals->by_reuse[v] && !totals->by_reuse_30s[v])
			continue;
		fprintf(out, "<tr><td><span class=\"code\">%s</span><br/>", shk_reuse_code(v));
		shk_html_text(out, shk_reuse_words(v));
		fprintf(out, "</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
			shk_html_grouped(rfc, totals->by_reuse[v]),
			shk_html_grouped(linux_msl, totals->by_reuse_30s[v]));
	}
	fprintf(out, "</tbody></table></div>\n"
		     "<p class=\"note\">MSL: for how long a segment may be under way. RFC 9293 says "
		     "120 s; Linux reckons with 30 s.</p>\n</div>\n");
}

/*
 * ---- Reuses at risk ------------------------------------------------------------------------------
 */

static void risk_row(FILE *out, const struct shk_isn_risk *risk)
{
	char client[SHK_END_SIZE], server[SHK_END_SIZE], span[SHK_SPAN_SIZE], date[40] = "";
	time_t seconds = risk->real_ns / 1000000000;
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(out,
		"<tr><td>%s</td><td>%s → %s</td><td class=\"code\">%s</td><td class=\"n\">%s</td><td "
		"class=\"n\">%" PRId32 "</td></tr>\n",
		date, shk_format_end(client, risk->addr[SHK_CLIENT], risk->port[SHK_CLIENT]),
		shk_format_end(server, risk->addr[SHK_SERVER], risk->port[SHK_SERVER]),
		shk_reuse_code(risk->reuse.verdict), shk_format_span(span, risk->reuse.gap_ns, true),
		risk->reuse.margin);
}

static void risks_table(FILE *out, const struct shk_report *report)
{
	uint32_t n = report->n_risks < SHK_REPORT_RISKS ? report->n_risks : SHK_REPORT_RISKS;
	char grouped[SHK_GROUPED_SIZE];

	if (!n)
		return;
	fprintf(out, "<h3>Reuses at risk</h3>\n<div "
		     "class=\"wide\"><table>\n<thead><tr><th>UTC</th><th>client → "
		     "server</th><th>verdict</th><th class=\"n\">after</th><th "
		     "class=\"n\">margin</th></tr></thead>\n<tbody>\n");
	for (uint32_t i = 0; i < n; i++)
		risk_row(out, &report->risks[i]);
	fprintf(out, "</tbody></table></div>\n");
	if (report->totals->risks > n)
		fprintf(out, "<p class=\"note\">And %s more.</p>\n",
			shk_html_grouped(grouped, report->totals->risks - n));
}

void shk_report_reuse(FILE *out, const struct shk_report *report)
{
	if (!report->totals->reuses)
		return;
	fprintf(out, "<section>\n<h2>Reuse of addresses and ports</h2>\n<div class=\"figures\">\n");
	verdicts_table(out, report->totals);
	if (report->n_margins)
		margins_figure(out, report);
	fprintf(out, "</div>\n");
	risks_table(out, report);
	fprintf(out, "</section>\n");
}
