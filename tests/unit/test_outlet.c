// SPDX-License-Identifier: GPL-2.0
/* The outlet with the real engine, and a tap that writes down what it hears. */
#include <errno.h>

#include "outlet.h"
#include "pipeline_rig.h"

#define HEARD_MAX 32

struct noting_tap {
	struct shk_tap base;
	char heard[HEARD_MAX + 1]; /* b(egin), e(vent), E(vent that was late), a(dvance), z: the end */
	unsigned int n;
	unsigned int fail_at;               /* the call that fails; 0: none */
	unsigned int closed_before_advance; /* what the sink knew then */
	const struct noting_sink *sink;
	struct shk_summary counts;
	uint64_t end_ns;
};

static int heard(struct shk_tap *base, char what, struct shk_error *err)
{
	struct noting_tap *t = (struct noting_tap *)base;

	assert_true(t->n < HEARD_MAX);
	t->heard[t->n++] = what;
	return t->n == t->fail_at ? shk_error_set(err, -ENOSPC, "no room") : 0;
}

static int tap_begin(struct shk_tap *t, const struct shk_header *header,
		     const struct shk_engine_config *engine, struct shk_error *err)
{
	assert_string_equal(header->sources[0], "memory");
	assert_int_equal(header->real_offset_ns, 77);
	assert_int_equal(engine->linger_ns, 100 * MS);
	return heard(t, 'b', err);
}

static int tap_event(struct shk_tap *t, unsigned int source, const struct shk_event *ev, bool late,
		     struct shk_error *err)
{
	assert_int_equal(source, 0);
	assert_int_not_equal(ev->kind, SHK_EV_NONE);
	return heard(t, late ? 'E' : 'e', err);
}

static int tap_advance(struct shk_tap *base, uint64_t now_ns, struct shk_error *err)
{
	struct noting_tap *t = (struct noting_tap *)base;

	assert_true(now_ns > 0);
	if (t->sink)
		t->closed_before_advance = t->sink->n_closed;
	return heard(base, 'a', err);
}

static int tap_end(struct shk_tap *base, uint64_t now_ns, const struct shk_summary *counts,
		   struct shk_error *err)
{
	struct noting_tap *t = (struct noting_tap *)base;

	t->counts = *counts;
	t->end_ns = now_ns;
	return heard(base, 'z', err);
}

static const struct shk_tap_ops tap_ops = {
	.begin = tap_begin,
	.event = tap_event,
	.advance = tap_advance,
	.end = tap_end,
};

struct outlet_rig {
	struct rig *rig; /* for its sink and its events */
	struct noting_tap tap;
	struct shk_outlet *outlet;
	struct shk_error err;
};

static int setup(void **state)
{
	struct outlet_rig *r = calloc(1, sizeof(*r));

	if (!r || rig_setup((void **)&r->rig))
		return -1;
	r->tap.base.ops = &tap_ops;
	r->rig->config.outlet.tap = &r->tap.base;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct outlet_rig *r = *state;

	shk_outlet_free(r->outlet);
	rig_teardown((void **)&r->rig);
	free(r);
	return 0;
}

static void begin(struct outlet_rig *r)
{
	r->outlet = shk_outlet_new(&r->rig->config.outlet);
	assert_non_null(r->outlet);
	assert_int_equal(shk_outlet_start(r->outlet, 77, &r->err), 0);
	add_refused(&r->rig->source, 1000 * MS, 40000);
}

static void feed(struct outlet_rig *r, unsigned int i, bool late)
{
	shk_outlet_feed(r->outlet, 0, &r->rig->source.events[i], late);
}

static void test_tap_hears_what_the_engine_is_told(void **state)
{
	const struct shk_summary counts = {.seen = 3, .delivered = 2, .lost = 1, .late = 1};
	struct outlet_rig *r = *state;

	r->tap.sink = &r->rig->sink;
	begin(r);
	feed(r, 0, false);
	feed(r, 1, true);
	shk_outlet_advance(r->outlet, 2000 * MS);
	assert_int_equal(shk_outlet_finish(r->outlet, 3000 * MS, &counts, &r->err), 0);
	assert_string_equal(r->tap.heard, "beEaz");
	/* The engine had its call before: the linger of the refused one was over. */
	assert_int_equal(r->tap.closed_before_advance, 1);
	assert_memory_equal(&r->tap.counts, &counts, sizeof(counts));
	assert_int_equal(r->tap.end_ns, 3000 * MS);
	assert_int_equal(r->rig->sink.summary.seen, 3);
	assert_int_equal(r->rig->sink.summary.connections, 1);
	assert_int_equal(shk_outlet_fed(r->outlet), 2);
}

static void test_without_a_sink_the_tap_still_hears(void **state)
{
	const struct shk_summary counts = {0};
	struct outlet_rig *r = *state;

	r->rig->config.outlet.sink = NULL;
	begin(r);
	feed(r, 0, false);
	shk_outlet_advance(r->outlet, 2000 * MS);
	assert_false(shk_outlet_unflushed(r->outlet));
	assert_int_equal(shk_outlet_finish(r->outlet, 3000 * MS, &counts, &r->err), 0);
	assert_string_equal(r->tap.heard, "beaz");
	assert_int_equal(r->rig->sink.calls, 0);
}

static void test_tap_that_fails_ends_the_run_and_is_closed(void **state)
{
	const struct shk_summary counts = {0};
	struct outlet_rig *r = *state;

	r->tap.fail_at = 2;
	begin(r);
	assert_false(shk_outlet_ended(r->outlet));
	feed(r, 0, false);
	assert_true(shk_outlet_ended(r->outlet));
	feed(r, 1, false);
	shk_outlet_advance(r->outlet, 2000 * MS);
	assert_int_equal(shk_outlet_finish(r->outlet, 3000 * MS, &counts, &r->err), -ENOSPC);
	assert_string_equal(r->err.text, "no room");
	assert_string_equal(r->tap.heard, "bez");
	/* What the engine was told is shown all the same. */
	assert_int_equal(r->rig->sink.n_closed, 1);
	assert_int_equal(r->rig->sink.n_summary, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tap_hears_what_the_engine_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_sink_the_tap_still_hears, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tap_that_fails_ends_the_run_and_is_closed, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
