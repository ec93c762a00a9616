// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "isn_print.h"
#include "text.h"

#define HOST_COLUMN    2
#define ROLE_COLUMN    28
#define SAMPLES_COLUMN 36
#define VERDICT_COLUMN 54
#define WORDS_COLUMN   4
#define WORDS_WIDTH    96
#define HOSTS_SHOWN    40U
#define HOSTS_FEW      8U /* are all shown */
#define RISKS_SHOWN    10U
#define WORDS_SIZE     256

struct printer {
	struct shk_text text;
	struct shk_isn *audit;
	bool numeric_netns;
	int rc;
};

static void end_line(struct printer *p)
{
	int rc = shk_text_end(&p->text);

	if (!p->rc)
		p->rc = rc;
}

static void empty_line(struct printer *p)
{
	end_line(p);
}

/* A title on a line of its own. */
static void title(struct printer *p, const char *words)
{
	shk_text_colour(&p->text, SHK_BOLD);
	shk_text_add(&p->text, "%s", words);
	shk_text_colour(&p->text, SHK_PLAIN);
	end_line(p);
}

/* As many octets of @words as fit into a line, up to a blank. */
static int row_length(const char *words)
{
	size_t len = strlen(words), end;

	if (len <= WORDS_WIDTH)
		return len;
	for (end = WORDS_WIDTH; end && words[end] != ' '; end--)
		;
	return end ? end : WORDS_WIDTH;
}

/* Words below what they are about, on as many lines as it takes. */
static void note(struct printer *p, const char *words)
{
	int len;

	while (*words) {
		len = row_length(words);
		shk_text_pad(&p->text, WORDS_COLUMN);
		shk_text_add(&p->text, "%.*s", len, words);
		end_line(p);
		words += len;
		words += *words == ' ';
	}
}

/* 15625000: "15.625 MHz" */
static void add_rate(struct shk_text *t, double hz)
{
	if (hz >= 1e6)
		shk_text_add(t, "%.6g MHz", hz / 1e6);
	else if (hz >= 1e3)
		shk_text_add(t, "%.6g kHz", hz / 1e3);
	else
		shk_text_add(t, "%.6g Hz", hz);
}

/*
 * ---- Hosts -----------------------------------------------------------------------------------------
 */

static enum shk_colour colour_of(enum shk_isn_verdict verdict)
{
	if (verdict == SHK_ISN_INSUFFICIENT)
		return SHK_DIM;
	return shk_isn_predictable(verdict) ? SHK_RED : SHK_GREEN;
}

static void add_clock(struct printer *p, const struct shk_isn_host *host)
{
	char span[SHK_SPAN_SIZE];

	if (host->step)
		shk_text_add(&p->text, ", step %" PRIu32, host->step);
	if (!(host->rate_hz > 0))
		return;
	shk_text_add(&p->text, ", ");
	add_rate(&p->text, host->rate_hz);
	shk_text_add(&p->text, ", residual %" PRIu32 " (%s)", host->residual,
		     shk_format_span(span, host->residual_ns, p->text.utf8));
}

static void note_needed(struct printer *p, const struct shk_isn_host *host)
{
	char words[WORDS_SIZE];

	snprintf(words, sizeof(words), "%s: %" PRIu32 " more %s%s would do%s", shk_isn_words(host->verdict),
		 host->needed, host->needed == 1 ? "sample" : "samples",
		 host->needs_reuse ? " of tuples that were used before" : "",
		 host->cross.uniform && host->cross.n >= SHK_ISN_CROSS_MIN
			 ? "; from tuple to tuple nothing speaks against chance"
			 : "");
	note(p, words);
}

static void note_knowledge(struct printer *p, const struct shk_isn_host *host)
{
	char words[WORDS_SIZE];

	if (host->verdict == SHK_ISN_INSUFFICIENT || host->entropy_cap_bits <= 0)
		return;
	snprintf(words, sizeof(words),
		 "at least %.1f bits are unknown to who has seen another one; so few samples cannot certify "
		 "more than %.1f%s",
		 host->entropy_bits, host->entropy_cap_bits,
		 host->cross.n < SHK_ISN_CROSS_MIN || host->cross.uniform
			 ? ""
			 : "; from tuple to tuple they do not look like chance");
	note(p, words);
}

static void note_excluded(struct printer *p, const struct shk_isn_host *host)
{
	static const char *const words_of[] = {
		[SHK_ISN_COOKIE] = "SYN cookies",
		[SHK_ISN_TIME_WAIT] = "out of TIME-WAIT",
		[SHK_ISN_PROXIED] = "translated on the way",
		[SHK_ISN_UNKNOWN] = "off the line, or not seen well",
	};
	const char *before = "left out by design: ";
	char words[WORDS_SIZE];
	int i, len = 0;

	for (i = 0; i < SHK_ISN_EXCLUDED_COUNT; i++) {
		if (!host->excluded[i])
			continue;
		len += snprintf(words + len, sizeof(words) - len, "%s%" PRIu64 " %s", before,
				host->excluded[i], words_of[i]);
		before = ", ";
	}
	if (len)
		note(p, words);
}

static void note_nmap(struct printer *p, const struct shk_isn_host *host)
{
	char words[WORDS_SIZE];

	if (!host->nmap_known)
		return;
	snprintf(words, sizeof(words),
		 "nmap would say: GCD %" PRIu32 ", ISR %" PRIu32 ", SP %" PRIu32 " (%s)", host->nmap.gcd,
		 host->nmap.isr, host->nmap.sp, shk_nmap_words(host->nmap.sp));
	note(p, words);
}

static void print_host(struct printer *p, const struct shk_isn_host *host)
{
	char addr[SHK_ADDR_SIZE];
	struct shk_text *t = &p->text;

	shk_text_pad(t, HOST_COLUMN);
	shk_text_add(t, "%s", shk_format_addr(addr, host->addr));
	if (p->numeric_netns)
		shk_text_add(t, " (netns %" PRIu32 ")", host->netns);
	shk_text_add(t, " ");
	shk_text_pad(t, ROLE_COLUMN);
	shk_text_add(t, "%s ", host->role == SHK_CLIENT ? "client" : "server");
	shk_text_pad(t, SAMPLES_COLUMN);
	shk_text_add(t, "%7" PRIu64 " %8" PRIu32 " ", host->samples, host->tuples);
	shk_text_pad(t, VERDICT_COLUMN);
	shk_text_colour(t, colour_of(host->verdict));
	shk_text_add(t, "%s", shk_isn_code(host->verdict));
	shk_text_colour(t, SHK_PLAIN);
	add_clock(p, host);
	end_line(p);
	if (host->verdict == SHK_ISN_INSUFFICIENT)
		note_needed(p, host);
	else
		note(p, shk_isn_words(host->verdict));
	note_knowledge(p, host);
	note_nmap(p, host);
	note_excluded(p, host);
}

static void print_hosts(struct printer *p, bool every)
{
	uint32_t i, n = shk_isn_hosts(p->audit), shown = 0, too_few = 0;
	struct shk_isn_host host;

	title(p, "Who chose the ISNs");
	if (!n) {
		note(p, "no SYN and no SYN+ACK was seen");
		return;
	}
	shk_text_pad(&p->text, HOST_COLUMN);
	shk_text_add(&p->text, "host");
	shk_text_pad(&p->text, ROLE_COLUMN);
	shk_text_add(&p->text, "role");
	shk_text_pad(&p->text, SAMPLES_COLUMN);
	shk_text_add(&p->text, "samples   tuples");
	shk_text_pad(&p->text, VERDICT_COLUMN);
	shk_text_add(&p->text, "verdict");
	end_line(p);
	every = every || n <= HOSTS_FEW;
	for (i = 0; i < n && !p->rc; i++) {
		shk_isn_judge(p->audit, i, &host);
		if (every || (host.verdict != SHK_ISN_INSUFFICIENT && shown < HOSTS_SHOWN)) {
			print_host(p, &host);
			shown++;
		} else if (host.verdict == SHK_ISN_INSUFFICIENT) {
			too_few++;
		}
	}
	if (shown == n)
		return;
	shk_text_pad(&p->text, HOST_COLUMN);
	shk_text_add(&p->text,
		     "%" PRIu32 " more, of which %" PRIu32 " gave too few samples; --all shows them",
		     n - shown, too_few);
	end_line(p);
}

/*
 * ---- Reuses ----------------------------------------------------------------------------------------
 */

static void print_risk(struct printer *p, const struct shk_isn_risk *risk)
{
	char client[SHK_END_SIZE], server[SHK_END_SIZE], clock[SHK_CLOCK_SIZE], span[SHK_SPAN_SIZE];
	struct shk_text *t = &p->text;

	shk_text_pad(t, WORDS_COLUMN);
	shk_text_add(t, "%s  %s %s %s  ", shk_format_clock(clock, risk->real_ns),
		     shk_format_end(client, risk->addr[SHK_CLIENT], risk->port[SHK_CLIENT]), t->signs->right,
		     shk_format_end(server, risk->addr[SHK_SERVER], risk->port[SHK_SERVER]));
	shk_text_colour(t, SHK_RED);
	shk_text_add(t, "%s", shk_reuse_words(risk->reuse.verdict));
	shk_text_colour(t, SHK_PLAIN);
	shk_text_add(t, ": %s after, margin %" PRId32, shk_format_span(span, risk->reuse.gap_ns, t->utf8),
		     risk->reuse.margin);
	end_line(p);
}

static void print_risks(struct printer *p, const struct shk_isn_totals *totals)
{
	const struct shk_isn_risk *risks;
	uint32_t i, n;

	risks = shk_isn_risks(p->audit, &n);
	for (i = 0; i < n && i < RISKS_SHOWN; i++)
		print_risk(p, &risks[i]);
	if (totals->risks <= RISKS_SHOWN)
		return;
	shk_text_pad(&p->text, WORDS_COLUMN);
	shk_text_add(&p->text, "and %" PRIu64 " more; --json has the first %u", totals->risks - RISKS_SHOWN,
		     SHK_ISN_RISKS_MAX);
	end_line(p);
}

static void print_reuses(struct printer *p, const struct shk_isn_totals *totals)
{
	int i;

	title(p, "Tuples used again");
	shk_text_pad(&p->text, HOST_COLUMN);
	shk_text_add(&p->text, "%" PRIu64 " of %" PRIu64 " connections", totals->reuses, totals->connections);
	if (totals->reuses)
		shk_text_add(&p->text, ":  with an MSL of 120 s (RFC 9293) and 30 s (Linux)");
	end_line(p);
	for (i = 0; i < SHK_REUSE_COUNT; i++) {
		if (!totals->by_reuse[i] && !totals->by_reuse_30s[i])
			continue;
		shk_text_add(&p->text, "  %10" PRIu64 " %10" PRIu64 "  ", totals->by_reuse[i],
			     totals->by_reuse_30s[i]);
		shk_text_colour(&p->text, shk_reuse_at_risk(i) ? SHK_RED : SHK_PLAIN);
		shk_text_add(&p->text, "%s", shk_reuse_words(i));
		shk_text_colour(&p->text, SHK_PLAIN);
		end_line(p);
	}
	print_risks(p, totals);
}

/* Counts are whole; the expectation for random ISNs is not. */
static void add_risk(struct shk_text *t, enum shk_what_if g, double n)
{
	shk_text_add(t, g == SHK_GR && n > 0 && n < 9.95 ? "%14.2g" : "%14.0f", n);
}

static void print_what_if(struct printer *p)
{
	const struct shk_counterfactual *c = shk_isn_counterfactual(p->audit);
	int g;

	if (!c->reuses)
		return;
	empty_line(p);
	title(p, "Why an ISN does not start at 0");
	note(p, "The same connections at the same times, had their ISNs been chosen in another way: reuses "
		"in which an old segment could have been taken for a new one.");
	shk_text_pad(&p->text, VERDICT_COLUMN);
	shk_text_add(&p->text, "     ISN alone with timestamps");
	end_line(p);
	for (g = 0; g < SHK_WHAT_IF_COUNT; g++) {
		shk_text_pad(&p->text, WORDS_COLUMN);
		shk_text_add(&p->text, "%s", shk_what_if_words(g));
		shk_text_pad(&p->text, VERDICT_COLUMN);
		shk_text_colour(&p->text, c->at_risk[g] >= 1 ? SHK_RED : SHK_GREEN);
		add_risk(&p->text, g, c->at_risk[g]);
		shk_text_colour(&p->text, SHK_PLAIN);
		shk_text_add(&p->text, " ");
		add_risk(&p->text, g, c->at_risk_ts[g]);
		shk_text_add(&p->text, "  of %" PRIu64, c->reuses);
		end_line(p);
	}
	if (c->at_risk_ts[SHK_G0] > 0)
		note(p, "Where timestamps do not help it is by an old RST, which is taken without looking at "
			"them, or because they had not advanced.");
}

int shk_isn_print_text(struct shk_isn *audit, const struct shk_sink_config *config, bool every)
{
	struct printer p = {.audit = audit, .numeric_netns = config->numeric_netns};
	struct shk_isn_totals totals;

	shk_text_init(&p.text, config);
	shk_isn_totals(audit, &totals);
	empty_line(&p);
	print_hosts(&p, every);
	if (totals.hosts_evicted) {
		shk_text_pad(&p.text, HOST_COLUMN);
		shk_text_add(&p.text, "%" PRIu64 " hosts were given up to make room for others",
			     totals.hosts_evicted);
		end_line(&p);
	}
	empty_line(&p);
	print_reuses(&p, &totals);
	print_what_if(&p);
	return p.rc;
}
