// SPDX-License-Identifier: GPL-2.0
/*
 * hash.h is SipHash-1-3 of the octets of its words, each word in little-endian order.
 *
 * Proof in three steps: a byte-wise SipHash-c-d written from the paper gives the paper's own vector for
 * c = 2, d = 4; with c = 1, d = 3 it gives what CPython's hash() of bytes gives; and shk_hash_*() agrees
 * with it about random keys and words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hash.h"
#include "prng.h"

#define WORDS_MAX 8

static uint64_t rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
	while (rounds--) {
		v[0] += v[1], v[1] = rotate(v[1], 13), v[1] ^= v[0], v[0] = rotate(v[0], 32);
		v[2] += v[3], v[3] = rotate(v[3], 16), v[3] ^= v[2];
		v[0] += v[3], v[3] = rotate(v[3], 21), v[3] ^= v[0];
		v[2] += v[1], v[1] = rotate(v[1], 17), v[1] ^= v[2], v[2] = rotate(v[2], 32);
	}
}

/* The reference: octet by octet, any length. */
static uint64_t siphash(int c, int d, const uint64_t key[2], const uint8_t *octets, size_t size)
{
	uint64_t v[4] = {
		key[0] ^ 0x736f6d6570736575ULL,
		key[1] ^ 0x646f72616e646f6dULL,
		key[0] ^ 0x6c7967656e657261ULL,
		key[1] ^ 0x7465646279746573ULL,
	};
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < size; i++) {
		word |= (uint64_t)octets[i] << (8 * (i % 8));
		if (i % 8 == 7) {
			v[3] ^= word;
			sip_rounds(v, c);
			v[0] ^= word;
			word = 0;
		}
	}
	word |= (uint64_t)(size & 0xff) << 56;
	v[3] ^= word;
	sip_rounds(v, c);
	v[0] ^= word;
	v[2] ^= 0xff;
	sip_rounds(v, d);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t hash_words(const struct shk_hash_key *key, const uint64_t *words, size_t count)
{
	struct shk_hash_state s;
	size_t i;

	shk_hash_init(&s, key);
	for (i = 0; i < count; i++)
		shk_hash_add(&s, words[i]);
	return shk_hash_end(&s, count * 8);
}

/* Octets 0, 1, 2, ... as every published SipHash vector uses them. */
static void counting_octets(uint8_t *octets, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		octets[i] = i;
}

/* Aumasson and Bernstein 2012, appendix A: key 00..0f, message 00..0e. */
static void test_reference_is_siphash(void **state)
{
	static const uint64_t key[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
	uint8_t octets[15];

	(void)state;
	counting_octets(octets, sizeof(octets));
	assert_int_equal(siphash(2, 4, key, octets, sizeof(octets)), 0xa129ca6149be45e5ULL);
}

/*
 * CPython 3.11, whose hash() of bytes is SipHash-1-3: PYTHONHASHSEED=0 is the key 0, PYTHONHASHSEED=20
 * the other one; python3 -c 'print("%016x" % (hash(bytes(range(24))) & (2**64 - 1)))'.
 */
static const struct {
	struct shk_hash_key key;
	size_t size;
	uint64_t hash;
} vectors[] = {
	{{{0, 0}}, 8, 0xead411e67ebe2eeaULL},
	{{{0, 0}}, 24, 0x31185a47af932f3aULL},
	{{{0, 0}}, 40, 0x95bc321ab41d8206ULL},
	{{{0x6cd6db6a7799df67ULL, 0xbbfcc710354f43caULL}}, 8, 0x4ac0e0c52ec75457ULL},
	{{{0x6cd6db6a7799df67ULL, 0xbbfcc710354f43caULL}}, 24, 0x57465b0b56b4191fULL},
	{{{0x6cd6db6a7799df67ULL, 0xbbfcc710354f43caULL}}, 40, 0xc4f30e098bf5214dULL},
};

static void test_known_answers(void **state)
{
	uint64_t words[WORDS_MAX];
	size_t i;

	(void)state;
	counting_octets((uint8_t *)words, sizeof(words));
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint64_t key[2] = {vectors[i].key.k[0], vectors[i].key.k[1]};

		assert_int_equal(siphash(1, 3, key, (uint8_t *)words, vectors[i].size), vectors[i].hash);
		assert_int_equal(hash_words(&vectors[i].key, words, vectors[i].size / 8), vectors[i].hash);
	}
}

static void test_equals_reference(void **state)
{
	struct prng rng = {1};
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct shk_hash_key key = {{prng_next(&rng), prng_next(&rng)}};
		uint64_t ref_key[2] = {key.k[0], key.k[1]}, words[WORDS_MAX];
		uint8_t octets[sizeof(words)];
		size_t count = prng_below(&rng, WORDS_MAX + 1), w, o;

		for (w = 0; w < count; w++) {
			words[w] = prng_next(&rng);
			for (o = 0; o < 8; o++)
				octets[8 * w + o] = words[w] >> (8 * o);
		}
		assert_int_equal(hash_words(&key, words, count), siphash(1, 3, ref_key, octets, 8 * count));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference_is_siphash),
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_equals_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
