/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Minisocks, of which the kernel's state tracepoint tells nothing: a part of socket.bpf.c. That one begins is
 * in the CLOSED record of its socket.
 */
#ifndef SHK_BPF_TIME_WAIT_H
#define SHK_BPF_TIME_WAIT_H

#include "describe.bpf.h"

/* enum tcp_tw_status, include/net/tcp.h */
#define SHK_TW_RST	1
#define SHK_TW_SYN	3

static __always_inline struct shk_event *
shk_timewait_event(struct shk_bpf_account *acc, const struct inet_timewait_sock *tw, __u8 where)
{
	__u32 netns = shk_netns_of(0, &tw->__tw_common);
	struct shk_event *ev;

	if (!shk_wanted(netns))
		return NULL;
	ev = shk_event_new(acc, netns, where);
	if (ev)
		shk_put_timewait(ev, tw);
	return ev;
}

/* A SYN that may have the tuple, and what is answered by a reset. */
SEC("fexit/tcp_timewait_state_process")
int shk_timewait_segment(unsigned long long *ctx)
{
	struct shk_bpf_account *acc = shk_account();
	struct shk_event *ev;
	__u64 status = 0;

	if (!acc || bpf_get_func_ret(ctx, &status) ||
	    ((__u32)status != SHK_TW_SYN && (__u32)status != SHK_TW_RST))
		return 0;
	ev = shk_timewait_event(acc, (const struct inet_timewait_sock *)ctx[0], SHK_SOCK_TIME_WAIT_BROKEN);
	if (!ev)
		return 0;
	ev->sock.new_state = (__u32)status == SHK_TW_SYN ? SHK_TCP_LISTEN : SHK_TCP_CLOSE;
	shk_rings_submit(acc, ev, 1);
	return 0;
}

/* Called first to begin the wait, and again with rearm to begin it anew. */
SEC("fentry/__inet_twsk_schedule")
int shk_timewait_schedule(unsigned long long *ctx)
{
	struct shk_bpf_account *acc = shk_account();
	struct shk_event *ev;

	if (!(ctx[2] & 1) || !acc)
		return 0;
	ev = shk_timewait_event(acc, (const struct inet_timewait_sock *)ctx[0], SHK_SOCK_TIME_WAIT_RESTARTED);
	if (!ev)
		return 0;
	ev->sock.new_state = ev->sock.old_state;
	shk_rings_submit(acc, ev, 1);
	return 0;
}

SEC("fentry/inet_twsk_kill")
int shk_timewait_end(unsigned long long *ctx)
{
	struct shk_bpf_account *acc = shk_account();
	struct shk_event *ev;

	if (!acc)
		return 0;
	ev = shk_timewait_event(acc, (const struct inet_timewait_sock *)ctx[0], SHK_SOCK_TIME_WAIT_ENDED);
	if (!ev)
		return 0;
	ev->sock.new_state = SHK_TCP_CLOSE;
	shk_rings_submit(acc, ev, 1);
	return 0;
}

/* No minisock comes of it: there are tcp_max_tw_buckets already, or memory is short. */
SEC("fexit/inet_twsk_alloc")
int shk_timewait_refused(unsigned long long *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	struct shk_bpf_account *acc = shk_account();
	const struct tcp_sock *tp;
	struct shk_event *ev;
	__u64 tw = 0;

	if (bpf_get_func_ret(ctx, &tw) || tw || !acc)
		return 0;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return 0;
	ev = shk_socket_event(acc, sk, tp, SHK_SOCK_TIME_WAIT_REFUSED);
	if (!ev)
		return 0;
	ev->sock.new_state = SHK_TCP_CLOSE;
	shk_rings_submit(acc, ev, 1);
	return 0;
}

#endif /* SHK_BPF_TIME_WAIT_H */
