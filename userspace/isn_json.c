// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "isn_print.h"
#include "json_text.h"

static void member_u64(struct shk_json_text *w, const char *key, uint64_t value)
{
	shk_json_key(w, key);
	shk_json_u64(w, value);
}

static void member_s64(struct shk_json_text *w, const char *key, int64_t value)
{
	shk_json_key(w, key);
	shk_json_s64(w, value);
}

static void member_bool(struct shk_json_text *w, const char *key, bool value)
{
	shk_json_key(w, key);
	shk_json_literal(w, value ? "true" : "false");
}

static void member_string(struct shk_json_text *w, const char *key, const char *value)
{
	shk_json_key(w, key);
	shk_json_string(w, value);
}

/* Ten significant digits: nothing measured here is known better. */
static void member_number(struct shk_json_text *w, const char *key, double value)
{
	char digits[32];

	shk_json_key(w, key);
	snprintf(digits, sizeof(digits), value == floor(value) && fabs(value) < 1e15 ? "%.0f" : "%.10g",
		 value);
	shk_json_literal(w, isfinite(value) ? digits : "null");
}

static void open_object(struct shk_json_text *w, const char *key)
{
	shk_json_key(w, key);
	shk_json_literal(w, "{");
}

static void close_object(struct shk_json_text *w)
{
	shk_json_literal(w, "}");
}

static void begin_line(struct shk_json_text *w, const char *type)
{
	shk_json_clear(w);
	shk_json_literal(w, "{");
	member_string(w, "type", type);
}

/* Either the whole line is written or nothing. */
static int end_line(struct shk_json_text *w, FILE *out)
{
	shk_json_literal(w, "}\n");
	if (w->error)
		return w->error;
	errno = 0;
	if (fwrite(w->text, 1, w->len, out) != w->len)
		return errno ? -errno : -EIO;
	return 0;
}

/*
 * ---- A host ----------------------------------------------------------------------------------------
 */

static void put_clock(struct shk_json_text *w, const struct shk_isn_host *host)
{
	if (host->step)
		member_u64(w, "step", host->step);
	if (!(host->rate_hz > 0))
		return;
	member_number(w, "rate_hz", host->rate_hz);
	member_number(w, "rate_measured_hz", host->rate_measured_hz);
	member_u64(w, "residual", host->residual);
	member_u64(w, "residual_ns", host->residual_ns);
}

static void put_cross(struct shk_json_text *w, const struct shk_isn_cross *cross)
{
	if (cross->n < SHK_ISN_CROSS_MIN)
		return;
	open_object(w, "across_tuples");
	member_u64(w, "tuples", cross->n);
	if (cross->chi2_known)
		member_number(w, "chi2_15", cross->chi2);
	member_number(w, "serial_by_time", cross->serial_time);
	member_number(w, "serial_by_port", cross->serial_port);
	member_number(w, "serial_limit", cross->serial_limit);
	member_number(w, "bit_balance_z", cross->bit_balance);
	member_u64(w, "collisions", cross->collisions);
	member_number(w, "collisions_expected", cross->collisions_expected);
	member_number(w, "linear_in_port", cross->linear_in_port);
	member_bool(w, "uniform", cross->uniform);
	close_object(w);
}

static void put_nmap(struct shk_json_text *w, const struct shk_isn_host *host)
{
	if (!host->nmap_known)
		return;
	open_object(w, "nmap");
	member_u64(w, "gcd", host->nmap.gcd);
	member_u64(w, "isr", host->nmap.isr);
	member_u64(w, "sp", host->nmap.sp);
	close_object(w);
}

static int print_host(struct shk_json_text *w, const struct shk_isn_host *host, FILE *out)
{
	char addr[SHK_ADDR_SIZE];
	int i;

	begin_line(w, "isn");
	member_string(w, "host", shk_format_addr(addr, host->addr));
	member_u64(w, "netns", host->netns);
	member_string(w, "family", shk_addr_is_ipv4(host->addr) ? "ipv4" : "ipv6");
	member_string(w, "role", host->role == SHK_CLIENT ? "client" : "server");
	member_string(w, "verdict", shk_isn_code(host->verdict));
	member_bool(w, "predictable", shk_isn_predictable(host->verdict));
	if (host->verdict == SHK_ISN_INSUFFICIENT) {
		member_u64(w, "needed", host->needed);
		member_bool(w, "needed_of_used_tuples", host->needs_reuse);
	}
	put_clock(w, host);
	member_u64(w, "samples", host->samples);
	member_u64(w, "judged", host->judged);
	member_u64(w, "tuples", host->tuples);
	member_u64(w, "tuples_reused", host->reused);
	member_number(w, "entropy_bits_at_least", host->entropy_bits);
	member_number(w, "entropy_bits_certifiable", host->entropy_cap_bits);
	put_cross(w, &host->cross);
	put_nmap(w, host);
	open_object(w, "excluded");
	for (i = 0; i < SHK_ISN_EXCLUDED_COUNT; i++)
		member_u64(w, shk_isn_excluded_name(i), host->excluded[i]);
	close_object(w);
	return end_line(w, out);
}

/*
 * ---- Reuses ----------------------------------------------------------------------------------------
 */

static int print_risk(struct shk_json_text *w, const struct shk_isn_risk *risk, FILE *out)
{
	static const char *const sides[] = {"client", "server"};
	char addr[SHK_ADDR_SIZE], id[SHK_HEX_SIZE];
	int i;

	begin_line(w, "isn_risk");
	member_string(w, "id", shk_format_hex(id, risk->id));
	member_u64(w, "netns", risk->netns);
	member_s64(w, "ts", risk->real_ns);
	for (i = 0; i < 2; i++) {
		open_object(w, sides[i]);
		member_string(w, "ip", shk_format_addr(addr, risk->addr[i]));
		member_u64(w, "port", risk->port[i]);
		close_object(w);
	}
	member_string(w, "verdict", shk_reuse_code(risk->reuse.verdict));
	member_string(w, "verdict_30s", shk_reuse_code(risk->reuse.verdict_30s));
	member_u64(w, "gap_ns", risk->reuse.gap_ns);
	member_s64(w, "margin", risk->reuse.margin);
	return end_line(w, out);
}

static int print_what_if(struct shk_json_text *w, const struct shk_isn *audit, FILE *out)
{
	const struct shk_counterfactual *c = shk_isn_counterfactual(audit);
	struct shk_isn_totals totals;
	int i;

	shk_isn_totals(audit, &totals);
	begin_line(w, "isn_what_if");
	member_u64(w, "connections", totals.connections);
	member_u64(w, "reuses", c->reuses);
	member_u64(w, "quiet", c->quiet);
	open_object(w, "by_reuse");
	for (i = 0; i < SHK_REUSE_COUNT; i++)
		member_u64(w, shk_reuse_code(i), totals.by_reuse[i]);
	close_object(w);
	open_object(w, "by_reuse_30s");
	for (i = 0; i < SHK_REUSE_COUNT; i++)
		member_u64(w, shk_reuse_code(i), totals.by_reuse_30s[i]);
	close_object(w);
	open_object(w, "at_risk");
	for (i = 0; i < SHK_WHAT_IF_COUNT; i++)
		member_number(w, shk_what_if_code(i), c->at_risk[i]);
	close_object(w);
	open_object(w, "at_risk_with_timestamps");
	for (i = 0; i < SHK_WHAT_IF_COUNT; i++)
		member_number(w, shk_what_if_code(i), c->at_risk_ts[i]);
	close_object(w);
	member_u64(w, "hosts_evicted", totals.hosts_evicted);
	member_u64(w, "risks", totals.risks);
	return end_line(w, out);
}

static int print_lines(struct shk_json_text *w, struct shk_isn *audit, FILE *out)
{
	const struct shk_isn_risk *risks;
	struct shk_isn_host host;
	uint32_t i, n;
	int rc;

	n = shk_isn_hosts(audit);
	for (i = 0; i < n; i++) {
		shk_isn_judge(audit, i, &host);
		rc = print_host(w, &host, out);
		if (rc)
			return rc;
	}
	risks = shk_isn_risks(audit, &n);
	for (i = 0; i < n; i++) {
		rc = print_risk(w, &risks[i], out);
		if (rc)
			return rc;
	}
	return print_what_if(w, audit, out);
}

int shk_isn_print_json(struct shk_isn *audit, FILE *out)
{
	struct shk_json_text w = {0};
	int rc;

	rc = shk_json_init(&w);
	if (!rc)
		rc = print_lines(&w, audit, out);
	shk_json_release(&w);
	return rc;
}
