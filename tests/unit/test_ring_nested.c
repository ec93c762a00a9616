// SPDX-License-Identifier: GPL-2.0
/*
 * ring_core.h, a writer interrupted between any two of its instructions by other writers and by the
 * reader on another CPU: what nested hooks do, with every interleaving and none left to chance.
 */
#include "ring_rig.h"
#include "single_step.h"

#ifdef SINGLE_STEP
#define STEPS_MAX 20000UL

/* Writer 0 is interrupted by writer 1, which puts @inner events, and by the reader if @reads. */
struct nested {
	struct rig rig;
	struct shk_event ev;
	uint32_t laps;
	uint32_t inner;
	uint32_t reads;
	uint32_t put_outer;
	uint32_t put_inner;
};

static void outer(void *arg)
{
	struct nested *n = arg;

	n->put_outer = shk_ring_put(&n->rig.ring, &n->ev);
}

static void inner(void *arg)
{
	struct nested *n = arg;
	uint32_t lap, i;

	for (lap = 0; lap < n->laps; lap++) {
		for (i = 0; i < n->inner; i++)
			n->put_inner += rig_put(&n->rig, 1, lap * n->inner + i);
		rig_read(&n->rig, n->reads);
	}
}

static int run(struct nested *n, uint32_t slots, uint32_t filled, uint32_t already_lost, unsigned long step)
{
	uint32_t i;
	int fired;

	assert_true(step < STEPS_MAX);
	rig_open(&n->rig, slots);
	for (i = 0; already_lost && i < slots + already_lost; i++)
		rig_put(&n->rig, 2, i);
	rig_read(&n->rig, slots);
	for (i = 0; i < filled; i++)
		rig_put(&n->rig, 3, i);
	n->ev = rig_event(0, 100);
	fired = single_step_run(outer, inner, n, step);
	rig_read(&n->rig, UINT64_MAX);
	rig_check_account(&n->rig);
	rig_close(&n->rig);
	return fired;
}

/* Room for all: all arrive. */
static void test_room_for_all(void **state)
{
	unsigned long step;
	int fired;

	(void)state;
	for (step = 1, fired = 1; fired; step++) {
		struct nested n = {.laps = 1, .inner = 3, .reads = 9};

		fired = run(&n, 8, 2, 0, step);
		assert_int_equal(n.put_outer, 1);
		assert_int_equal(n.put_inner, fired ? 3 : 0);
	}
}

/* Room for two of three: somebody loses, and the count is right. */
static void test_room_for_two(void **state)
{
	unsigned long step;
	int fired;

	(void)state;
	for (step = 1, fired = 1; fired; step++) {
		struct nested n = {.laps = 1, .inner = 2, .reads = 0};

		fired = run(&n, 4, 2, 0, step);
		if (fired)
			assert_int_equal(n.put_outer + n.put_inner, 2);
	}
}

/* The interruption lasts for laps of the ring, and the reader keeps up: the writer finds room. */
static void test_long_interruption(void **state)
{
	unsigned long step;
	int fired;

	(void)state;
	for (step = 1, fired = 1; fired; step++) {
		struct nested n = {.laps = 3, .inner = 2, .reads = 99};

		fired = run(&n, 4, 0, 0, step);
		assert_int_equal(n.put_outer, 1);
	}
}

/* A loss waits to be announced: by whom does not matter, but all of it and once. */
static void test_pending_loss(void **state)
{
	unsigned long step;
	int fired;

	(void)state;
	for (step = 1, fired = 1; fired; step++) {
		struct nested n = {.laps = 1, .inner = 1, .reads = 9};

		fired = run(&n, 8, 0, 5, step);
		assert_int_equal(n.put_outer, 1);
		assert_int_equal(n.put_inner, fired);
		assert_int_equal(n.rig.account.announced, 5);
	}
}

/* As before, when there is no room for both with their notes. */
static void test_pending_loss_and_little_room(void **state)
{
	unsigned long step;
	int fired;

	(void)state;
	for (step = 1, fired = 1; fired; step++) {
		struct nested n = {.laps = 2, .inner = 2, .reads = 1};

		fired = run(&n, 4, 0, 5, step);
	}
}
#else
static void test_needs_x86_64(void **state)
{
	(void)state;
	skip();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef SINGLE_STEP
		cmocka_unit_test(test_room_for_all),
		cmocka_unit_test(test_room_for_two),
		cmocka_unit_test(test_long_interruption),
		cmocka_unit_test(test_pending_loss),
		cmocka_unit_test(test_pending_loss_and_little_room),
#else
		cmocka_unit_test(test_needs_x86_64),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
