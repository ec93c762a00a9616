// SPDX-License-Identifier: GPL-2.0
/* What needs no root; entering a named namespace is tested where namespaces can be made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "netns_name.h"

static uint32_t own_inode(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	return st.st_ino;
}

static void test_inode(void **state)
{
	struct shk_error err;
	uint32_t inode = 1;

	(void)state;
	assert_int_equal(shk_netns_inode("all", &inode, &err), 0);
	assert_int_equal(inode, 0);
	assert_int_equal(shk_netns_inode("self", &inode, &err), 0);
	assert_int_equal(inode, own_inode());
	assert_int_equal(shk_netns_inode("4026531840", &inode, &err), 0);
	assert_int_equal(inode, 4026531840U);
}

static void test_no_such_namespace(void **state)
{
	static const char *const wrong[] = {
		"", "0", "4294967296", "-1", "12x", "no such name", ".", "..", "../../proc/self/ns/net",
	};
	struct shk_error err;
	uint32_t inode;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		print_message("\"%s\"\n", wrong[i]);
		memset(&err, 0, sizeof(err));
		assert_int_equal(shk_netns_inode(wrong[i], &inode, &err), -EINVAL);
		assert_non_null(strstr(err.text, wrong[i]));
		assert_non_null(strstr(err.text, "ip netns list"));
		assert_int_equal(shk_netns_enter(wrong[i], &err), -EINVAL);
	}
	/* Right in form, but nobody has it: no file may stand in for it. */
	assert_int_equal(shk_netns_enter("7", &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inode),
		cmocka_unit_test(test_no_such_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
