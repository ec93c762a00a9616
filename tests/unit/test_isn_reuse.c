// SPDX-License-Identifier: GPL-2.0
/* A tuple used twice: what stands between the uses. And the same with other ISNs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "isn/tuples.h"
#include "isn/what_if.h"
#include "sample_conn.h"

#define MIB (1U << 20)

static const uint64_t key[2] = {1, 2};

struct rig {
	struct shk_tuples *tuples;
	struct shk_conn first, second;
	struct shk_tuple_reuse reuse;
};

/* Both closed by four segments; the second begins 2 ms after the first ended, as Linux would number it. */
static int setup(void **state)
{
	static struct rig rig;

	rig.tuples = shk_tuples_new(16, key);
	rig.first = sample_closed();
	rig.second = sample_closed();
	rig.second.first_ns = rig.first.last_ns + 2 * SAMPLE_MS;
	rig.second.last_ns = rig.second.first_ns + 180 * SAMPLE_MS;
	rig.second.end[SHK_CLIENT].isn += 182 * SAMPLE_MS / 64;
	rig.second.end[SHK_SERVER].isn += 182 * SAMPLE_MS / 64;
	for (int i = 0; i < 2; i++) {
		rig.second.end[i].tsval += 182;
		rig.second.end[i].tsval_last += 182;
	}
	*state = &rig;
	return !rig.tuples;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	shk_tuples_free(r->tuples);
	return 0;
}

static void no_timestamps(struct rig *r)
{
	r->first.end[SHK_CLIENT].options &= ~SHK_OPT_TIMESTAMPS;
	r->second.end[SHK_SERVER].options &= ~SHK_OPT_TIMESTAMPS;
}

static void constant_isns(struct rig *r)
{
	r->second.end[SHK_CLIENT].isn = r->first.end[SHK_CLIENT].isn;
	r->second.end[SHK_SERVER].isn = r->first.end[SHK_SERVER].isn;
}

/* The client ended it by RST: there was no TIME-WAIT. */
static void reset_first(struct rig *r)
{
	r->first.close = SHK_C_RST;
	r->first.end[SHK_CLIENT].fin = 0;
	r->first.end[SHK_CLIENT].rst = 1;
	r->first.end[SHK_SERVER].fin = 0;
	r->first.end[SHK_SERVER].bytes_known = false;
	r->first.end[SHK_SERVER].acked_known = true;
	r->first.end[SHK_SERVER].acked = 101;
}

static void judge(struct rig *r)
{
	shk_tuples_learn(r->tuples, &r->first);
	shk_tuples_look(r->tuples, &r->second, &r->reuse);
	assert_true(r->reuse.known);
}

static void test_growing_isns(void **state)
{
	struct rig *r = *state;

	no_timestamps(r);
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_ISN);
	assert_int_equal(r->reuse.gap_ns, 2 * SAMPLE_MS);
	/* The server's end, 14321 octets and a FIN after its ISN and 1, is nearer. */
	assert_int_equal(r->reuse.margin, 182 * SAMPLE_MS / 64 - 14323);
}

static void test_timestamps(void **state)
{
	struct rig *r = *state;

	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_TS);
	assert_true(r->reuse.ts_margin_known);
	assert_int_equal(r->reuse.ts_margin, 2);
	/* Within a tick of the clock they prove nothing (TCP_PAWS_WINDOW). */
	r->second.end[SHK_SERVER].tsval--;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_ISN);
	assert_int_equal(r->reuse.ts_margin, 1);
}

/* A host that begins each use with another offset (RFC 7323 7.1), or one that has been started again. */
static void test_timestamps_that_fall_back(void **state)
{
	struct rig *r = *state;

	constant_isns(r);
	r->second.end[SHK_CLIENT].tsval = r->first.end[SHK_CLIENT].tsval - 1;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_AT_RISK_DATA);
	assert_int_equal(r->reuse.ts_margin, -181);
	/* Of the other direction they still keep old data out. */
	r->second.end[SHK_CLIENT].isn += 1U << 30;
	r->first.end[SHK_SERVER].isn = r->second.end[SHK_SERVER].isn;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_BY_PEER_ISN);
}

/* Both agreed on them, but nobody saw how far they went. */
static void test_timestamps_of_which_the_last_is_not_known(void **state)
{
	struct rig *r = *state;

	constant_isns(r);
	r->first.end[SHK_SERVER].tsval_last_known = false;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_AT_RISK_DATA);
	assert_false(r->reuse.ts_margin_known);
	/* If only the client's numbers overlap, its timestamps are all it takes. */
	r->second.end[SHK_SERVER].bytes = r->first.end[SHK_SERVER].bytes = 0;
	r->first.end[SHK_SERVER].fin = 0;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_TS);
}

static void test_constant_isns(void **state)
{
	struct rig *r = *state;

	constant_isns(r);
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_TS);
	no_timestamps(r);
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_AT_RISK_DATA);
	assert_int_equal(r->reuse.margin, -14323);
	assert_true(shk_reuse_at_risk(r->reuse.verdict));
}

static void test_what_has_died(void **state)
{
	struct rig *r = *state;

	constant_isns(r);
	no_timestamps(r);
	r->second.first_ns = r->first.last_ns + 31 * SAMPLE_S;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_AT_RISK_DATA);
	assert_int_equal(r->reuse.verdict_30s, SHK_SAFE_QUIET);
	r->second.first_ns = r->first.last_ns + 121 * SAMPLE_S;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_QUIET);
}

/* 256 MiB in 97 ms: 1,516,233 numbers later the clock is still inside them. */
static void bulk(struct rig *r)
{
	reset_first(r);
	r->first.end[SHK_CLIENT].bytes = 256 * MIB;
	r->first.last_ns = r->first.first_ns + 97 * SAMPLE_MS;
	r->second.first_ns = r->first.last_ns + 30 * SAMPLE_US;
	r->second.end[SHK_CLIENT].isn = r->first.end[SHK_CLIENT].isn + 1516233;
	r->second.end[SHK_SERVER].isn = r->first.end[SHK_SERVER].isn + 1516233;
	r->second.end[SHK_CLIENT].bytes = 101;
	r->second.end[SHK_SERVER].bytes = 101;
}

static void test_bulk_then_reuse(void **state)
{
	struct rig *r = *state;

	bulk(r);
	no_timestamps(r);
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_BY_PEER_ISN);
	assert_int_equal(r->reuse.margin, 1516233 - 1 - 256 * (int)MIB);
}

static void test_bulk_then_reuse_with_timestamps(void **state)
{
	struct rig *r = *state;

	bulk(r);
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_TS);
	/* The server's last segments came to nobody's notice. */
	r->first.end[SHK_SERVER].tsval_last_known = false;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_BY_PEER_ISN);
}

static void test_bulk_and_a_constant_peer(void **state)
{
	struct rig *r = *state;

	bulk(r);
	no_timestamps(r);
	r->second.end[SHK_SERVER].isn = r->first.end[SHK_SERVER].isn;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_AT_RISK_DATA);
}

static void test_old_rst(void **state)
{
	struct rig *r = *state;

	/* Its number is one that the later connection comes to expect: timestamps do not save it. */
	reset_first(r);
	constant_isns(r);
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_AT_RISK_RST);
	/* Not if that connection ends before. */
	r->second.end[SHK_CLIENT].bytes = 10;
	r->second.end[SHK_CLIENT].fin = 0;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_TS);
}

static void test_each_direction_counts(void **state)
{
	struct rig *r = *state;

	/* Only the client's numbers are new: they keep out what acknowledges the old ones. */
	no_timestamps(r);
	r->second.end[SHK_SERVER].isn = r->first.end[SHK_SERVER].isn;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_BY_PEER_ISN);
}

static void test_who_opens_may_change(void **state)
{
	struct rig *r = *state;
	struct shk_conn turned = r->second;

	no_timestamps(r);
	turned.end[SHK_CLIENT] = r->second.end[SHK_SERVER];
	turned.end[SHK_SERVER] = r->second.end[SHK_CLIENT];
	r->second = turned;
	judge(r);
	assert_int_equal(r->reuse.verdict, SHK_SAFE_ISN);
	assert_int_equal(r->reuse.earlier->isn[SHK_CLIENT], SAMPLE_SERVER_ISN);
	assert_int_equal(r->reuse.earlier->end[SHK_SERVER], SAMPLE_CLIENT_ISN + 1 + 79 + 1);
}

static void test_what_does_not_count(void **state)
{
	struct rig *r = *state;
	struct shk_conn refused = sample_refused();

	/* What never came about, what has another namespace, what is another tuple. */
	shk_tuples_learn(r->tuples, &refused);
	shk_tuples_look(r->tuples, &refused, &r->reuse);
	assert_false(r->reuse.known);
	shk_tuples_learn(r->tuples, &r->first);
	r->second.netns++;
	shk_tuples_look(r->tuples, &r->second, &r->reuse);
	assert_false(r->reuse.known);
	r->second.netns--;
	r->second.end[SHK_CLIENT].port++;
	shk_tuples_look(r->tuples, &r->second, &r->reuse);
	assert_false(r->reuse.known);
	assert_null(r->reuse.earlier);
}

static void test_oldest_is_forgotten(void **state)
{
	struct rig *r = *state;
	struct shk_conn conn = r->first;
	int i;

	/* Sixteen fit. The first is used again, so the second is the oldest. */
	for (i = 0; i < 16; i++) {
		conn.end[SHK_CLIENT].port = 1000 + i;
		shk_tuples_learn(r->tuples, &conn);
	}
	conn.end[SHK_CLIENT].port = 1000;
	shk_tuples_learn(r->tuples, &conn);
	assert_int_equal(shk_tuples_count(r->tuples), 16);
	assert_int_equal(shk_tuples_forgotten(r->tuples), 0);
	conn.end[SHK_CLIENT].port = 2000;
	shk_tuples_learn(r->tuples, &conn);
	assert_int_equal(shk_tuples_count(r->tuples), 16);
	assert_int_equal(shk_tuples_forgotten(r->tuples), 1);
	for (i = 0; i < 16; i++) {
		conn.end[SHK_CLIENT].port = 1000 + i;
		shk_tuples_look(r->tuples, &conn, &r->reuse);
		assert_int_equal(r->reuse.known, i != 1);
	}
	/* Of one that is long over nothing is lost. */
	conn.end[SHK_CLIENT].port = 2001;
	conn.last_ns += SHK_MSL_RFC_NS;
	shk_tuples_learn(r->tuples, &conn);
	assert_int_equal(shk_tuples_forgotten(r->tuples), 1);
}

/* Fifty uses of one tuple, 2 ms apart, 100 octets each way, without timestamps. */
static void test_forty_nine_reuses(void **state)
{
	struct rig *r = *state;
	struct shk_counterfactual sum = {0};
	struct shk_tuple_use use;
	struct shk_conn conn;
	int i;

	no_timestamps(r);
	for (i = 0; i < 50; i++) {
		conn = r->first;
		conn.first_ns += i * 2 * SAMPLE_MS;
		conn.last_ns = conn.first_ns + SAMPLE_MS;
		conn.end[SHK_CLIENT].isn += i * 2 * SAMPLE_MS / 64;
		conn.end[SHK_SERVER].isn += i * 2 * SAMPLE_MS / 64;
		conn.end[SHK_CLIENT].bytes = 100;
		conn.end[SHK_SERVER].bytes = 100;
		shk_tuples_look(r->tuples, &conn, &r->reuse);
		assert_true(shk_use_from_conn(&use, &conn));
		use.number = i;
		if (r->reuse.known)
			shk_what_if_add(&sum, r->reuse.earlier, &use);
		shk_tuples_learn(r->tuples, &conn);
	}
	assert_int_equal(sum.reuses, 49);
	assert_int_equal(sum.quiet, 0);
	assert_int_equal(sum.at_risk[SHK_G0], 49);
	assert_int_equal(sum.at_risk[SHK_GL], 0);
	/* 250 kHz gives 500 numbers for 101 octets; 64 a connection do not. */
	assert_int_equal(sum.at_risk[SHK_G793], 0);
	assert_int_equal(sum.at_risk[SHK_G42], 49);
	assert_int_equal(sum.at_risk[SHK_G44], 0);
	/* Two directions, windows of 65535 << 9 and << 7, and 202 of 2^32 acknowledgments. */
	assert_true(sum.at_risk[SHK_GR] > 0 && sum.at_risk[SHK_GR] < 0.01);
	assert_int_equal(sum.at_risk_ts[SHK_G0], 49);
}

static void test_timestamps_save_all(void **state)
{
	struct rig *r = *state;
	struct shk_counterfactual sum = {0};
	struct shk_tuple_use a, b;

	r->second.first_ns += SAMPLE_MS;
	assert_true(shk_use_from_conn(&a, &r->first));
	assert_true(shk_use_from_conn(&b, &r->second));
	shk_what_if_add(&sum, &a, &b);
	assert_int_equal(sum.at_risk[SHK_G0], 1);
	assert_int_equal(sum.at_risk_ts[SHK_G0], 0);
	assert_true(sum.at_risk_ts[SHK_GR] == 0);
	/* Nor does any generator profit from timestamps that do not go on. */
	b.tsval[SHK_CLIENT] = a.tsval[SHK_CLIENT];
	shk_what_if_add(&sum, &a, &b);
	assert_int_equal(sum.at_risk_ts[SHK_G0], 1);
	assert_true(sum.at_risk_ts[SHK_GR] > 0 && sum.at_risk_ts[SHK_GR] < sum.at_risk[SHK_GR]);
	sum = (struct shk_counterfactual){.at_risk[SHK_G0] = 1};
	b.first_ns += SHK_MSL_RFC_NS;
	shk_what_if_add(&sum, &a, &b);
	assert_int_equal(sum.quiet, 1);
	assert_int_equal(sum.at_risk[SHK_G0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_growing_isns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timestamps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timestamps_that_fall_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timestamps_of_which_the_last_is_not_known, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_constant_isns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_has_died, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bulk_then_reuse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bulk_then_reuse_with_timestamps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bulk_and_a_constant_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_rst, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_direction_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_opens_may_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_does_not_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_oldest_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forty_nine_reuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timestamps_save_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
