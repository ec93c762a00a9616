// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "community_id.h"
#include "sample_conn.h"

static void expect_id(const char *one, uint16_t one_port, const char *other, uint16_t other_port,
		      const char *expected)
{
	char id[SHK_COMMUNITY_ID_SIZE];
	struct shk_end a, b;

	sample_end(&a, one, one_port);
	sample_end(&b, other, other_port);
	shk_community_id(id, &a, &b);
	assert_string_equal(id, expected);
	shk_community_id(id, &b, &a);
	assert_string_equal(id, expected);
}

/* Both are TCP flows of the baseline that the specification publishes. */
static void test_published(void **state)
{
	(void)state;
	expect_id("128.232.110.120", 34855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
	expect_id("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25,
		  "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=");
}

/* Equal addresses are put in order by port; computed with Python's hashlib from the specification. */
static void test_same_address(void **state)
{
	(void)state;
	expect_id("127.0.0.1", 44312, "127.0.0.1", 80, "1:0nAvowJpYfvKR209lJymFG1MaZs=");
	expect_id("::1", 80, "::1", 44312, "1:tueZPTC+vol1IFM6RSmfu8xZjxA=");
	expect_id("127.0.0.1", 5000, "127.0.0.1", 5000, "1:HQ0V2XpeqSjc0gzg9OX9D2Y+0Tg=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_same_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
