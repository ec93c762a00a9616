// SPDX-License-Identifier: GPL-2.0
/* Captures of every kind that a head and packets make: which are read in place, and which by libpcap. */
#include "capture_rig.h"

static struct bytes file, other;
static struct result result;

static int setup(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	memset(&other, 0, sizeof(other));
	return 0;
}

/* What libpcap alone can read: an older version, and the head that Kuznetsov's patch gave each packet. */
static void test_odd_pcap(void **state)
{
	static const uint8_t more[8];
	unsigned int i, at;

	(void)state;
	put_pcap(&file, false, START_NS, 1000);
	file.octet[6] =
		3; /* 2.3, whose lengths may be the wrong way round: here the packet is never longer */
	for (i = 0; i < SEGMENTS; i++)
		file.octet[24 + i * 56 + 12] = 40;
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_int_equal(result.n, SEGMENTS);
	file.len = 0;
	put_pcap_header(&file, false, 101);
	put32(&other, 0xa1b2cd34);
	memcpy(file.octet, other.octet, 4);
	for (i = 0; i < SEGMENTS; i++) {
		put_pcap_packet(&file, false, START_NS + i * STEP_NS, &segments[i], 1000);
		at = file.len - 40;
		memmove(file.octet + at + sizeof(more), file.octet + at, 40);
		memcpy(file.octet + at, more, sizeof(more));
		file.len += sizeof(more);
	}
	assert_int_equal(read_bytes(&file, &result), 0);
	check_connection(&result, START_NS, 1000);
}

/* RFC 1761: everything in network byte order, and each packet padded. */
static void put_snoop(struct bytes *b, uint32_t version, uint32_t type)
{
	static const uint8_t ethernet[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
	uint64_t ts_ns;
	unsigned int i;

	b->big = true;
	put(b, "snoop\0\0", 8);
	put32(b, version);
	put32(b, type);
	for (i = 0; i < SEGMENTS; i++) {
		ts_ns = START_NS + i * STEP_NS;
		put32(b, 54 + segments[i].payload_len);
		put32(b, 54);
		put32(b, 24 + 54 + 2);
		put32(b, 0);
		put32(b, ts_ns / SECOND);
		put32(b, ts_ns % SECOND / 1000);
		put(b, ethernet, sizeof(ethernet));
		put_headers(b, &segments[i], 1000);
		put(b, "\0", 2);
	}
}

static void test_snoop(void **state)
{
	(void)state;
	put_snoop(&file, 2, 4);
	assert_int_equal(read_bytes(&file, &result), 0);
	check_connection(&result, START_NS, 1000);
	assert_int_equal(result.damage[0], 0);
	file.len--;
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_int_equal(result.n, SEGMENTS - 1);
	assert_non_null(strstr(result.damage,
			       "in the middle of a packet (in the packet at octet 576, after 7 packets)"));
	file.octet[16 + 11] = 3; /* the first record: shorter than its head */
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_non_null(strstr(result.damage,
			       "a length that cannot be (in the packet at octet 16, after 0 packets)"));
	file.len = 0;
	put_snoop(&file, 3, 4);
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_non_null(strstr(result.damage, "another version"));
	file.len = 0;
	put_snoop(&file, 2, 5);
	assert_int_equal(read_bytes(&file, &result), 0);
	assert_non_null(strstr(result.damage, "a link type of which nothing is known"));
}

/* More packets than are looked at ahead, in more octets than are read at once. */
static void test_many_packets(void **state)
{
	static uint8_t many[24 + 5000 * 56];
	const char *const path = "many.pcap";
	unsigned int i;

	(void)state;
	put_pcap_header(&file, true, 101);
	put_pcap_packet(&file, true, START_NS, &segments[3], 1000);
	memcpy(many, file.octet, 24);
	for (i = 0; i < 5000; i++)
		memcpy(many + 24 + i * 56, file.octet + 24, 56);
	for (i = 0; i < 5000; i++)
		many[24 + i * 56 + 16 + 9] = i % 28 ? 17 : 6; /* UDP and TCP */
	write_file(path, many, sizeof(many));
	assert_int_equal(read_files(&path, 1, NULL, &result), 0);
	assert_int_equal(result.totals.packets, 5000);
	assert_int_equal(result.n, 179);
	assert_int_equal(result.totals.found[SHK_FOUND_NOT_TCP], 5000 - 179);
	unlink(path);
}

/* A fraction of a second that is none, as tcpdump's own tests have it. */
static void test_strange_fraction(void **state)
{
	(void)state;
	put_pcap(&file, false, START_NS, 1000);
	file.octet[24 + 4 + 3] = 0x80;
	assert_int_equal(read_bytes(&file, &result), 0);
	check_connection(&result, START_NS, 1000);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_odd_pcap),
		TEST(test_snoop),
		TEST(test_many_packets),
		TEST(test_strange_fraction),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
