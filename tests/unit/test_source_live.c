// SPDX-License-Identifier: GPL-2.0
/*
 * Live capture on the running kernel: real connections over loopback, in a network namespace of this test.
 * Takes root; otherwise every test is skipped, and says so.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "self_test.h"
#include "source.h"

#define EVENTS_MAX 40000

static uint32_t own_netns;
static bool able;

static struct {
	struct shk_source *source;
	struct shk_event events[EVENTS_MAX];
	unsigned int n;
	uint64_t announced;
} seen;

static void collect(void *arg, unsigned int stream, const struct shk_event *ev)
{
	(void)arg;
	assert_int_equal(stream, 0);
	if (ev->kind == SHK_EV_LOST)
		seen.announced += ev->lost.count;
	else if (seen.n < EVENTS_MAX)
		seen.events[seen.n++] = *ev;
}

static void start(const char *interface, const char *filter, uint32_t slots)
{
	const struct shk_source_config config = {.netns = own_netns, .filter = filter, .ring_slots = slots};
	struct shk_error err = {0};

	if (!able)
		skip();
	seen.n = 0;
	seen.announced = 0;
	seen.source = shk_source_live_open(&config, interface, &err);
	if (!seen.source || seen.source->ops->start(seen.source, &err))
		fail_msg("%s", err.text);
}

/* All that the kernel has counted has been read or is lost, to the packet. Returns how many are lost. */
static uint64_t stop(void)
{
	struct shk_error err = {0};
	struct shk_account a;
	int n;

	assert_int_equal(seen.source->ops->stop(seen.source, &err), 0);
	do
		n = seen.source->ops->drain(seen.source, collect, NULL, &err);
	while (n > 0);
	assert_int_equal(n, 0);
	assert_int_equal(seen.source->ops->account(seen.source, 0, &a, &err), 0);
	assert_int_equal(a.seen, a.delivered + a.lost);
	assert_int_equal(a.read, a.delivered);
	assert_int_equal(a.read, seen.n);
	assert_int_equal(a.lost, seen.announced);
	return a.lost;
}

static int enter_namespace(void **state)
{
	struct shk_error err = {0};

	(void)state;
	return able ? shk_self_test_namespace(&own_netns, &err) : 0;
}

static int close_source(void **state)
{
	(void)state;
	if (seen.source)
		seen.source->ops->close(seen.source);
	seen.source = NULL;
	return 0;
}

static void traffic(unsigned int times)
{
	struct shk_error err = {0};

	while (times--)
		if (shk_self_test_traffic(&err))
			fail_msg("%s", err.text);
}

static unsigned int count(uint16_t flags)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < seen.n; i++)
		n += (seen.events[i].seg.tcp_flags & flags) == flags;
	return n;
}

static void every_segment_is_seen_once(void **state)
{
	(void)state;
	start(NULL, NULL, 0);
	traffic(50);
	assert_int_equal(stop(), 0);
	/*
	 * Two connections, one of them closed by a reset, and an attempt that is refused: 12 segments, and
	 * two with the first data.
	 */
	assert_int_equal(count(SHK_TCP_SYN), 5 * 50);
	assert_int_equal(count(SHK_TCP_RST), 2 * 50);
	assert_int_equal(count(SHK_TCP_FIN), 2 * 50);
	assert_int_equal(seen.n, 14 * 50);
	for (unsigned int i = 0; i < seen.n; i++) {
		assert_int_equal(seen.events[i].where, SHK_HOOK_CAPTURE);
		assert_int_equal(seen.events[i].netns, own_netns);
		if (i)
			assert_true(seen.events[i].ts_ns + 1000000 > seen.events[i - 1].ts_ns);
		if (seen.events[i].seg.tcp_flags & SHK_TCP_SYN)
			assert_true(seen.events[i].seg.options & SHK_OPT_MSS);
	}
}

static void interface_and_filter_choose(void **state)
{
	(void)state;
	start("lo", "tcp port 1", 0);
	traffic(5);
	assert_int_equal(stop(), 0);
	assert_int_equal(seen.n, 0);
	close_source(NULL);
	start("lo", "host 127.0.0.1", 0);
	traffic(5);
	assert_int_equal(stop(), 0);
	assert_int_equal(seen.n, 14 * 5);
}

static void a_full_ring_loses_exactly_what_it_says(void **state)
{
	(void)state;
	/* As small as it gets, which is not small: nobody reads while 20000 packets come. */
	start(NULL, NULL, 64);
	traffic(1500);
	assert_true(stop() > 0);
}

static void what_is_wrong_is_said(void **state)
{
	struct shk_source_config config = {.netns = own_netns};
	struct shk_error err = {0};

	(void)state;
	if (!able)
		skip();
	assert_null(shk_source_live_open(&config, "nosuch0", &err));
	assert_int_equal(err.code, -EINVAL);
	assert_non_null(strstr(err.text, "nosuch0"));
	config.filter = "tcp prt 80";
	assert_null(shk_source_live_open(&config, NULL, &err));
	assert_int_equal(err.code, -EINVAL);
	assert_non_null(strstr(err.text, "tcp prt 80"));
	config.netns = 7; /* right in form, but nobody has it */
	assert_null(shk_source_live_open(&config, NULL, &err));
	assert_non_null(strstr(err.text, "namespace 7"));
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, enter_namespace, close_source)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(every_segment_is_seen_once),
		LIVE_TEST(interface_and_filter_choose),
		LIVE_TEST(a_full_ring_loses_exactly_what_it_says),
		LIVE_TEST(what_is_wrong_is_said),
	};
	struct shk_error err = {0};

	able = !shk_self_test_namespace(&own_netns, &err);
	if (able) {
		const struct shk_source_config config = {.netns = own_netns};
		struct shk_source *s = shk_source_live_open(&config, NULL, &err);

		able = s;
		if (s)
			s->ops->close(s);
	}
	if (!able)
		fprintf(stderr, "# skipped: %s\n", err.text);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
