/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Choices: from octets as long as there are any, then from a generator of random numbers. So the same maker
 * of packets serves a test with a seed and a fuzzer that wants to change one choice and keep the others.
 */
#ifndef FUZZ_CHANCE_H
#define FUZZ_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../unit/prng.h"

struct chance {
	const uint8_t	*octets;
	size_t		left;
	struct prng	rng;
};

#define CHANCE_PICK(c, a)	((a)[chance_below((c), sizeof(a) / sizeof((a)[0]))])

static inline uint8_t chance_octet(struct chance *c)
{
	if (!c->left)
		return prng_next(&c->rng) >> 56;
	c->left--;
	return *c->octets++;
}

/* 0 to @limit - 1 */
static inline uint32_t chance_below(struct chance *c, uint32_t limit)
{
	if (!c->left)
		return prng_below(&c->rng, limit);
	return (limit <= 256 ? chance_octet(c) : chance_octet(c) << 8 | chance_octet(c)) % limit;
}

/* Never because of octets that are 0: what a fuzzer begins with is a packet without faults. */
static inline bool chance_one_in(struct chance *c, uint32_t n)
{
	return chance_below(c, n) == n - 1;
}

static inline uint32_t chance_word(struct chance *c)
{
	return c->left ? chance_octet(c) * 0x01010101U : (uint32_t)(prng_next(&c->rng) >> 32);
}

#endif /* FUZZ_CHANCE_H */
