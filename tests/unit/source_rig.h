/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the live sources share: a source on the running kernel, in a network namespace of the
 * test, and the events that it has delivered. Takes root and a kernel that has what the source needs;
 * otherwise every test is skipped, and says so.
 */
#ifndef TEST_SOURCE_RIG_H
#define TEST_SOURCE_RIG_H

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "self_test.h"
#include "source.h"

#define EVENTS_MAX 40000
#define PATIENCE_S 20

typedef struct shk_source *open_source_fn(const struct shk_source_config *config, struct shk_error *err);

static open_source_fn *open_source;
static uint32_t own_netns;
static bool able;

static struct {
	struct shk_source *source;
	struct shk_event events[EVENTS_MAX];
	unsigned int n;
	uint64_t announced;	/* sum of SHK_EV_LOST */
} seen;

static inline void collect(void *arg, unsigned int stream, const struct shk_event *ev)
{
	(void)arg;
	assert_true(stream < seen.source->streams);
	if (ev->kind == SHK_EV_LOST)
		seen.announced += ev->lost.count;
	else if (seen.n < EVENTS_MAX)
		seen.events[seen.n++] = *ev;
}

static inline void drain(void)
{
	struct shk_error err = {0};
	int n;

	do
		n = seen.source->ops->drain(seen.source, collect, NULL, &err);
	while (n > 0);
	if (n < 0)
		fail_msg("drain: %s", err.text);
}

/* Opens and starts the source in the test's namespace, whatever else @config says. */
static inline void start_source(struct shk_source_config config)
{
	struct shk_error err = {0};

	if (!able)
		skip();
	if (!config.netns)
		config.netns = own_netns;
	seen.n = 0;
	seen.announced = 0;
	seen.source = open_source(&config, &err);
	if (!seen.source || seen.source->ops->start(seen.source, &err))
		fail_msg("%s", err.text);
}

/* Stops; what every stream says of itself must come to nothing. Returns how many were lost. */
static inline uint64_t stop_source(void)
{
	struct shk_error err = {0};
	struct shk_account a;
	uint64_t read = 0, lost = 0;

	assert_int_equal(seen.source->ops->stop(seen.source, &err), 0);
	drain();
	for (unsigned int i = 0; i < seen.source->streams; i++) {
		assert_int_equal(seen.source->ops->account(seen.source, i, &a, &err), 0);
		assert_int_equal(a.seen, a.delivered + a.lost);
		assert_int_equal(a.read, a.delivered);
		read += a.read;
		lost += a.lost;
	}
	assert_int_equal(read, seen.n);
	assert_true(seen.announced <= lost);
	return lost;
}

static inline void traffic(unsigned int times)
{
	struct shk_error err = {0};

	while (times--)
		if (shk_self_test_traffic(&err))
			fail_msg("%s", err.text);
}

/* Drains until @is_there says so of what has come; @what for who reads that it never did. */
static inline void wait_until(bool (*is_there)(const void *arg), const void *arg, const char *what)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PATIENCE_S;
	for (;;) {
		drain();
		if (is_there(arg))
			return;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= end.tv_sec)
			fail_msg("%s did not come, %u events did", what, seen.n);
		poll(NULL, 0, 2);
	}
}

/* What earlier tests left in TIME-WAIT stays behind in their namespaces. */
static inline int enter_namespace(void **state)
{
	struct shk_error err = {0};

	(void)state;
	return able ? shk_self_test_namespace(&own_netns, &err) : 0;
}

static inline int close_source(void **state)
{
	(void)state;
	if (seen.source)
		seen.source->ops->close(seen.source);
	seen.source = NULL;
	return 0;
}

#define SOURCE_TEST(name) cmocka_unit_test_setup_teardown(name, enter_namespace, close_source)

/* To be called by main() before the tests: is there such a source on this host? */
static inline void try_source(open_source_fn *open)
{
	struct shk_error err = {0};

	open_source = open;
	able = !shk_self_test_namespace(&own_netns, &err);
	if (able) {
		const struct shk_source_config config = { .netns = own_netns };
		struct shk_source *s = open_source(&config, &err);

		able = s;
		if (s)
			s->ops->close(s);
	}
	if (!able)
		fprintf(stderr, "# skipped: %s\n", err.text);
}

#endif /* TEST_SOURCE_RIG_H */
