// SPDX-License-Identifier: GPL-2.0
/* IP fragments, and packets that are no segments although some octets in them look like one. */
#include "frame.h"

#include <pcap/dlt.h>
#include <zlib.h>

#include "dissect/dissect.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND       1000000000ULL

static struct shk_dissector *dissector;
static struct shk_event ev;
static struct shk_tcp_place place;
static uint64_t now_ns;

static int setup(void **state)
{
	(void)state;
	now_ns = SECOND;
	dissector = shk_dissector_new();
	return dissector ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	shk_dissector_free(dissector);
	return 0;
}

static enum shk_found dissect_packet(int dlt, const struct frame *f, uint32_t have, uint32_t len)
{
	const struct shk_packet packet = {frame_octets(f), have, len, now_ns};
	enum shk_found found = shk_dissect(dissector, shk_dissect_link(dlt), &packet, &ev, &place);

	if (found == SHK_FOUND_SEGMENT)
		shk_dissect_options(&ev, &place);
	return found;
}

static enum shk_found dissect_cut(int dlt, const struct frame *f, uint32_t have)
{
	return dissect_packet(dlt, f, have, frame_len(f));
}

/* Cut, and nobody says so but IP. */
static enum shk_found dissect_both(int dlt, const struct frame *f, uint32_t len)
{
	return dissect_packet(dlt, f, len, len);
}

static enum shk_found dissect(int dlt, const struct frame *f)
{
	return dissect_cut(dlt, f, frame_len(f));
}

static void test_no_segments(void **state)
{
	static const struct {
		int dlt;
		const char *headers;
		enum shk_found found;
	} cases[] = {
		{DLT_EN10MB, "eth/arp", SHK_FOUND_NOT_IP},
		{DLT_EN10MB, "eth/ip4 ip4/udp udp/dns", SHK_FOUND_NOT_TCP},
		/* what an ICMP error quotes was sent some time ago */
		{DLT_EN10MB, "eth/ip4 ip4/icmp icmp-unreachable ip4 tcp", SHK_FOUND_NOT_TCP},
		{DLT_EN10MB, "eth/llc", SHK_FOUND_NOT_IP},
		{DLT_IEEE802_11, "wifi-encrypted snap/ip4 ip4 tcp", SHK_FOUND_PROTECTED},
		{DLT_IEEE802_11, "wifi-beacon snap/ip4 ip4 tcp", SHK_FOUND_NOT_IP},
		{DLT_RAW,
		 "ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 "
		 "ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 "
		 "ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 ip4/ip4 "
		 "ip4/ip4 ip4 tcp",
		 SHK_FOUND_TOO_DEEP},
	};
	struct frame f;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		print_message("%s\n", cases[i].headers);
		frame_build(&f, cases[i].headers);
		assert_int_equal(dissect(cases[i].dlt, &f), cases[i].found);
	}
}

static void test_impossible_headers(void **state)
{
	struct frame f;

	(void)state;
	frame_build(&f, "ip4 tcp");
	f.octets[f.at + 20 + 12] = 0x40; /* data offset 4 */
	assert_int_equal(dissect(DLT_RAW, &f), SHK_FOUND_MALFORMED);
	f.octets[f.at + 20 + 12] = 0xf0; /* 60 octets where 33 are */
	assert_int_equal(dissect(DLT_RAW, &f), SHK_FOUND_MALFORMED);
	frame_build(&f, "ip4 tcp");
	f.octets[f.at] = 0x44; /* header length 16 */
	assert_int_equal(dissect(DLT_RAW, &f), SHK_FOUND_MALFORMED);
	frame_build(&f, "ip4 tcp");
	f.octets[f.at + 3] = 19; /* total length below the header's */
	assert_int_equal(dissect(DLT_RAW, &f), SHK_FOUND_MALFORMED);
}

/* A sender's own capture shows what has yet to be cut: then the packet's own length counts. */
static void test_no_total_length(void **state)
{
	struct frame f;

	(void)state;
	frame_build(&f, "eth/ip4 ip4-tso tcp");
	assert_int_equal(dissect(DLT_EN10MB, &f), SHK_FOUND_SEGMENT);
	assert_int_equal(ev.seg.payload_len, 5);
}

/* IP claims more than there was, by so much that not even TCP's options are there: what is there counts. */
static void test_shorter_than_ip_says(void **state)
{
	struct frame f;
	unsigned int len;

	(void)state;
	frame_build(&f, "eth/ip4 ip4 tcp");
	len = frame_len(&f);
	assert_int_equal(dissect_both(DLT_EN10MB, &f, len - 2), SHK_FOUND_SEGMENT);
	assert_int_equal(ev.seg.payload_len, 3);
	assert_int_equal(dissect_both(DLT_EN10MB, &f, len - 5 - 4), SHK_FOUND_SEGMENT);
	assert_int_equal(ev.seg.payload_len, 0);
	assert_true(ev.seg.options & SHK_OPT_TRUNCATED);
	assert_int_equal(dissect_both(DLT_EN10MB, &f, len - 5 - 9), SHK_FOUND_MALFORMED);
}

/*
 * ---- Compressed ----------------------------------------------------------------------------------
 */

/* A frame of IPComp, whose number of the algorithm was agreed on, around an IP packet of @len octets. */
static void make_compressed(struct frame *f, unsigned int len)
{
	static const uint8_t head[] = {4, 0, 0xee, 0xd1};
	uint8_t packed[FRAME_MAX] = {0};
	z_stream z = {.next_out = packed, .avail_out = sizeof(packed)};
	struct frame inner;
	unsigned int i;

	frame_init(&inner);
	for (i = 0; i < len - 53; i++)
		frame_push_octets(&inner, (const uint8_t *)&i, 1);
	frame_push(&inner, "ip4 tcp");
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = inner.octets + inner.at;
	z.avail_in = frame_len(&inner);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	frame_init(f);
	frame_push_octets(f, packed, z.total_out);
	deflateEnd(&z);
	frame_push_octets(f, head, sizeof(head));
	frame_push(f, "eth/ip4 ip4/comp");
}

static void test_compressed(void **state)
{
	struct frame f;
	unsigned int i;

	(void)state;
	make_compressed(&f, 60);
	assert_int_equal(dissect(DLT_EN10MB, &f), SHK_FOUND_SEGMENT);
	assert_int_equal(ev.sport, 1000);
	assert_int_equal(ev.seg.payload_len, 7);
	make_compressed(&f, 3000); /* more than is kept */
	assert_int_equal(dissect(DLT_EN10MB, &f), SHK_FOUND_SEGMENT);
	assert_int_equal(ev.seg.payload_len, 2947);
	/* cut: what comes out is what there is, and of the rest nobody knows how long it is */
	assert_int_equal(dissect_cut(DLT_EN10MB, &f, frame_len(&f) - 20), SHK_FOUND_SEGMENT);
	assert_int_equal(ev.seg.payload_len, 0);
	for (i = 0; i < frame_len(&f) - 34; i++)
		dissect_cut(DLT_EN10MB, &f, i);
	/* not by this algorithm */
	frame_init(&f);
	frame_push(&f, "eth/ip4 ip4/comp");
	frame_push_octets(&f, (const uint8_t[]){0, 0, 0, 0}, 4);
	assert_int_not_equal(dissect(DLT_EN10MB, &f), SHK_FOUND_SEGMENT);
}

/*
 * ---- Fragments -----------------------------------------------------------------------------------
 */

/* Octets @from to @to of the payload of an IPv4 packet that begins at its IP header. */
static void make_fragment(struct frame *f, const struct frame *whole, unsigned int from, unsigned int to)
{
	unsigned int end = frame_len(whole) - 20;
	uint8_t header[20];

	frame_init(f);
	frame_push_octets(f, frame_octets(whole) + 20 + from, to - from);
	memcpy(header, frame_octets(whole), sizeof(header));
	header[2] = (20 + to - from) >> 8;
	header[3] = 20 + to - from;
	header[6] = (to < end ? 0x20 : 0) | from / 8 >> 8;
	header[7] = from / 8;
	frame_push_octets(f, header, sizeof(header));
}

static enum shk_found dissect_fragment(const struct frame *whole, unsigned int from, unsigned int to)
{
	struct frame f;

	make_fragment(&f, whole, from, to);
	return dissect(DLT_RAW, &f);
}

/* 28 octets of TCP header and 1000 of payload. */
static void make_whole(struct frame *f, const char *headers)
{
	static const uint8_t payload[1000];

	frame_init(f);
	frame_push_octets(f, payload, sizeof(payload));
	frame_push(f, headers);
}

static void check_whole(void)
{
	assert_int_equal(ev.sport, 1000);
	assert_int_equal(ev.seg.payload_len, 1000);
	assert_int_equal(ev.seg.options, SHK_OPT_MSS | SHK_OPT_WSCALE);
	assert_int_equal(ev.saddr[12], 10);
}

static void test_in_order(void **state)
{
	struct frame whole;

	(void)state;
	make_whole(&whole, "ip4 tcp");
	assert_int_equal(dissect_fragment(&whole, 0, 512), SHK_FOUND_FRAGMENT);
	assert_int_equal(dissect_fragment(&whole, 512, 1024), SHK_FOUND_FRAGMENT);
	assert_int_equal(dissect_fragment(&whole, 1024, 1028), SHK_FOUND_SEGMENT);
	check_whole();
	assert_int_equal(shk_dissector_unfinished(dissector), 0);
}

/* So small that no fragment holds a TCP header, backwards, and some of them twice. */
static void test_tiny_backwards_twice(void **state)
{
	struct frame whole;
	unsigned int at;

	(void)state;
	make_whole(&whole, "ip4 tcp");
	assert_int_equal(dissect_fragment(&whole, 1024, 1028), SHK_FOUND_FRAGMENT);
	for (at = 1016; at > 0; at -= 8) {
		assert_int_equal(dissect_fragment(&whole, at, at + 8), SHK_FOUND_FRAGMENT);
		if (at % 16 == 0)
			assert_int_equal(dissect_fragment(&whole, at, at + 8), SHK_FOUND_FRAGMENT);
	}
	assert_int_equal(dissect_fragment(&whole, 0, 8), SHK_FOUND_SEGMENT);
	check_whole();
}

/* Two datagrams that differ in their identification only, their fragments in turn. */
static void test_two_at_once(void **state)
{
	struct frame a, b;

	(void)state;
	make_whole(&a, "ip4 tcp");
	make_whole(&b, "ip4 tcp");
	b.octets[b.at + 5] ^= 1;
	assert_int_equal(dissect_fragment(&a, 0, 1024), SHK_FOUND_FRAGMENT);
	assert_int_equal(dissect_fragment(&b, 1024, 1028), SHK_FOUND_FRAGMENT);
	assert_int_equal(dissect_fragment(&a, 1024, 1028), SHK_FOUND_SEGMENT);
	check_whole();
	assert_int_equal(dissect_fragment(&b, 0, 1024), SHK_FOUND_SEGMENT);
	check_whole();
}

/* The outer packet of a tunnel was fragmented; the inner headers are in its first fragment. */
static void test_tunnel_in_fragments(void **state)
{
	struct frame whole;

	(void)state;
	make_whole(&whole, "ip4/udp udp/gtpu gtpu ip4 tcp");
	assert_int_equal(dissect_fragment(&whole, 0, 800), SHK_FOUND_FRAGMENT);
	assert_int_equal(dissect_fragment(&whole, 800, frame_len(&whole) - 20), SHK_FOUND_SEGMENT);
	check_whole();
}

static void test_ipv6(void **state)
{
	static const uint8_t more[] = {6, 0, 0x02, 0x01, 1, 2, 3, 4}, last[] = {6, 0, 0x00, 0x08, 1, 2, 3, 4};
	uint8_t header[40];
	struct frame whole, f;

	(void)state;
	make_whole(&whole, "ip6 tcp");
	memcpy(header, frame_octets(&whole), 40);
	header[6] = 44;
	/* octets 8 to 1027 first: "last" says offset 8 and no more */
	frame_init(&f);
	frame_push_octets(&f, frame_octets(&whole) + 40 + 8, 1020);
	frame_push_octets(&f, last, 8);
	header[4] = 1028 >> 8;
	header[5] = (uint8_t)1028;
	frame_push_octets(&f, header, 40);
	assert_int_equal(dissect(DLT_RAW, &f), SHK_FOUND_FRAGMENT);
	/* then 0 to 7, with the offset 0 and the flag of "more" */
	frame_init(&f);
	frame_push_octets(&f, frame_octets(&whole) + 40, 8);
	frame_push_octets(&f, more, 8);
	f.octets[f.at + 2] = 0;
	header[4] = 0;
	header[5] = 16;
	frame_push_octets(&f, header, 40);
	assert_int_equal(dissect(DLT_RAW, &f), SHK_FOUND_SEGMENT);
	assert_int_equal(ev.seg.payload_len, 1000);
	assert_int_equal(ev.seg.options, SHK_OPT_MSS | SHK_OPT_WSCALE);
}

/* The capture kept only the beginning of each: the first tells all but the length. */
static void test_cut(void **state)
{
	struct frame whole, f;

	(void)state;
	make_whole(&whole, "ip4 tcp");
	make_fragment(&f, &whole, 0, 1024);
	assert_int_equal(dissect_cut(DLT_RAW, &f, 60), SHK_FOUND_SEGMENT);
	assert_int_equal(ev.sport, 1000);
	assert_int_equal(ev.seg.payload_len, 0);
	assert_int_equal(dissect_both(DLT_RAW, &f, 60), SHK_FOUND_SEGMENT); /* by somebody else, before */
	assert_int_equal(ev.seg.payload_len, 0);
	make_fragment(&f, &whole, 512, 1028);
	assert_int_equal(dissect_cut(DLT_RAW, &f, 60), SHK_FOUND_TRUNCATED);
}

/* After a while an identification may come again, with something else behind it. */
static void test_too_late(void **state)
{
	struct frame whole;

	(void)state;
	make_whole(&whole, "ip4 tcp");
	assert_int_equal(dissect_fragment(&whole, 0, 1024), SHK_FOUND_FRAGMENT);
	now_ns += 31 * SECOND;
	assert_int_equal(dissect_fragment(&whole, 1024, 1028), SHK_FOUND_FRAGMENT);
	assert_int_equal(shk_dissector_unfinished(dissector), 2);
	assert_int_equal(dissect_fragment(&whole, 0, 1024), SHK_FOUND_SEGMENT);
	assert_int_equal(shk_dissector_unfinished(dissector), 1);
}

/* A flood of first fragments takes the place of the oldest, which are counted. */
static void test_flood(void **state)
{
	struct frame whole;
	unsigned int i;

	(void)state;
	make_whole(&whole, "ip4 tcp");
	for (i = 0; i < 1000; i++) {
		whole.octets[whole.at + 4] = i >> 8;
		whole.octets[whole.at + 5] = i;
		now_ns++;
		assert_int_equal(dissect_fragment(&whole, 0, 1024), SHK_FOUND_FRAGMENT);
	}
	assert_int_equal(shk_dissector_unfinished(dissector), 1000);
	assert_int_equal(dissect_fragment(&whole, 1024, 1028), SHK_FOUND_SEGMENT);
	check_whole();
	whole.octets[whole.at + 4] = 0;
	whole.octets[whole.at + 5] = 0;
	assert_int_equal(dissect_fragment(&whole, 1024, 1028), SHK_FOUND_FRAGMENT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_segments),
		TEST(test_impossible_headers),
		TEST(test_no_total_length),
		TEST(test_shorter_than_ip_says),
		TEST(test_compressed),
		TEST(test_in_order),
		TEST(test_tiny_backwards_twice),
		TEST(test_two_at_once),
		TEST(test_tunnel_in_fragments),
		TEST(test_ipv6),
		TEST(test_cut),
		TEST(test_too_late),
		TEST(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
