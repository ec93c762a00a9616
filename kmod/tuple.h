/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A connection's four-tuple in one order whatever the direction of the segment, and its hash.
 *
 * Both ends of a connection must find the same place, so the lower end comes first: addresses are
 * compared as two big 64-bit words in memory order (any fixed order will do), then ports.
 */
#ifndef SHK_TUPLE_H
#define SHK_TUPLE_H

#include "hash.h"

struct shk_tuple {
	__u64	addr[2][2];	/* [lower end, higher end][first, second half], as in memory */
	__u16	port[2];
	__u32	netns;
	__u32	dir;		/* 0: the segment went from the lower end to the higher one; 1: back */
	__u32	same_ends;	/* 1: both ends are equal (self-connect, RFC 9293 3.5 case of its own) */
};

static inline __attribute__((always_inline)) void
shk_tuple_from_event(struct shk_tuple *t, const struct shk_event *ev)
{
	__u64 s[2], d[2];
	__u32 swap, same = 0;

	__builtin_memcpy(s, ev->saddr, sizeof(s));
	__builtin_memcpy(d, ev->daddr, sizeof(d));

	if (s[1] != d[1]) {
		swap = s[1] > d[1];
	} else if (s[0] != d[0]) {
		swap = s[0] > d[0];
	} else {
		swap = ev->sport > ev->dport;
		same = ev->sport == ev->dport;
	}

	t->addr[0][0] = swap ? d[0] : s[0];
	t->addr[0][1] = swap ? d[1] : s[1];
	t->addr[1][0] = swap ? s[0] : d[0];
	t->addr[1][1] = swap ? s[1] : d[1];
	t->port[0] = swap ? ev->dport : ev->sport;
	t->port[1] = swap ? ev->sport : ev->dport;
	t->netns = ev->netns;
	t->dir = swap;
	t->same_ends = same;
}

/* The first half of a mapped IPv4 address (::ffff:0:0/96) is zero: then it adds nothing to hash. */
static inline __attribute__((always_inline)) __u64
shk_tuple_hash(const struct shk_tuple *t, const struct shk_hash_key *key)
{
	struct shk_hash_state s;
	__u32 octets = 24;

	shk_hash_init(&s, key);
	shk_hash_add(&s, t->addr[0][1]);
	shk_hash_add(&s, t->addr[1][1]);
	shk_hash_add(&s, (__u64)t->netns << 32 | (__u32)t->port[0] << 16 | t->port[1]);
	if (t->addr[0][0] | t->addr[1][0]) {
		shk_hash_add(&s, t->addr[0][0]);
		shk_hash_add(&s, t->addr[1][0]);
		octets = 40;
	}
	return shk_hash_end(&s, octets);
}

#endif /* SHK_TUPLE_H */
