// SPDX-License-Identifier: GPL-2.0
/* Which ISNs become samples, of whom and with what time; what is left out; and that memory has bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "isn/audit.h"
#include "isn/clock.h"
#include "isn/store.h"
#include "prng.h"
#include "sample_conn.h"

#define US SAMPLE_US
#define MS SAMPLE_MS

static int setup(void **state)
{
	const struct shk_isn_config config = {.hosts_max = 4, .hash_key = {1, 2}};

	*state = shk_isn_new(&config);
	return !*state;
}

static int teardown(void **state)
{
	shk_isn_free(*state);
	return 0;
}

static struct shk_isn_host host_at(struct shk_isn *a, uint32_t index)
{
	struct shk_isn_host host;

	assert_true(index < shk_isn_hosts(a));
	assert_int_equal(shk_isn_judge(a, index, &host), 0);
	return host;
}

static void test_both_ends_of_a_connection(void **state)
{
	struct shk_conn conn = sample_opened();
	struct shk_isn_host host;

	assert_int_equal(shk_isn_opened(*state, &conn), 0);
	assert_int_equal(shk_isn_hosts(*state), 2);
	host = host_at(*state, 0);
	assert_int_equal(host.role, SHK_CLIENT);
	assert_int_equal(host.netns, conn.netns);
	assert_memory_equal(host.addr, conn.end[SHK_CLIENT].addr, 16);
	assert_int_equal(host.samples, 1);
	assert_int_equal(host.kept[0].isn, SAMPLE_CLIENT_ISN);
	assert_int_equal(host.kept[0].real_ns, 1700000000LL * 1000000000LL);
	assert_int_equal(host.kept[0].own_port, 44312);
	assert_int_equal(host.kept[0].peer_port, 80);
	assert_int_equal(host.verdict, SHK_ISN_INSUFFICIENT);
	assert_int_equal(host.needed, 2);
	host = host_at(*state, 1);
	assert_int_equal(host.role, SHK_SERVER);
	assert_int_equal(host.kept[0].isn, SAMPLE_SERVER_ISN);
	assert_int_equal(host.kept[0].real_ns, 1700000000LL * 1000000000LL + 150 * US);
	assert_int_equal(shk_isn_judge(*state, 2, &host), -ENOENT);
}

static void test_client_of_what_was_refused(void **state)
{
	struct shk_conn conn = sample_refused();

	assert_int_equal(shk_isn_opened(*state, &conn), 0);
	assert_int_equal(shk_isn_hosts(*state), 1);
	assert_int_equal(host_at(*state, 0).samples, 1);
}

static void expect_excluded(struct shk_isn *a, uint32_t index, enum shk_isn_excluded why)
{
	struct shk_isn_host host = host_at(a, index);
	unsigned int i;

	assert_int_equal(host.samples, 0);
	for (i = 0; i < SHK_ISN_EXCLUDED_COUNT; i++)
		assert_int_equal(host.excluded[i], i == why);
}

static void test_cookie_is_left_out(void **state)
{
	struct shk_conn conn = sample_opened();

	conn.open_flags = SHK_OF_COOKIE;
	shk_isn_opened(*state, &conn);
	assert_int_equal(host_at(*state, 0).samples, 1);
	expect_excluded(*state, 1, SHK_ISN_COOKIE);
}

static void test_time_wait_reuse_is_left_out(void **state)
{
	struct shk_tuple_use earlier = {.end = {SAMPLE_CLIENT_ISN - 65537, SAMPLE_SERVER_ISN - 65537}};
	struct shk_conn conn = sample_opened();

	conn.reuse.known = true;
	conn.reuse.earlier = &earlier;
	shk_isn_opened(*state, &conn);
	expect_excluded(*state, 0, SHK_ISN_TIME_WAIT);
	expect_excluded(*state, 1, SHK_ISN_TIME_WAIT);
}

static void test_proxied_is_left_out(void **state)
{
	struct shk_conn conn = sample_opened();

	conn.conflicts = SHK_CONFLICT_ISN;
	shk_isn_opened(*state, &conn);
	expect_excluded(*state, 0, SHK_ISN_PROXIED);
	expect_excluded(*state, 1, SHK_ISN_PROXIED);
}

static void test_unknown_time_is_left_out(void **state)
{
	struct shk_conn conn = sample_opened();

	/* The SYN was not seen, and the listener answered twice with different numbers. */
	conn.end[SHK_CLIENT].syn = 0;
	conn.end[SHK_SERVER].synack = 2;
	shk_isn_opened(*state, &conn);
	expect_excluded(*state, 0, SHK_ISN_UNKNOWN);
	expect_excluded(*state, 1, SHK_ISN_UNKNOWN);
}

static void test_retransmission_changes_nothing(void **state)
{
	struct shk_conn conn = sample_opened();

	conn.end[SHK_CLIENT].syn = 3;
	conn.end[SHK_CLIENT].syn_retransmits = 2;
	conn.end[SHK_SERVER].synack = 2;
	conn.end[SHK_SERVER].synack_retransmits = 1;
	shk_isn_opened(*state, &conn);
	assert_int_equal(host_at(*state, 0).samples, 1);
	assert_int_equal(host_at(*state, 1).samples, 1);
}

static void test_longest_silent_host_is_given_up(void **state)
{
	struct shk_conn conn = sample_refused();
	struct shk_isn_totals totals;
	int i;

	/* Four fit; the first speaks again. */
	for (i = 1; i <= 4; i++) {
		conn.end[SHK_CLIENT].addr[15] = i;
		shk_isn_opened(*state, &conn);
	}
	conn.end[SHK_CLIENT].addr[15] = 1;
	shk_isn_opened(*state, &conn);
	conn.end[SHK_CLIENT].addr[15] = 5;
	shk_isn_opened(*state, &conn);
	shk_isn_totals(*state, &totals);
	assert_int_equal(totals.hosts_evicted, 1);
	assert_int_equal(shk_isn_hosts(*state), 4);
	assert_int_equal(host_at(*state, 0).addr[15], 1);
	assert_int_equal(host_at(*state, 0).samples, 2);
	assert_int_equal(host_at(*state, 1).addr[15], 3);
	assert_int_equal(host_at(*state, 3).addr[15], 5);
}

static void test_reuses_are_counted(void **state)
{
	struct shk_conn conn = sample_closed();
	const struct shk_counterfactual *what_if;
	const struct shk_isn_risk *risks;
	struct shk_tuple_use earlier;
	struct shk_isn_totals totals;
	const int32_t *margins;
	uint32_t n;

	assert_true(shk_use_from_conn(&earlier, &conn));
	shk_isn_closed(*state, &conn);
	conn.first_ns = conn.last_ns + 10 * MS;
	conn.reuse = (struct shk_tuple_reuse){
		.known = true,
		.verdict = SHK_AT_RISK_DATA,
		.verdict_30s = SHK_SAFE_QUIET,
		.gap_ns = 10 * MS,
		.margin = -7,
		.earlier = &earlier,
	};
	shk_isn_closed(*state, &conn);
	shk_isn_totals(*state, &totals);
	assert_int_equal(totals.connections, 2);
	assert_int_equal(totals.reuses, 1);
	assert_int_equal(totals.by_reuse[SHK_AT_RISK_DATA], 1);
	assert_int_equal(totals.by_reuse_30s[SHK_SAFE_QUIET], 1);
	risks = shk_isn_risks(*state, &n);
	assert_int_equal(n, 1);
	assert_int_equal(risks[0].id, conn.id);
	assert_int_equal(risks[0].reuse.margin, -7);
	assert_null(risks[0].reuse.earlier);
	margins = shk_isn_margins(*state, &n);
	assert_int_equal(n, 1);
	assert_int_equal(margins[0], -7);
	what_if = shk_isn_counterfactual(*state);
	assert_int_equal(what_if->reuses, 1);
	assert_int_equal(what_if->at_risk[SHK_G0], 1);
}

/*
 * ---- The store -------------------------------------------------------------------------------------
 */

static void test_store_keeps_the_latest_and_whole_tuples(void **state)
{
	struct shk_isn_store s = {0};
	struct shk_isn_sample recent[SHK_ISN_RECENT_MAX], sample = {0};
	struct prng rng = {.state = 7};
	uint32_t i, n = 100000, uses;

	(void)state;
	/* Every tuple is used ten times in turn. */
	for (i = 0; i < n; i++) {
		if (i % 10 == 0)
			sample.tuple = prng_next(&rng);
		sample.real_ns = i;
		assert_int_equal(shk_isn_store_add(&s, &sample), 0);
	}
	assert_int_equal(shk_isn_store_recent(&s, recent), SHK_ISN_RECENT_MAX);
	for (i = 0; i < SHK_ISN_RECENT_MAX; i++)
		assert_int_equal(recent[i].real_ns, n - SHK_ISN_RECENT_MAX + i);
	assert_true(s.n_kept <= SHK_ISN_KEPT_MAX && s.n_kept > SHK_ISN_KEPT_MAX / 4);
	shk_isn_store_sort(&s);
	for (uses = 0, i = 0; i < s.n_kept; i++) {
		uses++;
		if (i + 1 == s.n_kept || s.kept[i].tuple != s.kept[i + 1].tuple) {
			assert_int_equal(uses, 10);
			uses = 0;
		}
	}
	shk_isn_store_release(&s);
}

static void test_store_bounds_one_tuple(void **state)
{
	struct shk_isn_sample sample = {.tuple = 1};
	struct shk_isn_store s = {0};
	uint32_t i;

	(void)state;
	for (i = 0; i < 3 * SHK_ISN_KEPT_MAX; i++) {
		sample.real_ns = i;
		assert_int_equal(shk_isn_store_add(&s, &sample), 0);
	}
	assert_true(s.n_kept >= SHK_ISN_USES_MAX && s.n_kept <= SHK_ISN_KEPT_MAX);
	assert_int_equal(s.selectivity, 0);
	shk_isn_store_sort(&s);
	assert_int_equal(s.kept[s.n_kept - 1].real_ns, 3 * SHK_ISN_KEPT_MAX - 1);
	shk_isn_store_release(&s);
}

/*
 * ---- The clock -------------------------------------------------------------------------------------
 */

static void test_ticks_are_those_of_the_kernel(void **state)
{
	const int64_t now = 1763911234567890123LL;

	(void)state;
	/* core/secure_seq.c, seq_scale() */
	assert_int_equal(shk_isn_ticks(now, 15625000), (uint32_t)((uint64_t)now >> 6));
	assert_int_equal(shk_isn_ticks(now, 250000), (uint32_t)(now / 4000));
	assert_int_equal(shk_isn_ticks(now, 1000000), (uint32_t)(now / 1000));
}

/* 20 uses of a tuple over hours: many rounds of the number space lie between them. */
static void test_clock_over_long_gaps(void **state)
{
	struct shk_isn_pair pairs[20];
	struct shk_isn_line line;
	uint32_t work[20], i;

	(void)state;
	for (i = 0; i < 20; i++) {
		pairs[i].from_ns = 1700000000LL * 1000000000LL;
		pairs[i].to_ns = pairs[i].from_ns + (int64_t)i * 777 * 1000 * (int64_t)MS;
		pairs[i].growth = shk_isn_ticks(pairs[i].to_ns + 3 * (int64_t)US, 15625000) -
				  shk_isn_ticks(pairs[i].from_ns, 15625000);
	}
	line = shk_isn_clock(pairs, 20, work);
	assert_true(line.rate_hz == 15625000);
	assert_true(line.share == 1);
	assert_in_range(line.residual, 46, 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_both_ends_of_a_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_of_what_was_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cookie_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time_wait_reuse_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_proxied_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_time_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_retransmission_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest_silent_host_is_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reuses_are_counted, setup, teardown),
		cmocka_unit_test(test_store_keeps_the_latest_and_whole_tuples),
		cmocka_unit_test(test_store_bounds_one_tuple),
		cmocka_unit_test(test_ticks_are_those_of_the_kernel),
		cmocka_unit_test(test_clock_over_long_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
