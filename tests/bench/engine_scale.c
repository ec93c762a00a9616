// SPDX-License-Identifier: GPL-2.0
/*
 * What an event costs the engine, and whether that depends on how many connections are open.
 *
 *	engine_scale [CONNECTIONS]	default 1000000 for each row
 *
 * With so many connections open, as many others are opened and closed: each opening is followed by the close
 * of an open one, chosen at random, so that every close finds a connection that no cache remembers. Segments
 * are seen at both hooks of the server's host, 14 events for each connection, and come as on a busy server:
 * 64 handshakes, then 64 closes, interleaved.
 *
 * Prints ns of CPU for each event, and what a row takes compared with the first one.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/engine.h"

#define BATCH       64U
#define LIFETIME_NS 600000000000ULL /* of a connection; each leaves a tombstone for a tenth of that */
#define ROUND_TRIP  100000ULL

struct bench {
	struct shk_engine *engine;
	uint64_t now_ns, step_ns;
	uint32_t *open; /* numbers of the open connections */
	uint32_t n_open, next;
	struct shk_event waiting[SHK_AHEAD_MAX];
	unsigned int n_waiting;
	uint64_t random, events, closed;
};

static void ignore_opened(void *arg, const struct shk_conn *conn)
{
	(void)arg;
	(void)conn;
}

static void count_closed(void *arg, const struct shk_conn *conn)
{
	struct bench *b = arg;

	b->closed += conn->open == SHK_O_3WHS && conn->close == SHK_C_4SEG;
}

static uint32_t random_below(struct bench *b, uint32_t n)
{
	b->random = b->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (b->random >> 32) * n >> 32;
}

/* The number @seg, from 0, of a connection that closes in four segments. */
static const struct {
	uint16_t tcp_flags;
	uint8_t from_server;
	uint8_t seq, ack;
} segments[] = {
	{SHK_TCP_SYN, 0, 0, 0}, {SHK_TCP_SYN | SHK_TCP_ACK, 1, 0, 1},
	{SHK_TCP_ACK, 0, 1, 1}, {SHK_TCP_FIN | SHK_TCP_ACK, 0, 1, 1},
	{SHK_TCP_ACK, 1, 1, 2}, {SHK_TCP_FIN | SHK_TCP_ACK, 1, 1, 2},
	{SHK_TCP_ACK, 0, 2, 2},
};

#define OPENING 3U
#define ALL     7U

/* As the pipeline does. */
static void deliver(struct bench *b)
{
	const struct shk_event *events[SHK_AHEAD_MAX];

	for (unsigned int i = 0; i < b->n_waiting; i++)
		events[i] = &b->waiting[i];
	shk_engine_expect(b->engine, events, b->n_waiting);
	for (unsigned int i = 0; i < b->n_waiting; i++)
		shk_engine_feed(b->engine, events[i], false);
	b->n_waiting = 0;
}

static void feed(struct bench *b, uint32_t number, unsigned int i)
{
	static const uint8_t hooks[2][2] = {{SHK_HOOK_PRE_ROUTING, SHK_HOOK_LOCAL_IN},
					    {SHK_HOOK_LOCAL_OUT, SHK_HOOK_POST_ROUTING}};
	uint8_t ends[2][16] = {{[10] = 0xff, 0xff, 10, number >> 24, number >> 16, 1},
			       {[10] = 0xff, 0xff, 10, 255, 0, 1}};
	uint16_t ports[2] = {number, 443};
	uint32_t isn[2] = {number * 2654435761U, number * 40503U + 77};
	uint8_t from = segments[i].from_server;
	struct shk_event ev = {
		.netns = 1,
		.sport = ports[from],
		.dport = ports[!from],
		.kind = SHK_EV_SEGMENT,
		.seg = {.seq = isn[from] + segments[i].seq,
			.ack = segments[i].ack ? isn[!from] + segments[i].ack : 0,
			.tcp_flags = segments[i].tcp_flags,
			.ip_id = i + 1,
			.why = SHK_WHY_CONTROL,
			.sock_state = 12,
			.gso_segs = 1},
	};

	__builtin_memcpy(ev.saddr, ends[from], 16);
	__builtin_memcpy(ev.daddr, ends[!from], 16);
	if (ev.seg.tcp_flags == SHK_TCP_ACK)
		ev.seg.why = i == OPENING - 1 ? SHK_WHY_ACKS_SYNACK : SHK_WHY_ACKS_FIN;
	for (int h = 0; h < 2; h++) {
		ev.where = hooks[from][h];
		ev.ts_ns = b->now_ns++;
		b->waiting[b->n_waiting++] = ev;
		if (b->n_waiting == SHK_AHEAD_MAX)
			deliver(b);
	}
	b->events += 2;
}

static void open_batch(struct bench *b)
{
	for (unsigned int i = 0; i < OPENING; i++) {
		for (uint32_t k = 0; k < BATCH; k++)
			feed(b, b->next + k, i);
		b->now_ns += ROUND_TRIP;
	}
	for (uint32_t k = 0; k < BATCH; k++)
		b->open[b->n_open++] = b->next++;
	b->now_ns += BATCH * b->step_ns;
}

static void close_batch(struct bench *b)
{
	uint32_t chosen[BATCH];

	for (uint32_t k = 0; k < BATCH; k++) {
		uint32_t at = random_below(b, b->n_open);

		chosen[k] = b->open[at];
		b->open[at] = b->open[--b->n_open];
	}
	for (unsigned int i = OPENING; i < ALL; i++) {
		for (uint32_t k = 0; k < BATCH; k++)
			feed(b, chosen[k], i);
		b->now_ns += ROUND_TRIP;
	}
}

/* Of this process: others may use the CPU meanwhile. */
static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* ns for each event, with @live connections open. */
static double measure(uint32_t live, uint32_t connections)
{
	struct bench b = {.step_ns = LIFETIME_NS / live, .now_ns = 1000000000, .random = 1};
	const struct shk_engine_config config = {
		.flows_max = live + live / 4 + 100000,
		.hash_key = {1, 2},
		.linger_ns = SHK_LINGER_LIVE_NS,
		.hooks = SHK_HOOKS_NETFILTER,
	};
	const struct shk_engine_out out = {ignore_opened, count_closed, &b};
	double begin_s, span_s;
	uint32_t done;

	b.open = malloc((live + 2 * BATCH) * sizeof(*b.open));
	b.engine = shk_engine_new(&config, &out);
	if (!b.open || !b.engine)
		errx(2, "no memory for %u connections", live);
	while (b.n_open < live)
		open_batch(&b);
	for (done = 0; done < live / 8 + BATCH; done += BATCH) {
		open_batch(&b);
		close_batch(&b);
	}
	b.events = 0;
	begin_s = now_s();
	for (done = 0; done < connections; done += BATCH) {
		open_batch(&b);
		close_batch(&b);
	}
	deliver(&b);
	span_s = now_s() - begin_s;
	shk_engine_finish(b.engine);
	if (b.closed < connections)
		errx(1, "with %u open: only %llu closes were told", live, (unsigned long long)b.closed);
	shk_engine_free(b.engine);
	free(b.open);
	return span_s * 1e9 / b.events;
}

int main(int argc, char **argv)
{
	static const uint32_t live[] = {1000, 10000, 100000, 1000000, 4000000};
	uint32_t connections = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	double first_ns = 0, ns;

	printf("%10s  %8s  %5s\n", "open", "ns/event", "ratio");
	for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++) {
		ns = measure(live[i], connections);
		first_ns = first_ns > 0 ? first_ns : ns;
		printf("%10u  %8.1f  %5.2f\n", live[i], ns, ns / first_ns);
		fflush(stdout);
	}
	return 0;
}
