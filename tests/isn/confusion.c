// SPDX-License-Identifier: GPL-2.0
/*
 * Hosts whose generator of ISNs is known, and what the audit makes of them.
 *
 * Each run makes a host from a seed: its parameters, how many tuples and uses, how dense in time, and how
 * long an ISN takes from being chosen to being seen: microseconds with outliers, as between two hooks of one
 * host, or milliseconds, as over a network. Prints the confusion matrix on standard error and TAP on standard
 * output.
 *
 *	confusion [RUNS]	of each generator; 200 by default
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isn/audit.h"
#include "isn/tuples.h"
#include "../unit/prng.h"

#define NS_PER_SECOND 1000000000ULL
#define EPOCH_NS      1700000000000000000ULL
#define TUPLES_MAX    256U
#define RUNS_DEFAULT  200U
#define RIGHT_SHARE   0.99

enum kind {
	CONSTANT,
	FIXED_STEP,
	COMMON_CLOCK,
	TICKING_CLOCK,
	BSD_42,
	BSD_44,
	RANDOM_STEP,
	RANDOM,
	RFC6528_LINUX,
	RFC6528_OTHER,
	RFC6528_BUSY,
	RFC6528_ONCE,
	KINDS
};

static const struct {
	const char *name;
	enum shk_isn_verdict right;
} kinds[KINDS] = {
	[CONSTANT] = {"constant", SHK_ISN_CONSTANT},
	[FIXED_STEP] = {"fixed step", SHK_ISN_FIXED_INCREMENT},
	[COMMON_CLOCK] = {"common clock", SHK_ISN_GLOBAL_CLOCK},
	[TICKING_CLOCK] = {"clock in 10 ms ticks", SHK_ISN_GLOBAL_CLOCK},
	[BSD_42] = {"4.2BSD", SHK_ISN_COUNTER_CLOCK},
	[BSD_44] = {"4.4BSD, 64K rule", SHK_ISN_COUNTER_CLOCK},
	[RANDOM_STEP] = {"random step", SHK_ISN_RANDOM_POSITIVE},
	[RANDOM] = {"random", SHK_ISN_RANDOM},
	[RFC6528_LINUX] = {"RFC 6528, 15.625 MHz", SHK_ISN_RFC6528},
	[RFC6528_OTHER] = {"RFC 6528, other", SHK_ISN_RFC6528},
	[RFC6528_BUSY] = {"RFC 6528, a busy tuple", SHK_ISN_RFC6528},
	[RFC6528_ONCE] = {"RFC 6528, used once", SHK_ISN_INSUFFICIENT},
};

struct host {
	enum kind kind;
	struct prng rng;
	bool server; /* its role */
	bool far;    /* seen through a network */
	uint32_t n, tuples;
	double mean_gap_ns;
	double rate_hz;
	uint32_t step;
	uint32_t state; /* of a counter */
	uint32_t offset[TUPLES_MAX];
	uint64_t last_tick;
};

static double uniform(struct prng *rng)
{
	return ((prng_next(rng) >> 11) + 1) / 9007199254740993.0;
}

static double between(struct prng *rng, double low, double high)
{
	return low * pow(high / low, uniform(rng));
}

static void set_rate(struct host *h)
{
	static const double common[] = {250000, 1000000, 15625000, 128000};

	if (h->kind == RFC6528_LINUX || h->kind == RFC6528_BUSY || h->kind == RFC6528_ONCE)
		h->rate_hz = 15625000;
	else if (h->kind == RFC6528_OTHER)
		h->rate_hz = common[prng_below(&h->rng, 2)];
	else if (prng_one_in(&h->rng, 2))
		h->rate_hz = common[prng_below(&h->rng, 4)];
	else
		h->rate_hz = between(&h->rng, 10000, 18000000);
}

static void set_step(struct host *h)
{
	static const uint32_t common[] = {1, 64, 1009, 64000, 65536, 128000};

	h->step = h->kind == BSD_42 ? 64 : h->kind == BSD_44 ? 64000 : common[prng_below(&h->rng, 6)];
	if (h->kind == RANDOM_STEP)
		h->step = between(&h->rng, 1024, 1 << 24);
}

/*
 * The steps of the BSDs show themselves to who looks for many of their half seconds; what all tuples have in
 * common, to who sees ISNs in the order in which they were chosen.
 */
static double shortest_gap_ns(const struct host *h)
{
	if (h->kind == BSD_42 || h->kind == BSD_44)
		return 2e8;
	return h->far && h->kind < RANDOM ? 3e7 : 2e6;
}

static void make_host(struct host *h, enum kind kind, uint64_t seed)
{
	uint32_t i;

	memset(h, 0, sizeof(*h));
	h->kind = kind;
	h->rng.state = seed * 0x9e3779b97f4a7c15ULL + kind + 1;
	for (i = 0; i < 8; i++)
		prng_next(&h->rng);
	h->server = prng_one_in(&h->rng, 2);
	h->far = prng_one_in(&h->rng, 3);
	h->n = 60 + prng_below(&h->rng, 400);
	if (kind == RFC6528_BUSY)
		h->n += 1000;
	h->tuples = 20 + prng_below(&h->rng, h->n / 3);
	h->mean_gap_ns = between(&h->rng, shortest_gap_ns(h), 2e9);
	h->state = prng_next(&h->rng);
	set_rate(h);
	set_step(h);
	for (i = 0; i < TUPLES_MAX; i++)
		h->offset[i] = prng_next(&h->rng);
}

/* Interrupts cost microseconds, sometimes more; a network's queues cost milliseconds. */
static uint64_t jitter_ns(struct host *h)
{
	double ns = -log(uniform(&h->rng)) * 4000;

	if (prng_one_in(&h->rng, 50))
		ns += uniform(&h->rng) * 300000;
	if (h->far)
		ns += -log(uniform(&h->rng)) * 1500000;
	return ns;
}

static uint32_t clock_at(uint64_t ns, double rate_hz)
{
	return (uint32_t)((unsigned __int128)ns * (uint64_t)(rate_hz * 1000) / 1000000000000ULL);
}

static uint32_t choose_isn(struct host *h, uint64_t ns, uint32_t tuple)
{
	uint64_t tick = ns / (NS_PER_SECOND / 2);

	switch (h->kind) {
	case CONSTANT:
		return h->state;
	case FIXED_STEP:
		return h->state += h->step;
	case COMMON_CLOCK:
		return h->state + clock_at(ns, h->rate_hz);
	case TICKING_CLOCK:
		return h->state + (uint32_t)(ns / 10000000) * 2500;
	case BSD_42:
	case BSD_44:
		h->state += h->step * (1 + (h->last_tick ? tick - h->last_tick : 0));
		h->last_tick = tick;
		return h->state;
	case RANDOM_STEP:
		return h->state += 1 + prng_below(&h->rng, h->step);
	case RFC6528_LINUX:
	case RFC6528_OTHER:
	case RFC6528_BUSY:
	case RFC6528_ONCE:
		return h->offset[tuple] + clock_at(ns, h->rate_hz);
	default:
		return prng_next(&h->rng);
	}
}

static void name_ends(struct shk_conn *conn, const struct host *h, uint32_t tuple)
{
	struct shk_end *own = &conn->end[h->server ? SHK_SERVER : SHK_CLIENT];
	struct shk_end *peer = &conn->end[h->server ? SHK_CLIENT : SHK_SERVER];

	memset(own->addr + 10, 0xff, 2);
	memset(peer->addr + 10, 0xff, 2);
	own->addr[12] = 192;
	own->addr[15] = 1;
	peer->addr[12] = 198;
	peer->addr[15] = h->server ? tuple : 1;
	conn->end[SHK_SERVER].port = 80;
	conn->end[SHK_CLIENT].port = 32768 + 2 * tuple;
}

static struct shk_conn make_conn(struct host *h, uint64_t ns, uint32_t tuple)
{
	uint32_t isn = choose_isn(h, ns, tuple), other = prng_next(&h->rng);
	uint64_t seen_ns = ns + jitter_ns(h), peer_ns = h->far ? 20000000 : 20000;
	struct shk_conn conn = {
		.first_ns = h->server ? seen_ns - peer_ns : seen_ns,
		.syn_synack_ns = peer_ns,
		.open = SHK_O_3WHS,
		.close = SHK_C_4SEG,
		.end[SHK_CLIENT] = {.isn_known = true, .isn = h->server ? other : isn, .syn = 1},
		.end[SHK_SERVER] = {.isn_known = true, .isn = h->server ? isn : other, .synack = 1},
	};
	unsigned int i;

	conn.last_ns = conn.first_ns + peer_ns + 100000;
	for (i = 0; i < 2; i++) {
		conn.end[i].fin = 1;
		conn.end[i].bytes_known = true;
		conn.end[i].bytes = prng_below(&h->rng, 20000);
	}
	name_ends(&conn, h, tuple);
	return conn;
}

/* A busy one makes most pairs of neighbours pairs of one tuple: what these share says nothing of all. */
static uint32_t choose_tuple(struct host *h, uint32_t i)
{
	if (h->kind == RFC6528_ONCE)
		return i;
	if (h->kind == RFC6528_BUSY && !prng_one_in(&h->rng, 24))
		return 0;
	return prng_below(&h->rng, h->tuples);
}

static void feed(struct host *h, struct shk_isn *audit, struct shk_tuples *tuples)
{
	uint64_t ns = EPOCH_NS + prng_below(&h->rng, UINT32_MAX);
	struct shk_conn conn;
	uint32_t i;

	if (h->kind == RFC6528_ONCE && h->n > TUPLES_MAX)
		h->n = TUPLES_MAX;
	for (i = 0; i < h->n; i++) {
		ns += -log(uniform(&h->rng)) * h->mean_gap_ns + 1000;
		conn = make_conn(h, ns, choose_tuple(h, i));
		shk_tuples_look(tuples, &conn, &conn.reuse);
		if (shk_isn_opened(audit, &conn) || shk_isn_closed(audit, &conn))
			abort();
		shk_tuples_learn(tuples, &conn);
	}
}

static enum shk_isn_verdict verdict_on(struct host *h)
{
	static const uint64_t key[2] = {1, 2};
	struct shk_isn_config config = {.hosts_max = 1024, .hash_key = {3, 4}};
	struct shk_tuples *tuples = shk_tuples_new(4096, key);
	struct shk_isn *audit = shk_isn_new(&config);
	struct shk_isn_host host = {0};
	uint32_t i, n;

	if (!tuples || !audit)
		abort();
	feed(h, audit, tuples);
	n = shk_isn_hosts(audit);
	for (i = 0; i < n; i++) {
		shk_isn_judge(audit, i, &host);
		if (host.addr[12] == 192)
			break;
	}
	shk_tuples_free(tuples);
	shk_isn_free(audit);
	return host.verdict;
}

static void print_matrix(uint32_t counts[KINDS][SHK_ISN_VERDICT_COUNT])
{
	unsigned int kind, v;

	fprintf(stderr, "%24s", "");
	for (v = 0; v < SHK_ISN_VERDICT_COUNT; v++)
		fprintf(stderr, " %8.8s", shk_isn_code(v));
	fprintf(stderr, "\n");
	for (kind = 0; kind < KINDS; kind++) {
		fprintf(stderr, "%24s", kinds[kind].name);
		for (v = 0; v < SHK_ISN_VERDICT_COUNT; v++)
			fprintf(stderr, counts[kind][v] ? " %8u" : "        .", counts[kind][v]);
		fprintf(stderr, "\n");
	}
}

static unsigned int tests, failures;

static void ok(bool good, const char *what, const char *name, uint32_t count, uint32_t of)
{
	tests++;
	failures += !good;
	printf("%s %u - %s: %s, %u of %u\n", good ? "ok" : "not ok", tests, name, what, count, of);
}

/* Of @counts, those whose verdict says that ISNs can be guessed. */
static uint32_t called_predictable(const uint32_t *counts)
{
	uint32_t v, sum = 0;

	for (v = 0; v < SHK_ISN_VERDICT_COUNT; v++)
		sum += shk_isn_predictable(v) ? counts[v] : 0;
	return sum;
}

static void check(uint32_t counts[KINDS][SHK_ISN_VERDICT_COUNT], uint32_t runs)
{
	uint32_t kind, wrong;

	for (kind = 0; kind < KINDS; kind++) {
		ok(counts[kind][kinds[kind].right] >= runs * RIGHT_SHARE, "right", kinds[kind].name,
		   counts[kind][kinds[kind].right], runs);
		if (kind < RANDOM) {
			wrong = counts[kind][SHK_ISN_RANDOM] + counts[kind][SHK_ISN_RFC6528];
			ok(!wrong, "never called safe from guessing", kinds[kind].name, runs - wrong, runs);
		} else {
			wrong = called_predictable(counts[kind]);
			ok(!wrong, "never called predictable", kinds[kind].name, runs - wrong, runs);
		}
	}
}

int main(int argc, char **argv)
{
	static uint32_t counts[KINDS][SHK_ISN_VERDICT_COUNT];
	uint32_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : RUNS_DEFAULT;
	static struct host host;
	uint32_t kind, run;

	for (kind = 0; kind < KINDS; kind++) {
		for (run = 0; run < runs; run++) {
			make_host(&host, kind, run + 1);
			counts[kind][verdict_on(&host)]++;
		}
	}
	print_matrix(counts);
	check(counts, runs);
	printf("1..%u\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
