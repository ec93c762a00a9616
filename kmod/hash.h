/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SipHash-1-3 over 64-bit words: the keyed hash of the gate and of the flow table.
 *
 * Keyed, so that nobody on the network can choose ports that fall into one bucket. The kernel's own
 * siphash() is not to be had in BPF or userspace, and all three must agree about a tuple.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, with one compression round
 * and three finalisation rounds, as in <linux/siphash.h> hsiphash() on 64-bit machines.
 */
#ifndef SHK_HASH_H
#define SHK_HASH_H

#include "uapi/tcpshake.h"

struct shk_hash_key {
	__u64 k[2];
};

struct shk_hash_state {
	__u64 v0, v1, v2, v3;
};

static inline __attribute__((always_inline)) __u64 shk_rol64(__u64 x, unsigned int n)
{
	return (x << n) | (x >> (64 - n));
}

static inline __attribute__((always_inline)) void shk_hash_round(struct shk_hash_state *s)
{
	s->v0 += s->v1;
	s->v1 = shk_rol64(s->v1, 13) ^ s->v0;
	s->v0 = shk_rol64(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = shk_rol64(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = shk_rol64(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = shk_rol64(s->v1, 17) ^ s->v2;
	s->v2 = shk_rol64(s->v2, 32);
}

static inline __attribute__((always_inline)) void
shk_hash_init(struct shk_hash_state *s, const struct shk_hash_key *key)
{
	s->v0 = 0x736f6d6570736575ULL ^ key->k[0];
	s->v1 = 0x646f72616e646f6dULL ^ key->k[1];
	s->v2 = 0x6c7967656e657261ULL ^ key->k[0];
	s->v3 = 0x7465646279746573ULL ^ key->k[1];
}

static inline __attribute__((always_inline)) void shk_hash_add(struct shk_hash_state *s, __u64 word)
{
	s->v3 ^= word;
	shk_hash_round(s);
	s->v0 ^= word;
}

static inline __attribute__((always_inline)) __u64 shk_hash_end(struct shk_hash_state *s, __u32 octets)
{
	shk_hash_add(s, (__u64)octets << 56);
	s->v2 ^= 0xff;
	shk_hash_round(s);
	shk_hash_round(s);
	shk_hash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif /* SHK_HASH_H */
