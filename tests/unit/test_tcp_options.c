// SPDX-License-Identifier: GPL-2.0
/*
 * options.h: every kind with every length, every place where a packet can end, and noise.
 *
 * Each input ends where a page without access begins, so one octet read too many ends the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "options.h"
#include "prng.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define LIST_MAX    SHK_TCP_OPTIONS_MAX

static uint8_t *guard; /* the page that must not be touched; the octets of an input end here */

static int map_guard(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	uint8_t *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	if (p == MAP_FAILED || mprotect(p + page, page, PROT_NONE))
		return -1;
	guard = p + page;
	return 0;
}

static uint8_t *put_before_guard(const uint8_t *octets, uint32_t have)
{
	return memcpy(guard - have, octets, have);
}

/* @want octets of options announced, of which the first @have are there. */
static struct shk_segment parse(const uint8_t *octets, uint32_t have, uint32_t want)
{
	struct shk_segment seg = {0};

	shk_options_parse(&seg, put_before_guard(octets, have), have, want);
	return seg;
}

/* IANA's kinds, as far as they have a bit, and the lengths that are right for them. */
static const struct kind {
	uint8_t kind;
	uint32_t bit;
	uint32_t min, max, step; /* lengths: min, min + step, ... max */
} kinds[] = {
	{2, SHK_OPT_MSS, 4, 4, 1},
	{3, SHK_OPT_WSCALE, 3, 3, 1},
	{4, SHK_OPT_SACK_PERMITTED, 2, 2, 1},
	{5, SHK_OPT_SACK, 10, 34, 8},
	{8, SHK_OPT_TIMESTAMPS, 10, 10, 1},
	{19, SHK_OPT_MD5, 18, 18, 1},
	{28, SHK_OPT_USER_TIMEOUT, 4, 4, 1},
	{29, SHK_OPT_AO, 4, 40, 1},
	{30, SHK_OPT_MPTCP, 3, 40, 1},
	{34, SHK_OPT_TFO, 2, 40, 1},
	{172, SHK_OPT_ACCECN, 2, 40, 1},
	{174, SHK_OPT_ACCECN, 2, 40, 1},
};

static uint32_t expected_bit(uint8_t kind, uint32_t len)
{
	size_t i;

	for (i = 0; i < COUNT_OF(kinds); i++)
		if (kinds[i].kind == kind) {
			if (len < kinds[i].min || len > kinds[i].max || (len - kinds[i].min) % kinds[i].step)
				return SHK_OPT_MALFORMED;
			return kinds[i].bit;
		}
	return SHK_OPT_UNKNOWN;
}

/* All 254 kinds that have a length, all lengths, alone in the list and with the list going on behind. */
static void test_every_kind_with_every_length(void **state)
{
	uint32_t kind, len;

	(void)state;
	for (kind = 2; kind < 256; kind++)
		for (len = 0; len < 256; len++) {
			uint8_t list[LIST_MAX] = {kind, len};
			uint32_t bit =
				len < 2 || len > LIST_MAX ? SHK_OPT_MALFORMED : expected_bit(kind, len);

			if (len >= 2 && len <= LIST_MAX)
				assert_int_equal(parse(list, len, len).options, bit);
			memset(list + 2, 1, sizeof(list) - 2); /* no operation */
			assert_int_equal(parse(list, LIST_MAX, LIST_MAX).options, bit);
			/* One octet longer than the list: no option, however good. */
			if (len > 2 && len <= LIST_MAX)
				assert_int_equal(parse(list, len - 1, len - 1).options, SHK_OPT_MALFORMED);
		}
}

/* What the options of Linux, other systems and attackers' tools say, field by field. */
static const struct {
	const char *name;
	uint8_t octets[LIST_MAX];
	uint32_t len;
	struct shk_segment seg;
} lists[] = {
	{"none", {0}, 0, {.options = 0}},
	{"Linux SYN",
	 {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0, 1, 3, 3, 7},
	 20,
	 {.options = SHK_OPT_MSS | SHK_OPT_SACK_PERMITTED | SHK_OPT_TIMESTAMPS | SHK_OPT_WSCALE,
	  .mss = 1460,
	  .tsval = 0x11223344,
	  .wscale = 7}},
	{"Linux ACK with three SACK blocks",
	 {1, 1, 8, 10, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 1, 1, 1, 5, 26},
	 40,
	 {.options = SHK_OPT_TIMESTAMPS | SHK_OPT_SACK,
	  .tsval = 0xffffffff,
	  .tsecr = 0x80000001,
	  .sack_blocks = 3}},
	{"timestamps, and nothing else",
	 {1, 1, 8, 10, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88},
	 12,
	 {.options = SHK_OPT_TIMESTAMPS, .tsval = 0x11223344, .tsecr = 0x55667788}},
	{"almost that", {1, 1, 8, 9, 1, 1, 1, 1, 1, 1, 1, 3}, 12, {.options = SHK_OPT_MALFORMED}},
	{"window scale as sent", {3, 3, 255, 0}, 4, {.options = SHK_OPT_WSCALE, .wscale = 255}},
	{"Fast Open cookie request", {34, 2, 1, 1}, 4, {.options = SHK_OPT_TFO}},
	{"Fast Open cookie",
	 {34, 10, 0xde, 0xad, 0xbe, 0xef, 5, 6, 7, 8, 1, 1},
	 12,
	 {.options = SHK_OPT_TFO, .tfo_len = 8}},
	{"experimental Fast Open cookie",
	 {254, 12, 0xf9, 0x89, 0xde, 0xad, 0xbe, 0xef, 5, 6, 7, 8},
	 12,
	 {.options = SHK_OPT_TFO_EXPERIMENT, .tfo_len = 8}},
	{"experimental Fast Open request", {254, 4, 0xf9, 0x89}, 4, {.options = SHK_OPT_TFO_EXPERIMENT}},
	{"another experiment", {254, 4, 0xf9, 0x88}, 4, {.options = SHK_OPT_UNKNOWN}},
	{"an experiment without its number", {254, 3, 0xf9, 1}, 4, {.options = SHK_OPT_UNKNOWN}},
	{"MPTCP join",
	 {30, 12, 0x11, 0, 1, 2, 3, 4, 5, 6, 7, 8},
	 12,
	 {.options = SHK_OPT_MPTCP, .mptcp_subtype = 1}},
	{"the last of two counts",
	 {2, 4, 1, 1, 2, 4, 2, 2},
	 8,
	 {.options = SHK_OPT_MSS | SHK_OPT_DUPLICATE, .mss = 0x0202}},
	{"a request after a cookie",
	 {34, 6, 1, 2, 3, 4, 254, 4, 0xf9, 0x89, 1, 1},
	 12,
	 {.options = SHK_OPT_TFO | SHK_OPT_TFO_EXPERIMENT}},
	{"unknown twice is no duplicate", {200, 2, 201, 2}, 4, {.options = SHK_OPT_UNKNOWN}},
	{"nothing counts after the end", {4, 2, 0, 2, 4, 1, 1, 9}, 8, {.options = SHK_OPT_SACK_PERMITTED}},
	{"a wrong length is stepped over",
	 {2, 5, 1, 1, 1, 3, 3, 9},
	 8,
	 {.options = SHK_OPT_MALFORMED | SHK_OPT_WSCALE, .wscale = 9}},
	{"a wrong length does not undo the right one before",
	 {2, 4, 1, 1, 2, 3, 9, 1},
	 8,
	 {.options = SHK_OPT_MALFORMED | SHK_OPT_MSS, .mss = 0x0101}},
	{"length 0 ends the list",
	 {2, 4, 1, 1, 8, 0, 4, 2},
	 8,
	 {.options = SHK_OPT_MALFORMED | SHK_OPT_MSS, .mss = 0x0101}},
	{"length 1 ends the list",
	 {2, 4, 1, 1, 8, 1, 4, 2},
	 8,
	 {.options = SHK_OPT_MALFORMED | SHK_OPT_MSS, .mss = 0x0101}},
	{"a length beyond the list ends it",
	 {2, 4, 1, 1, 4, 2, 8, 10},
	 8,
	 {.options = SHK_OPT_MALFORMED | SHK_OPT_MSS | SHK_OPT_SACK_PERMITTED, .mss = 0x0101}},
	{"a kind without its length", {1, 1, 1, 2}, 4, {.options = SHK_OPT_MALFORMED}},
};

static void test_lists(void **state)
{
	static const uint8_t cookie[4] = {0xde, 0xad, 0xbe, 0xef};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(lists); i++) {
		struct shk_segment seg = parse(lists[i].octets, lists[i].len, lists[i].len);
		struct shk_segment expected = lists[i].seg;

		if (expected.tfo_len)
			memcpy(&expected.tfo_cookie, cookie, 4);
		if (memcmp(&seg, &expected, sizeof(seg)))
			fail_msg("%s: options %#x, not %#x, or a field is wrong", lists[i].name, seg.options,
				 expected.options);
	}
}

/* Forty octets, and what each of them completes. */
static const uint8_t maximal[LIST_MAX] = {
	2,  4,  0x05, 0xb4, 3, 3, 7, 1, 4, 2, 8,  10, 1,    1, 1, 1, 2, 2, 2, 2,
	34, 10, 9,    9,    9, 9, 9, 9, 9, 9, 30, 10, 0x20, 0, 0, 0, 0, 0, 0, 0,
};

static const struct {
	uint32_t end;
	uint32_t bit;
} complete[] = {
	{4, SHK_OPT_MSS},         {7, SHK_OPT_WSCALE}, {10, SHK_OPT_SACK_PERMITTED},
	{20, SHK_OPT_TIMESTAMPS}, {30, SHK_OPT_TFO},   {40, SHK_OPT_MPTCP},
};

static void test_every_truncation(void **state)
{
	uint32_t have;
	size_t i;

	(void)state;
	for (have = 0; have <= LIST_MAX; have++) {
		struct shk_segment seg = parse(maximal, have, LIST_MAX);
		uint32_t options = have < LIST_MAX ? SHK_OPT_TRUNCATED : 0;

		for (i = 0; i < COUNT_OF(complete); i++)
			if (have >= complete[i].end)
				options |= complete[i].bit;
		assert_int_equal(seg.options, options);
		assert_int_equal(seg.mss, have >= 4 ? 1460 : 0);
		assert_int_equal(seg.tsecr, have >= 20 ? 0x02020202 : 0);
		assert_int_equal(seg.tfo_len, have >= 30 ? 8 : 0);
		assert_int_equal(seg.mptcp_subtype, have >= 40 ? 2 : 0);
	}
}

/* An end of list or an impossible length that is still there makes the rest uninteresting. */
static void test_cut_behind_the_end(void **state)
{
	static const uint8_t ended[] = {4, 2, 0}, impossible[] = {4, 2, 8, 39};

	(void)state;
	assert_int_equal(parse(ended, 3, 40).options, SHK_OPT_SACK_PERMITTED);
	assert_int_equal(parse(ended, 2, 40).options, SHK_OPT_SACK_PERMITTED | SHK_OPT_TRUNCATED);
	assert_int_equal(parse(impossible, 4, 40).options, SHK_OPT_SACK_PERMITTED | SHK_OPT_MALFORMED);
	assert_int_equal(parse(impossible, 4, 41).options, SHK_OPT_SACK_PERMITTED | SHK_OPT_TRUNCATED);
}

/* More octets than the header announces are data, not options. */
static void test_data_is_not_options(void **state)
{
	(void)state;
	assert_int_equal(parse(maximal, LIST_MAX, 4).options, SHK_OPT_MSS);
	assert_int_equal(parse(maximal, LIST_MAX, 0).options, 0);
}

/* A field speaks only if its option was there. */
static void check_silence(const struct shk_segment *seg)
{
	uint32_t o = seg->options;

	assert_true(o & SHK_OPT_MSS || !seg->mss);
	assert_true(o & SHK_OPT_WSCALE || !seg->wscale);
	assert_true(o & SHK_OPT_SACK ? seg->sack_blocks >= 1 && seg->sack_blocks <= 4 : !seg->sack_blocks);
	assert_true(o & SHK_OPT_TIMESTAMPS || (!seg->tsval && !seg->tsecr));
	assert_true(o & SHK_OPT_MPTCP ? seg->mptcp_subtype <= 15 : !seg->mptcp_subtype);
	assert_true(o & (SHK_OPT_TFO | SHK_OPT_TFO_EXPERIMENT) || (!seg->tfo_len && !seg->tfo_cookie));
	assert_true(seg->tfo_len >= 4 || !seg->tfo_cookie);
	assert_int_equal(o & 0x0ffff000U, 0);
}

/* Kinds and lengths that mean something are frequent, so that the noise gets past the first octet. */
static void make_noise(struct prng *rng, uint8_t *octets)
{
	uint32_t i;

	for (i = 0; i < LIST_MAX; i++)
		switch (prng_below(rng, 3)) {
		case 0:
			octets[i] = prng_next(rng) >> 56;
			break;
		case 1:
			octets[i] = kinds[prng_below(rng, COUNT_OF(kinds))].kind;
			break;
		case 2:
			octets[i] = prng_below(rng, 12);
			break;
		}
}

static void test_noise(void **state)
{
	struct prng rng = {4};
	uint32_t i, seen = 0;

	(void)state;
	for (i = 0; i < 500000; i++) {
		uint32_t want = prng_below(&rng, 11) * 4, have = prng_below(&rng, want + 1);
		struct shk_segment whole, cut;
		uint8_t octets[LIST_MAX];

		make_noise(&rng, octets);
		whole = parse(octets, want, want);
		cut = parse(octets, have, want);
		check_silence(&whole);
		check_silence(&cut);
		assert_int_equal(whole.options & SHK_OPT_TRUNCATED, 0);
		assert_int_equal(cut.options & ~whole.options & ~SHK_OPT_TRUNCATED, 0);
		if (!(cut.options & SHK_OPT_TRUNCATED))
			assert_memory_equal(&cut, &whole, sizeof(cut));
		seen |= whole.options | cut.options;
	}
	assert_int_equal(seen & ~SHK_OPT_TFO_EXPERIMENT, 0xf0000dffU);
}

/*
 * ---- The header -----------------------------------------------------------------------------------
 */

static const uint8_t header[SHK_TCP_HEADER_MIN] = {
	0x9c, 0x40, 0x01, 0xbb, 0x01, 0x02, 0x03, 0x04, 0xf1, 0xf2,
	0xf3, 0xf4, 0x50, 0,    0xfa, 0xf0, 9,    9,    9,    9,
};

static int parse_header(struct shk_event *ev, uint8_t octet12, uint8_t octet13, uint32_t have,
			uint32_t l4_len)
{
	uint8_t octets[SHK_TCP_HEADER_MIN + LIST_MAX];

	memcpy(octets, header, sizeof(header));
	memcpy(octets + sizeof(header), maximal, sizeof(maximal));
	octets[12] = octet12;
	octets[13] = octet13;
	memset(ev, 0, sizeof(*ev));
	return shk_header_parse(ev, put_before_guard(octets, have), have, l4_len);
}

static void test_header_fields(void **state)
{
	struct shk_event ev;

	(void)state;
	assert_int_equal(parse_header(&ev, 0x50, 0x12, 20, 20 + 1000), 0);
	assert_int_equal(ev.sport, 40000);
	assert_int_equal(ev.dport, 443);
	assert_int_equal(ev.seg.seq, 0x01020304);
	assert_int_equal(ev.seg.ack, 0xf1f2f3f4);
	assert_int_equal(ev.seg.window, 0xfaf0);
	assert_int_equal(ev.seg.tcp_flags, SHK_TCP_SYN | SHK_TCP_ACK);
	assert_int_equal(ev.seg.payload_len, 1000);
	assert_int_equal(ev.seg.options, 0);
}

/* All twelve bits arrive, the reserved ones too, and none of the data offset. */
static void test_all_flags(void **state)
{
	struct shk_event ev;
	uint32_t flags;

	(void)state;
	for (flags = 0; flags < 4096; flags++) {
		assert_int_equal(parse_header(&ev, 0x50 | flags >> 8, flags & 0xff, 20, 20), 0);
		assert_int_equal(ev.seg.tcp_flags, flags);
	}
}

/* Every data offset in a packet of every length, with every part of it there. */
static void test_data_offset(void **state)
{
	uint32_t words, l4_len, have;
	struct shk_event ev;

	(void)state;
	for (words = 0; words < 16; words++)
		for (l4_len = 20; l4_len <= 64; l4_len++)
			for (have = 20; have <= l4_len && have <= 60; have++) {
				int impossible = words < 5 || words * 4 > l4_len;

				assert_int_equal(parse_header(&ev, words << 4, 0x10, have, l4_len),
						 -impossible);
				if (impossible)
					continue;
				assert_int_equal(ev.seg.payload_len, l4_len - words * 4);
				if (have >= words * 4)
					assert_int_equal(ev.seg.options & SHK_OPT_TRUNCATED, 0);
				else /* unless an impossible length came before the cut */
					assert_true(ev.seg.options & (SHK_OPT_TRUNCATED | SHK_OPT_MALFORMED));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_with_every_length),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_cut_behind_the_end),
		cmocka_unit_test(test_data_is_not_options),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_header_fields),
		cmocka_unit_test(test_all_flags),
		cmocka_unit_test(test_data_offset),
	};

	return cmocka_run_group_tests(tests, map_guard, NULL);
}
