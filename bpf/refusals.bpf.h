/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What becomes of a third ACK for whose connection there is no room, and of a SYN that finds the tuple in
 * TIME-WAIT: a part of socket.bpf.c.
 */
#ifndef SHK_BPF_REFUSALS_H
#define SHK_BPF_REFUSALS_H

#include "describe.bpf.h"

/* enum tcp_tw_status, include/net/tcp.h */
#define SHK_TW_RST	1
#define SHK_TW_SYN	3

static __always_inline int shk_is_plain_ack(const struct sk_buff *skb)
{
	const __u8 *tcp = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, transport_header);
	__u8 flags = 0;

	bpf_probe_read_kernel(&flags, sizeof(flags), tcp + 13);
	return (flags & (SHK_TCP_SYN | SHK_TCP_RST | SHK_TCP_ACK)) == SHK_TCP_ACK;
}

/*
 * NULL is also what a duplicate SYN comes to, or a deferred accept: so the queue is looked at, as by
 * sk_acceptq_is_full().
 */
SEC("fexit/tcp_check_req")
int shk_third_ack(unsigned long long *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	const struct tcp_request_sock *treq = (const void *)ctx[2];
	struct shk_bpf_account *acc = shk_account();
	__u32 queued = BPF_CORE_READ(sk, sk_ack_backlog);
	const struct sk_buff *skb = (const struct sk_buff *)ctx[1];
	__u32 netns = shk_netns_of(0, &sk->__sk_common);
	struct shk_event *ev;
	__u64 child = 0;

	if (!acc || queued <= BPF_CORE_READ(sk, sk_max_ack_backlog) || bpf_get_func_ret(ctx, &child) ||
	    child || !shk_is_plain_ack(skb) || !shk_wanted(netns))
		return 0;
	ev = shk_event_new(acc, netns, SHK_SOCK_ACK_REFUSED);
	if (!ev)
		return 0;
	shk_put_packet(ev, skb);
	ev->sock.flags = SHK_SOCK_PASSIVE;
	ev->sock.iss = BPF_CORE_READ(treq, snt_isn);
	ev->sock.irs = BPF_CORE_READ(treq, rcv_isn);
	ev->sock.old_state = SHK_TCP_NEW_SYN_RECV;
	ev->sock.new_state = BPF_CORE_READ(sk, __sk_common.skc_net.net, ipv4.sysctl_tcp_abort_on_overflow)
				     ? SHK_TCP_CLOSE : SHK_TCP_NEW_SYN_RECV;
	ev->sock.reason = SHK_REASON_ACCEPT_QUEUE_FULL;
	ev->sock.value = queued;
	shk_rings_submit(acc, ev, 1);
	return 0;
}

/*
 * ---- TIME-WAIT -----------------------------------------------------------------------------------
 */

/* A SYN that may have the tuple, and what is answered by a reset. What prolongs the wait is on the wire. */
SEC("fexit/tcp_timewait_state_process")
int shk_timewait_segment(unsigned long long *ctx)
{
	const struct inet_timewait_sock *tw = (const struct inet_timewait_sock *)ctx[0];
	__u32 netns = shk_netns_of(0, &tw->__tw_common);
	struct shk_bpf_account *acc = shk_account();
	struct shk_event *ev;
	__u64 status = 0;

	if (!acc || bpf_get_func_ret(ctx, &status) ||
	    ((__u32)status != SHK_TW_SYN && (__u32)status != SHK_TW_RST) || !shk_wanted(netns))
		return 0;
	ev = shk_event_new(acc, netns, SHK_SOCK_TIME_WAIT_BROKEN);
	if (!ev)
		return 0;
	shk_put_timewait(ev, tw);
	ev->sock.new_state = (__u32)status == SHK_TW_SYN ? SHK_TCP_LISTEN : SHK_TCP_CLOSE;
	shk_rings_submit(acc, ev, 1);
	return 0;
}

#endif /* SHK_BPF_REFUSALS_H */
