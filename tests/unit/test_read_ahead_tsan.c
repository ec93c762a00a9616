// SPDX-License-Identifier: GPL-2.0
/*
 * A source that reads another ahead gives what the other gives, drain by drain, and leaves it alone once it
 * was stopped. Under ThreadSanitizer, for two threads have the blocks in turn.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "read_ahead.h"

#define STREAMS 3
#define LEFT    5 /* events that come yet after a stop */

/* Counts; no drain gives as many as the one before it. */
struct counter {
	struct shk_source base;
	uint64_t drains, events;
	uint64_t drains_max;
	int end; /* what the last drain gives, after some events if it is an error */
	bool stopped, closed;
};

static struct counter counter;

static int drain_size(uint64_t drain)
{
	return drain * 3001 % 2500;
}

static void give(int n, shk_source_fn *fn, void *arg)
{
	for (int i = 0; i < n; i++, counter.events++) {
		struct shk_event ev = {.ts_ns = counter.events, .seg.seq = counter.drains};

		fn(arg, counter.events % STREAMS, &ev);
	}
}

static int counter_start(struct shk_source *s, struct shk_error *err)
{
	(void)s;
	(void)err;
	return 0;
}

static int counter_stop(struct shk_source *s, struct shk_error *err)
{
	(void)s;
	(void)err;
	counter.stopped = true;
	return 0;
}

static int counter_drain(struct shk_source *s, shk_source_fn *fn, void *arg, struct shk_error *err)
{
	int n = counter.stopped ? LEFT : drain_size(counter.drains);

	(void)s;
	if (counter.drains == counter.drains_max) {
		if (counter.end != -ENODATA)
			give(LEFT, fn, arg);
		return shk_error_set(err, counter.end, "after %d drains", (int)counter.drains);
	}
	give(n, fn, arg);
	counter.drains++;
	if (counter.stopped)
		counter.drains_max = counter.drains;
	return n;
}

static int counter_account(struct shk_source *s, unsigned int stream, struct shk_account *account,
			   struct shk_error *err)
{
	(void)s;
	(void)stream;
	(void)err;
	*account = (struct shk_account){.seen = counter.events};
	return 0;
}

static uint64_t counter_position(const struct shk_source *s)
{
	(void)s;
	return counter.drains;
}

static void counter_close(struct shk_source *s)
{
	(void)s;
	counter.closed = true;
}

static const struct shk_source_ops counter_ops = {
	.name = "counter",
	.start = counter_start,
	.stop = counter_stop,
	.drain = counter_drain,
	.account = counter_account,
	.position = counter_position,
	.close = counter_close,
};

/* A started one over the counter, which ends with @end after @drains_max drains. */
static struct shk_source *start(uint64_t drains_max, int end)
{
	struct shk_error err = {0};
	struct shk_source *s;

	counter = (struct counter){
		.base = {.ops = &counter_ops, .poll_fd = -1, .streams = STREAMS},
		.drains_max = drains_max,
		.end = end,
	};
	s = shk_read_ahead_new(&counter.base);
	assert_non_null(s);
	assert_int_equal(s->streams, STREAMS);
	assert_int_equal(s->poll_fd, -1);
	assert_string_equal(s->ops->name, "counter");
	assert_int_equal(s->ops->start(s, &err), 0);
	return s;
}

struct seen {
	uint64_t drains, events;
};

static void see(void *arg, unsigned int stream, const struct shk_event *ev)
{
	struct seen *seen = arg;

	assert_int_equal(ev->ts_ns, seen->events);
	assert_int_equal(ev->seg.seq, seen->drains);
	assert_int_equal(stream, seen->events % STREAMS);
	seen->events++;
}

static void finish(struct shk_source *s)
{
	s->ops->close(s);
	assert_true(counter.closed);
}

static void gives_every_drain_as_it_was(void **state)
{
	struct shk_source *s = start(500, -ENODATA);
	struct shk_account account;
	struct shk_error err = {0};
	struct seen seen = {0};

	(void)state;
	for (; seen.drains < 500; seen.drains++) {
		assert_int_equal(s->ops->drain(s, see, &seen, &err), drain_size(seen.drains));
		assert_int_equal(s->ops->position(s), seen.drains + 1);
	}
	assert_int_equal(s->ops->drain(s, see, &seen, &err), -ENODATA);
	assert_int_equal(s->ops->stop(s, &err), 0);
	assert_int_equal(s->ops->drain(s, see, &seen, &err), -ENODATA);
	assert_int_equal(s->ops->account(s, 0, &account, &err), 0);
	assert_int_equal(account.seen, seen.events);
	finish(s);
}

static void tells_an_error_where_it_was(void **state)
{
	struct shk_source *s = start(7, -EIO);
	struct shk_error err = {0};
	struct seen seen = {0};

	(void)state;
	for (; seen.drains < 7; seen.drains++)
		assert_int_equal(s->ops->drain(s, see, &seen, &err), drain_size(seen.drains));
	assert_int_equal(s->ops->drain(s, see, &seen, &err), -EIO);
	assert_int_equal(err.code, -EIO);
	assert_string_equal(err.text, "after 7 drains");
	assert_int_equal(seen.events, counter.events);
	assert_int_equal(s->ops->drain(s, see, &seen, &err), -EIO);
	assert_int_equal(seen.events, counter.events);
	finish(s);
}

static void stops_with_all_that_was_read(void **state)
{
	(void)state;
	for (uint64_t drains = 0; drains < 50; drains++) {
		struct shk_source *s = start(UINT64_MAX, -ENODATA);
		struct shk_error err = {0};
		struct seen seen = {0};
		int n;

		for (; seen.drains < drains; seen.drains++)
			assert_int_equal(s->ops->drain(s, see, &seen, &err), drain_size(seen.drains));
		assert_int_equal(s->ops->stop(s, &err), 0);
		assert_true(counter.stopped); /* and from here on the counter is ours */
		assert_in_range(counter.drains, drains + 1, drains + 4);
		do {
			n = s->ops->drain(s, see, &seen, &err);
			seen.drains++;
		} while (n >= 0);
		assert_int_equal(n, -ENODATA);
		assert_int_equal(seen.events, counter.events);
		finish(s);
	}
}

static void may_be_closed_at_any_time(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct shk_source *s = start(UINT64_MAX, -ENODATA);
		struct shk_error err = {0};
		struct seen seen = {0};

		if (i % 2)
			s->ops->drain(s, see, &seen, &err);
		finish(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_every_drain_as_it_was),
		cmocka_unit_test(tells_an_error_where_it_was),
		cmocka_unit_test(stops_with_all_that_was_read),
		cmocka_unit_test(may_be_closed_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
