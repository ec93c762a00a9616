// SPDX-License-Identifier: GPL-2.0
/*
 * The wire without a module, on the running kernel: real connections over loopback, in a network namespace
 * of this test. Takes root and a kernel with BPF netfilter programs; otherwise every test is skipped, and
 * says so.
 */
#include <errno.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "source_rig.h"

static void start(uint32_t hooks, uint32_t slots)
{
	start_source((struct shk_source_config){.hooks = hooks, .ring_slots = slots});
}

static unsigned int count(enum shk_hook hook, uint16_t flags)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < seen.n; i++)
		n += seen.events[i].where == hook && (seen.events[i].seg.tcp_flags & flags) == flags;
	return n;
}

static bool is_syn_at(const void *hook)
{
	return count(*(const enum shk_hook *)hook, SHK_TCP_SYN) > 0;
}

static void wait_for_syn(enum shk_hook hook)
{
	wait_until(is_syn_at, &hook, "a SYN");
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
	assert_int_equal(stop_source(), 0);
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
	assert_int_equal(stop_source(), 0);
	assert_int_equal(count(SHK_HOOK_LOCAL_OUT, 0) + count(SHK_HOOK_LOCAL_IN, 0), seen.n);
	assert_int_equal(count(SHK_HOOK_LOCAL_OUT, 0), count(SHK_HOOK_LOCAL_IN, 0));
	close_source(NULL);

	/* Without the first hook nothing waits for the last. */
	start(SHK_HOOK_BIT(SHK_HOOK_PRE_ROUTING) | SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN), 0);
	traffic(5);
	assert_int_equal(stop_source(), 0);
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
	wait_for_syn(SHK_HOOK_PRE_ROUTING);
	close(link);
	close(prog);
	close(fd);
	assert_int_equal(stop_source(), 0);
	assert_int_equal(count(SHK_HOOK_LOCAL_OUT, SHK_TCP_SYN), count(SHK_HOOK_PRE_ROUTING, SHK_TCP_SYN));
	assert_int_equal(count(SHK_HOOK_POST_ROUTING, SHK_TCP_SYN), count(SHK_HOOK_PRE_ROUTING, SHK_TCP_SYN));
	assert_int_equal(count(SHK_HOOK_LOCAL_IN, 0), 0);
	expect_in_order();
	close_source(NULL);

	start(0, 0);
	link = drop_at(SHK_HOOK_LOCAL_OUT, &prog);
	fd = knock();
	wait_for_syn(SHK_HOOK_LOCAL_OUT);
	close(link);
	close(prog);
	close(fd);
	assert_int_equal(stop_source(), 0);
	assert_int_equal(count(SHK_HOOK_LOCAL_OUT, 0), seen.n);
}

static void a_full_ring_loses_exactly_what_it_says(void **state)
{
	uint64_t lost;

	(void)state;
	start(0, 64);
	traffic(100);
	lost = stop_source();
	assert_true(lost > 0);
	/* What was seen at all is what the same traffic makes when there is room. */
	close_source(NULL);
	lost += seen.n;
	start(0, 0);
	traffic(100);
	assert_int_equal(stop_source(), 0);
	assert_int_equal(seen.n, lost);
}

/*
 * The verifier follows a million instructions at most, and an older or newer one may follow more of them than
 * this one: so there must be room.
 */
static void the_verifier_has_room_left(void **state)
{
	unsigned int ours = 0;
	uint32_t id = 0;

	(void)state;
	start(0, 0);
	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {0};
		uint32_t len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_prog_get_info_by_fd(fd, &info, &len) && !strncmp(info.name, "shk_", 4)) {
			assert_true(info.verified_insns < 400000);
			ours += info.verified_insns > 10000;
		}
		close(fd);
	}
	assert_true(ours);
	stop_source();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(every_segment_is_seen_at_four_hooks),
		SOURCE_TEST(only_the_hooks_asked_for),
		SOURCE_TEST(a_dropped_segment_shows_how_far_it_came),
		SOURCE_TEST(a_full_ring_loses_exactly_what_it_says),
		SOURCE_TEST(the_verifier_has_room_left),
	};

	try_source(shk_source_bpf_open);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
