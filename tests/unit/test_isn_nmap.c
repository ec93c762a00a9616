// SPDX-License-Identifier: GPL-2.0
/*
 * nmap's GCD, ISR and SP against a second account of its formulas, written as osscan2.cc has them: all in
 * doubles and microseconds, with the sums in its order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "isn/nmap.h"
#include "prng.h"

#define MS 1000000LL

static unsigned int mod_diff(unsigned int a, unsigned int b)
{
	return (a - b < b - a) ? a - b : b - a;
}

static unsigned int gcd_of(const unsigned int *values, int n)
{
	unsigned int a, b, r;
	int i;

	a = values[0];
	for (i = 1; i < n; i++) {
		b = values[i];
		if (a < b) {
			r = a;
			a = b;
			b = r;
		}
		while (b) {
			r = a % b;
			a = b;
			b = r;
		}
	}
	return a;
}

/* Returns the number of responses. */
static int nmap_says(const uint32_t *isn, const int64_t *ns, int n, unsigned int out[3])
{
	unsigned int diffs[5] = {0}, responses = 0, seqs[6];
	double rates[5], avg = 0, dev = 0, div;
	long us[6];
	int i;

	for (i = 0; i < n; i++) {
		if (!isn[i])
			continue;
		seqs[responses] = isn[i];
		us[responses++] = ns[i] / 1000;
	}
	out[0] = out[1] = out[2] = 0;
	if (responses < 4)
		return responses;
	for (i = 0; i + 1 < (int)responses; i++) {
		diffs[i] = mod_diff(seqs[i + 1], seqs[i]);
		rates[i] = diffs[i] * 1000000.0 / (us[i + 1] - us[i]);
		avg += rates[i];
	}
	avg /= responses - 1;
	out[0] = gcd_of(diffs, responses - 1);
	if (!out[0])
		return responses;
	out[1] = (unsigned int)(log(avg) / log(2.0) * 8 + 0.5);
	div = out[0] > 9 ? out[0] : 1;
	for (i = 0; i + 1 < (int)responses; i++)
		dev += (rates[i] / div - avg / div) * (rates[i] / div - avg / div);
	dev = sqrt(dev / (responses - 2));
	out[2] = dev <= 1 ? 0 : (unsigned int)(log(dev) / log(2.0) * 8 + 0.5);
	return responses;
}

static void expect_same(const uint32_t *isn, const int64_t *ns, int n)
{
	unsigned int want[3];
	struct shk_nmap got;
	bool known;

	known = nmap_says(isn, ns, n, want) >= 4;
	assert_int_equal(shk_nmap_compute(isn, ns, n, &got), known);
	assert_int_equal(got.gcd, want[0]);
	assert_int_equal(got.isr, want[1]);
	assert_int_equal(got.sp, want[2]);
}

static void probe_times(int64_t ns[6])
{
	int i;

	for (i = 0; i < 6; i++)
		ns[i] = 1700000000LL * 1000 * MS + i * 100 * MS;
}

static void test_agrees_on_everything_random(void **state)
{
	struct prng rng = {.state = 20261123};
	uint32_t isn[6], run, i, spread;
	int64_t ns[6];

	(void)state;
	for (run = 0; run < 20000; run++) {
		spread = prng_below(&rng, 32);
		isn[0] = prng_next(&rng);
		ns[0] = 1700000000LL * 1000 * MS;
		for (i = 1; i < 6; i++) {
			isn[i] = isn[i - 1] + (uint32_t)(prng_next(&rng) >> 32 >> spread);
			if (prng_one_in(&rng, 20))
				isn[i] = 0;
			ns[i] = ns[i - 1] + (prng_below(&rng, 100) + 50) * MS + prng_below(&rng, 1000) * 1000;
		}
		expect_same(isn, ns, 1 + prng_below(&rng, 6));
	}
}

static void test_constant_has_no_rate(void **state)
{
	static const uint32_t isn[6] = {7, 7, 7, 7, 7, 7};
	struct shk_nmap got;
	int64_t ns[6];

	(void)state;
	probe_times(ns);
	assert_true(shk_nmap_compute(isn, ns, 6, &got));
	assert_int_equal(got.gcd, 0);
	assert_int_equal(got.isr, 0);
	assert_int_equal(got.sp, 0);
	expect_same(isn, ns, 6);
}

static void test_zero_is_no_answer(void **state)
{
	static const uint32_t isn[6] = {0, 0, 0, 1, 2, 3};
	struct shk_nmap got;
	int64_t ns[6];

	(void)state;
	probe_times(ns);
	assert_false(shk_nmap_compute(isn, ns, 6, &got));
}

static void test_known_generators(void **state)
{
	static const struct {
		uint32_t step; /* in 100 ms */
		uint32_t gcd, isr;
	} known[] = {
		{25000, 25000, 143},     /* RFC 793: 250 kHz */
		{64000, 64000, 154},     /* the 64K rule */
		{1562500, 1562500, 191}, /* Linux, the same tuple */
	};
	struct shk_nmap got;
	uint32_t isn[6], i, k;
	int64_t ns[6];

	(void)state;
	probe_times(ns);
	for (k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
		for (i = 0; i < 6; i++)
			isn[i] = 4294000000U + i * known[k].step; /* goes round */
		assert_true(shk_nmap_compute(isn, ns, 6, &got));
		assert_int_equal(got.gcd, known[k].gcd);
		assert_int_equal(got.isr, known[k].isr);
		assert_int_equal(got.sp, 0);
		expect_same(isn, ns, 6);
	}
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(shk_nmap_words(0), "Trivial joke");
	assert_string_equal(shk_nmap_words(3), "Easy");
	assert_string_equal(shk_nmap_words(10), "Medium");
	assert_string_equal(shk_nmap_words(11), "Formidable");
	assert_string_equal(shk_nmap_words(15), "Worthy challenge");
	assert_string_equal(shk_nmap_words(16), "Good luck!");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_on_everything_random),
		cmocka_unit_test(test_constant_has_no_rate),
		cmocka_unit_test(test_zero_is_no_answer),
		cmocka_unit_test(test_known_generators),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
