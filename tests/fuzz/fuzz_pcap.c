// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for capture.h and what is below it: any octets as a file, whatever they say it is: pcap, pcapng,
 * gzip, zstd. Packets go through the dissector.
 */
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

/* In a block of exactly its size, for the address sanitizer. */
static void look(struct shk_dissector *d, const struct shk_capture *c)
{
	const struct shk_packet *packet = &c->packet;
	struct shk_packet exact = *packet;
	uint8_t *octets = malloc(packet->have);
	struct shk_tcp_place at;
	struct shk_event ev;

	check(octets || !packet->have);
	if (packet->have)
		memcpy(octets, packet->octets, packet->have);
	exact.octets = octets;
	if (c->links[c->link].layer >= 0 &&
	    shk_dissect(d, c->links[c->link].layer, &exact, &ev, &at) == SHK_FOUND_SEGMENT)
		shk_dissect_options(&ev, &at);
	free(octets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shk_dissector *d = shk_dissector_new();
	struct shk_error err = {0};
	struct shk_capture c;

	check(d != NULL);
	if (!shk_capture_open(&c, fuzz_file(data, size), NULL, &err)) {
		while (c.reader) {
			check(c.link < c.n_links && c.packet.ts_ns);
			look(d, &c);
			if (shk_capture_next(&c, &err))
				break;
		}
	}
	shk_capture_close(&c);
	shk_dissector_free(d);
	return 0;
}
