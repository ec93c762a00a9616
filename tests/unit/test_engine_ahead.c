// SPDX-License-Identifier: GPL-2.0
/*
 * What the engine says does not depend on whether it was told what comes next: the same noise, of a few
 * tuples that come again and again, goes into two engines, one of which expects it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "engine/engine.h"
#include "prng.h"

#define EVENTS   20000
#define TOLD_MAX EVENTS
#define PORTS    24

struct hearer {
	struct shk_engine *engine;
	struct shk_conn told[TOLD_MAX];
	unsigned int n;
};

static struct hearer plain, expecting;

static void hear(void *arg, const struct shk_conn *conn)
{
	struct hearer *h = arg;

	assert_true(h->n < TOLD_MAX);
	h->told[h->n++] = *conn;
}

static void begin(struct hearer *h, uint32_t flows_max)
{
	const struct shk_engine_config config = {
		.flows_max = flows_max,
		.hash_key = {1, 2},
		.linger_ns = SHK_LINGER_LIVE_NS,
		.hooks = SHK_HOOKS_NETFILTER,
		.sockets_begin = true,
	};
	const struct shk_engine_out out = {hear, hear, h};

	h->n = 0;
	h->engine = shk_engine_new(&config, &out);
	assert_non_null(h->engine);
}

static struct shk_event segment(struct prng *rng, uint64_t ts_ns)
{
	static const uint16_t flags[] = {SHK_TCP_SYN, SHK_TCP_SYN | SHK_TCP_ACK, SHK_TCP_ACK,
					 SHK_TCP_ACK, SHK_TCP_FIN | SHK_TCP_ACK, SHK_TCP_FIN | SHK_TCP_ACK,
					 SHK_TCP_RST};
	bool back = prng_below(rng, 2);
	uint16_t port = 1 + prng_below(rng, PORTS);
	struct shk_event ev = {
		.ts_ns = ts_ns,
		.netns = 1 + prng_below(rng, 2),
		.saddr = {[10] = 0xff, 0xff, 127, 0, 0, 1},
		.daddr = {[10] = 0xff, 0xff, 127, 0, 0, 1},
		.sport = back ? 80 : port,
		.dport = back ? port : 80,
		.kind = SHK_EV_SEGMENT,
		.where = SHK_HOOK_LOCAL_OUT,
	};

	ev.seg.tcp_flags = flags[prng_below(rng, sizeof(flags) / sizeof(flags[0]))];
	ev.seg.seq = 100 + prng_below(rng, 3);
	ev.seg.ack = 100 + prng_below(rng, 3);
	ev.seg.why = SHK_WHY_CONTROL;
	return ev;
}

/* @n events as they might come out of the merge: hooks in a row, sockets, and what has no tuple. */
static void make_noise(struct prng *rng, struct shk_event *events, unsigned int n, uint64_t *ts_ns)
{
	for (unsigned int i = 0; i < n; i++) {
		*ts_ns += prng_below(rng, 100) ? 1000 : 2000000000;
		if (i && prng_below(rng, 2)) {
			events[i] = events[i - 1];
			events[i].ts_ns = *ts_ns;
			events[i].where =
				prng_below(rng, SHK_HOOK_COUNT + 1); /* one that there is not, too */
			continue;
		}
		events[i] = segment(rng, *ts_ns);
		if (!prng_below(rng, 5)) {
			events[i].kind = SHK_EV_SOCKET;
			events[i].where = prng_below(rng, SHK_SOCK_WHERE_COUNT);
			memset(&events[i].sock, 0, sizeof(events[i].sock));
			events[i].sock.iss = 100;
		} else if (!prng_below(rng, 20)) {
			events[i] = (struct shk_event){.ts_ns = *ts_ns, .kind = SHK_EV_LOST, .lost.count = 1};
		}
	}
}

static void compare(void)
{
	assert_int_equal(plain.n, expecting.n);
	assert_true(plain.n > 100);
	for (unsigned int i = 0; i < plain.n; i++)
		assert_memory_equal(&plain.told[i], &expecting.told[i], sizeof(plain.told[i]));
}

/* Of a table that is large enough, and of one that has to give up connections between two events. */
static void expected_or_not_the_same_is_said(void **state)
{
	static const uint32_t flows_max[] = {1000, 5};
	struct shk_event events[SHK_AHEAD_MAX];
	const struct shk_event *pointers[SHK_AHEAD_MAX];
	struct prng rng = {1};
	uint64_t ts_ns;

	(void)state;
	for (int round = 0; round < 2; round++) {
		begin(&plain, flows_max[round]);
		begin(&expecting, flows_max[round]);
		ts_ns = 1000000000;
		for (unsigned int done = 0, n; done < EVENTS; done += n) {
			n = prng_below(&rng, SHK_AHEAD_MAX + 1);
			make_noise(&rng, events, n, &ts_ns);
			for (unsigned int i = 0; i < n; i++)
				pointers[i] = &events[i];
			shk_engine_expect(expecting.engine, pointers, n);
			for (unsigned int i = 0; i < n; i++) {
				shk_engine_feed(plain.engine, &events[i], false);
				shk_engine_feed(expecting.engine, &events[i], false);
			}
		}
		shk_engine_finish(plain.engine);
		shk_engine_finish(expecting.engine);
		compare();
		shk_engine_free(plain.engine);
		shk_engine_free(expecting.engine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expected_or_not_the_same_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
