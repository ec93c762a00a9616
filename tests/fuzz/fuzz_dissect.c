// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for userspace/dissect: any octets as some packets of any link type.
 *
 * An input is a link type, then packets: two octets of captured length, one of how much longer the packet
 * was on the wire, and its octets. Fragments may find each other. Besides what the sanitizers find, a header
 * outside the packet and a length that contradicts it are errors.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dissect/dissect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static void check_segment(const struct shk_event *ev, const struct shk_tcp_place *at)
{
	check(at->have >= 20 && at->header_len >= 20 && at->header_len <= 60);
	check(ev->seg.gso_segs == 1 && ev->seg.tcp_flags <= 0xfff);
	check(ev->kind == SHK_EV_SEGMENT && ev->where == SHK_HOOK_CAPTURE);
}

/* In a block of exactly its size, for the address sanitizer. */
static void dissect(struct shk_dissector *d, int link, const uint8_t *octets, uint32_t have, uint32_t len,
		    uint64_t ts_ns)
{
	uint8_t *exact = malloc(have);
	struct shk_packet packet = {exact, have, len, ts_ns};
	struct shk_tcp_place at;
	struct shk_event ev;
	enum shk_found found;

	check(exact || !have);
	if (have)
		memcpy(exact, octets, have);
	found = shk_dissect(d, link, &packet, &ev, &at);
	check(found < SHK_FOUND_COUNT);
	if (found == SHK_FOUND_SEGMENT) {
		check_segment(&ev, &at);
		shk_dissect_options(&ev, &at);
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shk_dissector *d;
	uint64_t ts_ns = 0;
	uint32_t have;
	int link;

	if (size < 2)
		return 0;
	link = shk_dissect_link(data[0] << 8 | data[1]);
	if (link < 0)
		return 0;
	d = shk_dissector_new();
	check(d != NULL);
	for (data += 2, size -= 2; size >= 3; data += have, size -= have, ts_ns += 1000000000) {
		have = data[0] << 8 | data[1];
		data += 2;
		size -= 2;
		if (have > size - 1)
			have = size - 1;
		dissect(d, link, data + 1, have, have + data[0], ts_ns);
		data++;
		size--;
	}
	shk_dissector_free(d);
	return 0;
}
