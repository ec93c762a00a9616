// SPDX-License-Identifier: GPL-2.0
/*
 * Ten million connections of some hundred thousand hosts, audited: in bounded memory, and in how much time.
 *
 *	millions [CONNECTIONS]
 *
 * Some tuples are used again and again, most once. Prints TAP; the times are in its comments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "../unit/prng.h"
#include "isn/audit.h"
#include "isn/tuples.h"

#define CONNECTIONS_DEFAULT 10000000UL
#define MEMORY_MAX_KIB      (400UL * 1024)
#define EPOCH_NS            1700000000000000000ULL

static const uint64_t key[2] = {1, 2};

static unsigned int tests, failures;

static void ok(bool good, const char *what)
{
	tests++;
	failures += !good;
	printf("%s %u - %s\n", good ? "ok" : "not ok", tests, what);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static unsigned long memory_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* One server; of its clients one in eight comes back with the same port. */
static struct shk_conn make_conn(struct prng *rng, uint64_t ns)
{
	uint64_t r = prng_next(rng);
	uint32_t client = r & 7 ? r >> 32 : r >> 52, ticks = ns >> 6;
	struct shk_conn conn = {
		.first_ns = ns,
		.last_ns = ns + 1000000,
		.syn_synack_ns = 20000,
		.open = SHK_O_3WHS,
		.close = SHK_C_4SEG,
		.end[SHK_CLIENT] = {.isn_known = true,
				    .isn = client * 2654435761U + ticks,
				    .syn = 1,
				    .fin = 1,
				    .bytes_known = true},
		.end[SHK_SERVER] = {.isn_known = true,
				    .isn = client * 2246822519U + ticks,
				    .synack = 1,
				    .fin = 1,
				    .bytes_known = true},
	};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		memset(conn.end[i].addr + 10, 0xff, 2);
		conn.end[i].addr[12] = 10;
		conn.end[i].bytes = 1000;
	}
	conn.end[SHK_CLIENT].addr[13] = client;
	conn.end[SHK_CLIENT].addr[14] = client >> 8;
	conn.end[SHK_CLIENT].port = 1024 + (client >> 16);
	conn.end[SHK_SERVER].addr[15] = 1;
	conn.end[SHK_SERVER].port = 443;
	return conn;
}

static void audit_all(struct shk_isn *audit, struct shk_tuples *tuples, unsigned long n)
{
	struct prng rng = {.state = 11};
	struct shk_conn conn;
	unsigned long i;

	for (i = 0; i < n; i++) {
		conn = make_conn(&rng, EPOCH_NS + i * 20000);
		shk_tuples_look(tuples, &conn, &conn.reuse);
		if (shk_isn_opened(audit, &conn) || shk_isn_closed(audit, &conn))
			abort();
		shk_tuples_learn(tuples, &conn);
	}
}

static struct shk_isn_host judge_server(struct shk_isn *audit)
{
	struct shk_isn_host host = {0};
	uint32_t i, n = shk_isn_hosts(audit);

	for (i = 0; i < n; i++) {
		shk_isn_judge(audit, i, &host);
		if (host.role == SHK_SERVER)
			break;
	}
	return host;
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : CONNECTIONS_DEFAULT;
	const struct shk_isn_config config = {.hash_key = {3, 4}};
	struct shk_tuples *tuples = shk_tuples_new(SHK_TUPLES_MAX_DEFAULT, key);
	struct shk_isn *audit = shk_isn_new(&config);
	struct shk_isn_totals totals;
	struct shk_isn_host host;
	double start, fed, judged;

	if (!tuples || !audit)
		abort();
	start = seconds();
	audit_all(audit, tuples, n);
	fed = seconds();
	host = judge_server(audit);
	judged = seconds();
	shk_isn_totals(audit, &totals);
	printf("# %lu connections in %.1f s, %.0f ns each; hosts judged in %.2f s; %lu MiB\n", n, fed - start,
	       (fed - start) / n * 1e9, judged - fed, memory_kib() / 1024);
	printf("# %lu reuses found, %lu tuples given up early, %lu hosts given up\n",
	       (unsigned long)totals.reuses, (unsigned long)shk_tuples_forgotten(tuples),
	       (unsigned long)totals.hosts_evicted);
	ok(totals.connections == n, "every connection was audited");
	ok(host.samples == n, "the server gave a sample with each");
	ok(host.verdict == SHK_ISN_RFC6528 && host.rate_hz == 15625000, "its ISNs are those of RFC 6528");
	ok(host.n_kept <= SHK_ISN_KEPT_MAX, "of its samples a bounded number is kept");
	ok(totals.reuses > 0, "tuples that were used again were found");
	ok(memory_kib() < MEMORY_MAX_KIB, "memory stayed below 400 MiB");
	shk_tuples_free(tuples);
	shk_isn_free(audit);
	printf("1..%u\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
