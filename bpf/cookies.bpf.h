/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SYN cookies (RFC 4987, net/ipv4/syncookies.c): a part of socket.bpf.c. An ACK that brings back none is
 * answered by a reset, and told of there.
 */
#ifndef SHK_BPF_COOKIES_H
#define SHK_BPF_COOKIES_H

#include "describe.bpf.h"

#define SHK_TCP_ECN_OK 1 /* include/net/tcp.h */

/*
 * The second argument points into the request that lives until the SYN+ACK is sent, of which not every kernel
 * has more ready by now than where it is. A packet that a listener has taken belongs to no device.
 */
static __always_inline int shk_on_cookie_sent(unsigned long long *ctx)
{
	const struct request_sock *req =
		(const void *)(ctx[1] - bpf_core_field_offset(struct request_sock, mss));
	__u32 netns = shk_netns_of(0, &req->__req_common);
	struct shk_bpf_account *acc = shk_account();
	struct shk_event *ev;
	__u64 cookie = 0;

	if (!acc || bpf_get_func_ret(ctx, &cookie) || !shk_wanted(netns))
		return 0;
	ev = shk_event_new(acc, netns, SHK_SOCK_COOKIE_SENT);
	if (!ev)
		return 0;
	shk_put_packet(ev, (const struct sk_buff *)ctx[0]);
	ev->sock.flags = SHK_SOCK_PASSIVE;
	ev->sock.iss = cookie;
	ev->sock.old_state = SHK_TCP_LISTEN;
	ev->sock.new_state = SHK_TCP_LISTEN;
	shk_rings_submit(acc, ev, 1);
	return 0;
}

SEC("fexit/cookie_v4_init_sequence")
int shk_cookie_sent(unsigned long long *ctx)
{
	return shk_on_cookie_sent(ctx);
}

SEC("fexit/cookie_v6_init_sequence")
int shk_cookie_sent_v6(unsigned long long *ctx)
{
	return shk_on_cookie_sent(ctx);
}

/* What the kernel has read from the timestamp that came back. */
static __always_inline __u64 shk_cookie_taken_out(const struct tcp_sock *child)
{
	__u64 value = (__u64)BPF_CORE_READ(child, tsoffset) << 32 | SHK_COOKIE_TIMESTAMPS;

	if (!BPF_CORE_READ_BITFIELD_PROBED(child, rx_opt.tstamp_ok))
		return 0;
	value |= BPF_CORE_READ_BITFIELD_PROBED(child, rx_opt.wscale_ok)
			 ? BPF_CORE_READ_BITFIELD_PROBED(child, rx_opt.snd_wscale) & SHK_COOKIE_WSCALE
			 : SHK_COOKIE_WSCALE;
	if (BPF_CORE_READ_BITFIELD_PROBED(child, rx_opt.sack_ok))
		value |= SHK_COOKIE_SACK;
	if (BPF_CORE_READ(child, ecn_flags) & SHK_TCP_ECN_OK)
		value |= SHK_COOKIE_ECN;
	return value;
}

/* A valid cookie leads to a socket, or to NULL if the accept queue has no room for it. */
static __always_inline void
shk_put_cookie_check(struct shk_event *ev, const struct sock *listener, const struct tcp_sock *child)
{
	ev->sock.flags = SHK_SOCK_PASSIVE;
	ev->sock.old_state = SHK_TCP_LISTEN;
	if (child) {
		ev->sock.new_state = SHK_TCP_SYN_RECV;
		ev->sock.value = shk_cookie_taken_out(child);
		return;
	}
	ev->sock.new_state = SHK_TCP_LISTEN;
	ev->sock.reason = SHK_REASON_ACCEPT_QUEUE_FULL;
	ev->sock.value = BPF_CORE_READ(listener, sk_ack_backlog);
}

/* Comes to the listener itself if there is no valid cookie, or no cookies are expected. */
static __always_inline int shk_on_cookie_check(unsigned long long *ctx)
{
	const struct sock *listener = (const struct sock *)ctx[0];
	const struct sk_buff *skb = (const struct sk_buff *)ctx[1];
	__u32 netns = shk_netns_of(0, &listener->__sk_common);
	struct shk_bpf_account *acc = shk_account();
	struct shk_event *ev;
	__u64 ret = 0;

	if (!acc || bpf_get_func_ret(ctx, &ret) || ret == ctx[0] || !shk_wanted(netns))
		return 0;
	if (!ret && BPF_CORE_READ(listener, sk_ack_backlog) <= BPF_CORE_READ(listener, sk_max_ack_backlog))
		return 0;
	ev = shk_event_new(acc, netns, ret ? SHK_SOCK_COOKIE_VALIDATED : SHK_SOCK_ACK_REFUSED);
	if (!ev)
		return 0;
	shk_put_packet(ev, skb);
	shk_put_isns_of_ack(ev, skb);
	shk_put_cookie_check(ev, listener, (const struct tcp_sock *)ret);
	shk_rings_submit(acc, ev, 1);
	return 0;
}

SEC("fexit/cookie_v4_check")
int shk_cookie_check(unsigned long long *ctx)
{
	return shk_on_cookie_check(ctx);
}

SEC("fexit/cookie_v6_check")
int shk_cookie_check_v6(unsigned long long *ctx)
{
	return shk_on_cookie_check(ctx);
}

#endif /* SHK_BPF_COOKIES_H */
