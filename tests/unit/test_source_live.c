// SPDX-License-Identifier: GPL-2.0
/*
 * Live capture on the running kernel: real connections over loopback, in a network namespace of this test.
 * Takes root; otherwise every test is skipped, and says so.
 */
#include <errno.h>
#include <string.h>

#include "source_rig.h"

static const char *interface; /* NULL: all */

static struct shk_source *open_live(const struct shk_source_config *config, struct shk_error *err)
{
	return shk_source_live_open(config, interface, err);
}

static void start(const char *on, const char *filter, uint32_t slots)
{
	interface = on;
	start_source((struct shk_source_config){.filter = filter, .ring_slots = slots});
	assert_int_equal(seen.source->streams, 1);
}

/* Here what is lost is announced to the packet. */
static uint64_t stop(void)
{
	uint64_t lost = stop_source();

	assert_int_equal(lost, seen.announced);
	return lost;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(every_segment_is_seen_once),
		SOURCE_TEST(interface_and_filter_choose),
		SOURCE_TEST(a_full_ring_loses_exactly_what_it_says),
		SOURCE_TEST(what_is_wrong_is_said),
	};

	try_source(open_live);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
