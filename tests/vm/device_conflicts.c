// SPDX-License-Identifier: GPL-2.0
/*
 * SHK_IOC_CONFLICTS: what a reader may tell the module, of which namespaces, and what /proc makes of it.
 * Moves to network namespaces of its own. Needs no traffic, and root; prints TAP.
 */
#include <sched.h>
#include <stdlib.h>

#include "device_rig.h"
#include "tap.h"

#define NOWHERE ((void *)8) /* no address of ours */

static const char *const kinds[] = {"isn", "bytes", "open", "close", "gap"};

/* Of the namespace that we are in. */
static uint64_t counter(const char *kind)
{
	unsigned long long value = UINT64_MAX;
	FILE *proc = fopen(SHK_PROC, "re");
	char line[256], name[64];

	if (!proc)
		err(2, "%s", SHK_PROC);
	snprintf(name, sizeof(name), "reported_conflict_%s ", kind);
	while (fgets(line, sizeof(line), proc))
		if (!strncmp(line, name, strlen(name)))
			value = strtoull(line + strlen(name), NULL, 10);
	fclose(proc);
	return value;
}

static uint32_t enter_new_netns(void)
{
	if (unshare(CLONE_NEWNET))
		err(2, "a network namespace");
	return rig_netns();
}

static int tell(const struct rig *rig, struct shk_conflicts conflicts)
{
	return ioctl(rig->fd, SHK_IOC_CONFLICTS, &conflicts) ? errno : 0;
}

/* All kinds, told by one session and another, before START, between, and after STOP. */
static void test_sums(struct rig *one, struct rig *other)
{
	struct shk_conflicts all = {.netns = enter_new_netns(), .count = {1, 20, 300, 4000, 1ULL << 40}};

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		is(counter(kinds[i]), 0, "a new namespace has no conflicts: %s", kinds[i]);
	is_error(tell(one, all), 0, "CONFLICTS is taken before START");
	rig_start(one);
	is_error(tell(one, all), 0, "while the session runs");
	rig_stop(one);
	is_error(tell(one, all), 0, "and after STOP");
	is_error(tell(other, all), 0, "by another session too");
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		is(counter(kinds[i]), 4 * all.count[i], "all of them are added up: %s", kinds[i]);
}

static void test_refusals(struct rig *one)
{
	const uint32_t netns = enter_new_netns();
	const struct shk_conflicts full = {.netns = netns, .count = {5, 0, 0, 0, UINT64_MAX}};
	const struct shk_conflicts over = {.netns = netns, .count = {1, 0, 0, 0, 1}};

	is_error(ioctl(one->fd, SHK_IOC_CONFLICTS, NOWHERE) ? errno : 0, EFAULT,
		 "CONFLICTS refuses a bad pointer");
	is_error(ioctl(one->fd, _IOW(SHK_IOC_MAGIC, 7, struct shk_stats), &full) ? errno : 0, ENOTTY,
		 "and another size");
	is_error(tell(one, (struct shk_conflicts){.netns = netns, .reserved = 1}), EINVAL,
		 "and the reserved field");
	is_error(tell(one, (struct shk_conflicts){.netns = netns, .count = {1, [SHK_CONFLICT_COUNT] = 1}}),
		 EINVAL, "and the first kind that there is not");
	is_error(tell(one, (struct shk_conflicts){.netns = netns, .count = {1, [7] = 1}}), EINVAL,
		 "and the last");
	is_error(tell(one, (struct shk_conflicts){.netns = 0, .count = {1}}), ENOENT, "and no namespace");
	is_error(tell(one, (struct shk_conflicts){.netns = 1, .count = {1}}), ENOENT,
		 "and one that does not exist");
	is(counter("isn"), 0, "nothing of it was counted");
	is_error(tell(one, full), 0, "CONFLICTS takes the largest number");
	is_error(tell(one, over), EOVERFLOW, "but not one more");
	is(counter("isn"), 5, "and then nothing of that call");
	is(counter("gap"), UINT64_MAX, "so that no counter goes back");
}

/* A session that SETUP has tied to one namespace. */
static void test_own_namespace(void)
{
	struct shk_conflicts theirs = {.netns = enter_new_netns(), .count = {1}};
	struct shk_conflicts ours = {.netns = enter_new_netns(), .count = {1}};
	struct rig rig;

	rig_open(&rig, (struct shk_setup){.slots = 64, .netns = ours.netns});
	is_error(tell(&rig, ours), 0, "a session tells of the namespace that it observes");
	is_error(tell(&rig, theirs), EPERM, "and of no other");
	is(counter("isn"), 1, "the first was counted");
	rig_close(&rig);
}

int main(void)
{
	struct rig one, other;

	rig_open(&one, (struct shk_setup){.slots = 64});
	rig_open(&other, (struct shk_setup){.slots = 64});
	test_sums(&one, &other);
	test_refusals(&one);
	rig_close(&other);
	rig_close(&one);
	test_own_namespace();
	return done_testing();
}
