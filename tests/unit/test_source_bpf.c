// SPDX-License-Identifier: GPL-2.0
/*
 * The wire without a module, on the running kernel: real connections over loopback, in a network namespace
 * of this test. Takes root and a kernel with BPF netfilter programs; otherwise every test is skipped, and
 * says so.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "self_test.h"
#include "source.h"

#define EVENTS_MAX 40000
#define PATIENCE_S 20

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
	(void)arg, (void)stream;
	if (ev->kind == SHK_EV_LOST)
		seen.announced += ev->lost.count;
	else if (seen.n < EVENTS_MAX)
		seen.events[seen.n++] = *ev;
}

static void drain(void)
{
	struct shk_error err = {0};
	int n;

	do
		n = seen.source->ops->drain(seen.source, collect, NULL, &err);
	while (n > 0);
	if (n < 0)
		fail_msg("drain: %s", err.text);
}

static void start(uint32_t hooks, uint32_t slots)
{
	const struct shk_source_config config = {.netns = own_netns, .hooks = hooks, .ring_slots = slots};
	struct shk_error err = {0};

	if (!able)
		skip();
	seen.n = 0;
	seen.announced = 0;
	seen.source = shk_source_bpf_open(&config, &err);
	if (!seen.source || seen.source->ops->start(seen.source, &err))
		fail_msg("%s", err.text);
}

/* Stops; what every stream says of itself must come to nothing. Returns how many were lost. */
static uint64_t stop(void)
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

static unsigned int count(enum shk_hook hook, uint16_t flags)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < seen.n; i++)
		n += seen.events[i].where == hook && (seen.events[i].seg.tcp_flags & flags) == flags;
	return n;
}

static void wait_for(enum shk_hook hook, uint16_t flags, unsigned int wanted)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PATIENCE_S;
	for (;;) {
		drain();
		if (count(hook, flags) >= wanted)
			return;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= end.tv_sec)
			fail_msg("%u of %u segments at hook %d", count(hook, flags), wanted, hook);
		poll(NULL, 0, 2);
	}
}

/* Every later stamp belongs to a segment that was seen to leave, and comes after it. */
static void expect_in_order(void)
{
	static const uint8_t order[] = {[SHK_HOOK_LOCAL_OUT] = 0,
					[SHK_HOOK_POST_ROUTING] = 1,
					[SHK_HOOK_PRE_ROUTING] = 2,
					[SHK_HOOK_LOCAL_IN] = 3};

	for (unsigned int i = 0; i < seen.n; i++) {
		const struct shk_event *ev = &seen.events[i], *first = NULL;

		for (unsigned int j = 0; j < seen.n; j++)
			if (seen.events[j].where == SHK_HOOK_LOCAL_OUT && seen.events[j].sport == ev->sport &&
			    seen.events[j].dport == ev->dport && seen.events[j].seg.seq == ev->seg.seq &&
			    seen.events[j].seg.tcp_flags == ev->seg.tcp_flags)
				first = &seen.events[j];
		assert_non_null(first);
		assert_true(ev->ts_ns >= first->ts_ns);
		assert_int_equal(ev->kind, SHK_EV_SEGMENT);
		assert_int_equal(ev->ifindex, 1);
		assert_int_equal(ev->netns, own_netns);
		assert_int_equal(ev->seg.options, first->seg.options);
		assert_int_equal(ev->seg.reserved[0] | ev->seg.reserved[1], 0);
		if (order[ev->where])
			assert_int_equal(ev->seg.sock_state, 0);
	}
}

static void every_segment_is_seen_at_four_hooks(void **state)
{
	(void)state;
	start(0, 0);
	traffic(50);
	assert_int_equal(stop(), 0);
	/* Two connections and an attempt that is refused */
	assert_int_equal(count(SHK_HOOK_LOCAL_OUT, SHK_TCP_SYN), 5 * 50);
	assert_true(count(SHK_HOOK_LOCAL_OUT, 0) >= 12 * 50);
	assert_int_equal(count(SHK_HOOK_POST_ROUTING, 0), count(SHK_HOOK_LOCAL_OUT, 0));
	assert_int_equal(count(SHK_HOOK_PRE_ROUTING, 0), count(SHK_HOOK_LOCAL_OUT, 0));
	assert_int_equal(count(SHK_HOOK_LOCAL_IN, 0), count(SHK_HOOK_LOCAL_OUT, 0));
	expect_in_order();
}

static void only_the_hooks_asked_for(void **state)
{
	(void)state;
	start(SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT) | SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN), 0);
	traffic(5);
	assert_int_equal(stop(), 0);
	assert_int_equal(count(SHK_HOOK_LOCAL_OUT, 0) + count(SHK_HOOK_LOCAL_IN, 0), seen.n);
	assert_int_equal(count(SHK_HOOK_LOCAL_OUT, 0), count(SHK_HOOK_LOCAL_IN, 0));
	close_source(NULL);

	/* Without the first hook nothing waits for the last. */
	start(SHK_HOOK_BIT(SHK_HOOK_PRE_ROUTING) | SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN), 0);
	traffic(5);
	assert_int_equal(stop(), 0);
	assert_int_equal(count(SHK_HOOK_PRE_ROUTING, SHK_TCP_SYN), 5 * 5);
	assert_int_equal(count(SHK_HOOK_PRE_ROUTING, 0), count(SHK_HOOK_LOCAL_IN, 0));
	assert_int_equal(count(SHK_HOOK_PRE_ROUTING, 0) * 2, seen.n);
}

/* A firewall of two instructions, in this namespace, that drops whatever comes to a hook. */
static int drop_at(enum shk_hook hook, int *prog)
{
	const struct bpf_insn drop[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 /* NF_DROP */},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, load);
	LIBBPF_OPTS(bpf_link_create_opts, link, .netfilter.pf = AF_INET, .netfilter.hooknum = hook);
	enum bpf_prog_type type;
	int fd;

	/* By name: <linux/bpf.h> of Debian 12 is older than these. */
	assert_int_equal(libbpf_prog_type_by_name("netfilter", &type, &load.expected_attach_type), 0);
	*prog = bpf_prog_load(type, "drop", "GPL", drop, 2, &load);
	assert_true(*prog >= 0);
	fd = bpf_link_create(*prog, 0, load.expected_attach_type, &link);
	assert_true(fd >= 0);
	return fd;
}

/* A SYN that is on its way for ever; the descriptor ends it. */
static int knock(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(7), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), -1);
	assert_true(errno == EINPROGRESS || errno == EPERM);
	return fd;
}

static void a_dropped_segment_shows_how_far_it_came(void **state)
{
	int prog, link, fd;

	(void)state;
	start(0, 0);
	link = drop_at(SHK_HOOK_LOCAL_IN, &prog);
	fd = knock();
	/* Nothing else happens that could push it out. */
	wait_for(SHK_HOOK_PRE_ROUTING, SHK_TCP_SYN, 1);
	close(link);
	close(prog);
	close(fd);
	assert_int_equal(stop(), 0);
	assert_int_equal(count(SHK_HOOK_LOCAL_OUT, SHK_TCP_SYN), count(SHK_HOOK_PRE_ROUTING, SHK_TCP_SYN));
	assert_int_equal(count(SHK_HOOK_POST_ROUTING, SHK_TCP_SYN), count(SHK_HOOK_PRE_ROUTING, SHK_TCP_SYN));
	assert_int_equal(count(SHK_HOOK_LOCAL_IN, 0), 0);
	expect_in_order();
	close_source(NULL);

	start(0, 0);
	link = drop_at(SHK_HOOK_LOCAL_OUT, &prog);
	fd = knock();
	wait_for(SHK_HOOK_LOCAL_OUT, SHK_TCP_SYN, 1);
	close(link);
	close(prog);
	close(fd);
	assert_int_equal(stop(), 0);
	assert_int_equal(count(SHK_HOOK_LOCAL_OUT, 0), seen.n);
}

static void a_full_ring_loses_exactly_what_it_says(void **state)
{
	uint64_t lost;

	(void)state;
	start(0, 64);
	traffic(100);
	lost = stop();
	assert_true(lost > 0);
	/* What was seen at all is what the same traffic makes when there is room. */
	close_source(NULL);
	lost += seen.n;
	start(0, 0);
	traffic(100);
	assert_int_equal(stop(), 0);
	assert_int_equal(seen.n, lost);
}

#define WIRE_TEST(name) cmocka_unit_test_setup_teardown(name, enter_namespace, close_source)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(every_segment_is_seen_at_four_hooks),
		WIRE_TEST(only_the_hooks_asked_for),
		WIRE_TEST(a_dropped_segment_shows_how_far_it_came),
		WIRE_TEST(a_full_ring_loses_exactly_what_it_says),
	};
	struct shk_error err = {0};

	able = !shk_self_test_namespace(&own_netns, &err);
	if (able) {
		const struct shk_source_config config = {.netns = own_netns};
		struct shk_source *s = shk_source_bpf_open(&config, &err);

		able = s;
		if (s)
			s->ops->close(s);
	}
	if (!able)
		fprintf(stderr, "# skipped: %s\n", err.text);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
