/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets, minisocks and packets put into events: what the socket programs have in common.
 */
#ifndef SHK_BPF_DESCRIBE_H
#define SHK_BPF_DESCRIBE_H

#include "core_fixes.bpf.h"
#include "options.h"
#include "rings.bpf.h"

const volatile __u32 shk_netns = 0;	/* the only one wanted; 0: all. Set before the programs are loaded */

/* What is kept with a socket until its next record. */
struct shk_kept {
	__u64 since_ns;
	__u64 cgroup;
	__u32 pid;
	__u32 tgid;
	char comm[16];
	__u8 owner;
	__u8 flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct shk_kept);
} kept SEC(".maps");

/*
 * What the verifier trusts is read as it is, anything else by bpf_probe_read_kernel(). Functions below that
 * serve both kinds are told by their caller which it is, and are inlined.
 */
#define SHK_READ(trusted, p, member) ((trusted) ? (p)->member : BPF_CORE_READ(p, member))

static __always_inline __u16 shk_ntohs(__u16 x)
{
	return __builtin_bswap16(x);
}

static __always_inline void shk_put_ipv4(__u8 *to, __u32 address)
{
	__builtin_memset(to, 0, 10);
	to[10] = 0xff;
	to[11] = 0xff;
	__builtin_memcpy(to + 12, &address, 4);
}

/* The ends of a socket, request or minisock: they have their addresses at the same place. */
static __always_inline void
shk_put_ends(struct shk_event *ev, int trusted, const struct sock_common *skc, __u16 sport)
{
	if (SHK_READ(trusted, skc, skc_family) == SHK_AF_INET6 && shk_has_ipv6()) {
		BPF_CORE_READ_INTO(&ev->saddr, skc, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&ev->daddr, skc, skc_v6_daddr);
	} else {
		shk_put_ipv4(ev->saddr, SHK_READ(trusted, skc, skc_rcv_saddr));
		shk_put_ipv4(ev->daddr, SHK_READ(trusted, skc, skc_daddr));
	}
	ev->sport = shk_ntohs(sport);
	ev->dport = shk_ntohs(SHK_READ(trusted, skc, skc_dport));
}

static __always_inline __u32 shk_netns_of(int trusted, const struct sock_common *skc)
{
	return trusted ? skc->skc_net.net->ns.inum : BPF_CORE_READ(skc, skc_net.net, ns.inum);
}

static __always_inline int shk_wanted(__u32 netns)
{
	return !shk_netns || shk_netns == netns;
}

static __always_inline void shk_take_owner(struct shk_kept *k, __u8 owner)
{
	__u64 id = bpf_get_current_pid_tgid();

	k->owner = owner;
	k->pid = (__u32)id;
	k->tgid = id >> 32;
	k->cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(k->comm, sizeof(k->comm));
}

static __always_inline void shk_put_owner(struct shk_event *ev, const struct shk_kept *k)
{
	ev->sock.owner = k->owner;
	ev->sock.flags = k->flags;
	ev->sock.pid = k->pid;
	ev->sock.tgid = k->tgid;
	ev->sock.cgroup = k->cgroup;
	__builtin_memcpy(ev->sock.comm, k->comm, sizeof(k->comm));
}

/*
 * The counters of octets count from the ISNs, so they lead back to them at any time. What the active opener
 * had acknowledged includes its SYN. On the receiving side the SYN is never counted.
 */
static __always_inline void
shk_put_isns(struct shk_event *ev, int trusted, const struct tcp_sock *tp, __u8 flags)
{
	__u32 acked = SHK_READ(trusted, tp, bytes_acked), received = SHK_READ(trusted, tp, bytes_received);
	__u32 next = SHK_READ(trusted, tp, rcv_nxt);

	ev->sock.iss = SHK_READ(trusted, tp, snd_una) - acked - (flags & SHK_SOCK_ACTIVE ? 0 : 1);
	ev->sock.irs = next ? next - received - 1 : 0;
}

static __always_inline __u64 shk_seq_pair(__u32 snd_nxt, __u32 rcv_nxt)
{
	return (__u64)snd_nxt << 32 | rcv_nxt;
}

/* The ends of a packet as its receiver sees them, and the peer's ISN if it is a SYN. */
static __always_inline void shk_put_packet(struct shk_event *ev, const struct sk_buff *skb)
{
	const __u8 *head = BPF_CORE_READ(skb, head);
	const __u8 *ip = head + BPF_CORE_READ(skb, network_header);
	const __u8 *tcp = head + BPF_CORE_READ(skb, transport_header);
	__u8 version = 0, fixed[14] = {};
	__u32 address;

	bpf_probe_read_kernel(&version, sizeof(version), ip);
	if (version >> 4 == 6) {
		bpf_probe_read_kernel(ev->daddr, 16, ip + 8);
		bpf_probe_read_kernel(ev->saddr, 16, ip + 24);
	} else {
		bpf_probe_read_kernel(&address, sizeof(address), ip + 12);
		shk_put_ipv4(ev->daddr, address);
		bpf_probe_read_kernel(&address, sizeof(address), ip + 16);
		shk_put_ipv4(ev->saddr, address);
	}
	bpf_probe_read_kernel(fixed, sizeof(fixed), tcp);
	ev->dport = shk_be16(fixed);
	ev->sport = shk_be16(fixed + 2);
	if (fixed[13] & SHK_TCP_SYN)
		ev->sock.irs = shk_be32(fixed + 4);
}

/* The ISNs that the third ACK implies. */
static __always_inline void shk_put_isns_of_ack(struct shk_event *ev, const struct sk_buff *skb)
{
	const __u8 *tcp = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, transport_header);
	__u8 numbers[8] = {};

	bpf_probe_read_kernel(numbers, sizeof(numbers), tcp + 4);
	ev->sock.irs = shk_be32(numbers) - 1;
	ev->sock.iss = shk_be32(numbers + 4) - 1;
}

static __always_inline int shk_is_plain_ack(const struct sk_buff *skb)
{
	const __u8 *tcp = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, transport_header);
	__u8 flags = 0;

	bpf_probe_read_kernel(&flags, sizeof(flags), tcp + 13);
	return (flags & (SHK_TCP_SYN | SHK_TCP_RST | SHK_TCP_ACK)) == SHK_TCP_ACK;
}

/* A record with nothing in it yet but when, where and what; NULL if it is lost, which is counted. */
static __always_inline struct shk_event *shk_event_new(struct shk_bpf_account *acc, __u32 netns, __u8 where)
{
	__u64 now = bpf_ktime_get_ns();
	struct shk_event *ev = shk_rings_reserve(acc, now, 1);

	if (!ev)
		return NULL;
	__builtin_memset(ev, 0, sizeof(*ev));
	ev->ts_ns = now;
	ev->netns = netns;
	ev->kind = SHK_EV_SOCKET;
	ev->where = where;
	ev->cpu = bpf_get_smp_processor_id();
	return ev;
}

/* What every record of a full socket has. @end: SHK_SOCK_ACTIVE or _PASSIVE, if nothing was kept of it. */
static __always_inline void shk_put_socket(struct shk_event *ev, int trusted, const struct tcp_sock *tp,
					   const struct shk_kept *k, __u8 end)
{
	const struct sock *sk = &tp->inet_conn.icsk_inet.sk;

	shk_put_ends(ev, trusted, &sk->__sk_common, SHK_READ(trusted, tp, inet_conn.icsk_inet.inet_sport));
	if (k)
		shk_put_owner(ev, k);
	else
		ev->sock.flags = end;
	shk_put_isns(ev, trusted, tp, ev->sock.flags);
	ev->sock.cookie = SHK_READ(trusted, sk, __sk_common.skc_cookie.counter);
	ev->sock.sk_err = SHK_READ(trusted, sk, sk_err);
}

/* A record of a full socket in the state it is in; NULL if it is not wanted or lost. */
static __always_inline struct shk_event *
shk_socket_event(struct shk_bpf_account *acc, const struct sock *sk, const struct tcp_sock *tp, __u8 where)
{
	__u32 netns = shk_netns_of(1, &sk->__sk_common);
	__u8 state = sk->__sk_common.skc_state;
	struct shk_event *ev;

	if (!shk_wanted(netns))
		return NULL;
	ev = shk_event_new(acc, netns, where);
	if (!ev)
		return NULL;
	shk_put_socket(ev, 1, tp, bpf_sk_storage_get(&kept, (void *)sk, 0, 0),
		       state == SHK_TCP_SYN_SENT ? SHK_SOCK_ACTIVE : SHK_SOCK_PASSIVE);
	ev->sock.old_state = state;
	ev->sock.new_state = state;
	return ev;
}

/* Sequence numbers lie in what a full socket uses for something else; its cookie was copied from it. */
static __always_inline void shk_put_timewait(struct shk_event *ev, const struct inet_timewait_sock *tw)
{
	const struct sock_common *skc = &tw->__tw_common;

	shk_put_ends(ev, 0, skc, BPF_CORE_READ(tw, tw_sport));
	ev->sock.cookie = BPF_CORE_READ(skc, skc_cookie.counter);
	ev->sock.old_state = BPF_CORE_READ(tw, tw_substate);
	ev->sock.value = shk_seq_pair(BPF_CORE_READ(skc, skc_tw_snd_nxt), BPF_CORE_READ(skc, skc_tw_rcv_nxt));
}

#endif /* SHK_BPF_DESCRIBE_H */
