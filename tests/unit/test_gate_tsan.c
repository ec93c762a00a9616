// SPDX-License-Identifier: GPL-2.0
/*
 * gate.h under ThreadSanitizer: threads on one bucket, as CPUs on one busy bucket.
 *
 * Runs for SHK_TEST_SECONDS (3 if unset), half of it for each test. Build with -fsanitize=thread;
 * without, it is a test all the same.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "gate_rig.h"
#include "prng.h"

#define THREADS 4U

struct worker {
	pthread_t thread;
	uint32_t number;
	void *shared;
	const char *complaint; /* what went wrong; checked by the main thread */
	uint64_t calls;        /* expectations asked for */
	uint64_t inserted;
	uint64_t displaced;
	uint64_t passed;
};

static double test_seconds(void)
{
	const char *wanted = getenv("SHK_TEST_SECONDS");

	return (wanted ? atof(wanted) : 3) / 2;
}

static void run_workers(struct worker *workers, void *(*work)(void *), void *shared)
{
	uint32_t i;

	for (i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.number = i, .shared = shared};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
}

static void join_workers(struct worker *workers)
{
	uint32_t i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	for (i = 0; i < THREADS; i++)
		if (workers[i].complaint)
			fail_msg("thread %u: %s", i, workers[i].complaint);
}

/*
 * ---- Random operations: whatever happens, every entry is one that somebody inserted --------------
 */

#define TAGS 6U /* times two directions and three kinds: far more than fit */

struct chaos {
	struct shk_gate_bucket bucket;
	int stop;
};

/* The number of a SYN+ACK's or FIN's expectation follows from whose it is, so entries prove themselves. */
static uint32_t number_of(uint32_t tag, uint32_t dir)
{
	return (tag * 2 + dir + 1) * 0x01234567U;
}

static const char *check_entry(uint64_t entry)
{
	uint32_t tag = entry >> SHK_GATE_TAG_SHIFT, dir = entry >> SHK_GATE_DIR_SHIFT & 1;

	if (!entry)
		return NULL;
	if (tag < 1 || tag > TAGS)
		return "an entry has a tag that nobody inserted";
	switch (shk_gate_kind(entry)) {
	case SHK_EXPECT_FIRST:
		if (((uint32_t)entry & ~SHK_GATE_FIRST_MET) == SHK_GATE_FIRST)
			return NULL;
		return "a FIRST has a number";
	case SHK_EXPECT_ANSWER:
		return (uint32_t)entry == 0 ? NULL : "an ANSWER has a number";
	}
	return (uint32_t)entry == number_of(tag, dir) ? NULL : "an entry has the number of another one";
}

static void act(struct worker *w, struct prng *rng)
{
	static const uint16_t kinds[] = {SYN, SYN | ACK, FIN | ACK, RST, ACK, ACK, PSH | ACK, ACK};
	struct chaos *shared = w->shared;
	uint32_t tag = 1 + prng_below(rng, TAGS), op = prng_below(rng, COUNT_OF(kinds));
	struct shk_tuple t = {.dir = prng_below(rng, 2)};
	struct shk_segment seg = {
		.seq = number_of(tag, !t.dir) - 1,
		.ack = number_of(tag, t.dir),
		.tcp_flags = kinds[op],
		.payload_len = op == 6,
	};
	struct shk_gate_result res;
	uint32_t i;

	shk_gate_judge(&shared->bucket, (uint64_t)tag << SHK_GATE_TAG_SHIFT, &t, &seg,
		       prng_below(rng, SHK_HOOK_COUNT), prng_next(rng) >> 20, &res);
	w->calls += op == 1 ? 3 : op == 0 ? 2 : op < 4;
	w->inserted += res.inserted;
	w->displaced += res.displaced + res.first_displaced;
	w->passed += !!res.why;
	for (i = 0; i < SHK_GATE_WAYS && !w->complaint; i++)
		w->complaint = check_entry(shk_gate_load(&shared->bucket.entry[i]));
}

static void *act_until_stopped(void *arg)
{
	struct worker *w = arg;
	struct chaos *shared = w->shared;
	struct prng rng = {w->number + 1};

	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED) && !w->complaint)
		act(w, &rng);
	return NULL;
}

static void test_chaos(void **state)
{
	uint64_t calls = 0, inserted = 0, displaced = 0, passed = 0;
	struct worker workers[THREADS];
	struct timespec pause = {0};
	struct chaos shared = {0};
	uint32_t i;

	(void)state;
	pause.tv_sec = test_seconds();
	pause.tv_nsec = (test_seconds() - pause.tv_sec) * 1e9;
	run_workers(workers, act_until_stopped, &shared);
	nanosleep(&pause, NULL);
	__atomic_store_n(&shared.stop, 1, __ATOMIC_RELAXED);
	join_workers(workers);
	for (i = 0; i < THREADS; i++) {
		calls += workers[i].calls;
		inserted += workers[i].inserted;
		displaced += workers[i].displaced;
		passed += workers[i].passed;
	}
	print_message("%lu expectations, %lu inserted, %lu displaced; %lu segments passed\n", calls, inserted,
		      displaced, passed);
	/* What was not inserted counts as displaced, and only what was asked for can be. */
	assert_true(inserted <= calls);
	assert_true(inserted + displaced >= calls);
	assert_true(displaced <= calls);
	assert_true(displaced > 0 && passed > 0);
}

/*
 * ---- Rounds: one cause, then its ACK at several hooks at once ------------------------------------
 */

struct rounds {
	struct rig rig;
	pthread_barrier_t turn;
	int stop;
	uint32_t number;
	uint32_t got[THREADS];        /* why, at the hook of this thread */
	uint32_t got_shared[THREADS]; /* why, at the hook that all threads share */
};

/* With a rig of its own for its counters' sake; the bucket is the shared one. */
static void *ack_in_rounds(void *arg)
{
	struct worker *w = arg;
	struct rounds *r = w->shared;
	struct rig mine;

	rig_init_default(&mine);
	for (;;) {
		pthread_barrier_wait(&r->turn);
		if (r->stop)
			return NULL;
		struct shk_segment ack = {.seq = 1, .ack = r->number, .tcp_flags = ACK};

		r->got[w->number] = rig_judge_in(&r->rig.bucket, &mine, CLIENT, &ack, w->number);
		r->got_shared[w->number] = rig_judge_in(&r->rig.bucket, &mine, CLIENT, &ack, CAPTURE);
		pthread_barrier_wait(&r->turn);
	}
}

/* Every thread's own hook gets the ACK; of all threads at the shared hook exactly one does. */
static void check_round(const struct rounds *r)
{
	uint32_t i, together = 0, times = 0;

	for (i = 0; i < THREADS; i++) {
		assert_int_equal(r->got[i], ACKS_SYNACK | ANSWERS);
		together |= r->got_shared[i];
		times += !!(r->got_shared[i] & ACKS_SYNACK) + !!(r->got_shared[i] & ANSWERS);
	}
	assert_int_equal(together, ACKS_SYNACK | ANSWERS);
	assert_int_equal(times, 2);
}

static void test_rounds(void **state)
{
	struct worker workers[THREADS];
	struct timespec from, now;
	struct rounds r = {0};
	uint32_t round = 0;

	(void)state;
	rig_init_default(&r.rig);
	assert_int_equal(pthread_barrier_init(&r.turn, NULL, THREADS + 1), 0);
	run_workers(workers, ack_in_rounds, &r);
	clock_gettime(CLOCK_MONOTONIC, &from);
	do {
		rig_judge(&r.rig, SERVER, SYN | ACK, round, 1, 0, PRE);
		r.number = ++round;
		pthread_barrier_wait(&r.turn);
		pthread_barrier_wait(&r.turn);
		check_round(&r);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - from.tv_sec) + (now.tv_nsec - from.tv_nsec) / 1e9 < test_seconds());
	r.stop = 1;
	pthread_barrier_wait(&r.turn);
	join_workers(workers);
	pthread_barrier_destroy(&r.turn);
	print_message("%u rounds\n", round);
	assert_int_equal(r.rig.displaced, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chaos),
		cmocka_unit_test(test_rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
