// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>

#include "stats.h"

static const struct {
	const char *name;
	const char *meaning;
} shk_stats_text[SHK_STAT_COUNT] = {
#define SHK_STAT(name, meaning) {#name, meaning},
#include "stats.def"
};

u64 shk_stats_sum(const struct shk_counters __percpu *counters, enum shk_stat stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(counters, cpu)->value[stat]);
	return sum;
}

const char *shk_stats_name(enum shk_stat stat)
{
	return shk_stats_text[stat].name;
}

const char *shk_stats_meaning(enum shk_stat stat)
{
	return shk_stats_text[stat].meaning;
}
