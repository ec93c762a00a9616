/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of one network namespace, one set for each CPU. What they mean is in stats.def. */
#ifndef SHK_STATS_H
#define SHK_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

enum shk_stat {
#define SHK_STAT(name, meaning) SHK_STAT_##name,
#include "stats.def"
	SHK_STAT_COUNT,
};

struct shk_counters {
	u64 value[SHK_STAT_COUNT];
};

/* Any context. */
static inline void shk_stats_add(struct shk_counters __percpu *counters, unsigned int stat, u64 n)
{
	this_cpu_add(counters->value[stat], n);
}

static inline void shk_stats_inc(struct shk_counters __percpu *counters, unsigned int stat)
{
	this_cpu_inc(counters->value[stat]);
}

u64 shk_stats_sum(const struct shk_counters __percpu *counters, enum shk_stat stat);
const char *shk_stats_name(enum shk_stat stat);
const char *shk_stats_meaning(enum shk_stat stat);

#endif /* SHK_STATS_H */
