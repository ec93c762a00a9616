/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a listener makes of a SYN and of the third ACK: requests, refusals. A part of socket.bpf.c.
 */
#ifndef SHK_BPF_REQUESTS_H
#define SHK_BPF_REQUESTS_H

#include "describe.bpf.h"

static __always_inline struct shk_event *
shk_request_event(struct shk_bpf_account *acc, const struct request_sock *req, __u8 where)
{
	const struct tcp_request_sock *treq = (const void *)req;
	__u32 netns = shk_netns_of(0, &req->__req_common);
	struct shk_event *ev;

	if (!shk_wanted(netns))
		return NULL;
	ev = shk_event_new(acc, netns, where);
	if (!ev)
		return NULL;
	/* A request keeps its own port where a socket keeps the number it is hashed by. */
	shk_put_ends(ev, 0, &req->__req_common, shk_ntohs(BPF_CORE_READ(req, __req_common.skc_num)));
	ev->sock.flags = SHK_SOCK_PASSIVE;
	ev->sock.iss = BPF_CORE_READ(treq, snt_isn);
	ev->sock.irs = BPF_CORE_READ(treq, rcv_isn);
	ev->sock.old_state = SHK_TCP_NEW_SYN_RECV;
	ev->sock.new_state = SHK_TCP_NEW_SYN_RECV;
	ev->sock.value = BPF_CORE_READ(req, num_retrans);
	return ev;
}

/* By tcp_conn_request(), before the SYN+ACK is sent. Neither for a cookie nor for a Fast Open with data. */
SEC("fentry/inet_csk_reqsk_queue_hash_add")
int shk_request_made(unsigned long long *ctx)
{
	struct shk_bpf_account *acc = shk_account();
	struct shk_event *ev;

	if (!acc)
		return 0;
	ev = shk_request_event(acc, (const struct request_sock *)ctx[1], SHK_SOCK_REQUEST_MADE);
	if (!ev)
		return 0;
	ev->sock.old_state = SHK_TCP_LISTEN;
	shk_rings_submit(acc, ev, 1);
	return 0;
}

SEC("tp_btf/tcp_retransmit_synack")
int shk_retransmit_synack(unsigned long long *ctx)
{
	struct shk_bpf_account *acc = shk_account();
	struct shk_event *ev;

	if (!acc)
		return 0;
	ev = shk_request_event(acc, (const struct request_sock *)ctx[1], SHK_SOCK_SYNACK_RETRANSMIT);
	if (ev)
		shk_rings_submit(acc, ev, 1);
	return 0;
}

/*
 * A request that becomes a connection has left the table of sockets before: then there is nothing to remove.
 * One whose listener is gone stays until its timer looks.
 */
SEC("fexit/__inet_csk_reqsk_queue_drop")
int shk_request_drop(unsigned long long *ctx)
{
	const struct sock *listener = (const struct sock *)ctx[0];
	struct shk_bpf_account *acc = shk_account();
	int by_timer = ctx[2] & 1;
	struct shk_event *ev;
	__u64 removed = 0;

	if (!acc || bpf_get_func_ret(ctx, &removed) || !(removed & 1))
		return 0;
	ev = shk_request_event(acc, (const struct request_sock *)ctx[1],
			       by_timer ? SHK_SOCK_REQUEST_EXPIRED : SHK_SOCK_REQUEST_DROPPED);
	if (!ev)
		return 0;
	ev->sock.new_state = SHK_TCP_CLOSE;
	if (by_timer && BPF_CORE_READ(listener, __sk_common.skc_state) != SHK_TCP_LISTEN)
		ev->sock.reason = SHK_REASON_LISTENER_CLOSED;
	shk_rings_submit(acc, ev, 1);
	return 0;
}

/* The two tests of tcp_conn_request() that drop a SYN in silence, in its order; 0: neither. */
static __always_inline __u16 shk_refusal(const struct inet_connection_sock *icsk, __u32 *queued)
{
	const struct sock *sk = &icsk->icsk_inet.sk;
	__u32 max = BPF_CORE_READ(sk, sk_max_ack_backlog);

	*queued = BPF_CORE_READ(icsk, icsk_accept_queue.qlen.counter);
	if (*queued > max && !BPF_CORE_READ(sk, __sk_common.skc_net.net, ipv4.sysctl_tcp_syncookies))
		return SHK_REASON_SYN_QUEUE_FULL;
	*queued = BPF_CORE_READ(sk, sk_ack_backlog);
	return *queued > max ? SHK_REASON_ACCEPT_QUEUE_FULL : SHK_REASON_NONE;
}

SEC("fentry/tcp_conn_request")
int shk_conn_request(unsigned long long *ctx)
{
	const struct inet_connection_sock *icsk = (const struct inet_connection_sock *)ctx[2];
	__u32 netns = shk_netns_of(0, &icsk->icsk_inet.sk.__sk_common), queued;
	struct shk_bpf_account *acc = shk_account();
	__u16 reason = shk_refusal(icsk, &queued);
	struct shk_event *ev;

	if (!acc || reason == SHK_REASON_NONE || !shk_wanted(netns))
		return 0;
	ev = shk_event_new(acc, netns, SHK_SOCK_SYN_REFUSED);
	if (!ev)
		return 0;
	shk_put_packet(ev, (const struct sk_buff *)ctx[3]);
	ev->sock.flags = SHK_SOCK_PASSIVE;
	ev->sock.old_state = SHK_TCP_LISTEN;
	ev->sock.new_state = SHK_TCP_LISTEN;
	ev->sock.reason = reason;
	ev->sock.value = queued;
	shk_rings_submit(acc, ev, 1);
	return 0;
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

#endif /* SHK_BPF_REQUESTS_H */
