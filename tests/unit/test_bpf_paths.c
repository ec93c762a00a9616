// SPDX-License-Identifier: GPL-2.0
/* Records that stand for a segment at several hooks; the slots are plain memory here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf_paths.h"

#define AT_NS 1000000000ULL

static struct {
	struct shk_event events[16];
	unsigned int streams[16];
	unsigned int n;
} seen;

static void collect(void *arg, unsigned int stream, const struct shk_event *ev)
{
	(void)arg;
	seen.streams[seen.n] = stream;
	seen.events[seen.n++] = *ev;
}

static struct shk_event path(uint32_t post, uint32_t pre, uint32_t in)
{
	struct shk_event ev = {.kind = SHK_EV_PATH, .where = SHK_HOOK_LOCAL_OUT, .ts_ns = AT_NS, .cpu = 1};

	ev.seg.seq = 7;
	ev.seg.sock_state = 2;
	ev.seg.synack_timeouts = 3;
	SHK_PATH_POST(&ev) = post;
	SHK_PATH_PRE(&ev) = pre;
	SHK_PATH_IN(&ev) = in;
	return ev;
}

static void expect_event(const struct shk_event *ev, enum shk_hook hook, uint64_t after_ns)
{
	assert_int_equal(ev->kind, SHK_EV_SEGMENT);
	assert_int_equal(ev->where, hook);
	assert_int_equal(ev->ts_ns, AT_NS + after_ns);
	assert_int_equal(ev->ifindex, SHK_PATH_IFINDEX);
	assert_int_equal(ev->seg.seq, 7);
	assert_int_equal(ev->seg.sock_state, hook == SHK_HOOK_LOCAL_OUT ? 2 : 0);
	assert_int_equal(ev->seg.synack_timeouts, hook == SHK_HOOK_LOCAL_OUT ? 3 : 0);
	assert_int_equal(ev->seg.reserved[0] | ev->seg.reserved[1], 0);
}

static void test_expand(void **state)
{
	struct shk_event events[4], p = path(1, 501, 2001);

	(void)state;
	assert_int_equal(shk_path_events(&p), 4);
	assert_int_equal(shk_bpf_path_expand(&p, events), 4);
	expect_event(&events[0], SHK_HOOK_LOCAL_OUT, 0);
	expect_event(&events[1], SHK_HOOK_POST_ROUTING, 0);
	expect_event(&events[2], SHK_HOOK_PRE_ROUTING, 500);
	expect_event(&events[3], SHK_HOOK_LOCAL_IN, 2000);

	p = path(0, 0, 0);
	assert_int_equal(shk_bpf_path_expand(&p, events), 1);
	expect_event(&events[0], SHK_HOOK_LOCAL_OUT, 0);
	p = path(0, 0, 9);
	assert_int_equal(shk_path_events(&p), 2);
	assert_int_equal(shk_bpf_path_expand(&p, events), 2);
	expect_event(&events[1], SHK_HOOK_LOCAL_IN, 8);
}

static void test_delta(void **state)
{
	const struct shk_event p = path(0, 0, 0);

	(void)state;
	assert_int_equal(shk_path_delta(&p, AT_NS), 1);
	assert_int_equal(shk_path_delta(&p, AT_NS + 41), 42);
	assert_int_equal(shk_path_delta(&p, AT_NS + 5000000000ULL), UINT32_MAX);
}

/* Only what has waited long enough, and is nobody else's; and the account follows. */
static void test_flush(void **state)
{
	size_t size = SHK_PATH_SLOTS * sizeof(struct shk_path_slot);
	int fd = memfd_create("slots", MFD_CLOEXEC);
	struct shk_account account = {.seen = 10, .delivered = 10, .read = 10};
	struct shk_path_slot *slots;
	struct shk_bpf_paths *p;
	struct shk_event full;

	(void)state;
	assert_int_equal(ftruncate(fd, size), 0);
	slots = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(slots, MAP_FAILED);
	p = shk_bpf_paths_new(fd, 2);
	assert_non_null(p);
	slots[3] = (struct shk_path_slot){.owner = 0x1000002, .ev = path(1, 2, 0)};
	slots[4] = (struct shk_path_slot){.owner = SHK_PATH_BUSY, .ev = path(1, 0, 0)};
	slots[5] = (struct shk_path_slot){.owner = SHK_PATH_FREE, .ev = path(1, 0, 0)};
	slots[SHK_PATH_SLOTS - 1] = (struct shk_path_slot){.owner = 2, .ev = path(0, 0, 0)};
	slots[SHK_PATH_SLOTS - 1].ev.ts_ns = AT_NS + 1;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(shk_bpf_paths_flush(p, AT_NS, NULL, NULL, collect, NULL), 0);
	assert_int_equal(shk_bpf_paths_flush(p, AT_NS + 1, NULL, NULL, collect, NULL), 1);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.streams[2], 1);
	expect_event(&seen.events[2], SHK_HOOK_PRE_ROUTING, 1);
	assert_int_equal(slots[3].owner, SHK_PATH_FREE);
	assert_int_equal(slots[4].owner, SHK_PATH_BUSY);
	assert_int_equal(slots[SHK_PATH_SLOTS - 1].owner, 2);
	assert_int_equal(shk_bpf_paths_flush(p, UINT64_MAX, NULL, NULL, collect, NULL), 1);
	assert_int_equal(shk_bpf_paths_flush(p, UINT64_MAX, NULL, NULL, collect, NULL), 0);

	/* One record of the ring, counted there as one event when it was read. */
	full = path(1, 1, 1);
	seen.n = 0;
	shk_bpf_paths_deliver(p, 1, &full, collect, NULL);
	assert_int_equal(seen.n, 4);
	full.kind = SHK_EV_SEGMENT;
	shk_bpf_paths_deliver(p, 1, &full, collect, NULL);
	assert_int_equal(seen.n, 5);
	shk_bpf_paths_account(p, 1, &account);
	assert_int_equal(account.seen, 10 + 4);
	assert_int_equal(account.delivered, 10 + 4 + 3);
	assert_int_equal(account.read, 10 + 4 + 3);
	shk_bpf_paths_account(p, 0, &account);
	assert_int_equal(account.seen, 14);

	shk_bpf_paths_free(p);
	shk_bpf_paths_free(NULL);
	munmap(slots, size);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_delta),
		cmocka_unit_test(test_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
