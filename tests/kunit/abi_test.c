// SPDX-License-Identifier: GPL-2.0
/* The ABI as the kernel's compiler lays it out, and the kernel's own numbers that it borrows. */
#include <kunit/test.h>
#include <linux/netfilter.h>
#include <linux/tcp.h>
#include <net/tcp_states.h>

#include "layout.h"
#include "ring.h"

static const struct abi_call_case {
	const char *name;
	unsigned int number;
	/* expected */
	unsigned int direction;
	unsigned int size;
	unsigned int value;
} abi_call_cases[] = {
	{"info", SHK_IOC_INFO, _IOC_READ, sizeof(struct shk_info), 0x8040b900},
	{"setup", SHK_IOC_SETUP, _IOC_WRITE, sizeof(struct shk_setup), 0x4020b901},
	{"filter", SHK_IOC_FILTER, _IOC_WRITE, sizeof(struct shk_filter), 0x4010b902},
	{"start", SHK_IOC_START, _IOC_NONE, 0, 0xb903},
	{"stop", SHK_IOC_STOP, _IOC_NONE, 0, 0xb904},
	{"hooks", SHK_IOC_HOOKS, _IOC_WRITE, sizeof(u32), 0x4004b905},
	{"stats", SHK_IOC_STATS, _IOC_READ | _IOC_WRITE, sizeof(struct shk_stats), 0xc038b906},
	{"conflicts", SHK_IOC_CONFLICTS, _IOC_WRITE, sizeof(struct shk_conflicts), 0x4048b907},
};

KUNIT_ARRAY_PARAM_DESC(abi_call, abi_call_cases, name);

static void abi_call_keeps_its_number(struct kunit *test)
{
	const struct abi_call_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, _IOC_TYPE(c->number), SHK_IOC_MAGIC);
	KUNIT_EXPECT_EQ(test, _IOC_NR(c->number), c - abi_call_cases);
	KUNIT_EXPECT_EQ(test, _IOC_DIR(c->number), c->direction);
	KUNIT_EXPECT_EQ(test, _IOC_SIZE(c->number), c->size);
	KUNIT_EXPECT_EQ(test, c->number, c->value);
}

/* layout.h proves offsets and sizes while it compiles; this is for those who read results, not logs. */
static void abi_records_have_their_size(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, sizeof(struct shk_event), 120);
	KUNIT_EXPECT_EQ(test, sizeof(struct shk_slot), 128);
	KUNIT_EXPECT_EQ(test, sizeof(struct shk_segment), 64);
	KUNIT_EXPECT_EQ(test, sizeof(struct shk_socket), 64);
	KUNIT_EXPECT_EQ(test, sizeof(struct shk_ring_meta), 128);
	KUNIT_EXPECT_EQ(test, sizeof(struct shk_ring_control), 64);
	KUNIT_EXPECT_EQ(test, sizeof(struct shk_info), 64);
	/* Two records never share a slot's page boundary. */
	KUNIT_EXPECT_EQ(test, PAGE_SIZE % sizeof(struct shk_slot), 0);
}

static void abi_hooks_are_those_of_netfilter(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, (int)SHK_HOOK_PRE_ROUTING, (int)NF_INET_PRE_ROUTING);
	KUNIT_EXPECT_EQ(test, (int)SHK_HOOK_LOCAL_IN, (int)NF_INET_LOCAL_IN);
	KUNIT_EXPECT_EQ(test, (int)SHK_HOOK_FORWARD, (int)NF_INET_FORWARD);
	KUNIT_EXPECT_EQ(test, (int)SHK_HOOK_LOCAL_OUT, (int)NF_INET_LOCAL_OUT);
	KUNIT_EXPECT_EQ(test, (int)SHK_HOOK_POST_ROUTING, (int)NF_INET_POST_ROUTING);
	KUNIT_EXPECT_EQ(test, SHK_HOOKS_NETFILTER, (1U << NF_INET_NUMHOOKS) - 1);
}

/* The flags of the event are the octets of the header, read as a number. */
static void abi_flags_are_those_of_the_header(struct kunit *test)
{
	const struct tcphdr fin = {.fin = 1}, syn = {.syn = 1}, rst = {.rst = 1}, ack = {.ack = 1};
	const struct tcphdr ece = {.ece = 1}, cwr = {.cwr = 1}, psh = {.psh = 1}, urg = {.urg = 1};

	KUNIT_EXPECT_EQ(test, ((const u8 *)&fin)[13], SHK_TCP_FIN);
	KUNIT_EXPECT_EQ(test, ((const u8 *)&syn)[13], SHK_TCP_SYN);
	KUNIT_EXPECT_EQ(test, ((const u8 *)&rst)[13], SHK_TCP_RST);
	KUNIT_EXPECT_EQ(test, ((const u8 *)&psh)[13], SHK_TCP_PSH);
	KUNIT_EXPECT_EQ(test, ((const u8 *)&ack)[13], SHK_TCP_ACK);
	KUNIT_EXPECT_EQ(test, ((const u8 *)&urg)[13], SHK_TCP_URG);
	KUNIT_EXPECT_EQ(test, ((const u8 *)&ece)[13], SHK_TCP_ECE);
	KUNIT_EXPECT_EQ(test, ((const u8 *)&cwr)[13], SHK_TCP_CWR);
}

/* The manual of shk_segment and shk_socket names these states by number. */
static void abi_states_are_those_of_the_kernel(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, (int)TCP_FIN_WAIT2, 5);
	KUNIT_EXPECT_EQ(test, (int)TCP_TIME_WAIT, 6);
	KUNIT_EXPECT_EQ(test, (int)TCP_CLOSE, 7);
	KUNIT_EXPECT_EQ(test, (int)TCP_NEW_SYN_RECV, 12);
}

/* Every part of every ring has an offset of its own, page aligned and positive as a signed number. */
static void abi_offsets_of_parts_differ(struct kunit *test)
{
	u64 offset, last = 0;
	unsigned int cpu, part;

	for (cpu = 0; cpu < 8192; cpu++) {
		for (part = SHK_MMAP_META; part <= SHK_MMAP_DATA; part++) {
			offset = SHK_MMAP_OFFSET(cpu, part);
			KUNIT_ASSERT_EQ(test, offset % PAGE_SIZE, 0);
			KUNIT_ASSERT_GE(test, (s64)offset, 0);
			if (cpu || part)
				KUNIT_ASSERT_GE(test, offset - last,
						SHK_RING_SLOTS_MAX * sizeof(struct shk_slot));
			last = offset;
		}
	}
}

static struct kunit_case abi_cases[] = {KUNIT_CASE_PARAM(abi_call_keeps_its_number, abi_call_gen_params),
					KUNIT_CASE(abi_records_have_their_size),
					KUNIT_CASE(abi_hooks_are_those_of_netfilter),
					KUNIT_CASE(abi_flags_are_those_of_the_header),
					KUNIT_CASE(abi_states_are_those_of_the_kernel),
					KUNIT_CASE(abi_offsets_of_parts_differ),
					{}};

static struct kunit_suite abi_suite = {
	.name = "tcpshake_abi",
	.test_cases = abi_cases,
};

kunit_test_suite(abi_suite);
