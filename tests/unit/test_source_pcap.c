// SPDX-License-Identifier: GPL-2.0
#include "capture_rig.h"

#include <errno.h>
#include <zlib.h>
#include <zstd.h>

static struct bytes file, other;
static struct result result;

static int setup(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	memset(&other, 0, sizeof(other));
	return 0;
}

static void test_pcap(void **state)
{
	int big, nano;

	(void)state;
	for (big = 0; big < 2; big++) {
		for (nano = 0; nano < 2; nano++) {
			file.len = 0;
			file.big = big;
			put_pcap(&file, nano, START_NS + 123456789, 1000);
			assert_int_equal(read_bytes(&file, &result), 0);
			check_connection(&result, START_NS + 123456789, nano ? 1 : 1000);
		}
	}
}

static uint64_t micros(unsigned int i)
{
	return (START_NS + i * STEP_NS) / 1000;
}

/*
 * Two sections of different byte order; in the second two interfaces of different link type, snap length
 * and resolution, which libpcap would refuse.
 */
static void test_pcapng(void **state)
{
	unsigned int i;

	(void)state;
	file.big = true;
	put_section(&file);
	put_interface(&file, 101, 65535, 0, 0);
	for (i = 0; i < 2; i++)
		put_enhanced(&file, 0, micros(i), &segments[i]);
	file.big = false;
	put_section(&file);
	put_interface(&file, 101, 65535, 6, 0);
	put_interface(&file, 228, 128, 9, 1700000000);
	for (i = 2; i < 5; i++)
		put_enhanced(&file, 0, micros(i), &segments[i]);
	for (; i < SEGMENTS; i++)
		put_enhanced(&file, 1, i * STEP_NS, &segments[i]);
	assert_int_equal(read_bytes(&file, &result), 0);
	check_connection(&result, START_NS, 1);
}

/* Powers of two, and ticks coarser or finer than ours. */
static void test_resolutions(void **state)
{
	static const struct {
		uint8_t resolution;
		uint64_t ticks, ns;
	} cases[] = {
		{3, 1700000000123, 123000000},
		{6, 1700000000123456, 123456000},
		{9, 1700000000123456789, 123456789},
		{10, 17000000001234567891U, 123456789},
		{0x80 | 10, 1700000000ULL << 10 | 512, 500000000},
		{0x80 | 20, 1700000000ULL << 20 | 1, 953},
		{0x80 | 32, 1700000000ULL << 32 | 0x80000000, 500000000},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		file.len = 0;
		put_section(&file);
		put_interface(&file, 101, 0, cases[i].resolution, 0);
		put_enhanced(&file, 0, cases[i].ticks, &segments[0]);
		assert_int_equal(read_bytes(&file, &result), 0);
		assert_int_equal(result.n, 1);
		assert_int_equal(result.events[0].ts_ns, START_NS + cases[i].ns);
	}
}

static void test_gzip(void **state)
{
	const char *const path = "capture.gz";
	gzFile out;
	unsigned int half;

	(void)state;
	put_pcap(&file, true, START_NS, 1000);
	half = file.len / 2;
	/* two members, as "cat a.gz b.gz" makes them */
	out = gzopen(path, "w");
	assert_int_equal(gzwrite(out, file.octet, half), half);
	gzclose(out);
	out = gzopen(path, "a");
	assert_int_equal(gzwrite(out, file.octet + half, file.len - half), file.len - half);
	gzclose(out);
	assert_int_equal(read_files(&path, 1, NULL, &result), 0);
	check_connection(&result, START_NS, 1);
	unlink(path);
}

static void test_zstd(void **state)
{
	const char *const path = "capture.zst";
	static uint8_t packed[FILE_MAX];
	size_t n, half;

	(void)state;
	put_pcap(&file, true, START_NS, 1000);
	half = file.len / 2;
	n = ZSTD_compress(packed, sizeof(packed), file.octet, half, 3);
	n += ZSTD_compress(packed + n, sizeof(packed) - n, file.octet + half, file.len - half, 3);
	write_file(path, packed, n);
	assert_int_equal(read_files(&path, 1, NULL, &result), 0);
	check_connection(&result, START_NS, 1);
	/* cut: some comes before the damage is told */
	write_file(path, packed, n - 5);
	assert_int_equal(read_files(&path, 1, NULL, &result), 0);
	assert_non_null(strstr(result.damage, "capture.zst: its zstd data"));
	assert_non_null(strstr(result.damage, "of the uncompressed data"));
	unlink(path);
}

/* Whatever comes before the cut is read, and the cut is told unless it is between two packets. */
static void test_cut(void **state)
{
	const unsigned int record = 16 + 40;
	unsigned int len, packets;

	(void)state;
	put_pcap(&file, true, START_NS, 1000);
	for (len = file.len; len-- > 0;) {
		file.len = len;
		packets = len < 24 ? 0 : (len - 24) / record;
		assert_int_equal(read_bytes(&file, &result), 0);
		assert_int_equal(result.totals.packets, packets);
		assert_int_equal(result.damage[0] == 0, len >= 24 && (len - 24) % record == 0);
	}
}

static void test_cut_pcapng(void **state)
{
	unsigned int i, len, whole, before;

	(void)state;
	put_section(&file);
	put_interface(&file, 101, 0, 9, 0);
	before = file.len;
	for (i = 0; i < SEGMENTS; i++)
		put_enhanced(&file, 0, START_NS + i * STEP_NS, &segments[i]);
	whole = (file.len - before) / SEGMENTS;
	for (len = file.len; len-- > 1;) {
		file.len = len;
		assert_int_equal(read_bytes(&file, &result), 0);
		assert_int_equal(result.totals.packets, len < before ? 0 : (len - before) / whole);
		if (len > before)
			assert_int_equal(result.damage[0] == 0, (len - before) % whole == 0);
	}
}

static void test_damaged_pcapng(void **state)
{
	unsigned int at;

	(void)state;
	put_section(&file);
	put_interface(&file, 101, 0, 9, 0);
	put_enhanced(&file, 1, 0, &segments[0]);
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_non_null(strstr(result.damage, "not described (in the block at octet 68, after 0 packets)"));
	/* a length of each block that leads nowhere */
	for (at = 4; at < file.len; at += 4) {
		memset(file.octet + at, 0xff, 4);
		assert_int_equal(read_bytes(&file, &result), 0);
	}
}

static void test_no_capture(void **state)
{
	const char *const missing = "no-such-file";

	(void)state;
	assert_int_equal(read_files(&missing, 1, NULL, &result), -ENOENT);
	put(&file, "#!/bin/sh\necho this is no capture\n", 34);
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_non_null(strstr(result.damage, "unknown file format"));
	file.len = 0;
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_int_not_equal(result.damage[0], 0);
}

/* Two files, the second of which begins in the middle of the first, and ends before it. */
static void test_one_timeline(void **state)
{
	const char *const paths[] = {"one", "two"};
	unsigned int i;

	(void)state;
	put_pcap_header(&file, true, 101);
	put_pcap_header(&other, true, 101);
	for (i = 0; i < 10; i++)
		put_pcap_packet(&file, true, START_NS + 2 * i * SECOND, &segments[0], 1000 + i);
	for (i = 0; i < 4; i++)
		put_pcap_packet(&other, true, START_NS + (2 * i + 5) * SECOND, &segments[0], 2000 + i);
	write_file(paths[0], file.octet, file.len);
	write_file(paths[1], other.octet, other.len);
	assert_int_equal(read_files(paths, 2, NULL, &result), 0);
	assert_int_equal(result.n, 14);
	for (i = 1; i < result.n; i++) {
		assert_true(result.events[i].ts_ns > result.events[i - 1].ts_ns);
		assert_int_equal(result.streams[i], result.events[i].sport >= 2000);
	}
	/* time is told at least each time that a second has passed, and at the end */
	assert_int_equal(result.clocks, 14);
	assert_int_equal(result.last_clock_ns, START_NS + 18 * SECOND);
	unlink(paths[0]);
	unlink(paths[1]);
}

/* A clock that goes back, or stands at 0: nothing is lost, and no event has the time 0. */
static void test_strange_clock(void **state)
{
	(void)state;
	put_pcap_header(&file, true, 101);
	put_pcap_packet(&file, true, START_NS, &segments[0], 1000);
	put_pcap_packet(&file, true, 0, &segments[0], 1001);
	put_pcap_packet(&file, true, 4294967295 * SECOND, &segments[0], 1002);
	put_pcap_packet(&file, true, 5, &segments[0], 1003);
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_int_equal(result.n, 4);
	assert_int_equal(result.events[0].ts_ns, START_NS);
	assert_int_equal(result.events[1].ts_ns, START_NS);
	assert_int_equal(result.events[2].ts_ns, 5); /* see below */
	assert_int_equal(result.events[3].ts_ns, 5);
}

/* Years ahead of both its neighbours, a packet came between them. If the next one is too, time has passed. */
static void test_clock_wrong_once(void **state)
{
	const uint64_t year_ns = 365 * 86400 * SECOND;

	(void)state;
	put_pcap_header(&file, true, 101);
	put_pcap_packet(&file, true, START_NS, &segments[0], 1000);
	put_pcap_packet(&file, true, START_NS + 30 * year_ns, &segments[1], 1000);
	put_pcap_packet(&file, true, START_NS + 2, &segments[2], 1000);
	put_pcap_packet(&file, true, START_NS + year_ns, &segments[3], 1000);
	put_pcap_packet(&file, true, START_NS + year_ns + 1, &segments[4], 1000);
	put_pcap_packet(&file, true, START_NS + 2 * year_ns, &segments[5], 1000);
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_int_equal(result.n, 6);
	assert_int_equal(result.events[0].ts_ns, START_NS);
	assert_int_equal(result.events[1].ts_ns, START_NS + 2);
	assert_int_equal(result.events[2].ts_ns, START_NS + 2);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(result.events[i].seg.seq, segments[i].seq);
	assert_int_equal(result.events[3].ts_ns, START_NS + year_ns);
	assert_int_equal(result.events[4].ts_ns, START_NS + year_ns + 1);
	assert_int_equal(result.events[5].ts_ns, START_NS + 2 * year_ns);
}

static void test_filter(void **state)
{
	const char *const path = "capture";

	(void)state;
	put_pcap(&file, true, START_NS, 1000);
	write_file(path, file.octet, file.len);
	assert_int_equal(read_files(&path, 1, "src port 1000", &result), 0);
	assert_int_equal(result.totals.filtered, 3);
	assert_int_equal(result.totals.found[SHK_FOUND_SEGMENT], SEGMENTS - 3);
	assert_int_equal(read_files(&path, 1, "src prot 1000", &result), -EINVAL);
	unlink(path);
}

/* Nothing of such a file is looked at, and that is told. */
static void test_unknown_link_type(void **state)
{
	(void)state;
	put_pcap_header(&file, true, 189); /* USB */
	put_pcap_packet(&file, true, START_NS, &segments[0], 1000);
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_int_equal(result.n, 0);
	assert_int_equal(result.totals.unknown_link, 1);
}

/* Through a pipe, a few octets at a time. */
static void test_standard_input(void **state)
{
	const char *const path = "-";
	int ends[2], saved = dup(STDIN_FILENO);
	unsigned int i;

	(void)state;
	put_pcap(&file, false, START_NS, 1000);
	assert_int_equal(pipe(ends), 0);
	for (i = 0; i < file.len; i++)
		assert_int_equal(write(ends[1], file.octet + i, 1), 1);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	assert_int_equal(read_files(&path, 1, NULL, &result), 0);
	check_connection(&result, START_NS, 1000);
	dup2(saved, STDIN_FILENO);
	close(saved);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pcap),           TEST(test_pcapng),
		TEST(test_resolutions),    TEST(test_gzip),
		TEST(test_zstd),           TEST(test_cut),
		TEST(test_cut_pcapng),     TEST(test_damaged_pcapng),
		TEST(test_no_capture),     TEST(test_one_timeline),
		TEST(test_strange_clock),  TEST(test_clock_wrong_once),
		TEST(test_filter),         TEST(test_unknown_link_type),
		TEST(test_standard_input),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
