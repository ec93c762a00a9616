// SPDX-License-Identifier: GPL-2.0
/*
 * gate.h, interrupted between any two instructions by the same gate at work for another segment.
 *
 * Whatever is interrupted where: a segment that the gate owes a pass gets it, at each hook once, and
 * nothing is displaced while there is room.
 */
#include "gate_rig.h"
#include "single_step.h"

#ifdef SINGLE_STEP
#define STEPS_MAX 20000UL

/* Two segments: the second is judged in the middle of the first. Tuples and hash are made before. */
struct nested {
	struct rig rig;
	struct {
		enum rig_end from;
		uint16_t flags;
		uint32_t seq;
		uint32_t ack;
		uint32_t hook;
	} seg[2];
	struct shk_tuple tuple[2];
	uint64_t hash;
	struct shk_gate_result res[2];
};

static void nested_init(struct nested *n)
{
	int i;

	rig_init_default(&n->rig);
	for (i = 0; i < 2; i++)
		shk_tuple_from_event(&n->tuple[i], &n->rig.ends[n->seg[i].from]);
	n->hash = shk_tuple_hash(&n->tuple[0], &rig_key);
}

static void judge(struct nested *n, int i)
{
	struct shk_segment seg = {
		.seq = n->seg[i].seq,
		.ack = n->seg[i].ack,
		.tcp_flags = n->seg[i].flags,
	};

	shk_gate_judge(&n->rig.bucket, n->hash, &n->tuple[i], &seg, n->seg[i].hook, 0, &n->res[i]);
}

static void judge_outer(void *arg)
{
	judge(arg, 0);
}

static void judge_inner(void *arg)
{
	judge(arg, 1);
}

static uint32_t entries(const struct shk_gate_bucket *b)
{
	uint32_t i, n = 0;

	for (i = 0; i < SHK_GATE_WAYS; i++)
		n += b->entry[i] != 0;
	return n;
}

/* The ACK of the SYN+ACK, on its way through one hook when it is seen at another one. */
static void test_met_at_two_hooks(void **state)
{
	unsigned long step;
	int fired;

	(void)state;
	for (step = 1, fired = 1; fired; step++) {
		struct nested n = {.seg = {{CLIENT, ACK, 1, 1, PRE}, {CLIENT, ACK, 1, 1, POST}}};

		assert_true(step < STEPS_MAX);
		nested_init(&n);
		rig_judge(&n.rig, SERVER, SYN | ACK, 0, 1, 0, PRE);
		fired = single_step_run(judge_outer, judge_inner, &n, step);
		assert_int_equal(n.res[0].why, ACKS_SYNACK | ANSWERS);
		if (fired)
			assert_int_equal(n.res[1].why, ACKS_SYNACK | ANSWERS);
		assert_int_equal(rig_judge(&n.rig, CLIENT, ACK, 1, 1, 0, PRE), 0);
	}
}

/* Two ACKs at one hook: between them they pass once for each reason. */
static void test_met_twice_at_one_hook(void **state)
{
	unsigned long step;
	int fired;

	(void)state;
	for (step = 1, fired = 1; fired; step++) {
		struct nested n = {.seg = {{CLIENT, ACK, 1, 1, PRE}, {CLIENT, ACK, 1, 1, PRE}}};

		assert_true(step < STEPS_MAX);
		nested_init(&n);
		rig_judge(&n.rig, SERVER, SYN | ACK, 0, 1, 0, PRE);
		fired = single_step_run(judge_outer, judge_inner, &n, step);
		assert_int_equal(n.res[0].why | n.res[1].why, ACKS_SYNACK | ANSWERS);
		assert_int_equal(n.res[0].why & n.res[1].why, 0);
	}
}

/* A FIN in the middle of the other end's FIN: both leave their expectation. */
static void test_two_causes(void **state)
{
	unsigned long step;
	int fired;

	(void)state;
	for (step = 1, fired = 1; fired; step++) {
		struct nested n = {
			.seg = {{CLIENT, FIN, 1, 0, PRE}, {SERVER, FIN, 1, 0, POST}},
		};

		assert_true(step < STEPS_MAX);
		nested_init(&n);
		fired = single_step_run(judge_outer, judge_inner, &n, step);
		assert_int_equal(n.res[0].displaced + n.res[1].displaced, 0);
		assert_int_equal(rig_judge(&n.rig, SERVER, ACK, 2, 2, 0, PRE), ACKS_FIN);
		if (fired)
			assert_int_equal(rig_judge(&n.rig, CLIENT, ACK, 2, 2, 0, PRE), ACKS_FIN);
	}
}

/* A retransmission in the middle of the original, as at two hooks: one expectation, not two. */
static void test_one_cause_twice(void **state)
{
	unsigned long step;
	int fired;

	(void)state;
	for (step = 1, fired = 1; fired; step++) {
		struct nested n = {
			.seg = {{CLIENT, FIN, 1, 0, PRE}, {CLIENT, FIN, 1, 0, POST}},
		};

		assert_true(step < STEPS_MAX);
		nested_init(&n);
		fired = single_step_run(judge_outer, judge_inner, &n, step);
		assert_int_equal(n.res[0].displaced + n.res[1].displaced, 0);
		assert_int_equal(entries(&n.rig.bucket), 1);
	}
}

/* A FIN seen at its second hook, interrupted by the ACK that the first one let through. */
static void test_cause_and_answer(void **state)
{
	unsigned long step;
	int fired;

	(void)state;
	for (step = 1, fired = 1; fired; step++) {
		struct nested n = {.seg = {{SERVER, FIN, 1, 0, POST}, {CLIENT, ACK, 1, 2, PRE}}};

		assert_true(step < STEPS_MAX);
		nested_init(&n);
		rig_judge(&n.rig, SERVER, FIN, 1, 0, 0, PRE);
		fired = single_step_run(judge_outer, judge_inner, &n, step);
		if (fired)
			assert_int_equal(n.res[1].why, ACKS_FIN);
		assert_int_equal(n.res[0].displaced + n.res[1].displaced, 0);
		assert_int_equal(entries(&n.rig.bucket), 1);
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
		cmocka_unit_test(test_met_at_two_hooks), cmocka_unit_test(test_met_twice_at_one_hook),
		cmocka_unit_test(test_two_causes),       cmocka_unit_test(test_one_cause_twice),
		cmocka_unit_test(test_cause_and_answer),
#else
		cmocka_unit_test(test_needs_x86_64),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
