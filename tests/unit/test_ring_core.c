// SPDX-License-Identifier: GPL-2.0
/*
 * ring_core.h in one thread: what a reader may rely on, and what it may not break by its tail.
 */
#include "ring_rig.h"
#include "prng.h"

static void test_empty(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 4);
	assert_int_equal(rig_read(&rig, 1), 0);
	rig_check_account(&rig);
	rig_close(&rig);
}

static void test_order_over_many_laps(void **state)
{
	struct rig rig;
	uint64_t i;

	(void)state;
	rig_open(&rig, 4);
	for (i = 0; i < 1000; i++) {
		assert_true(rig_put(&rig, 0, i));
		assert_int_equal(rig_read(&rig, 9), 1);
		assert_int_equal(rig.account.next[0], i + 1);
	}
	rig_check_account(&rig);
	assert_int_equal(rig.account.notes, 0);
	rig_close(&rig);
}

/* Every slot holds a record, and the event after that is the first one lost. */
static void test_full_to_the_last_slot(void **state)
{
	uint32_t slots;
	struct rig rig;
	uint64_t i;

	(void)state;
	for (slots = 2; slots <= RIG_SLOTS_MAX; slots *= 2) {
		rig_open(&rig, slots);
		for (i = 0; i < slots; i++)
			assert_true(rig_put(&rig, 0, i));
		assert_false(rig_put(&rig, 0, i));
		assert_int_equal(rig.ring.meta->lost, 1);
		assert_int_equal(rig_read(&rig, 99), slots);
		rig_check_account(&rig);
		rig_close(&rig);
	}
}

/* The note comes before the first event after the loss, once, with the exact count. */
static void test_loss_is_announced(void **state)
{
	struct rig rig;
	uint64_t i;

	(void)state;
	rig_open(&rig, 4);
	for (i = 0; i < 4 + 17; i++)
		rig_put(&rig, 0, i);
	assert_int_equal(rig_read(&rig, 99), 4);
	assert_int_equal(rig.account.notes, 0);
	assert_int_equal(rig.ring.meta->unannounced, 17);

	assert_true(rig_put(&rig, 0, 21));
	assert_int_equal(rig_read(&rig, 1), 1);
	assert_int_equal(rig.account.notes, 1);
	assert_int_equal(rig.account.announced, 17);
	assert_int_equal(rig_read(&rig, 99), 1);
	assert_int_equal(rig.account.next[0], 22);

	assert_true(rig_put(&rig, 0, 22));
	assert_int_equal(rig_read(&rig, 99), 1);
	rig_check_account(&rig);
	rig_close(&rig);
}

/* A reader that frees one slot at a time gets events, not only notes about their loss. */
static void test_slow_reader_gets_events(void **state)
{
	struct rig rig;
	uint64_t i;

	(void)state;
	rig_open(&rig, 4);
	for (i = 0; i < 1000; i++) {
		rig_put(&rig, 0, i);
		if (i % 2)
			rig_read(&rig, 1);
	}
	assert_true(rig.account.events >= 240);
	rig_read(&rig, 99);
	rig_check_account(&rig);
	rig_close(&rig);
}

/* Records can be handed back in any portions, and the one in hand stays valid until then. */
static void test_release_in_portions(void **state)
{
	const struct shk_event *first;
	struct shk_event expected;
	struct rig rig;
	uint64_t i;

	(void)state;
	rig_open(&rig, 8);
	for (i = 0; i < 8; i++)
		assert_true(rig_put(&rig, 0, i));
	first = shk_ring_peek(&rig.ring, 0);
	for (i = 0; i < 100; i++)
		assert_false(rig_put(&rig, 0, 8 + i));
	expected = rig_event(0, 0);
	assert_memory_equal(first, &expected, sizeof(expected));
	assert_non_null(shk_ring_peek(&rig.ring, 7));
	shk_ring_release(&rig.ring, 5);
	for (i = 0; i < 4; i++)
		assert_true(rig_put(&rig, 1, i));
	assert_false(rig_put(&rig, 1, 4));
	rig_close(&rig);
}

/* What lies in a slot from the lap before is not taken for the record to come. */
static void test_old_laps_are_not_read(void **state)
{
	struct rig rig;
	uint64_t i;

	(void)state;
	rig_open(&rig, 4);
	for (i = 0; i < 6; i++) {
		assert_true(rig_put(&rig, 0, i));
		assert_int_equal(rig_read(&rig, 1), 1);
	}
	for (i = 6; i < 6 + 4; i++)
		assert_null(shk_ring_peek(&rig.ring, i));
	assert_null(shk_ring_peek(&rig.ring, 0));
	rig_close(&rig);
}

/* A reserved slot holds the reader up until it is published, even if later ones are. */
static void test_stops_at_unpublished(void **state)
{
	struct shk_event ev = rig_event(1, 0);
	struct rig rig;
	__u64 pos = 0;

	(void)state;
	rig_open(&rig, 4);
	assert_true(rig_put(&rig, 0, 0));
	assert_true(shk_ring_reserve(&rig.ring, 1, &pos));
	assert_true(rig_put(&rig, 0, 1));
	assert_int_equal(rig_read(&rig, 99), 1);
	shk_ring_publish(&rig.ring, pos, &ev);
	assert_int_equal(rig_read(&rig, 99), 2);
	assert_int_equal(rig.account.next[0], 2);
	assert_int_equal(rig.account.next[1], 1);
	rig_close(&rig);
}

/* Tails that no honest reader writes, relative to head. */
static const int64_t hostile_tails[] = {
	1, 2, 3, 4, 5, 1000, INT64_MAX, INT64_MIN, INT64_MIN + 1, -5, -6, -1000,
};

/* A tail out of range, far or near: nothing is written, everything is counted, nothing is harmed. */
static void test_hostile_tail_means_full(void **state)
{
	struct rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hostile_tails) / sizeof(hostile_tails[0]); i++) {
		struct shk_ring_control *control;
		uint64_t head;
		int n;

		rig_open(&rig, 4);
		control = rig.ring.control;
		for (n = 0; n < 3; n++)
			rig_put(&rig, 0, n);
		head = rig.ring.meta->head;
		for (n = 0; n < 10; n++) {
			control->tail = head + (uint64_t)hostile_tails[i];
			assert_false(rig_put(&rig, 0, 3 + n));
		}
		assert_int_equal(rig.ring.meta->head, head);
		assert_int_equal(rig.ring.meta->lost, 10);
		control->tail = 0;
		assert_int_equal(rig_read(&rig, 99), 3);
		assert_true(rig_put(&rig, 0, 13));
		assert_int_equal(rig_read(&rig, 99), 2);
		rig_check_account(&rig);
		rig_close(&rig);
	}
}

/* A tail that runs along with head lets writers lap, inside the ring and exactly accounted. */
static void test_tail_running_along(void **state)
{
	struct rig rig;
	uint64_t i;

	(void)state;
	rig_open(&rig, 4);
	for (i = 0; i < 1000; i++) {
		rig.ring.control->tail = rig.ring.meta->head;
		assert_true(rig_put(&rig, 0, i));
	}
	assert_int_equal(rig.ring.meta->head, 1000);
	assert_int_equal(rig.ring.meta->lost, 0);
	assert_null(shk_ring_peek(&rig.ring, 995));
	assert_non_null(shk_ring_peek(&rig.ring, 996));
	rig_close(&rig);
}

/* Any tail at any time: the account of what was offered stays exact, and rig_close() finds no damage. */
static void test_random_tails(void **state)
{
	struct prng rng = {3};
	uint64_t i, written = 0;
	struct rig rig;

	(void)state;
	rig_open(&rig, 8);
	for (i = 0; i < 200000; i++) {
		if (prng_one_in(&rng, 2))
			rig.ring.control->tail = prng_next(&rng);
		else
			rig.ring.control->tail = rig.ring.meta->head - 12 + prng_below(&rng, 16);
		written += rig_put(&rig, 0, i);
	}
	assert_int_equal(rig.ring.meta->seen, 200000);
	assert_int_equal(rig.ring.meta->lost, 200000 - written);
	assert_int_equal(rig.ring.meta->head, written + rig.ring.meta->notes);
	assert_true(written > 1000);
	rig_close(&rig);
}

/* Positions are 64 bits wide and their difference is what counts: it holds across the end too. */
static void test_positions_across_64_bits(void **state)
{
	struct rig rig;
	uint64_t i;

	(void)state;
	rig_open(&rig, 4);
	rig.ring.meta->head = rig.ring.control->tail = rig.tail = UINT64_MAX - 9;
	for (i = 0; i < 4; i++)
		assert_true(rig_put(&rig, 0, i));
	assert_false(rig_put(&rig, 0, 4));
	for (i = 0; i < 50; i++) {
		assert_int_equal(rig_read(&rig, 2), 2);
		assert_true(rig_put(&rig, 0, 5 + i));
		if (i)
			assert_true(rig_put(&rig, 1, i));
	}
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_order_over_many_laps),
		cmocka_unit_test(test_full_to_the_last_slot),
		cmocka_unit_test(test_loss_is_announced),
		cmocka_unit_test(test_slow_reader_gets_events),
		cmocka_unit_test(test_release_in_portions),
		cmocka_unit_test(test_old_laps_are_not_read),
		cmocka_unit_test(test_stops_at_unpublished),
		cmocka_unit_test(test_hostile_tail_means_full),
		cmocka_unit_test(test_tail_running_along),
		cmocka_unit_test(test_random_tails),
		cmocka_unit_test(test_positions_across_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
