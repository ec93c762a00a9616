// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for options.h: any octets as a TCP header, cut anywhere.
 *
 * The first two octets of an input choose how much of
 * the header is there and how long the packet says it is; the rest is the header. Besides what the
 * sanitizers find, a field without its option, and a cut that invents options, are errors.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static void check_fields(const struct shk_segment *seg)
{
	uint32_t o = seg->options;

	check(o & SHK_OPT_MSS || !seg->mss);
	check(o & SHK_OPT_WSCALE || !seg->wscale);
	check(seg->sack_blocks <= 4 && !(o & SHK_OPT_SACK) == !seg->sack_blocks);
	check(o & SHK_OPT_TIMESTAMPS || !(seg->tsval | seg->tsecr));
	check(o & SHK_OPT_MPTCP || !seg->mptcp_subtype);
	check(o & (SHK_OPT_TFO | SHK_OPT_TFO_EXPERIMENT) || !(seg->tfo_len | seg->tfo_cookie));
	check(seg->tcp_flags <= 0xfff);
}

/* Parses @have octets in a block of exactly that size, for the address sanitizer. */
static int parse(struct shk_event *ev, const uint8_t *octets, uint32_t have, uint32_t l4_len)
{
	uint8_t *exact = malloc(have);
	int err;

	check(exact != NULL);
	memcpy(exact, octets, have);
	memset(ev, 0, sizeof(*ev));
	err = shk_header_parse(ev, exact, have, l4_len);
	free(exact);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shk_event whole, cut;
	uint32_t have, l4_len;

	if (size < 2 + SHK_TCP_HEADER_MIN)
		return 0;
	l4_len = size - 2;
	have = SHK_TCP_HEADER_MIN + data[0] % (l4_len - SHK_TCP_HEADER_MIN + 1);
	if (parse(&whole, data + 2, l4_len, l4_len) < 0)
		return 0;
	check_fields(&whole.seg);
	check(!(whole.seg.options & SHK_OPT_TRUNCATED));

	/* Cut short, and at the same time announcing more payload than there is. */
	check(parse(&cut, data + 2, have, l4_len + data[1]) == 0);
	check_fields(&cut.seg);
	check(cut.seg.payload_len == whole.seg.payload_len + data[1]);
	check(!(cut.seg.options & ~whole.seg.options & ~SHK_OPT_TRUNCATED));
	return 0;
}
