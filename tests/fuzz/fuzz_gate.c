// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for what judges a packet: dissect, options.h, tuple.h and gate.h in turn, as in the module, fed with
 * packets that are handshakes at heart.
 *
 * An input is the choices of packet_maker.h, and when it ends the rest is chance. All flows share four
 * buckets, so that expectations displace one another. A segment passes for its flags if it has any that
 * matter, else because a segment before it, in the other direction or its own, has left word.
 */
#include <pcap/dlt.h>
#include <stdlib.h>

#include "dissect/dissect.h"
#include "gate.h"
#include "packet_maker.h"

#define BUCKETS 4U
#define PACKETS 48U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct shk_gate_bucket table[BUCKETS];

static void check(int holds)
{
	if (!holds)
		abort();
}

static uint32_t entries(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < BUCKETS * SHK_GATE_WAYS; i++)
		n += table[i / SHK_GATE_WAYS].entry[i % SHK_GATE_WAYS] != 0;
	return n;
}

static void judge(const struct shk_event *ev, uint32_t hook, uint64_t now_ns)
{
	static const struct shk_hash_key key = {{1, 2}};
	const uint32_t control = SHK_TCP_SYN | SHK_TCP_FIN | SHK_TCP_RST;
	bool is_control = ev->seg.tcp_flags & control;
	uint32_t before = entries(), after;
	struct shk_gate_result result;
	struct shk_tuple tuple;
	uint64_t hash;

	shk_tuple_from_event(&tuple, ev);
	hash = shk_tuple_hash(&tuple, &key);
	shk_gate_judge(&table[hash % BUCKETS], hash, &tuple, &ev->seg, hook, now_ns, &result);
	after = entries();
	check(!(result.why & ~0x3fU));
	check(is_control == !!(result.why & SHK_WHY_CONTROL));
	check(!is_control || !(result.why & (SHK_WHY_FIRST_DATA | SHK_WHY_FIRST_ACK)));
	check(before || !(result.why & ~SHK_WHY_CONTROL));
	check(ev->seg.tcp_flags & SHK_TCP_ACK || !(result.why & ~SHK_WHY_CONTROL));
	check(result.inserted <= 3 && result.displaced + result.first_displaced <= 3);
	check(after >= before && after - before <= result.inserted);
	check(is_control || !result.inserted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shk_dissector *d = shk_dissector_new();
	struct packet_maker m;
	struct shk_event ev;
	uint64_t now_ns = 1000000000;

	check(d != NULL);
	memset(table, 0, sizeof(table));
	maker_init(&m, (struct chance){data, size, {size + 1}}, false);
	for (uint32_t i = 0; i < PACKETS; i++, now_ns += 1000000ULL << chance_below(&m.chance, 12)) {
		struct made_packet made;
		struct shk_tcp_place at;
		struct shk_packet packet;
		uint8_t *exact;

		maker_make(&m, &made);
		exact = malloc(made.len);
		check(exact || !made.len);
		memcpy(exact, made.octets, made.len);
		packet = (struct shk_packet){exact, made.len, made.len, now_ns};
		if (shk_dissect(d, shk_dissect_link(DLT_RAW), &packet, &ev, &at) == SHK_FOUND_SEGMENT) {
			shk_dissect_options(&ev, &at);
			for (uint32_t hook = chance_below(&m.chance, 5); hook < 5; hook += 1 + hook % 2)
				judge(&ev, hook, now_ns);
		}
		free(exact);
	}
	shk_dissector_free(d);
	return 0;
}
