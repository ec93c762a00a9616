// SPDX-License-Identifier: GPL-2.0
/*
 * ring_core.h under ThreadSanitizer: threads take the part of nested writers, the main thread reads.
 *
 * True parallelism is more than nested hooks can do to one another. The ring is tiny, so that it is full
 * most of the time and both paths run: writing, and losing and announcing the loss. Every octet of an
 * event follows from its writer and its number, and every record that the reader finds is checked.
 *
 * Runs for SHK_TEST_SECONDS (3 if unset). Build with -fsanitize=thread; without, it is a test all the same.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "ring_rig.h"

#define WRITERS 4U
#define SLOTS   64U

struct writer {
	pthread_t thread;
	struct shk_ring ring;
	uint32_t number;
	const int *stop;
	uint64_t offered;
	uint64_t written;
};

static void *write_until_stopped(void *arg)
{
	struct writer *w = arg;

	while (!__atomic_load_n(w->stop, __ATOMIC_RELAXED)) {
		struct shk_event ev = rig_event(w->number, w->offered++);

		if (shk_ring_put(&w->ring, &ev))
			w->written++;
		else if (w->offered % 64 == 0)
			sched_yield();
	}
	return NULL;
}

static double seconds_since(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - from->tv_sec) + (now.tv_nsec - from->tv_nsec) / 1e9;
}

/* Reads in portions of changing size, so that now the reader waits and now the writers lose. */
static void read_for(struct rig *rig, double seconds)
{
	struct timespec from;
	uint64_t portion = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	while (seconds_since(&from) < seconds) {
		portion = portion % (2 * SLOTS) + 1;
		if (rig_read(rig, portion) < portion)
			sched_yield();
	}
}

static void test_writers_and_reader(void **state)
{
	const char *wanted = getenv("SHK_TEST_SECONDS");
	uint64_t offered = 0, written = 0;
	struct writer writers[WRITERS];
	int stop = 0;
	struct rig rig;
	uint32_t i;

	(void)state;
	rig_open(&rig, SLOTS);
	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.ring = rig.ring, .number = i, .stop = &stop};
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_until_stopped, &writers[i]),
				 0);
	}
	read_for(&rig, wanted ? atof(wanted) : 3);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < WRITERS; i++) {
		assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
		offered += writers[i].offered;
		written += writers[i].written;
	}
	rig_read(&rig, UINT64_MAX);

	rig_check_account(&rig);
	assert_int_equal(rig.ring.meta->seen, offered);
	assert_int_equal(rig.account.events, written);
	print_message("%lu offered, %lu read, %lu lost in %lu notes\n", offered, written,
		      (unsigned long)rig.ring.meta->lost, rig.account.notes);
	/* Otherwise the test has not tested what it is for. */
	assert_true(written > 1000);
	assert_true(rig.ring.meta->lost > 1000);
	assert_true(rig.account.notes > 100);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writers_and_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
