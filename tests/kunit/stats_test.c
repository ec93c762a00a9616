// SPDX-License-Identifier: GPL-2.0
/* The counters: their names, their order, and that no CPU's additions are lost. */
#include <linux/ctype.h>
#include <linux/slab.h>

#include "everywhere.h"
#include "stats.h"

/* Long enough for threads to run side by side, also where there are fewer real CPUs than virtual ones. */
#define STATS_ROUNDS 2000000ULL

static void stats_have_names_and_meanings(struct kunit *test)
{
	const char *name, *p;
	int i, j;

	for (i = 0; i < SHK_STAT_COUNT; i++) {
		name = shk_stats_name(i);
		for (p = name; *p; p++)
			KUNIT_EXPECT_TRUE_MSG(test, islower(*p) || isdigit(*p) || *p == '_', "%s", name);
		KUNIT_EXPECT_GT(test, strlen(name), 3);
		KUNIT_EXPECT_GT(test, strlen(shk_stats_meaning(i)), 10);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, name, shk_stats_name(j));
	}
}

static void stats_start_at_zero_and_sum_over_cpus(struct kunit *test)
{
	struct shk_counters __percpu *counters = alloc_percpu(struct shk_counters);
	int i, cpu;

	KUNIT_ASSERT_TRUE(test, counters);
	for (i = 0; i < SHK_STAT_COUNT; i++)
		KUNIT_EXPECT_EQ(test, shk_stats_sum(counters, i), 0);
	for_each_possible_cpu(cpu)
		per_cpu_ptr(counters, cpu)->value[SHK_STAT_fragments] = 1ULL << (32 + cpu);
	KUNIT_EXPECT_EQ(test, shk_stats_sum(counters, SHK_STAT_fragments),
			((1ULL << num_possible_cpus()) - 1) << 32);
	KUNIT_EXPECT_EQ(test, shk_stats_sum(counters, SHK_STAT_truncated), 0);
	free_percpu(counters);
}

static void stats_work(unsigned int cpu, void *arg)
{
	struct shk_counters __percpu *counters = (struct shk_counters __percpu *)arg;
	u32 i;

	for (i = 0; i < STATS_ROUNDS; i++) {
		shk_stats_inc(counters, SHK_STAT_syn_in);
		shk_stats_add(counters, SHK_STAT_segments_in, cpu + 1);
		if (i % 4096 == 0)
			cond_resched();
	}
}

static void stats_lose_nothing_on_any_cpu(struct kunit *test)
{
	struct shk_counters __percpu *counters = alloc_percpu(struct shk_counters);
	u64 n = num_online_cpus();

	KUNIT_ASSERT_TRUE(test, counters);
	everywhere(test, stats_work, (void *)counters);
	KUNIT_EXPECT_EQ(test, shk_stats_sum(counters, SHK_STAT_syn_in), n * STATS_ROUNDS);
	KUNIT_EXPECT_EQ(test, shk_stats_sum(counters, SHK_STAT_segments_in), n * (n + 1) / 2 * STATS_ROUNDS);
	free_percpu(counters);
}

static struct kunit_case stats_cases[] = {KUNIT_CASE(stats_have_names_and_meanings),
					  KUNIT_CASE(stats_start_at_zero_and_sum_over_cpus),
					  KUNIT_CASE(stats_lose_nothing_on_any_cpu),
					  {}};

static struct kunit_suite stats_suite = {
	.name = "tcpshake_stats",
	.test_cases = stats_cases,
};

kunit_test_suite(stats_suite);
