// SPDX-License-Identifier: GPL-2.0
/* What "tcpshake read" takes beside what it shares with "tcpshake watch". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <argp.h>
#include <errno.h>

#include "watch_options.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Words up to the first NULL, as a shell would hand them over. */
static int parse(struct shk_watch_options *options, const char *const *words)
{
	char *argv[12] = {(char *)"tcpshake read"};
	int argc = 1;

	for (; *words; words++)
		argv[argc++] = (char *)*words;
	return shk_read_options_parse(argc, argv, ARGP_SILENT, options);
}

static void test_files_and_options(void **state)
{
	static const char *const words[] = {"a.pcap", "--json",    "-f",  "port 443", "-",
					    "-v",     "--count=3", "b c", NULL};
	struct shk_watch_options o;

	(void)state;
	assert_int_equal(parse(&o, words), 0);
	assert_int_equal(o.format, SHK_FORMAT_JSON);
	assert_string_equal(o.filter, "port 443");
	assert_true(o.verbose);
	assert_int_equal(o.count, 3);
	assert_int_equal(o.window_ns, 100000000);
	assert_int_equal(o.n_files, 3);
	assert_string_equal(o.files[0], "a.pcap");
	assert_string_equal(o.files[1], "-");
	assert_string_equal(o.files[2], "b c");
	shk_watch_options_release(&o);
	assert_null(o.files);
}

static void test_last_filter_counts(void **state)
{
	static const char *const words[] = {"--filter=port 1", "-f", "port 2", "a", NULL};
	struct shk_watch_options o;

	(void)state;
	assert_int_equal(parse(&o, words), 0);
	assert_string_equal(o.filter, "port 2");
	shk_watch_options_release(&o);
}

static void test_wrong_command_lines(void **state)
{
	static const char *const cases[][3] = {
		{NULL}, /* no file */
		{"--json"},
		{"a", "--netns=blue"}, /* what only a live run has */
		{"a", "--duration=1"},
		{"a", "--ring-slots=64"},
		{"a", "--count=0"},
		{"a", "-f"},
	};
	struct shk_watch_options o;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_int_equal(parse(&o, cases[i]), EINVAL);
		shk_watch_options_release(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_and_options),
		cmocka_unit_test(test_last_filter_counts),
		cmocka_unit_test(test_wrong_command_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
