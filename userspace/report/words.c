// SPDX-License-Identifier: GPL-2.0
/*
 * What the report says in words: the answer at the top, and what is known of each host.
 */
#include <inttypes.h>
#include <math.h>

#include "format.h"
#include "report/chart.h"
#include "report/report.h"

static uint64_t at_risk(const struct shk_isn_totals *totals)
{
	return totals->by_reuse[SHK_AT_RISK_DATA] + totals->by_reuse[SHK_AT_RISK_RST];
}

/*
 * ---- The answer ----------------------------------------------------------------------------------
 */

static void lead_hosts(FILE *out, uint32_t hosts, uint32_t predictable, uint32_t judged)
{
	if (!hosts)
		fprintf(out, "No opening of a connection was seen, so there is nothing to judge.");
	else if (predictable)
		fprintf(out, "<strong>No: %u of %u hosts choose%s numbers that can be predicted.</strong>",
			predictable, hosts, predictable == 1 ? "s" : "");
	else if (!judged)
		fprintf(out, "There are too few samples to say.");
	else if (judged == hosts)
		fprintf(out, hosts == 1 ? "<strong>Yes: nothing shows that they can be predicted.</strong>"
					: "<strong>Yes: of no host is there a sign that they can be "
					  "predicted.</strong>");
	else
		fprintf(out,
			"<strong>Yes, as far as can be told: of %u of %u hosts there are samples "
			"enough, and no sign that they can be predicted.</strong>",
			judged, hosts);
}

static void lead_reuses(FILE *out, const struct shk_isn_totals *totals)
{
	char reuses[SHK_GROUPED_SIZE], risky[SHK_GROUPED_SIZE];

	if (!totals->reuses) {
		fprintf(out, " No addresses and ports were used twice.");
		return;
	}
	shk_html_grouped(reuses, totals->reuses);
	if (!at_risk(totals))
		fprintf(out,
			" Addresses and ports were used again %s times, and no old segment could have "
			"been taken for a new one.",
			reuses);
	else
		fprintf(out,
			" <strong>In %s of %s reuses of addresses and ports an old segment could have "
			"been taken for a new one.</strong>",
			shk_html_grouped(risky, at_risk(totals)), reuses);
}

void shk_report_lead(FILE *out, const struct shk_report *report, uint32_t predictable, uint32_t judged)
{
	fprintf(out, "<p class=\"lead\">");
	lead_hosts(out, report->n_hosts, predictable, judged);
	lead_reuses(out, report->totals);
	fprintf(out, "</p>\n");
}

/*
 * ---- A host --------------------------------------------------------------------------------------
 */

void shk_report_host_name(FILE *out, const struct shk_isn_host *host)
{
	char addr[SHK_ADDR_SIZE];

	fprintf(out, "%s", shk_format_addr(addr, host->addr));
}

static const char *tag_class(const struct shk_isn_host *host)
{
	if (host->verdict == SHK_ISN_INSUFFICIENT)
		return "open";
	return shk_isn_predictable(host->verdict) ? "bad" : "good";
}

static void fact_samples(FILE *out, const struct shk_isn_host *host)
{
	char samples[SHK_GROUPED_SIZE], tuples[SHK_GROUPED_SIZE], reused[SHK_GROUPED_SIZE];

	fprintf(out, "<dt>samples</dt><dd>%s", shk_html_grouped(samples, host->samples));
	if (host->judged < host->samples)
		fprintf(out, ", judged by %s", shk_html_grouped(samples, host->judged));
	fprintf(out, "; %s tuples, %s used again</dd>\n", shk_html_grouped(tuples, host->tuples),
		shk_html_grouped(reused, host->reused));
	if (host->verdict == SHK_ISN_INSUFFICIENT && host->needed)
		fprintf(out, "<dt>needed</dt><dd>%u more%s</dd>\n", host->needed,
			host->needs_reuse ? ", of tuples that were used before" : "");
}

static void fact_clock(FILE *out, const struct shk_isn_host *host)
{
	char span[SHK_SPAN_SIZE], grouped[SHK_GROUPED_SIZE];

	if (host->step)
		fprintf(out, "<dt>step</dt><dd>%s for each connection</dd>\n",
			shk_html_grouped(grouped, host->step));
	if (host->rate_hz <= 0)
		return;
	if (host->rate_hz >= 1e6)
		fprintf(out, "<dt>clock</dt><dd>%.6g MHz", host->rate_hz / 1e6);
	else
		fprintf(out, "<dt>clock</dt><dd>%.6g kHz", host->rate_hz / 1e3);
	if (host->rate_measured_hz > 0)
		fprintf(out, ", measured %+.0f ppm", (host->rate_measured_hz / host->rate_hz - 1) * 1e6);
	fprintf(out, "</dd>\n<dt>residual</dt><dd>95 %% within %s, %s counts</dd>\n",
		shk_format_span(span, host->residual_ns, true), shk_html_grouped(grouped, host->residual));
}

static void fact_entropy(FILE *out, const struct shk_isn_host *host)
{
	if (host->verdict == SHK_ISN_INSUFFICIENT || host->entropy_cap_bits <= 0)
		return;
	fprintf(out, "<dt>entropy</dt><dd>at least %.1f bits; so few samples show no more than %.1f</dd>\n",
		host->entropy_bits, host->entropy_cap_bits);
}

static void fact_nmap(FILE *out, const struct shk_isn_host *host)
{
	if (!host->nmap_known)
		return;
	fprintf(out, "<dt>nmap</dt><dd>GCD %u, ISR %u, SP %u: “", host->nmap.gcd, host->nmap.isr,
		host->nmap.sp);
	shk_html_text(out, shk_nmap_words(host->nmap.sp));
	fprintf(out, "”</dd>\n");
}

static void fact_excluded(FILE *out, const struct shk_isn_host *host)
{
	static const char *const words[SHK_ISN_EXCLUDED_COUNT] = {
		[SHK_ISN_COOKIE] = "SYN cookies",
		[SHK_ISN_TIME_WAIT] = "after TIME-WAIT",
		[SHK_ISN_PROXIED] = "proxied",
		[SHK_ISN_UNKNOWN] = "unexplained",
	};
	const char *before = "<dt>left out</dt><dd>";
	char grouped[SHK_GROUPED_SIZE];

	for (int why = 0; why < SHK_ISN_EXCLUDED_COUNT; why++) {
		if (!host->excluded[why])
			continue;
		fprintf(out, "%s%s %s", before, shk_html_grouped(grouped, host->excluded[why]), words[why]);
		before = ", ";
	}
	if (*before == ',')
		fprintf(out, "</dd>\n");
}

void shk_report_card(FILE *out, const struct shk_isn_host *host)
{
	fprintf(out, "<li class=\"card\">\n<span class=\"tag %s\">%s</span>\n<p class=\"who\">",
		tag_class(host), shk_isn_code(host->verdict));
	shk_report_host_name(out, host);
	fprintf(out, " <span class=\"where\">as %s, netns %u</span></p>\n<p class=\"words\">",
		host->role == SHK_CLIENT ? "client" : "server", host->netns);
	shk_html_text(out, shk_isn_words(host->verdict));
	fprintf(out, ".</p>\n<dl>\n");
	fact_samples(out, host);
	fact_clock(out, host);
	fact_entropy(out, host);
	fact_nmap(out, host);
	fact_excluded(out, host);
	fprintf(out, "</dl>\n</li>\n");
}
