// SPDX-License-Identifier: GPL-2.0
/*
 * gate.h, one bucket that many connections share: who makes room for whom, and what is counted.
 */
#include "gate_rig.h"

#define UNIT_NS (1ULL << 31) /* what an entry's age is counted in */

/* A segment of connection number @c: all have one bucket and a tag each. */
static struct shk_gate_result judge(struct shk_gate_bucket *b, uint32_t c, uint16_t flags, uint64_t now_ns)
{
	struct shk_segment seg = {.seq = c << 8, .ack = (c << 8) + 1, .tcp_flags = flags};
	struct shk_tuple t = {.dir = !!(flags & ACK)};
	struct shk_gate_result res;

	shk_gate_judge(b, (uint64_t)(c + 1) << SHK_GATE_TAG_SHIFT, &t, &seg, IN, now_ns, &res);
	return res;
}

/* A FIN from the lower end of @c leaves one expectation. */
static struct shk_gate_result expect(struct shk_gate_bucket *b, uint32_t c, uint64_t now_ns)
{
	return judge(b, c, FIN, now_ns);
}

static uint32_t meet(struct shk_gate_bucket *b, uint32_t c)
{
	return judge(b, c, ACK, 0).why;
}

static void test_empty_places_first(void **state)
{
	struct shk_gate_bucket b = {{0}};
	uint32_t c;

	(void)state;
	for (c = 0; c < SHK_GATE_WAYS; c++) {
		struct shk_gate_result res = expect(&b, c, 0);

		assert_int_equal(res.inserted, 1);
		assert_int_equal(res.displaced, 0);
		if (c == 0)
			meet(&b, 0); /* met, but there is still an empty place */
	}
	for (c = 1; c < SHK_GATE_WAYS; c++)
		assert_int_equal(meet(&b, c), ACKS_FIN);
}

static void test_met_before_unmet(void **state)
{
	struct shk_gate_bucket b = {{0}};
	uint32_t c;

	(void)state;
	for (c = 0; c < SHK_GATE_WAYS; c++)
		expect(&b, c, c * UNIT_NS);
	meet(&b, 7); /* the youngest */
	assert_int_equal(expect(&b, 8, 8 * UNIT_NS).displaced, 0);
	for (c = 0; c < 7; c++)
		assert_int_equal(meet(&b, c), ACKS_FIN);
	assert_int_equal(meet(&b, 8), ACKS_FIN);
}

static void test_oldest_of_the_met(void **state)
{
	struct shk_gate_bucket b = {{0}};
	uint64_t before[SHK_GATE_WAYS];
	uint32_t c, i, changed = 0;

	(void)state;
	for (c = 0; c < SHK_GATE_WAYS; c++) {
		expect(&b, c, (20 - c) * UNIT_NS); /* 7 is the oldest */
		meet(&b, c);
	}
	memcpy(before, b.entry, sizeof(before));
	assert_int_equal(expect(&b, 8, 21 * UNIT_NS).displaced, 0);
	for (i = 0; i < SHK_GATE_WAYS; i++)
		if (b.entry[i] != before[i]) {
			assert_int_equal(before[i] >> SHK_GATE_TAG_SHIFT, 7 + 1);
			changed++;
		}
	assert_int_equal(changed, 1);
}

static void test_oldest_unmet_is_displaced_and_counted(void **state)
{
	struct shk_gate_bucket b = {{0}};
	uint32_t c;

	(void)state;
	for (c = 0; c < SHK_GATE_WAYS; c++)
		expect(&b, c, c == 3 ? 0 : UNIT_NS);
	assert_int_equal(expect(&b, 8, 2 * UNIT_NS).displaced, 1);
	assert_int_equal(meet(&b, 3), 0);
	for (c = 0; c <= 8; c++)
		if (c != 3)
			assert_int_equal(meet(&b, c), ACKS_FIN);
}

/* Renewal takes its own place, even among empty ones, and displaces nobody. */
static void test_same_again_in_place(void **state)
{
	struct shk_gate_bucket b = {{0}};
	uint32_t c, i, used = 0;

	(void)state;
	expect(&b, 0, 0);
	meet(&b, 0);
	assert_int_equal(expect(&b, 0, UNIT_NS).displaced, 0);
	for (i = 0; i < SHK_GATE_WAYS; i++)
		used += b.entry[i] != 0;
	assert_int_equal(used, 1);
	assert_int_equal(meet(&b, 0), ACKS_FIN);

	for (c = 1; c < SHK_GATE_WAYS; c++)
		expect(&b, c, c * UNIT_NS);
	for (c = 1; c < SHK_GATE_WAYS; c++)
		assert_int_equal(expect(&b, c, 9 * UNIT_NS).displaced, 0);
}

/* At every moment of the clock and across its wrap: 30 units apart are still told apart. */
static void test_ages_wrap(void **state)
{
	uint64_t start;
	uint32_t apart;

	(void)state;
	for (start = 0; start < 70; start++)
		for (apart = 1; apart <= 30; apart++) {
			struct shk_gate_bucket b = {{0}};
			uint32_t c;

			for (c = 0; c < SHK_GATE_WAYS; c++)
				expect(&b, c, (c == 5 ? start : start + apart) * UNIT_NS);
			assert_int_equal(expect(&b, 8, (start + apart) * UNIT_NS).displaced, 1);
			assert_int_equal(meet(&b, 5), 0);
		}
}

/* An entry from a CPU whose reading of the clock is already in the next unit is young, not ancient. */
static void test_entry_from_the_next_unit(void **state)
{
	uint64_t now;

	(void)state;
	for (now = 1; now < 70; now++) {
		struct shk_gate_bucket b = {{0}};
		uint32_t c;

		for (c = 0; c < SHK_GATE_WAYS; c++)
			expect(&b, c, (c == 5 ? now + 1 : c == 2 ? now - 1 : now) * UNIT_NS);
		assert_int_equal(expect(&b, 8, now * UNIT_NS).displaced, 1);
		assert_int_equal(meet(&b, 2), 0);
		assert_int_equal(meet(&b, 5), ACKS_FIN);
	}
}

/* A flood of SYNs that nobody answers: every SYN beyond the eighth displaces one, and all are counted. */
static void test_flood_is_counted(void **state)
{
	struct shk_gate_bucket b = {{0}};
	uint32_t c, inserted = 0, displaced = 0, firsts = 0;

	(void)state;
	for (c = 0; c < 10000; c++) {
		struct shk_gate_result res = judge(&b, c, SYN, c * 1000000ULL);

		inserted += res.inserted;
		displaced += res.displaced;
		firsts += res.inserted - 1;
	}
	assert_int_equal(inserted - firsts, 10000);
	assert_int_equal(displaced, 10000 - SHK_GATE_WAYS);
}

/* Eight SYNs await an ACK each; the FIRSTs that came with them are gone, and no further one gets in. */
static void test_firsts_make_room(void **state)
{
	struct shk_gate_bucket b = {{0}};
	uint32_t c, i, firsts_gone = 0;

	(void)state;
	for (c = 0; c < SHK_GATE_WAYS; c++) {
		struct shk_gate_result res = judge(&b, c, SYN, c * 1000000ULL);

		assert_int_equal(res.displaced, 0);
		firsts_gone += res.first_displaced;
	}
	assert_int_equal(firsts_gone, SHK_GATE_WAYS);
	for (i = 0; i < SHK_GATE_WAYS; i++)
		assert_int_equal(shk_gate_kind(b.entry[i]), SHK_EXPECT_ANSWER);
	for (c = 0; c < SHK_GATE_WAYS; c++)
		assert_int_equal(meet(&b, c), ANSWERS);
}

/* An ACK that was met is of less use than data that may still come. */
static void test_met_before_first(void **state)
{
	struct shk_gate_bucket b = {{0}};
	struct shk_gate_result res;
	uint32_t c;

	(void)state;
	judge(&b, 0, SYN, 0);
	meet(&b, 0);
	for (c = 1; c < SHK_GATE_WAYS - 1; c++)
		expect(&b, c, 0);
	res = expect(&b, 8, UNIT_NS);
	assert_int_equal(res.displaced + res.first_displaced, 0);
	res = expect(&b, 9, UNIT_NS);
	assert_int_equal(res.displaced, 0);
	assert_int_equal(res.first_displaced, 1);
}

/* Tag 0 and direction 0 make the identity of an empty place: it must not answer. */
static void test_empty_place_is_nobody(void **state)
{
	struct shk_gate_bucket b = {{0}};
	struct shk_gate_result res;
	struct shk_tuple t = {.dir = 0};
	uint32_t ack;

	(void)state;
	for (ack = UINT32_MAX - 2; ack != 3; ack++) {
		struct shk_segment seg = {.ack = ack, .tcp_flags = ACK};

		shk_gate_judge(&b, 0, &t, &seg, IN, 0, &res);
		assert_int_equal(res.why, 0);
		assert_int_equal(b.entry[0], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_places_first),
		cmocka_unit_test(test_met_before_unmet),
		cmocka_unit_test(test_oldest_of_the_met),
		cmocka_unit_test(test_oldest_unmet_is_displaced_and_counted),
		cmocka_unit_test(test_same_again_in_place),
		cmocka_unit_test(test_ages_wrap),
		cmocka_unit_test(test_entry_from_the_next_unit),
		cmocka_unit_test(test_flood_is_counted),
		cmocka_unit_test(test_firsts_make_room),
		cmocka_unit_test(test_met_before_first),
		cmocka_unit_test(test_empty_place_is_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
