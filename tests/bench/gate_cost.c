// SPDX-License-Identifier: GPL-2.0
/*
 * What a data segment costs at the gate: ordering the tuple, hashing it, judging it in its bucket.
 *
 *	gate_cost [SEGMENTS [4|6]]
 *
 * The buckets are as a busy host leaves them, full of other connections' expectations, and hold
 * those of the measured connections as well, met. Prints ns for each segment. For instructions, which
 * repeat exactly, count twice and divide the difference:
 *
 *	valgrind --tool=callgrind build/gate_cost 10000 4
 *	valgrind --tool=callgrind build/gate_cost 110000 4
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate.h"

#define BUCKETS     4096U
#define CONNECTIONS 64U

static struct shk_gate_bucket table[BUCKETS];
static struct shk_event events[2 * CONNECTIONS];
static const struct shk_hash_key key = {{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL}};

static uint32_t judge(const struct shk_event *ev)
{
	struct shk_gate_result res;
	struct shk_tuple t;
	uint64_t hash;

	shk_tuple_from_event(&t, ev);
	hash = shk_tuple_hash(&t, &key);
	shk_gate_judge(&table[hash & (BUCKETS - 1)], hash, &t, &ev->seg, SHK_HOOK_LOCAL_IN, 1, &res);
	return res.why;
}

static void make_event(struct shk_event *ev, int ipv6, uint32_t client, int back)
{
	uint8_t ends[2][16] = {{[10] = 0xff, 0xff, 10, 0, 0, 1}, {[10] = 0xff, 0xff, 10, 0, 0, 2}};

	if (ipv6)
		ends[0][0] = ends[1][0] = 0x20;
	memset(ev, 0, sizeof(*ev));
	memcpy(ev->saddr, ends[back], 16);
	memcpy(ev->daddr, ends[!back], 16);
	ev->sport = back ? 443 : 32768 + client;
	ev->dport = back ? 32768 + client : 443;
	ev->netns = 4026531840U;
	ev->seg.tcp_flags = SHK_TCP_ACK | SHK_TCP_PSH;
	ev->seg.seq = 1000;
	ev->seg.ack = 2000;
	ev->seg.payload_len = 1448;
}

static void fill_table(void)
{
	uint32_t b, i;

	for (b = 0; b < BUCKETS; b++)
		for (i = 0; i < SHK_GATE_WAYS; i++)
			table[b].entry[i] = shk_gate_make(0x3f000 + b + i, 0, SHK_EXPECT_ACK_OF_FIN, b, 0);
}

/* The connection's own expectations, met: what every data segment after its handshake finds. */
static void shake_hands(const struct shk_event *there, const struct shk_event *back)
{
	struct shk_event ev = *there;
	int from_client;

	ev.seg.tcp_flags = SHK_TCP_SYN;
	judge(&ev);
	ev = *back;
	ev.seg.tcp_flags = SHK_TCP_SYN | SHK_TCP_ACK;
	ev.seg.seq = there->seg.ack - 1;
	ev.seg.payload_len = 0;
	judge(&ev);
	for (from_client = 0; from_client < 2; from_client++) { /* an ACK and data from each */
		ev = from_client ? *there : *back;
		judge(&ev);
		ev.seg.payload_len = 0;
		judge(&ev);
	}
}

static void measure(const char *name, int ipv6, uint64_t segments)
{
	struct timespec from, to;
	uint32_t i, passed = 0;
	uint64_t n;

	for (i = 0; i < 2 * CONNECTIONS; i++)
		make_event(&events[i], ipv6, i / 2, i % 2);
	for (i = 0; i < 2 * CONNECTIONS; i += 2)
		shake_hands(&events[i], &events[i + 1]);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (n = 0; n < segments; n++)
		passed |= judge(&events[n % (2 * CONNECTIONS)]);
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (passed) {
		fprintf(stderr, "gate_cost: a data segment passed: the gate is broken\n");
		exit(1);
	}
	printf("%s %.2f ns for each data segment\n", name,
	       ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / segments);
}

int main(int argc, char **argv)
{
	uint64_t segments = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000;
	const char *family = argc > 2 ? argv[2] : "46";

	if (!segments) {
		fprintf(stderr, "usage: gate_cost [SEGMENTS [4|6]]\n");
		return 2;
	}
	fill_table();
	if (strchr(family, '4'))
		measure("IPv4", 0, segments);
	if (strchr(family, '6'))
		measure("IPv6", 1, segments);
	return 0;
}
