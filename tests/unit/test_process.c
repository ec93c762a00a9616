// SPDX-License-Identifier: GPL-2.0
/* The table of processes: shared, counted, given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/process.h"
#include "prng.h"

static struct shk_process process_of(uint32_t number)
{
	struct shk_process p = {.pid = number + 1, .owner = SHK_OWNER_CONNECT, .cgroup = number % 3};

	snprintf(p.comm, sizeof(p.comm), "task %u", number % 7);
	return p;
}

static uint32_t get(struct shk_processes *t, uint32_t number)
{
	struct shk_process p = process_of(number);

	return shk_processes_get(t, &p);
}

static void expect(const struct shk_processes *t, uint32_t at, uint32_t number)
{
	struct shk_process p = process_of(number);
	const struct shk_process *found = shk_processes_at(t, at);

	assert_int_equal(found->pid, p.pid);
	assert_int_equal(found->cgroup, p.cgroup);
	assert_int_equal(found->owner, p.owner);
	assert_string_equal(found->comm, p.comm);
}

static void test_nobody(void **state)
{
	struct shk_processes *t = shk_processes_new();

	(void)state;
	assert_non_null(t);
	assert_int_equal(shk_processes_at(t, SHK_NO_PROCESS)->pid, 0);
	shk_processes_put(t, SHK_NO_PROCESS);
	assert_int_equal(shk_processes_count(t), 0);
	shk_processes_free(t);
	shk_processes_free(NULL);
}

static void test_one_process_is_kept_once(void **state)
{
	struct shk_processes *t = shk_processes_new();
	uint32_t first = get(t, 5);

	(void)state;
	assert_int_not_equal(first, SHK_NO_PROCESS);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(get(t, 5), first);
	assert_int_equal(shk_processes_count(t), 1);
	for (int i = 0; i < 1000; i++)
		shk_processes_put(t, first);
	assert_int_equal(shk_processes_count(t), 1);
	expect(t, first, 5);
	shk_processes_put(t, first);
	assert_int_equal(shk_processes_count(t), 0);
	shk_processes_free(t);
}

/* Whatever differs makes another one: the same number may be used again under another name. */
static void test_all_members_count(void **state)
{
	struct shk_processes *t = shk_processes_new();
	struct shk_process p = process_of(1), q = p;
	uint32_t first = shk_processes_get(t, &p);

	(void)state;
	q.comm[0] = 'T';
	assert_int_not_equal(shk_processes_get(t, &q), first);
	q = p;
	q.cgroup++;
	assert_int_not_equal(shk_processes_get(t, &q), first);
	q = p;
	q.owner = SHK_OWNER_ACCEPT;
	assert_int_not_equal(shk_processes_get(t, &q), first);
	assert_int_equal(shk_processes_get(t, &p), first);
	assert_int_equal(shk_processes_count(t), 4);
	shk_processes_free(t);
}

/* Against a plain array of what should be there. */
static void test_many_come_and_go(void **state)
{
	enum { N = 5000, STEPS = 200000 };
	struct shk_processes *t = shk_processes_new();
	uint32_t *at = calloc(N, sizeof(*at)), *users = calloc(N, sizeof(*users)), live = 0;
	struct prng rng = {7};

	(void)state;
	assert_true(t && at && users);
	for (int step = 0; step < STEPS; step++) {
		uint32_t number = prng_below(&rng, N);

		if (users[number] && prng_below(&rng, 2)) {
			expect(t, at[number], number);
			shk_processes_put(t, at[number]);
			live -= !--users[number];
			continue;
		}
		live += !users[number]++;
		at[number] = get(t, number);
		expect(t, at[number], number);
		assert_int_equal(shk_processes_count(t), live);
	}
	for (uint32_t number = 0; number < N; number++)
		for (; users[number]; users[number]--)
			shk_processes_put(t, at[number]);
	assert_int_equal(shk_processes_count(t), 0);
	free(at);
	free(users);
	shk_processes_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_one_process_is_kept_once),
		cmocka_unit_test(test_all_members_count),
		cmocka_unit_test(test_many_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
