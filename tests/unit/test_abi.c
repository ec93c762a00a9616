// SPDX-License-Identifier: GPL-2.0
/*
 * The ABI header: what layout.h cannot say at compile time, and the numbers that may never change by
 * accident. layout.h itself is the larger part of this test: it is proved by compiling it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/netfilter.h>
#include <cmocka.h>

#include "layout.h"

/* asm-generic/ioctl.h: direction 2 bits, size 14, type 8, number 8. */
static const struct {
	unsigned long call;
	unsigned int direction;
	size_t size;
	unsigned long number; /* as in the first release: a change here needs another SHK_ABI */
} calls[] = {
	{SHK_IOC_INFO, _IOC_READ, sizeof(struct shk_info), 0x8040b900},
	{SHK_IOC_SETUP, _IOC_WRITE, sizeof(struct shk_setup), 0x4020b901},
	{SHK_IOC_FILTER, _IOC_WRITE, sizeof(struct shk_filter), 0x4010b902},
	{SHK_IOC_START, _IOC_NONE, 0, 0xb903},
	{SHK_IOC_STOP, _IOC_NONE, 0, 0xb904},
	{SHK_IOC_HOOKS, _IOC_WRITE, sizeof(uint32_t), 0x4004b905},
	{SHK_IOC_STATS, _IOC_READ | _IOC_WRITE, sizeof(struct shk_stats), 0xc038b906},
	{SHK_IOC_CONFLICTS, _IOC_WRITE, sizeof(struct shk_conflicts), 0x4048b907},
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void test_ioctls(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(calls); i++) {
		assert_int_equal(_IOC_TYPE(calls[i].call), SHK_IOC_MAGIC);
		assert_int_equal(_IOC_NR(calls[i].call), i);
		assert_int_equal(_IOC_DIR(calls[i].call), calls[i].direction);
		assert_int_equal(_IOC_SIZE(calls[i].call), calls[i].size);
#if defined(__x86_64__) || defined(__aarch64__)
		assert_int_equal(calls[i].call, calls[i].number);
#endif
	}
}

/* SHK_IOC_INFO is the first call of every reader, whatever ABI it speaks. */
static void test_info_never_changes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct shk_info), 64);
	assert_int_equal(offsetof(struct shk_info, abi), 0);
	assert_int_equal(offsetof(struct shk_info, version), 32);
}

/* All parts of all rings of 8192 CPUs: page aligned on every page size, 4 GiB apart, positive as off_t. */
static void test_mmap_offsets(void **state)
{
	static const unsigned int parts[] = {SHK_MMAP_META, SHK_MMAP_CONTROL, SHK_MMAP_DATA};
	uint64_t previous = 0;
	uint32_t cpu;
	size_t p;

	(void)state;
	for (cpu = 0; cpu < 8192; cpu++)
		for (p = 0; p < COUNT_OF(parts); p++) {
			uint64_t offset = SHK_MMAP_OFFSET(cpu, parts[p]);

			assert_int_equal(offset % 65536, 0);
			assert_true(offset <= INT64_MAX);
			assert_int_equal(offset >> 34, cpu);
			assert_int_equal(offset >> 32 & 3, parts[p]);
			assert_true((cpu == 0 && p == 0) || offset - previous >= 1ULL << 32);
			previous = offset;
		}
}

static void assert_only(const void *object, size_t size, size_t offset, uint8_t value)
{
	const uint8_t *octets = object;
	size_t i;

	for (i = 0; i < size; i++)
		assert_int_equal(octets[i], i == offset ? value : 0);
}

/* No padding anywhere: an initialiser clears every octet, so nothing of the stack leaves the kernel. */
static void test_initialisers_clear_everything(void **state)
{
	struct shk_event dirty, *ev = &dirty;
	struct shk_slot slot;

	(void)state;
	memset(&dirty, 0xa5, sizeof(dirty));
	*ev = (struct shk_event){.kind = SHK_EV_LOST};
	assert_only(ev, sizeof(*ev), offsetof(struct shk_event, kind), SHK_EV_LOST);

	memset(&slot, 0xa5, sizeof(slot));
	slot = (struct shk_slot){.ev.kind = SHK_EV_LOST};
	assert_only(&slot, sizeof(slot), offsetof(struct shk_slot, ev.kind), SHK_EV_LOST);
}

/* The members of the union all fill it, so whoever copies an event copies all of it. */
static void test_union_members_are_equal_in_size(void **state)
{
	struct shk_event ev;

	(void)state;
	assert_int_equal(sizeof(ev.seg), sizeof(ev) - offsetof(struct shk_event, seg));
	assert_int_equal(sizeof(ev.sock), sizeof(ev.seg));
	assert_int_equal(sizeof(ev.lost), sizeof(ev.seg));
	assert_int_equal(sizeof(ev.clock), sizeof(ev.seg));
}

static void test_hooks_are_those_of_netfilter(void **state)
{
	(void)state;
	assert_int_equal(SHK_HOOK_PRE_ROUTING, NF_INET_PRE_ROUTING);
	assert_int_equal(SHK_HOOK_LOCAL_IN, NF_INET_LOCAL_IN);
	assert_int_equal(SHK_HOOK_FORWARD, NF_INET_FORWARD);
	assert_int_equal(SHK_HOOK_LOCAL_OUT, NF_INET_LOCAL_OUT);
	assert_int_equal(SHK_HOOK_POST_ROUTING, NF_INET_POST_ROUTING);
	assert_int_equal(SHK_HOOKS_NETFILTER, (1U << NF_INET_NUMHOOKS) - 1);
}

/* One bit each, none of them twice. */
static void test_bits_are_distinct(void **state)
{
	static const uint32_t flags[] = {
		SHK_TCP_FIN, SHK_TCP_SYN, SHK_TCP_RST, SHK_TCP_PSH, SHK_TCP_ACK,
		SHK_TCP_URG, SHK_TCP_ECE, SHK_TCP_CWR, SHK_TCP_AE,  SHK_TCP_RESERVED,
	};
	static const uint32_t options[] = {
		SHK_OPT_MSS,
		SHK_OPT_WSCALE,
		SHK_OPT_SACK_PERMITTED,
		SHK_OPT_SACK,
		SHK_OPT_TIMESTAMPS,
		SHK_OPT_MD5,
		SHK_OPT_AO,
		SHK_OPT_MPTCP,
		SHK_OPT_TFO,
		SHK_OPT_TFO_EXPERIMENT,
		SHK_OPT_USER_TIMEOUT,
		SHK_OPT_ACCECN,
		SHK_OPT_UNKNOWN,
		SHK_OPT_DUPLICATE,
		SHK_OPT_TRUNCATED,
		SHK_OPT_MALFORMED,
	};
	static const uint32_t why[] = {
		SHK_WHY_CONTROL, SHK_WHY_ACKS_SYNACK, SHK_WHY_ACKS_FIN,
		SHK_WHY_ANSWERS, SHK_WHY_FIRST_DATA,  SHK_WHY_FIRST_ACK,
	};
	uint32_t seen;
	size_t i;

	(void)state;
	for (seen = 0, i = 0; i < COUNT_OF(flags); seen |= flags[i++])
		assert_int_equal(seen & flags[i], 0);
	assert_int_equal(seen, 0xfff);
	for (seen = 0, i = 0; i < COUNT_OF(options); seen |= options[i++])
		assert_int_equal(seen & options[i], 0);
	for (seen = 0, i = 0; i < COUNT_OF(why); seen |= why[i++])
		assert_int_equal(seen & why[i], 0);
	assert_true(seen <= UINT8_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ioctls),
		cmocka_unit_test(test_info_never_changes),
		cmocka_unit_test(test_mmap_offsets),
		cmocka_unit_test(test_initialisers_clear_everything),
		cmocka_unit_test(test_union_members_are_equal_in_size),
		cmocka_unit_test(test_hooks_are_those_of_netfilter),
		cmocka_unit_test(test_bits_are_distinct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
