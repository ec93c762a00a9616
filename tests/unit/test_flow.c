// SPDX-License-Identifier: GPL-2.0
/* The flow table: finding, waiting, giving up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/flow.h"
#include "prng.h"

#define SECOND    1000000000ULL
#define LINGER_NS 100000000ULL

static const uint64_t key[2] = {1, 2};

static struct shk_tuple tuple_of(uint32_t number)
{
	struct shk_tuple t = {.port = {443, number}, .netns = number >> 16};

	t.addr[0][1] = 1;
	t.addr[1][1] = 2;
	return t;
}

static uint32_t number_of(const struct shk_flow *f)
{
	return f->netns << 16 | f->port[1];
}

static struct shk_flow *find(struct shk_flows *t, uint32_t number)
{
	struct shk_tuple tuple = tuple_of(number);

	return shk_flows_find(t, &tuple, shk_flows_hash(t, &tuple));
}

static struct shk_flow *add(struct shk_flows *t, uint32_t number, enum shk_list list, uint64_t now_ns)
{
	struct shk_tuple tuple = tuple_of(number);
	struct shk_flow *f = shk_flows_add(t, &tuple, shk_flows_hash(t, &tuple));

	if (f)
		shk_flows_touch(t, f, list, now_ns);
	return f;
}

static struct shk_flows *new_table(uint32_t max)
{
	struct shk_flows *t = shk_flows_new(max, key, LINGER_NS, true);

	assert_non_null(t);
	return t;
}

static void test_flows_are_found_while_the_table_grows_and_shrinks(void **state)
{
	enum { N = 100000 };
	struct shk_flows *t = new_table(N);

	(void)state;
	assert_null(find(t, 0));
	for (uint32_t i = 0; i < N; i++)
		assert_non_null(add(t, i, SHK_LIST_LIVE, i));
	assert_int_equal(shk_flows_count(t), N);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(number_of(find(t, i)), i);
	assert_null(find(t, N));
	for (uint32_t i = 0; i < N; i += 2)
		shk_flows_remove(t, find(t, i));
	assert_int_equal(shk_flows_count(t), N / 2);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(!find(t, i), i % 2 == 0);
	for (uint32_t i = N; i < N + N / 2; i++)
		assert_non_null(add(t, i, SHK_LIST_LIVE, N + i));
	for (uint32_t i = 1; i < N; i += 2)
		assert_int_equal(number_of(find(t, i)), i);
	shk_flows_free(t);
}

static void test_namespaces_are_told_apart_within_a_bucket(void **state)
{
	struct shk_flows *t = new_table(5000);

	(void)state;
	for (uint32_t i = 0; i < 5000; i++)
		assert_non_null(add(t, i << 16, SHK_LIST_LIVE, i));
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(number_of(find(t, i << 16)), i << 16);
	shk_flows_free(t);
}

static void test_a_flow_does_not_move(void **state)
{
	struct shk_flows *t = new_table(50000);
	struct shk_flow *first = add(t, 0, SHK_LIST_LIVE, 1);

	(void)state;
	for (uint32_t i = 1; i < 50000; i++)
		add(t, i, SHK_LIST_LIVE, i);
	assert_ptr_equal(find(t, 0), first);
	shk_flows_free(t);
}

static void test_a_new_flow_is_blank(void **state)
{
	struct shk_flows *t = new_table(1);
	struct shk_flow *f = add(t, 1, SHK_LIST_LIVE, 5);

	(void)state;
	memset(f->end, 0xff, sizeof(f->end));
	f->flags = 0xff;
	assert_non_null(shk_arrows_add(shk_flows_arrows(t, f), 1));
	shk_flows_remove(t, f);
	f = add(t, 2, SHK_LIST_LIVE, 6);
	assert_non_null(f);
	assert_int_equal(f->end[0].has | f->end[1].isn | f->flags | f->phase, 0);
	assert_null(*shk_flows_arrows(t, f));
	shk_flows_free(t);
}

static void test_the_table_has_a_limit(void **state)
{
	static const uint32_t limits[] = {1, 2, 4095, 4096, 4097};

	(void)state;
	for (size_t l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
		struct shk_flows *t = new_table(limits[l]);

		for (uint32_t i = 0; i < limits[l]; i++)
			assert_non_null(add(t, i, SHK_LIST_LIVE, i));
		assert_null(add(t, limits[l], SHK_LIST_LIVE, limits[l]));
		shk_flows_remove(t, find(t, 0));
		assert_non_null(add(t, limits[l], SHK_LIST_LIVE, limits[l]));
		assert_null(add(t, 0, SHK_LIST_LIVE, limits[l]));
		shk_flows_free(t);
	}
}

static void test_each_list_waits_its_span(void **state)
{
	static const struct {
		enum shk_list list;
		uint64_t span_ns;
	} cases[] = {
		{SHK_LIST_LINGER, LINGER_NS},
		{SHK_LIST_TOMBSTONE, 60 * SECOND},
		{SHK_LIST_CLOSING, 120 * SECOND + LINGER_NS},
		{SHK_LIST_EMBRYO, 4 * SECOND + LINGER_NS},
		{SHK_LIST_EMBRYO_2, 6 * SECOND + LINGER_NS},
		{SHK_LIST_EMBRYO_3, 11 * SECOND + LINGER_NS},
		{SHK_LIST_EMBRYO_4, 20 * SECOND + LINGER_NS},
		{SHK_LIST_EMBRYO_5, 39 * SECOND + LINGER_NS},
		{SHK_LIST_EMBRYO_6, 77 * SECOND + LINGER_NS},
		{SHK_LIST_EMBRYO_7, 154 * SECOND + LINGER_NS},
		{SHK_LIST_LIVE, 1000 * 86400 * SECOND /* for ever */},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct shk_flows *t = new_table(10);
		struct shk_flow *f = add(t, 7, cases[c].list, SECOND);
		uint64_t when_ns = 0;

		assert_null(shk_flows_expired(t, SECOND + cases[c].span_ns - 1, &when_ns));
		if (cases[c].list == SHK_LIST_LIVE) {
			assert_null(shk_flows_expired(t, SECOND + cases[c].span_ns, &when_ns));
		} else {
			assert_ptr_equal(shk_flows_expired(t, SECOND + cases[c].span_ns, &when_ns), f);
			assert_int_equal(when_ns, SECOND + cases[c].span_ns);
			/* Asked late, the answer is the same. */
			assert_ptr_equal(shk_flows_expired(t, 1000000 * SECOND, &when_ns), f);
			assert_int_equal(when_ns, SECOND + cases[c].span_ns);
			shk_flows_remove(t, f);
			assert_null(shk_flows_expired(t, 1000000 * SECOND, &when_ns));
		}
		shk_flows_free(t);
	}
}

static void test_a_touch_starts_the_wait_again(void **state)
{
	struct shk_flows *t = new_table(10);
	struct shk_flow *f = add(t, 1, SHK_LIST_EMBRYO, SECOND), *g = add(t, 2, SHK_LIST_EMBRYO, 2 * SECOND);
	uint64_t when_ns;

	(void)state;
	shk_flows_touch(t, f, SHK_LIST_EMBRYO, 3 * SECOND);
	assert_null(shk_flows_expired(t, 6 * SECOND, &when_ns));
	assert_ptr_equal(shk_flows_expired(t, 6 * SECOND + LINGER_NS, &when_ns), g);
	shk_flows_touch(t, g, SHK_LIST_LIVE, 6 * SECOND + LINGER_NS);
	assert_null(shk_flows_expired(t, 7 * SECOND + LINGER_NS - 1, &when_ns));
	assert_ptr_equal(shk_flows_expired(t, 7 * SECOND + LINGER_NS, &when_ns), f);
	shk_flows_free(t);
}

static void test_the_dead_are_given_up_first(void **state)
{
	struct shk_flows *t = new_table(10);
	struct shk_flow *live = add(t, 1, SHK_LIST_LIVE, 1), *embryo = add(t, 2, SHK_LIST_EMBRYO, 2);
	struct shk_flow *grave = add(t, 3, SHK_LIST_TOMBSTONE, 3), *grave2 = add(t, 4, SHK_LIST_TOMBSTONE, 4);
	struct shk_flow *over = add(t, 5, SHK_LIST_LINGER, 5);

	(void)state;
	assert_ptr_equal(shk_flows_oldest(t), grave);
	shk_flows_remove(t, grave);
	assert_ptr_equal(shk_flows_oldest(t), grave2);
	shk_flows_remove(t, grave2);
	assert_ptr_equal(shk_flows_oldest(t), over);
	shk_flows_remove(t, over);
	assert_ptr_equal(shk_flows_oldest(t), live);
	shk_flows_touch(t, live, SHK_LIST_LIVE, 6);
	assert_ptr_equal(shk_flows_oldest(t), embryo);
	shk_flows_remove(t, embryo);
	shk_flows_remove(t, live);
	assert_null(shk_flows_oldest(t));
	shk_flows_free(t);
}

static void test_the_key_chooses_the_place(void **state)
{
	static const uint64_t other_key[2] = {1, 3};
	struct shk_flows *a = new_table(1), *b = shk_flows_new(1, other_key, 0, false);
	struct shk_tuple tuple = tuple_of(5);

	(void)state;
	assert_true(shk_flows_hash(a, &tuple) != shk_flows_hash(b, &tuple));
	shk_flows_free(a);
	shk_flows_free(b);
	shk_flows_free(NULL);
}

/*
 * ---- Against a model ---------------------------------------------------------------------------
 */

enum { NUMBERS = 300 };

/* The same table, as plainly as it can be written. */
struct model {
	struct {
		bool is_there;
		enum shk_list list;
		uint64_t touched_ns;
	} flow[NUMBERS];
	uint32_t n;
};

static uint64_t deadline_ns(const struct model *m, uint32_t i)
{
	enum shk_list list = m->flow[i].list;

	if (!m->flow[i].is_there || list == SHK_LIST_LIVE)
		return UINT64_MAX;
	return m->flow[i].touched_ns + (list == SHK_LIST_TOMBSTONE ? 0 : LINGER_NS) + shk_list_span_ns(list);
}

static uint64_t first_deadline_ns(const struct model *m)
{
	uint64_t first_ns = UINT64_MAX;

	for (uint32_t i = 0; i < NUMBERS; i++)
		if (deadline_ns(m, i) < first_ns)
			first_ns = deadline_ns(m, i);
	return first_ns;
}

/* SHK_LIST_NONE: on any list */
static uint64_t oldest_ns(const struct model *m, enum shk_list list)
{
	uint64_t first_ns = UINT64_MAX;

	for (uint32_t i = 0; i < NUMBERS; i++)
		if (m->flow[i].is_there && (list == SHK_LIST_NONE || m->flow[i].list == list) &&
		    m->flow[i].touched_ns < first_ns)
			first_ns = m->flow[i].touched_ns;
	return first_ns;
}

static void expire_both(struct shk_flows *t, struct model *m, uint64_t now_ns)
{
	struct shk_flow *f;
	uint64_t when_ns;

	while ((f = shk_flows_expired(t, now_ns, &when_ns))) {
		assert_int_equal(when_ns, first_deadline_ns(m));
		assert_int_equal(deadline_ns(m, number_of(f)), when_ns);
		m->flow[number_of(f)].is_there = false;
		m->n--;
		shk_flows_remove(t, f);
	}
	assert_true(first_deadline_ns(m) > now_ns);
}

static void check_oldest(struct shk_flows *t, const struct model *m)
{
	struct shk_flow *f = shk_flows_oldest(t);
	uint64_t want_ns = oldest_ns(m, SHK_LIST_TOMBSTONE);

	if (want_ns == UINT64_MAX)
		want_ns = oldest_ns(m, SHK_LIST_LINGER);
	if (want_ns == UINT64_MAX)
		want_ns = oldest_ns(m, SHK_LIST_NONE);

	assert_int_equal(!f, !m->n);
	if (f)
		assert_int_equal(m->flow[number_of(f)].touched_ns, want_ns);
}

static void test_like_the_model(void **state)
{
	struct shk_flows *t = new_table(NUMBERS / 2);
	struct model m = {0};
	struct prng rng = {4711};
	uint64_t now_ns = SECOND;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint32_t number = prng_below(&rng, NUMBERS);
		enum shk_list list = prng_below(&rng, SHK_LIST_COUNT);
		struct shk_flow *f;

		now_ns += prng_one_in(&rng, 4) ? prng_below(&rng, SECOND) : prng_below(&rng, 3);
		expire_both(t, &m, now_ns);
		f = find(t, number);
		assert_int_equal(!f, !m.flow[number].is_there);
		if (f && prng_one_in(&rng, 5)) {
			shk_flows_remove(t, f);
			m.flow[number].is_there = false;
			m.n--;
			continue;
		}
		if (f) {
			shk_flows_touch(t, f, list, now_ns);
		} else if (!add(t, number, list, now_ns)) {
			assert_int_equal(m.n, NUMBERS / 2);
			continue;
		}
		m.n += !f;
		m.flow[number].is_there = true;
		m.flow[number].list = list;
		m.flow[number].touched_ns = now_ns;
		assert_int_equal(shk_flows_count(t), m.n);
		check_oldest(t, &m);
	}
	shk_flows_free(t);
}

static void test_times_are_told_whole(void **state)
{
	static const uint64_t nears[] = {1, SECOND, 1ULL << 47, (1ULL << 48) - 1, 1ULL << 48, 3ULL << 60};
	static const int64_t distances[] = {0, 1, -1, 1 << 30, (1LL << 47) - 1, -(1LL << 47)};

	(void)state;
	for (size_t n = 0; n < sizeof(nears) / sizeof(nears[0]); n++)
		for (size_t d = 0; d < sizeof(distances) / sizeof(distances[0]); d++) {
			uint64_t ns = nears[n] + distances[d];

			/* That one time in 2^48 is a nanosecond off, so that 0 can mean "not yet". */
			if (!(ns << 16))
				ns++;
			if (distances[d] < 0 && nears[n] < (uint64_t)-distances[d])
				continue;
			assert_int_equal(shk_flow_whole_ns(shk_flow_low(ns), nears[n]), ns);
		}
	assert_int_equal(shk_flow_whole_ns(0, SECOND), 0);
	assert_int_equal(shk_flow_low(0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows_are_found_while_the_table_grows_and_shrinks),
		cmocka_unit_test(test_namespaces_are_told_apart_within_a_bucket),
		cmocka_unit_test(test_a_flow_does_not_move),
		cmocka_unit_test(test_a_new_flow_is_blank),
		cmocka_unit_test(test_times_are_told_whole),
		cmocka_unit_test(test_the_table_has_a_limit),
		cmocka_unit_test(test_each_list_waits_its_span),
		cmocka_unit_test(test_a_touch_starts_the_wait_again),
		cmocka_unit_test(test_the_dead_are_given_up_first),
		cmocka_unit_test(test_the_key_chooses_the_place),
		cmocka_unit_test(test_like_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
