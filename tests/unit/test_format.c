// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/conn.h"
#include "format.h"
#include "sample_conn.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_ends(void **state)
{
	static const struct {
		const char *address;
		uint16_t port;
		const char *expected;
	} cases[] = {
		{"0.0.0.0", 0, "0.0.0.0:0"},
		{"255.255.255.255", 65535, "255.255.255.255:65535"},
		{"::ffff:192.0.2.1", 443, "192.0.2.1:443"},
		{"::", 1, "[::]:1"},
		{"2001:db8::1", 443, "[2001:db8::1]:443"},
		{"64:ff9b::192.0.2.1", 80, "[64:ff9b::c000:201]:80"},
		{"2001:db8:1111:2222:3333:4444:5555:6666", 65535,
		 "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"},
	};
	char buf[SHK_END_SIZE];
	struct shk_end end;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		sample_end(&end, cases[i].address, cases[i].port);
		assert_string_equal(shk_format_end(buf, end.addr, end.port), cases[i].expected);
	}
}

static void test_spans(void **state)
{
	static const struct {
		uint64_t ns;
		const char *expected;
	} cases[] = {
		{0, "0 ns"},
		{999, "999 ns"},
		{1000, "1 µs"},
		{1499, "1 µs"},
		{1500, "2 µs"},
		{99499, "99 µs"},
		{99500, "0.10 ms"},
		{150000, "0.15 ms"},
		{9994999, "9.99 ms"},
		{9995000, "10.0 ms"},
		{99949999, "99.9 ms"},
		{99950000, "100 ms"},
		{999499999, "999 ms"},
		{999500000, "1.0 s"},
		{3200000000, "3.2 s"},
		{59949999999, "59.9 s"},
		{59950000000, "1 min 0 s"},
		{125 * SAMPLE_S, "2 min 5 s"},
		{3599499999999, "59 min 59 s"},
		{3599500000000, "1 h 0 min"},
		{86399 * SAMPLE_S, "23 h 59 min"},
		{86400 * SAMPLE_S, "1 d 0 h"},
		{UINT64_MAX - 1, "213503 d 23 h"},
		{SHK_UNKNOWN_NS, "?"},
	};
	char buf[SHK_SPAN_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(shk_format_span(buf, cases[i].ns, true), cases[i].expected);
	assert_string_equal(shk_format_span(buf, 31000, false), "31 us");
}

static void test_bytes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *expected;
	} cases[] = {
		{0, "0 B"},
		{999, "999 B"},
		{1000, "1.0 kB"},
		{9949, "9.9 kB"},
		{9950, "10 kB"},
		{14321, "14 kB"},
		{999499, "999 kB"},
		{999500, "1.0 MB"},
		{UINT32_MAX, "4.3 GB"},
		{UINT64_MAX, "18446744 TB"},
	};
	char buf[SHK_BYTES_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(shk_format_bytes(buf, cases[i].bytes), cases[i].expected);
}

static void use_time_zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void test_clock_is_local(void **state)
{
	int64_t start_ns = shk_real_ns(SAMPLE_START_NS, SAMPLE_OFFSET_NS);
	char buf[SHK_CLOCK_SIZE];

	(void)state;
	use_time_zone("UTC0");
	assert_string_equal(shk_format_clock(buf, start_ns), "22:13:20.000");
	assert_string_equal(shk_format_clock(buf, start_ns + 999999999), "22:13:20.999");
	assert_string_equal(shk_format_clock(buf, -1), "23:59:59.999");
	assert_string_equal(shk_format_clock(buf, INT64_MAX), "23:47:16.854");
	assert_string_equal(shk_format_clock(buf, INT64_MIN), "00:12:43.145");
	use_time_zone("TST-5:30");
	assert_string_equal(shk_format_clock(buf, start_ns), "03:43:20.000");
}

/* The monotonic clock may be ahead of the other one: an offset may be negative. */
static void test_real_time(void **state)
{
	(void)state;
	assert_int_equal(shk_real_ns(1000, 500), 1500);
	assert_int_equal(shk_real_ns(1000, -1500), -500);
}

static void test_decimal(void **state)
{
	static const struct {
		uint64_t value;
		const char *expected;
	} cases[] = {
		{0, "0"},
		{9, "9"},
		{10, "10"},
		{UINT32_MAX, "4294967295"},
		{UINT64_MAX, "18446744073709551615"},
	};
	char buf[SHK_DECIMAL_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(shk_format_decimal(buf, cases[i].value), strlen(cases[i].expected));
		assert_memory_equal(buf, cases[i].expected, strlen(cases[i].expected));
	}
}

/* Against printf, around every power of ten. */
static void test_decimal_lengths(void **state)
{
	char buf[SHK_DECIMAL_SIZE], expected[32];
	uint64_t power = 1;

	(void)state;
	for (int i = 0; i < 19; i++, power *= 10) {
		for (uint64_t value = power - 1; value != power + 120; value++) {
			int len = snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);

			assert_int_equal(shk_format_decimal(buf, value), len);
			assert_memory_equal(buf, expected, len);
		}
	}
}

static void test_hex(void **state)
{
	char buf[SHK_HEX_SIZE];

	(void)state;
	assert_string_equal(shk_format_hex(buf, 0), "0000000000000000");
	assert_string_equal(shk_format_hex(buf, 0x0123456789abcdefULL), "0123456789abcdef");
	assert_string_equal(shk_format_hex(buf, UINT64_MAX), "ffffffffffffffff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_clock_is_local),
		cmocka_unit_test(test_real_time),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_decimal_lengths),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
