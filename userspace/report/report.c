// SPDX-License-Identifier: GPL-2.0
#include "report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "format.h"
#include "report/chart.h"

#define DATE_SIZE 40

/* A host by what decides whether it is described: predictable ones first, then those with most samples. */
struct rank {
	uint32_t index;
	bool predictable;
	bool judged;
	uint64_t samples;
};

static int compare_ranks(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->predictable != y->predictable)
		return x->predictable ? -1 : 1;
	if (x->judged != y->judged)
		return x->judged ? -1 : 1;
	if (x->samples != y->samples)
		return x->samples > y->samples ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int rank_hosts(const struct shk_report *report, struct rank *ranks, uint32_t *predictable,
		      uint32_t *judged)
{
	struct shk_isn_host host;
	int rc;

	*predictable = 0;
	*judged = 0;
	for (uint32_t i = 0; i < report->n_hosts; i++) {
		rc = report->host(report->arg, i, &host);
		if (rc)
			return rc;
		ranks[i] = (struct rank){
			.index = i,
			.predictable = shk_isn_predictable(host.verdict),
			.judged = host.verdict != SHK_ISN_INSUFFICIENT,
			.samples = host.samples,
		};
		*predictable += ranks[i].predictable;
		*judged += ranks[i].judged;
	}
	qsort(ranks, report->n_hosts, sizeof(*ranks), compare_ranks);
	return 0;
}

/*
 * ---- Top and bottom ------------------------------------------------------------------------------
 */

static const char *format_date(char buf[DATE_SIZE], int64_t ns)
{
	time_t seconds = ns / 1000000000;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(buf, DATE_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm))
		buf[0] = '\0';
	return buf;
}

static void write_meta(FILE *out, const struct shk_report *report)
{
	const struct shk_header *header = report->header;
	char date[DATE_SIZE], grouped[SHK_GROUPED_SIZE];
	const char *before = " Read from ";

	fprintf(out, "<p class=\"meta\">%s connections, looked at on ",
		shk_html_grouped(grouped, report->totals->connections));
	shk_html_text(out, header->host);
	fprintf(out, " (Linux ");
	shk_html_text(out, header->kernel);
	fprintf(out, ") by tcpshake ");
	shk_html_text(out, header->version);
	fprintf(out, ", %s.", format_date(date, report->made_ns));
	for (const char *const *source = header->sources; *source; source++) {
		fputs(before, out);
		shk_html_text(out, *source);
		before = ", ";
	}
	fprintf(out, "%s</p>\n", header->sources[0] ? "." : "");
}

static void write_head(FILE *out, const struct shk_report *report, uint32_t predictable, uint32_t judged)
{
	fprintf(out, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
		     "<meta charset=\"utf-8\"/>\n"
		     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		     "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>Initial sequence "
		     "numbers, ");
	shk_html_text(out, report->header->host);
	fprintf(out, "</title>\n");
	shk_report_style(out);
	fprintf(out, "</head>\n<body>\n<header>\n<p class=\"kicker\">tcpshake isn</p>\n"
		     "<h1>Are the initial sequence numbers any good?</h1>\n");
	shk_report_lead(out, report, predictable, judged);
	write_meta(out, report);
	fprintf(out, "</header>\n<main>\n");
}

static void write_foot(FILE *out)
{
	fprintf(out, "</main>\n<footer>\n<h2>How this was judged</h2>\n"
		     "<p>A TCP connection begins at an initial sequence number (ISN) that each end "
		     "chooses. RFC 9293 3.4.1 wants a clock, so that a new use of the same addresses "
		     "and ports stays clear of what the old one sent, plus an offset F that depends on "
		     "addresses, ports and a secret, so that nobody else can tell the next one. Linux "
		     "counts one every 64 ns.</p>\n"
		     "<p>An ISN minus the clock is F. Where F repeats for a tuple and differs between "
		     "tuples, the generator is RFC 6528’s. Numbers that are off the clock by design "
		     "(SYN cookies, TIME-WAIT reuse, repaired or proxied sockets) are left out and "
		     "counted.</p>\n"
		     "<p>A reuse is at risk if an old segment, had it been delayed, would have been "
		     "taken for a new one: if neither time (120 s, RFC 9293), nor timestamps (RFC 7323 "
		     "5), nor its sequence number, nor its acknowledgment (RFC 5961 5) would have kept "
		     "it out. No segment was seen to do so. Windows are inferred, the largest that was "
		     "agreed on. Timestamps count where they were seen to go on from use to use.</p>\n"
		     "<p>“At least” is what so few samples can certify, not what the generator has. "
		     "nmap’s figures are computed by its formulas.</p>\n"
		     "</footer>\n</body>\n</html>\n");
}

/*
 * ---- Hosts ---------------------------------------------------------------------------------------
 */

static int write_cards(FILE *out, const struct shk_report *report, const struct rank *ranks)
{
	uint32_t n = report->n_hosts < SHK_REPORT_HOSTS ? report->n_hosts : SHK_REPORT_HOSTS;
	char grouped[SHK_GROUPED_SIZE];
	struct shk_isn_host host;
	int rc;

	if (!n)
		return 0;
	fprintf(out, "<section>\n<h2>Who chose the numbers</h2>\n<ul class=\"cards\">\n");
	for (uint32_t i = 0; i < n; i++) {
		rc = report->host(report->arg, ranks[i].index, &host);
		if (rc)
			return rc;
		shk_report_card(out, &host);
	}
	fprintf(out, "</ul>\n");
	if (report->n_hosts > n)
		fprintf(out,
			"<p class=\"note\">%s more hosts are not described here: those with fewer "
			"samples, none of them found predictable unless all above are.</p>\n",
			shk_html_grouped(grouped, report->n_hosts - n));
	fprintf(out, "</section>\n");
	return 0;
}

static int write_figures(FILE *out, const struct shk_report *report, const struct rank *ranks)
{
	struct shk_isn_host host;
	unsigned int drawn = 0;
	int rc;

	for (uint32_t i = 0; i < report->n_hosts && drawn < SHK_REPORT_FIGURES; i++) {
		rc = report->host(report->arg, ranks[i].index, &host);
		if (rc)
			return rc;
		if (!host.n_recent)
			continue;
		rc = shk_report_figures(out, &host, drawn++);
		if (rc)
			return rc;
	}
	if (drawn && drawn < report->n_hosts)
		fprintf(out,
			"<p class=\"note\">Drawn are %u of %u hosts: predictable ones, then those with "
			"most samples.</p>\n",
			drawn, report->n_hosts);
	return 0;
}

int shk_report_write(FILE *out, const struct shk_report *report)
{
	struct rank *ranks = calloc(report->n_hosts + 1, sizeof(*ranks));
	uint32_t predictable, judged;
	int rc;

	if (!ranks)
		return -ENOMEM;
	rc = rank_hosts(report, ranks, &predictable, &judged);
	if (!rc) {
		write_head(out, report, predictable, judged);
		rc = write_cards(out, report, ranks);
	}
	if (!rc) {
		shk_report_counterfactual(out, report);
		shk_report_reuse(out, report);
		rc = write_figures(out, report, ranks);
	}
	free(ranks);
	if (rc)
		return rc;
	write_foot(out);
	errno = 0;
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

/*
 * ---- Of an audit ---------------------------------------------------------------------------------
 */

static int host_of_audit(void *arg, uint32_t index, struct shk_isn_host *host)
{
	return shk_isn_judge(arg, index, host);
}

int shk_report_audit(FILE *out, struct shk_isn *audit, const struct shk_header *header, int64_t made_ns)
{
	struct shk_isn_totals totals;
	struct shk_report report = {
		.header = header,
		.made_ns = made_ns,
		.n_hosts = shk_isn_hosts(audit),
		.host = host_of_audit,
		.arg = audit,
		.counterfactual = shk_isn_counterfactual(audit),
		.totals = &totals,
	};

	shk_isn_totals(audit, &totals);
	report.risks = shk_isn_risks(audit, &report.n_risks);
	report.margins = shk_isn_margins(audit, &report.n_margins);
	return shk_report_write(out, &report);
}
