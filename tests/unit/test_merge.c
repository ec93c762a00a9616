// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "merge.h"
#include "prng.h"

#define WINDOW_NS 1000

/* The number of push travels in .seg.seq, the stream in .cpu. */
static void push(struct shk_merge *m, unsigned int stream, uint64_t ts_ns, uint32_t number)
{
	struct shk_event ev = {.ts_ns = ts_ns, .kind = SHK_EV_SEGMENT, .cpu = stream, .seg.seq = number};

	assert_int_equal(shk_merge_push(m, stream, &ev), 0);
}

static void expect(struct shk_merge *m, uint64_t now_ns, uint64_t ts_ns, uint32_t number, bool is_late)
{
	const struct shk_event *ev;
	bool late;

	ev = shk_merge_next(m, now_ns, &late);
	assert_non_null(ev);
	assert_int_equal(ev->ts_ns, ts_ns);
	assert_int_equal(ev->seg.seq, number);
	assert_int_equal(late, is_late);
}

static void expect_none(struct shk_merge *m, uint64_t now_ns)
{
	bool late;

	assert_null(shk_merge_next(m, now_ns, &late));
}

static void test_empty(void **state)
{
	struct shk_merge *m = shk_merge_new(2, WINDOW_NS);

	(void)state;
	assert_non_null(m);
	expect_none(m, 5000);
	expect_none(m, UINT64_MAX);
	assert_int_equal(shk_merge_held(m), 0);
	shk_merge_free(m);
	shk_merge_free(NULL);
}

static void test_window_holds_back(void **state)
{
	struct shk_merge *m = shk_merge_new(2, WINDOW_NS);

	(void)state;
	push(m, 0, 5000, 1);
	expect_none(m, 500); /* before the first window has passed at all */
	expect_none(m, 5999);
	expect_none(m, 6000); /* not older than now minus the window, but as old */
	push(m, 1, 5500, 3);
	push(m, 1, 5001, 2);
	expect(m, 6001, 5000, 1, false);
	expect_none(m, 6001);
	expect(m, 6002, 5001, 2, false);
	assert_int_equal(shk_merge_held(m), 1);
	expect(m, UINT64_MAX, 5500, 3, false);
	assert_int_equal(shk_merge_held(m), 0);
	assert_int_equal(shk_merge_late(m), 0);
	shk_merge_free(m);
}

static void test_equal_times_keep_order_of_push(void **state)
{
	struct shk_merge *m = shk_merge_new(3, WINDOW_NS);
	uint32_t i;

	(void)state;
	for (i = 0; i < 300; i++)
		push(m, i * 7 % 3, 5000, i);
	for (i = 0; i < 300; i++)
		expect(m, UINT64_MAX, 5000, i, false);
	shk_merge_free(m);
}

static void test_late_is_passed_on_at_once(void **state)
{
	struct shk_merge *m = shk_merge_new(2, WINDOW_NS);

	(void)state;
	push(m, 0, 5000, 1);
	push(m, 0, 9000, 2);
	expect(m, 6001, 5000, 1, false);
	push(m, 1, 4000, 3); /* older than the 5000 that is gone */
	push(m, 1, 5000, 4); /* as old: in time */
	expect(m, 6001, 4000, 3, true);
	expect(m, 6001, 5000, 4, false);
	expect_none(m, 6001);
	assert_int_equal(shk_merge_late(m), 1);
	assert_int_equal(shk_merge_held(m), 1);

	expect(m, UINT64_MAX, 9000, 2, false);
	push(m, 1, 8500, 5);
	expect(m, 6001, 8500, 5, true); /* does not wait for its window either */
	shk_merge_free(m);
}

/* The caller was told "nothing older than 8000": that is a promise even if no event stands there. */
static void test_late_without_a_newer_event(void **state)
{
	struct shk_merge *m = shk_merge_new(2, WINDOW_NS);

	(void)state;
	expect_none(m, 9000);
	push(m, 0, 7999, 1);
	push(m, 1, 8000, 2);
	expect(m, 9000, 7999, 1, true);
	expect_none(m, 9000);
	expect(m, 9001, 8000, 2, false);
	shk_merge_free(m);
}

/*
 * ---- Any input against qsort() --------------------------------------------------------------------
 */

struct key {
	uint64_t ts_ns;
	uint32_t number;
};

static int key_compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Streams run at their own pace, repeat times, and step back a little now and then. */
static void fill(struct shk_merge *m, struct prng *rng, unsigned int streams, struct key *keys,
		 uint32_t count)
{
	uint64_t *clock = calloc(streams, sizeof(*clock));
	unsigned int stream;
	uint32_t i;

	assert_non_null(clock);
	for (i = 0; i < count; i++) {
		stream = prng_below(rng, streams);
		clock[stream] += prng_below(rng, 4);
		keys[i].ts_ns = clock[stream];
		if (prng_one_in(rng, 10))
			keys[i].ts_ns -= prng_below(rng, clock[stream] < 20 ? clock[stream] + 1 : 20);
		keys[i].number = i;
		push(m, stream, keys[i].ts_ns, i);
	}
	free(clock);
}

static void check_sorted(uint64_t seed, unsigned int streams, uint32_t count)
{
	struct shk_merge *m = shk_merge_new(streams, WINDOW_NS);
	struct prng rng = {seed};
	struct key *keys = calloc(count, sizeof(*keys));
	uint32_t i;

	assert_non_null(m);
	assert_non_null(keys);
	fill(m, &rng, streams, keys, count);
	assert_int_equal(shk_merge_held(m), count);

	qsort(keys, count, sizeof(*keys), key_compare);
	for (i = 0; i < count; i++)
		expect(m, UINT64_MAX, keys[i].ts_ns, keys[i].number, false);
	expect_none(m, UINT64_MAX);
	assert_int_equal(shk_merge_late(m), 0);
	free(keys);
	shk_merge_free(m);
}

static void test_same_as_qsort(void **state)
{
	static const unsigned int streams[] = {1, 2, 3, 16, 129};
	uint64_t seed;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		for (seed = 1; seed <= 8; seed++)
			check_sorted(seed * 0x9e3779b97f4a7c15ULL, streams[i], 3000);
}

/*
 * Pushes and pops mixed, some far too old: each event comes out exactly once, those in time in
 * order, and never before its window has passed.
 */
static void check_interleaved(uint64_t seed)
{
	enum { EVENTS = 20000, STREAMS = 5 };
	struct shk_merge *m = shk_merge_new(STREAMS, WINDOW_NS);
	struct prng rng = {seed};
	unsigned char *seen = calloc(EVENTS, 1);
	uint64_t now_ns = 100000, last_ns = 0, late_count = 0, ts_ns;
	const struct shk_event *ev;
	uint32_t i, out = 0;
	bool late;

	assert_non_null(m);
	assert_non_null(seen);
	for (i = 0; i <= EVENTS; i++) {
		if (i < EVENTS) {
			now_ns += prng_below(&rng, 50);
			ts_ns = now_ns - prng_below(&rng, prng_below(&rng, 100) ? WINDOW_NS : 20 * WINDOW_NS);
			push(m, prng_below(&rng, STREAMS), ts_ns, i);
		} else {
			now_ns = UINT64_MAX;
		}
		while ((ev = shk_merge_next(m, now_ns, &late))) {
			assert_int_equal(seen[ev->seg.seq]++, 0);
			assert_true(now_ns == UINT64_MAX || ev->ts_ns < now_ns - WINDOW_NS);
			assert_int_equal(late, ev->ts_ns < last_ns);
			if (!late)
				last_ns = ev->ts_ns;
			else
				late_count++;
			out++;
		}
		if (now_ns - WINDOW_NS > last_ns)
			last_ns = now_ns - WINDOW_NS; /* promised by the NULL */
	}
	assert_int_equal(out, EVENTS);
	assert_int_equal(late_count, shk_merge_late(m));
	assert_true(late_count > 0);
	free(seen);
	shk_merge_free(m);
}

static void test_nothing_is_dropped(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 10; seed++)
		check_interleaved(seed * 0x2545f4914f6cdd1dULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_window_holds_back),
		cmocka_unit_test(test_equal_times_keep_order_of_push),
		cmocka_unit_test(test_late_is_passed_on_at_once),
		cmocka_unit_test(test_late_without_a_newer_event),
		cmocka_unit_test(test_same_as_qsort),
		cmocka_unit_test(test_nothing_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
