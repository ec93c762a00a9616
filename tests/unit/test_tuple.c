// SPDX-License-Identifier: GPL-2.0
/*
 * tuple.h: both directions of a connection are one tuple and one hash, and differ in .dir alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "tuple.h"
#include "prng.h"

static const struct shk_hash_key key = {{0x0123456789abcdefULL, 0xfedcba9876543210ULL}};

static struct shk_event event(const char *saddr, uint16_t sport, const char *daddr, uint16_t dport)
{
	struct shk_event ev = {.sport = sport, .dport = dport, .netns = 4026531840U};

	assert_int_equal(inet_pton(AF_INET6, saddr, ev.saddr), 1);
	assert_int_equal(inet_pton(AF_INET6, daddr, ev.daddr), 1);
	return ev;
}

static struct shk_event mirror(const struct shk_event *ev)
{
	struct shk_event back = *ev;

	memcpy(back.saddr, ev->daddr, sizeof(back.saddr));
	memcpy(back.daddr, ev->saddr, sizeof(back.daddr));
	back.sport = ev->dport;
	back.dport = ev->sport;
	return back;
}

static uint64_t hash_of(const struct shk_event *ev)
{
	struct shk_tuple t;

	shk_tuple_from_event(&t, ev);
	return shk_tuple_hash(&t, &key);
}

static void assert_one_connection(const struct shk_event *there)
{
	struct shk_event back = mirror(there);
	struct shk_tuple a, b;

	shk_tuple_from_event(&a, there);
	shk_tuple_from_event(&b, &back);
	assert_memory_equal(a.addr, b.addr, sizeof(a.addr));
	assert_memory_equal(a.port, b.port, sizeof(a.port));
	assert_int_equal(a.netns, b.netns);
	assert_int_equal(a.same_ends, b.same_ends);
	assert_int_equal(a.dir ^ b.dir, !a.same_ends);
	assert_int_equal(shk_tuple_hash(&a, &key), shk_tuple_hash(&b, &key));
}

/* What tells the two ends apart, and whether they are the same. */
static const struct {
	const char *saddr;
	uint16_t sport;
	const char *daddr;
	uint16_t dport;
	uint32_t same_ends;
} pairs[] = {
	{"::ffff:10.0.0.1", 40000, "::ffff:10.0.0.2", 80, 0},   /* addresses */
	{"::ffff:127.0.0.1", 40000, "::ffff:127.0.0.1", 80, 0}, /* ports alone */
	{"2001:db8::1", 40000, "2001:db8::2", 443, 0},          /* second halves */
	{"2001:db8:1::1", 40000, "2001:db8:2::1", 443, 0},      /* first halves alone */
	{"::1", 40000, "::1", 80, 0},
	{"::1", 40000, "::1", 40000, 1}, /* self-connect */
	{"::ffff:127.0.0.1", 7, "::ffff:127.0.0.1", 7, 1},
	{"::ffff:10.0.0.1", 7, "::ffff:10.0.0.2", 7, 0}, /* equal ports do not make equal ends */
	{"2001:db8:1::1", 7, "2001:db8:2::1", 7, 0},
};

static void test_directions(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct shk_event ev = event(pairs[i].saddr, pairs[i].sport, pairs[i].daddr, pairs[i].dport);
		struct shk_tuple t;

		assert_one_connection(&ev);
		shk_tuple_from_event(&t, &ev);
		assert_int_equal(t.same_ends, pairs[i].same_ends);
	}
}

/* Few different octets and ports, so that equal halves and equal ends are common. */
static void test_directions_random(void **state)
{
	struct prng rng = {2};
	int i, o;

	(void)state;
	for (i = 0; i < 50000; i++) {
		struct shk_event ev = {.netns = prng_below(&rng, 3)};

		for (o = 0; o < 16; o += 8) {
			ev.saddr[o] = prng_below(&rng, 2);
			ev.daddr[o + 7] = prng_below(&rng, 2);
			ev.daddr[o] = prng_below(&rng, 2);
		}
		ev.sport = prng_below(&rng, 3);
		ev.dport = prng_below(&rng, 3);
		assert_one_connection(&ev);
	}
}

/* Every octet of the tuple takes part in the hash. */
static void test_hash_covers_everything(void **state)
{
	struct shk_event v4 = event("::ffff:10.0.0.1", 40000, "::ffff:10.0.0.2", 80);
	struct shk_event v6 = event("2001:db8::1", 40000, "2001:db8::2", 443);
	struct shk_event *bases[] = {&v4, &v6};
	size_t i, o;

	(void)state;
	for (i = 0; i < 2; i++) {
		uint64_t before = hash_of(bases[i]);

		for (o = offsetof(struct shk_event, saddr); o < offsetof(struct shk_event, kind); o++) {
			struct shk_event ev = *bases[i];

			((uint8_t *)&ev)[o] ^= 1;
			assert_int_not_equal(hash_of(&ev), before);
		}
		for (o = 0; o < 4; o++) {
			struct shk_event ev = *bases[i];

			ev.netns ^= 1U << (8 * o);
			assert_int_not_equal(hash_of(&ev), before);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directions),
		cmocka_unit_test(test_directions_random),
		cmocka_unit_test(test_hash_covers_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
