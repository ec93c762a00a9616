// SPDX-License-Identifier: GPL-2.0
/*
 * The table by itself; and, as root on a host with cgroup v2, with cgroups of this test and a process that
 * moves into one of them. Otherwise those tests are skipped, and say so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroups.h"

static void test_nothing_known(void **state)
{
	struct shk_cgroups *c = shk_cgroups_new(0);

	(void)state;
	assert_null(shk_cgroups_find(c, 1));
	assert_null(shk_cgroups_path(c, 0));
	assert_null(shk_cgroups_path(NULL, 1));
	shk_cgroups_learn(NULL, 1);
	shk_cgroups_learn(c, 0);
	assert_null(shk_cgroups_find(c, 0));
	shk_cgroups_free(c);
	shk_cgroups_free(NULL);
}

static void test_recording(void **state)
{
	static const char id[] = "3f4a1c0e9b8d7261504f3e2d1c0b9a8877665544332211009f8e7d6c5b4a3928";
	struct shk_cgroups *c = shk_cgroups_new(0);
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "/docker/%s", id);
	assert_int_equal(shk_cgroups_add(c, 0x100000007ULL, path), 0);
	assert_int_equal(shk_cgroups_add(c, 7, "/system.slice/nginx.service"), 0);
	assert_string_equal(shk_cgroups_path(c, 7), "/system.slice/nginx.service");
	assert_string_equal(shk_cgroups_find(c, 7)->container, "");
	assert_string_equal(shk_cgroups_path(c, 0x100000007ULL), path);
	assert_string_equal(shk_cgroups_find(c, 0x100000007ULL)->container, id);

	/* What comes later counts. */
	assert_int_equal(shk_cgroups_add(c, 7, path), 0);
	assert_string_equal(shk_cgroups_find(c, 7)->container, id);
	assert_int_equal(shk_cgroups_add(c, 7, "/"), 0);
	assert_string_equal(shk_cgroups_find(c, 7)->container, "");
	shk_cgroups_free(c);
}

static void add_numbered(struct shk_cgroups *c, uint64_t id)
{
	char path[32];

	snprintf(path, sizeof(path), "/%llu", (unsigned long long)id);
	assert_int_equal(shk_cgroups_add(c, id, path), 0);
}

/* However many come: who is heard of again and again stays, and no two are confused. */
static void test_bounded(void **state)
{
	enum { ROOM = 16, MANY = 5000, BUSY = 999999 };
	struct shk_cgroups *c = shk_cgroups_new(ROOM);
	unsigned int known = 0;
	char expected[32];

	(void)state;
	add_numbered(c, BUSY);
	for (uint64_t id = 1; id <= MANY; id++) {
		shk_cgroups_learn(c, BUSY);
		add_numbered(c, id);
		snprintf(expected, sizeof(expected), "/%llu", (unsigned long long)id);
		assert_string_equal(shk_cgroups_path(c, id), expected);
	}
	assert_string_equal(shk_cgroups_path(c, BUSY), "/999999");
	for (uint64_t id = 1; id <= MANY; id++) {
		if (!shk_cgroups_path(c, id))
			continue;
		known++;
		snprintf(expected, sizeof(expected), "/%llu", (unsigned long long)id);
		assert_string_equal(shk_cgroups_path(c, id), expected);
	}
	assert_int_equal(known, ROOM - 1);
	shk_cgroups_free(c);
}

/*
 * ---- With the kernel -----------------------------------------------------------------------------
 */

static char top[4096];

/* Where cgroup v2 is mounted, if cgroups can be made there. */
static int make_top(void **state)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	(void)state;
	top[0] = '\0';
	while (mounts && !top[0] && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			snprintf(top, sizeof(top), "%s/shk-unit-%d", m->mnt_dir, getpid());
	if (mounts)
		endmntent(mounts);
	if (top[0] && mkdir(top, 0755))
		top[0] = '\0';
	return 0;
}

static int remove_top(void **state)
{
	(void)state;
	if (top[0])
		rmdir(top);
	return 0;
}

static void below(char path[4200], const char *name)
{
	snprintf(path, 4200, "%s/%s", top, name);
}

static uint64_t make_cgroup(const char *name)
{
	char path[4200];
	struct stat st;

	below(path, name);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void remove_cgroup(const char *name)
{
	char path[4200];

	below(path, name);
	assert_int_equal(rmdir(path), 0);
}

static void expect_below(const struct shk_cgroups *c, uint64_t id, const char *name)
{
	char end[64];
	const char *path = shk_cgroups_path(c, id);

	snprintf(end, sizeof(end), "/shk-unit-%d/%s", getpid(), name);
	assert_non_null(path);
	assert_int_equal(path[0], '/');
	assert_string_equal(path + strlen(path) - strlen(end), end);
	assert_null(strstr(path, "cgroup"));
}

static void test_learned(void **state)
{
	struct shk_cgroups *c = shk_cgroups_new(0);
	uint64_t one, other;

	(void)state;
	if (!top[0]) {
		shk_cgroups_free(c);
		skip();
	}
	one = make_cgroup("one");
	other = make_cgroup("other (deleted)");
	shk_cgroups_learn(c, one);
	shk_cgroups_learn(c, other);
	expect_below(c, one, "one");
	expect_below(c, other, "other (deleted)");

	/* What was learned outlives the cgroup; of what was not, nothing is told. */
	remove_cgroup("one");
	remove_cgroup("other (deleted)");
	expect_below(c, one, "one");
	shk_cgroups_learn(c, one);
	expect_below(c, one, "one");
	one = make_cgroup("gone");
	remove_cgroup("gone");
	shk_cgroups_learn(c, one);
	assert_null(shk_cgroups_find(c, one));
	shk_cgroups_free(c);
}

static void test_root(void **state)
{
	struct shk_cgroups *c = shk_cgroups_new(0);
	char *slash;
	struct stat st;

	(void)state;
	if (!top[0]) {
		shk_cgroups_free(c);
		skip();
	}
	slash = strrchr(top, '/');
	*slash = '\0';
	assert_int_equal(stat(top, &st), 0);
	*slash = '/';
	shk_cgroups_learn(c, st.st_ino);
	assert_string_equal(shk_cgroups_path(c, st.st_ino), "/");
	shk_cgroups_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_recording),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test_setup_teardown(test_learned, make_top, remove_top),
		cmocka_unit_test_setup_teardown(test_root, make_top, remove_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
