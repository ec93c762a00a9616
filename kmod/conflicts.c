// SPDX-License-Identifier: GPL-2.0
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "conflicts.h"
#include "netns.h"

/* Nobody else adds to these counters, so what was checked under it stays true. */
static DEFINE_MUTEX(shk_conflicts_lock);

static enum shk_stat shk_conflicts_stat(unsigned int kind)
{
	BUILD_BUG_ON(SHK_STAT_reported_conflict_gap - SHK_STAT_reported_conflict_isn !=
		     SHK_CONFLICT_COUNT - 1);
	return SHK_STAT_reported_conflict_isn + kind;
}

int shk_conflicts_check(const struct shk_conflicts *conflicts)
{
	const u64 *unknown = &conflicts->count[SHK_CONFLICT_COUNT];

	if (conflicts->reserved)
		return -EINVAL;
	if (memchr_inv(unknown, 0, (ARRAY_SIZE(conflicts->count) - SHK_CONFLICT_COUNT) * sizeof(*unknown)))
		return -EINVAL;
	return 0;
}

static int shk_conflicts_add_to(struct shk_counters __percpu *counters, const u64 *count)
{
	unsigned int kind;
	u64 sum;

	lockdep_assert_held(&shk_conflicts_lock);
	for (kind = 0; kind < SHK_CONFLICT_COUNT; kind++)
		if (check_add_overflow(shk_stats_sum(counters, shk_conflicts_stat(kind)), count[kind], &sum))
			return -EOVERFLOW;
	for (kind = 0; kind < SHK_CONFLICT_COUNT; kind++)
		shk_stats_add(counters, shk_conflicts_stat(kind), count[kind]);
	return 0;
}

/*
 * A namespace that is in the list has its counters, and they outlive this: it leaves the list before the
 * grace period after which they are freed.
 */
int shk_conflicts_add(const struct shk_conflicts *conflicts)
{
	int err = -ENOENT;
	struct net *net;

	mutex_lock(&shk_conflicts_lock);
	rcu_read_lock();
	for_each_net_rcu(net)
	{
		if (net->ns.inum != conflicts->netns)
			continue;
		err = shk_conflicts_add_to(shk_netns(net)->counters, conflicts->count);
		break;
	}
	rcu_read_unlock();
	mutex_unlock(&shk_conflicts_lock);
	return err;
}
