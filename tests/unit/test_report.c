// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "report/chart.h"
#include "../report/rig.h"

static struct rig rig;

static char *page_of(const struct shk_report *report)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(shk_report_write(out, report), 0);
	fclose(out);
	return text;
}

/* What an XML parser says of it: nothing, if it is well-formed. */
static void expect_well_formed(const char *page)
{
	FILE *parser = popen("xmllint --noout --nonet -", "w");

	assert_non_null(parser);
	fputs(page, parser);
	assert_int_equal(pclose(parser), 0);
}

static unsigned int count(const char *page, const char *words)
{
	unsigned int n = 0;

	while ((page = strstr(page, words))) {
		n++;
		page += strlen(words);
	}
	return n;
}

/* Each in its turn. */
static void expect_in_order(const char *page, const char *const *phrases)
{
	const char *found;

	for (; *phrases; phrases++) {
		found = strstr(page, *phrases);
		if (!found)
			print_error("\"%s\" is missing, or not where it belongs\n", *phrases);
		assert_non_null(found);
		page = found + strlen(*phrases);
	}
}

static void test_answer_first(void **state)
{
	static const char *const phrases[] = {
		"<h1>Are the initial sequence numbers any good?</h1>",
		"No: 3 of 5 hosts choose numbers that can be predicted.",
		"In 20 of 549 reuses of addresses and ports an old segment could have been taken for a "
		"new one.",
		"3,210 connections, looked at on web1 (Linux 6.1.0-49-amd64) by tcpshake 0.1.0",
		"Read from capture &lt;a&amp;b&gt;.pcap.",
		/* predictable ones first */
		"<span class=\"tag bad\">CONSTANT</span>",
		"192.0.2.77",
		"tag bad\">GLOBAL_CLOCK",
		"250 kHz",
		"tag bad\">COUNTER+CLOCK",
		"64,000 for each connection",
		"<span class=\"tag good\">RFC6528</span>",
		"15.625 MHz, measured +2 ppm",
		"at least 15.6 bits",
		"GCD 1, ISR 262, SP 257",
		"3 SYN cookies",
		"tag good\">RANDOM",
		"Had every ISN been 0, 500 would have been at risk; with the ISNs that were chosen, 20.",
		"SAFE_QUIET",
		"AT_RISK_DATA",
		"And 1,010 more.",
		"192.0.2.77 as client: CONSTANT",
		"Drawn are 4 of 5 hosts",
		NULL,
	};
	char *page = page_of(&rig.report);

	(void)state;
	expect_in_order(page, phrases);
	free(page);
}

/* Well-formed, and nothing in it that would have to be fetched or run. */
static void test_self_contained(void **state)
{
	static const char *const never[] = {"<script", "href=",  "src=",       "url(",
					    "@import", "https:", "javascript:"};
	char *page = page_of(&rig.report);

	(void)state;
	expect_well_formed(page);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_null(strstr(page, never[i]));
	/* The names of XML's vocabularies only look like addresses. */
	assert_int_equal(count(page, "http:"), count(page, "xmlns=\"http://www.w3.org/"));
	assert_int_equal(count(page, "<title "), count(page, "role=\"img\""));
	assert_int_equal(count(page, "<desc "), count(page, "role=\"img\""));
	assert_null(strstr(page, "nan"));
	free(page);
}

/* What comes from outside cannot end an element, nor the document. */
static void test_hostile_words(void **state)
{
	static const char *const sources[] = {"</title><script>alert(1)</script>", "\xff\xc0\xaf\xed\xa0\x80",
					      NULL};
	struct shk_header header = rig.header;
	struct shk_report report = rig.report;
	char *page;

	(void)state;
	header.host = "web\"1' onload='x";
	header.kernel = "a\001b\x1b[31m &amp; ]]>";
	header.version = "\xf4\x90\x80\x80\xef\xbf\xbf caf\xc3\xa9";
	header.sources = sources;
	report.header = &header;
	page = page_of(&report);
	expect_well_formed(page);
	assert_null(strstr(page, "<script"));
	assert_non_null(strstr(page, "web&quot;1&#39; onload=&#39;x"));
	assert_non_null(strstr(page, "&amp;amp; ]]&gt;"));
	assert_non_null(strstr(page, "caf\xc3\xa9"));
	free(page);
}

static void test_nothing_seen(void **state)
{
	static const struct shk_counterfactual none;
	static const struct shk_isn_totals totals;
	const struct shk_report report = {.header = &rig.header, .counterfactual = &none, .totals = &totals};
	char *page = page_of(&report);

	(void)state;
	expect_well_formed(page);
	assert_non_null(strstr(page, "No opening of a connection was seen"));
	assert_non_null(strstr(page, "This trace cannot tell"));
	assert_null(strstr(page, "<svg"));
	free(page);
}

static char *page_of_host(const struct shk_isn_host *host)
{
	static struct rig one;
	char *page;

	one = rig;
	one.of[0].host = *host;
	one.report.n_hosts = 1;
	one.report.arg = &one;
	page = page_of(&one.report);
	expect_well_formed(page);
	return page;
}

/* Of a host that was hardly seen there is little to say, and nothing to divide by. */
static void test_single_sample(void **state)
{
	struct shk_isn_host host = rig.of[0].host;
	char *page;

	(void)state;
	host.verdict = SHK_ISN_INSUFFICIENT;
	host.samples = host.judged = host.tuples = host.n_recent = host.n_kept = 1;
	host.reused = 0;
	host.needed = 15;
	host.needs_reuse = true;
	host.cross.chi2_known = false;
	page = page_of_host(&host);
	assert_non_null(strstr(page, "There are too few samples to say."));
	assert_non_null(strstr(page, "15 more, of tuples that were used before"));
	assert_null(strstr(page, "nan"));
	assert_int_equal(count(page, "inf"), count(page, "inferred"));
	free(page);
	host.n_kept = 0;
	host.offset = NULL;
	page = page_of_host(&host);
	assert_non_null(strstr(page, "1 ISNs"));
	free(page);
}

/* A clock that turned often is drawn as one turn; a stepped clock is no reason for a picture without end. */
static void test_long_time(void **state)
{
	struct rig_host *h = &rig.of[0];
	struct shk_isn_sample kept[RIG_SAMPLES];
	struct shk_isn_host host = h->host;
	char *page;

	(void)state;
	memcpy(kept, h->kept, sizeof(kept));
	for (uint32_t i = 0; i < RIG_SAMPLES; i++)
		kept[i].real_ns += i * 3600000000000LL;
	host.kept = kept;
	page = page_of_host(&host);
	assert_non_null(strstr(page, "laid over each other every 274.9 s"));
	assert_true(strlen(page) < 200000);
	kept[0].real_ns = INT64_MIN / 2;
	free(page);
	page = page_of_host(&host);
	assert_true(strlen(page) < 200000);
	free(page);
}

/*
 * ---- Bounds --------------------------------------------------------------------------------------
 */

#define MANY_HOSTS 2000U

static struct shk_isn_sample many_samples[SHK_ISN_KEPT_MAX];

static int many_hosts(void *arg, uint32_t index, struct shk_isn_host *host)
{
	(void)arg;
	*host = rig.of[4].host;
	host->kept = many_samples;
	host->n_kept = SHK_ISN_KEPT_MAX;
	host->samples = index + 1;
	host->netns = index;
	return 0;
}

static void test_bounded(void **state)
{
	struct shk_report report = rig.report;
	char *page;

	(void)state;
	for (uint32_t i = 0; i < SHK_ISN_KEPT_MAX; i++)
		many_samples[i] = (struct shk_isn_sample){.real_ns = i, .tuple = i, .isn = rig_random(&rig)};
	report.n_hosts = MANY_HOSTS;
	report.host = many_hosts;
	page = page_of(&report);
	expect_well_formed(page);
	assert_true(strlen(page) < 500000);
	assert_int_equal(count(page, "<li class=\"card\">"), SHK_REPORT_HOSTS);
	assert_non_null(strstr(page, "1,976 more hosts"));
	assert_non_null(strstr(page, "Drawn are 4 of 2000 hosts"));
	assert_non_null(strstr(page, "1,366 of 4,096 ISNs, one in 3"));
	/* those with most samples */
	assert_non_null(strstr(page, "netns 1999"));
	assert_null(strstr(page, "netns 1000"));
	free(page);
}

static int failing_host(void *arg, uint32_t index, struct shk_isn_host *host)
{
	int rc = rig_host(&rig, index, host);

	return rc ?: -(*(int *)arg)-- == 0 ? -ENOMEM : 0;
}

/* Whenever the audit cannot judge, and when nobody can take the page. */
static void test_errors(void **state)
{
	struct shk_report report = rig.report;
	FILE *out = fopen("/dev/null", "w"), *full = fopen("/dev/full", "w");
	int left, judged = 3 * RIG_HOSTS;

	(void)state;
	report.host = failing_host;
	report.arg = &left;
	for (int i = 0; i < judged - 1; i++) {
		left = i;
		assert_int_equal(shk_report_write(out, &report), i < judged - 1 ? -ENOMEM : 0);
	}
	assert_int_equal(shk_report_write(full, &rig.report), -ENOSPC);
	fclose(out);
	fclose(full);
}

static void test_numbers(void **state)
{
	char buf[SHK_GROUPED_SIZE];

	(void)state;
	assert_string_equal(shk_html_grouped(buf, 0), "0");
	assert_string_equal(shk_html_grouped(buf, 999), "999");
	assert_string_equal(shk_html_grouped(buf, 1000), "1,000");
	assert_string_equal(shk_html_grouped(buf, 1234567), "1,234,567");
	assert_string_equal(shk_html_grouped(buf, UINT64_MAX), "18,446,744,073,709,551,615");
}

/*
 * ---- A whole audit -------------------------------------------------------------------------------
 */

#define USES 8U

/* As Linux chooses them: a secret for the tuple plus a clock of 64 ns. */
static void feed_connection(struct shk_isn *audit, uint32_t number, const uint32_t secret[RIG_TUPLES])
{
	struct shk_conn conn = sample_closed();
	uint32_t tuple = number % RIG_TUPLES;

	conn.first_ns = SAMPLE_START_NS + number * SAMPLE_MS;
	conn.last_ns = conn.first_ns + SAMPLE_MS / 2;
	for (int side = SHK_CLIENT; side <= SHK_SERVER; side++) {
		uint64_t sent_ns = conn.first_ns + (side == SHK_SERVER ? conn.syn_synack_ns : 0);

		conn.end[side].isn = secret[tuple] + (side << 20) + (sent_ns + SAMPLE_OFFSET_NS) / 64;
	}
	conn.end[SHK_CLIENT].port = 1024 + tuple;
	assert_int_equal(shk_isn_opened(audit, &conn), 0);
	assert_int_equal(shk_isn_closed(audit, &conn), 0);
}

static void test_whole_audit(void **state)
{
	static const char *const phrases[] = {
		"Yes: of no host is there a sign that they can be predicted.",
		"3,200 connections",
		"tag good\">RFC6528",
		"10.7.0.1",
		"15.625 MHz",
		"tag good\">RFC6528",
		"10.7.0.2",
		"10.7.0.1 as client: RFC6528",
		"10.7.0.2 as server: RFC6528",
		NULL,
	};
	const struct shk_isn_config config = {.hash_key = {1, 2}};
	struct shk_isn *audit = shk_isn_new(&config);
	uint32_t secret[RIG_TUPLES];
	size_t size;
	char *page;
	FILE *out = open_memstream(&page, &size);

	(void)state;
	for (uint32_t i = 0; i < RIG_TUPLES; i++)
		secret[i] = rig_random(&rig);
	for (uint32_t i = 0; i < RIG_TUPLES * USES; i++)
		feed_connection(audit, i, secret);
	assert_int_equal(shk_report_audit(out, audit, &rig.header, RIG_BEGIN_NS), 0);
	fclose(out);
	expect_well_formed(page);
	expect_in_order(page, phrases);
	free(page);
	shk_isn_free(audit);
}

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer_first),  cmocka_unit_test(test_self_contained),
		cmocka_unit_test(test_hostile_words), cmocka_unit_test(test_nothing_seen),
		cmocka_unit_test(test_single_sample), cmocka_unit_test(test_long_time),
		cmocka_unit_test(test_bounded),       cmocka_unit_test(test_errors),
		cmocka_unit_test(test_numbers),       cmocka_unit_test(test_whole_audit),
	};

	signal(SIGPIPE, SIG_IGN); /* a parser that has seen enough */
	return cmocka_run_group_tests(tests, set_up, NULL);
}
