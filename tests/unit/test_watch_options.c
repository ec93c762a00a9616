// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <argp.h>
#include <errno.h>
#include <string.h>

#include "merge.h"
#include "watch_options.h"
#include "uapi/tcpshake.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Words up to the first NULL, as a shell would hand them over. */
static int parse(struct shk_watch_options *options, const char *const *words)
{
	char *argv[12] = {(char *)"tcpshake watch"};
	int argc = 1;

	for (; *words; words++)
		argv[argc++] = (char *)*words;
	return shk_watch_options_parse(argc, argv, ARGP_SILENT, options);
}

static void test_source(void **state)
{
	static const char *const interface[] = {"-i", "eth0", NULL};
	struct shk_watch_options o;
	enum shk_source_choice source;
	struct shk_error err;

	(void)state;
	assert_int_equal(shk_parse_source("pcap", &source, &err), 0);
	assert_int_equal(source, SHK_SOURCE_PCAP);
	assert_int_equal(shk_parse_source("auto", &source, &err), 0);
	assert_int_equal(source, SHK_SOURCE_AUTO);
	assert_int_equal(shk_parse_source("live", &source, &err), -EINVAL);
	assert_non_null(strstr(err.text, "pcap"));
	assert_int_equal(parse(&o, interface), 0);
	assert_int_equal(o.source, SHK_SOURCE_PCAP);
	assert_string_equal(o.interface, "eth0");
	shk_watch_options_release(&o);
}

static void test_defaults(void **state)
{
	static const char *const none[] = {NULL};
	struct shk_watch_options o;

	(void)state;
	assert_int_equal(parse(&o, none), 0);
	assert_int_equal(o.format, SHK_FORMAT_LINE);
	assert_int_equal(o.colour, SHK_COLOUR_AUTO);
	assert_false(o.ascii);
	assert_null(o.output);
	assert_string_equal(o.netns, "all");
	assert_null(o.filter);
	assert_int_equal(o.hooks, 0);
	assert_int_equal(o.ring_slots, 0);
	assert_int_equal(o.flows_max, 0);
	assert_int_equal(o.count, 0);
	assert_int_equal(o.duration_ns, 0);
	assert_int_equal(o.window_ns, SHK_MERGE_WINDOW_NS);
	shk_watch_options_release(&o);
}

static void test_every_option(void **state)
{
	static const char *const one[] = {"--ladder",       "--ascii",       "-o", "out.txt", "--netns=blue",
					  "--hooks=in,out", "--color=never", NULL};
	static const char *const two[] = {
		"--json",     "--ring-slots=4096", "--flows-max=1000", "--count=3", "--duration=1.5",
		"--window=0", "--colour",          "always",           NULL};
	struct shk_watch_options o;

	(void)state;
	assert_int_equal(parse(&o, one), 0);
	assert_int_equal(o.format, SHK_FORMAT_LADDER);
	assert_true(o.ascii);
	assert_string_equal(o.output, "out.txt");
	assert_string_equal(o.netns, "blue");
	assert_int_equal(o.hooks, SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN) | SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT));
	assert_int_equal(o.colour, SHK_COLOUR_NEVER);
	shk_watch_options_release(&o);

	assert_int_equal(parse(&o, two), 0);
	assert_int_equal(o.format, SHK_FORMAT_JSON);
	assert_int_equal(o.ring_slots, 4096);
	assert_int_equal(o.flows_max, 1000);
	assert_int_equal(o.count, 3);
	assert_int_equal(o.duration_ns, 1500000000);
	assert_int_equal(o.window_ns, 0);
	assert_int_equal(o.colour, SHK_COLOUR_ALWAYS);
	shk_watch_options_release(&o);
}

static void test_filter_words_are_joined(void **state)
{
	static const char *const cases[][8] = {
		{"port 443 and host 10.0.0.1"},
		{"port", "443", "and", "host", "10.0.0.1"},
		{"port", "443", "and", "host", "10.0.0.1", "--json"},
		{"--json", "--", "port", "443", "and host", "10.0.0.1"},
	};
	struct shk_watch_options o;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_int_equal(parse(&o, cases[i]), 0);
		assert_string_equal(o.filter, "port 443 and host 10.0.0.1");
		shk_watch_options_release(&o);
		assert_null(o.filter);
	}
}

static void test_wrong_command_lines(void **state)
{
	static const char *const cases[][3] = {
		{"--no-such-option"},  {"--netns"},        {"--hooks=in,sideways"},
		{"--hooks", ""},       {"--ring-slots=0"}, {"--ring-slots=4294967296"},
		{"--flows-max=-1"},    {"--count=0"},      {"--count=many"},
		{"--duration=0"},      {"--duration=-1"},  {"--window=99999"},
		{"--color=sometimes"}, {"--json=yes"},
	};
	struct shk_watch_options o;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		print_message("%s\n", cases[i][0]);
		assert_int_equal(parse(&o, cases[i]), EINVAL);
		shk_watch_options_release(&o);
	}
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t value;
	} cases[] = {
		{"1", 0, 1},
		{"007", 0, 7},
		{"100", 0, 100},
		{"0", -EINVAL, 0},
		{"101", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"1k", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"18446744073709551617", -EINVAL, 0}, /* 2^64 + 1 */
	};
	struct shk_error err;
	uint64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		print_message("\"%s\"\n", cases[i].text);
		assert_int_equal(shk_parse_number(cases[i].text, 1, 100, &value, &err), cases[i].rc);
		if (cases[i].rc)
			assert_non_null(strstr(err.text, "from 1 to 100"));
		else
			assert_int_equal(value, cases[i].value);
	}
	/* 2^64 - 1, and one more */
	assert_int_equal(shk_parse_number("18446744073709551615", 0, UINT64_MAX, &value, &err), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(shk_parse_number("18446744073709551616", 0, UINT64_MAX, &value, &err), -EINVAL);
}

static void test_spans(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t span_ns;
	} cases[] = {
		{"0", 0, 0},           {"20", 0, 20000000},     {"0.5", 0, 500000},   {".25", 0, 250000},
		{"1e2", 0, 100000000}, {"1000", 0, 1000000000}, {"1001", -EINVAL, 0}, {"nan", -EINVAL, 0},
		{"inf", -EINVAL, 0},   {"-1", -EINVAL, 0},      {"1s", -EINVAL, 0},   {"", -EINVAL, 0},
		{".", -EINVAL, 0},     {"1e999", -EINVAL, 0},
	};
	struct shk_error err;
	uint64_t span_ns;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		print_message("\"%s\"\n", cases[i].text);
		assert_int_equal(shk_parse_span(cases[i].text, 1000000, 1000, &span_ns, &err), cases[i].rc);
		if (!cases[i].rc)
			assert_int_equal(span_ns, cases[i].span_ns);
	}
}

static void test_hooks(void **state)
{
	struct shk_error err;
	uint32_t hooks;

	(void)state;
	assert_int_equal(shk_parse_hooks("pre,in,fwd,out,post", &hooks, &err), 0);
	assert_int_equal(hooks, SHK_HOOKS_NETFILTER);
	assert_int_equal(shk_parse_hooks("all", &hooks, &err), 0);
	assert_int_equal(hooks, SHK_HOOKS_NETFILTER);
	assert_int_equal(shk_parse_hooks("post", &hooks, &err), 0);
	assert_int_equal(hooks, SHK_HOOK_BIT(SHK_HOOK_POST_ROUTING));
	assert_int_equal(shk_parse_hooks("in,", &hooks, &err), -EINVAL);
	assert_int_equal(shk_parse_hooks("inn", &hooks, &err), -EINVAL);
	assert_int_equal(shk_parse_hooks("p", &hooks, &err), -EINVAL);
	assert_int_equal(shk_parse_hooks("in,forward", &hooks, &err), -EINVAL);
	assert_non_null(strstr(err.text, "\"forward\" is no hook"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_filter_words_are_joined),
		cmocka_unit_test(test_wrong_command_lines),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_hooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
