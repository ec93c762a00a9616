/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of gate.h share: one connection between a client and a server, one bucket, and the
 * hooks that its segments pass from several points of view.
 */
#ifndef TEST_GATE_RIG_H
#define TEST_GATE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "gate.h"

#define COUNT_OF(a)	(sizeof(a) / sizeof((a)[0]))

#define SYN	SHK_TCP_SYN
#define FIN	SHK_TCP_FIN
#define RST	SHK_TCP_RST
#define ACK	SHK_TCP_ACK
#define PSH	SHK_TCP_PSH

#define CONTROL	SHK_WHY_CONTROL
#define ACKS_SYNACK SHK_WHY_ACKS_SYNACK
#define ACKS_FIN SHK_WHY_ACKS_FIN
#define ANSWERS	SHK_WHY_ANSWERS
#define FIRST_DATA SHK_WHY_FIRST_DATA
#define FIRST_ACK SHK_WHY_FIRST_ACK

enum rig_end { CLIENT, SERVER };

/* The hooks that a segment passes on its way, in order, for each sender; ended by SHK_HOOK_COUNT. */
struct rig_view {
	const char *name;
	uint8_t	    hooks[2][5];
};

#define PRE	SHK_HOOK_PRE_ROUTING
#define IN	SHK_HOOK_LOCAL_IN
#define FORWARD	SHK_HOOK_FORWARD
#define OUT	SHK_HOOK_LOCAL_OUT
#define POST	SHK_HOOK_POST_ROUTING
#define CAPTURE	SHK_HOOK_CAPTURE
#define END	SHK_HOOK_COUNT

static const struct rig_view rig_views[] = {
	{ "client host", { { OUT, POST, END }, { PRE, IN, END } } },
	{ "server host", { { PRE, IN, END }, { OUT, POST, END } } },
	{ "router", { { PRE, FORWARD, POST, END }, { PRE, FORWARD, POST, END } } },
	{ "loopback", { { OUT, POST, PRE, IN, END }, { OUT, POST, PRE, IN, END } } },
	{ "pre-routing alone", { { PRE, END }, { PRE, END } } },
	{ "local in alone", { { IN, END }, { IN, END } } },
	{ "forward alone", { { FORWARD, END }, { FORWARD, END } } },
	{ "local out alone", { { OUT, END }, { OUT, END } } },
	{ "post-routing alone", { { POST, END }, { POST, END } } },
	{ "capture", { { CAPTURE, END }, { CAPTURE, END } } },
};

struct rig {
	struct shk_gate_bucket	bucket;
	struct shk_event	ends[2];	/* tuple of a segment that this end sends */
	uint64_t		now_ns;
	uint32_t		inserted;
	uint32_t		displaced;
};

static const struct shk_hash_key rig_key = { { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL } };

/* 10.0.0.@client_host:@client_port to 10.0.0.@server_host:@server_port */
static inline void rig_init(struct rig *rig, uint8_t client_host, uint16_t client_port,
			    uint8_t server_host, uint16_t server_port, uint32_t netns)
{
	struct shk_event *there = &rig->ends[CLIENT], *back = &rig->ends[SERVER];
	uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 10 };

	memset(rig, 0, sizeof(*rig));
	memcpy(there->saddr, mapped, sizeof(mapped));
	memcpy(there->daddr, mapped, sizeof(mapped));
	there->saddr[15] = client_host;
	there->daddr[15] = server_host;
	there->sport = client_port;
	there->dport = server_port;
	there->netns = netns;

	*back = *there;
	memcpy(back->saddr, there->daddr, sizeof(mapped));
	memcpy(back->daddr, there->saddr, sizeof(mapped));
	back->sport = server_port;
	back->dport = client_port;
}

static inline void rig_init_default(struct rig *rig)
{
	rig_init(rig, 1, 40000, 2, 80, 1);
}

/* One segment at one hook, judged in @bucket. Returns SHK_WHY_*. */
static inline uint32_t rig_judge_in(struct shk_gate_bucket *bucket, struct rig *rig, enum rig_end from,
				    const struct shk_segment *seg, uint32_t hook)
{
	struct shk_gate_result res;
	struct shk_tuple t;

	shk_tuple_from_event(&t, &rig->ends[from]);
	shk_gate_judge(bucket, shk_tuple_hash(&t, &rig_key), &t, seg, hook, rig->now_ns, &res);
	rig->now_ns += 1000;
	rig->inserted += res.inserted;
	rig->displaced += res.displaced + res.first_displaced;
	return res.why;
}

static inline uint32_t rig_judge(struct rig *rig, enum rig_end from, uint16_t flags, uint32_t seq,
				 uint32_t ack, uint32_t payload_len, uint32_t hook)
{
	struct shk_segment seg = {
		.seq = seq, .ack = ack, .payload_len = payload_len, .tcp_flags = flags,
	};

	return rig_judge_in(&rig->bucket, rig, from, &seg, hook);
}

#endif /* TEST_GATE_RIG_H */
