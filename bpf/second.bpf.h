/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second instance of a program, for the calls that the first is passed over for: a part of
 * socket.bpf.c.
 *
 * The kernel does not run a tracing program that is running on this CPU already; it counts that
 * (recursion_misses in struct bpf_prog_info). Softirq interrupts a task in the midst of the program, and
 * since tracepoints can be preempted (7.0) so does another task: whatever these do with other sockets
 * would go untold. So the program is attached twice, and each call goes to the first and then to the
 * second, in the order of their attaching. The first leaves a mark; the second takes it away, or does
 * the work if there is none. What interrupts the first finds the second free, and what interrupts the
 * second has had the first: only what comes third is lost.
 *
 * A mark is the socket's cookie and the state it goes to, in a place that the cookie chooses. The socket
 * is locked from the first to the second, so nobody moves it on. What comes while the second runs on
 * this CPU leaves none, for its own second is passed over. A place has room for two: a mark that nobody
 * took away, for its second was passed over after all, does not keep others from theirs. If two more
 * came while a mark is wanted, its event would be told twice and one loss too few be announced; with
 * thousands of places, and as many marks at a time as there are CPUs, that is not to be reckoned with.
 *
 * All calls are marked and looked for, wanted or not, for so does the kernel count them.
 */
#ifndef SHK_BPF_SECOND_H
#define SHK_BPF_SECOND_H

#include "rings.bpf.h"

#define SHK_MARKS 4096 /* a power of two */

struct shk_marks {
	__u64 newer;
	__u64 older;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHK_MARKS);
	__type(key, __u32);
	__type(value, struct shk_marks);
} marks SEC(".maps");

static __always_inline struct shk_marks *shk_marks_of(__u64 cookie)
{
	__u32 index = cookie & (SHK_MARKS - 1);

	return bpf_map_lookup_elem(&marks, &index);
}

static __always_inline void shk_first_comes(const struct shk_bpf_account *acc, __u64 cookie, int new_state)
{
	struct shk_marks *m = shk_marks_of(cookie);
	__u64 before;

	if (!m || *(const volatile __u64 *)&acc->in_second)
		return;
	before = __sync_lock_test_and_set(&m->newer, cookie << 4 | new_state);
	if (before && before >> 4 != cookie)
		__sync_lock_test_and_set(&m->older, before);
}

/* A socket without a cookie has not been to the first, which makes one. */
static __always_inline int shk_first_came(__u64 cookie, int new_state)
{
	struct shk_marks *m = shk_marks_of(cookie);
	__u64 wanted = cookie << 4 | new_state;

	if (!m || !cookie)
		return 0;
	return __sync_val_compare_and_swap(&m->newer, wanted, 0) == wanted ||
	       __sync_val_compare_and_swap(&m->older, wanted, 0) == wanted;
}

#endif /* SHK_BPF_SECOND_H */
