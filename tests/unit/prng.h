/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that are the same in every run: xorshift64* (Vigna 2016). The seed must not be 0. */
#ifndef TEST_PRNG_H
#define TEST_PRNG_H

#include <stdint.h>

struct prng {
	uint64_t state;
};

static inline uint64_t prng_next(struct prng *rng)
{
	rng->state ^= rng->state >> 12;
	rng->state ^= rng->state << 25;
	rng->state ^= rng->state >> 27;
	return rng->state * 0x2545f4914f6cdd1dULL;
}

/* 0 to @limit - 1 */
static inline uint32_t prng_below(struct prng *rng, uint32_t limit)
{
	return (prng_next(rng) >> 32) * limit >> 32;
}

/* True once in @n times. */
static inline int prng_one_in(struct prng *rng, uint32_t n)
{
	return prng_below(rng, n) == 0;
}

#endif /* TEST_PRNG_H */
