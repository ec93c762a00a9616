// SPDX-License-Identifier: GPL-2.0
#include <linux/random.h>
#include <net/dsfield.h>
#include <net/inet_timewait_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/request_sock.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "hash.h"
#include "options.h"
#include "segment.h"

/* Readers learn which events belong to one packet, and nothing about where it lies in memory. */
static struct shk_hash_key shk_segment_key __ro_after_init;

void __init shk_segment_init(void)
{
	get_random_bytes(&shk_segment_key, sizeof(shk_segment_key));
}

static enum shk_found shk_find_ipv4(struct shk_place *at, const struct sk_buff *skb)
{
	u32 offset = skb_network_offset(skb);
	const struct iphdr *ip;

	ip = skb_header_pointer(skb, offset, sizeof(*ip), &at->ip4_copy);
	if (!ip || ip->protocol != IPPROTO_TCP)
		return SHK_FOUND_OTHER;
	/* A raw socket may send whatever it likes; received packets the core has checked. */
	if (ip->version != 4 || ip->ihl < sizeof(*ip) / 4)
		return SHK_FOUND_MALFORMED;
	if (ip_is_fragment(ip))
		return SHK_FOUND_FRAGMENT;
	at->ip4 = ip;
	at->tcp_offset = offset + ip->ihl * 4;
	return SHK_FOUND_SEGMENT;
}

/* The protocol that a fragment header at @offset announces. */
static u8 shk_fragment_protocol(const struct sk_buff *skb, u32 offset)
{
	const u8 *next;
	u8 copy;

	next = skb_header_pointer(skb, offset, sizeof(copy), &copy);
	return next ? *next : NEXTHDR_NONE;
}

static enum shk_found shk_skip_extensions(struct shk_place *at, const struct sk_buff *skb, u32 offset,
					  u8 next)
{
	__be16 fragment = 0;
	int end;

	end = ipv6_skip_exthdr(skb, offset, &next, &fragment);
	if (end < 0)
		return SHK_FOUND_UNFINISHED;
	/* All but the first fragment: the walk ended at the fragment header. */
	if (next == NEXTHDR_FRAGMENT)
		next = shk_fragment_protocol(skb, end);
	if (next != NEXTHDR_TCP)
		return SHK_FOUND_OTHER;
	if (fragment)
		return SHK_FOUND_FRAGMENT;
	at->tcp_offset = end;
	return SHK_FOUND_SEGMENT;
}

static enum shk_found shk_find_ipv6(struct shk_place *at, const struct sk_buff *skb)
{
	u32 offset = skb_network_offset(skb);
	const struct ipv6hdr *ip;

	ip = skb_header_pointer(skb, offset, sizeof(*ip), &at->ip6_copy);
	if (!ip)
		return SHK_FOUND_OTHER;
	at->ip6 = ip;
	offset += sizeof(*ip);
	if (ip->nexthdr != NEXTHDR_TCP)
		return shk_skip_extensions(at, skb, offset, ip->nexthdr);
	at->tcp_offset = offset;
	return SHK_FOUND_SEGMENT;
}

/**
 * shk_segment_find - find the TCP header of a packet
 * @at:		out: where it is; complete only if SHK_FOUND_SEGMENT is returned
 * @skb:	the packet, at any hook
 * @pf:		NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Lengths come from skb->len: a received packet was cut to its IP length before the first hook, one
 * that is sent may be too big for the 16 bits that IPv4 has for it.
 */
enum shk_found shk_segment_find(struct shk_place *at, const struct sk_buff *skb, u8 pf)
{
	enum shk_found found;
	u32 header_len;

	found = pf == NFPROTO_IPV4 ? shk_find_ipv4(at, skb) : shk_find_ipv6(at, skb);
	if (found != SHK_FOUND_SEGMENT)
		return found;
	at->tcp = skb_header_pointer(skb, at->tcp_offset, sizeof(*at->tcp), &at->tcp_copy);
	if (!at->tcp)
		return SHK_FOUND_TRUNCATED;
	at->l4_len = skb->len - at->tcp_offset;
	header_len = at->tcp->doff * 4;
	if (header_len < SHK_TCP_HEADER_MIN)
		return SHK_FOUND_MALFORMED;
	if (header_len > at->l4_len)
		return SHK_FOUND_TRUNCATED;
	return SHK_FOUND_SEGMENT;
}

static void shk_map_address(u8 to[16], __be32 from)
{
	memset(to, 0, 10);
	memset(to + 10, 0xff, 2);
	memcpy(to + 12, &from, sizeof(from));
}

/* What the gate needs: addresses, ports, sequence numbers, flags. @ev must be zero before. */
void shk_segment_identify(struct shk_event *ev, const struct shk_place *at, const struct nf_hook_state *state)
{
	ev->kind = SHK_EV_SEGMENT;
	ev->where = state->hook;
	ev->netns = state->net->ns.inum;
	if (state->pf == NFPROTO_IPV4) {
		shk_map_address(ev->saddr, at->ip4->saddr);
		shk_map_address(ev->daddr, at->ip4->daddr);
	} else {
		memcpy(ev->saddr, &at->ip6->saddr, sizeof(ev->saddr));
		memcpy(ev->daddr, &at->ip6->daddr, sizeof(ev->daddr));
	}
	shk_header_fixed(ev, (const u8 *)at->tcp, at->l4_len - at->tcp->doff * 4);
}

static void shk_describe_ip(struct shk_segment *seg, const struct shk_place *at, u8 pf)
{
	if (pf == NFPROTO_IPV4) {
		seg->ip_id = ntohs(at->ip4->id);
		seg->ttl = at->ip4->ttl;
		seg->dsfield = at->ip4->tos;
	} else {
		seg->ttl = at->ip6->hop_limit;
		seg->dsfield = ipv6_get_dsfield(at->ip6);
	}
}

static void shk_describe_options(struct shk_segment *seg, const struct shk_place *at,
				 const struct sk_buff *skb)
{
	u32 want = at->tcp->doff * 4 - SHK_TCP_HEADER_MIN;
	u8 copy[SHK_TCP_OPTIONS_MAX];
	const u8 *options;

	if (!want)
		return;
	options = skb_header_pointer(skb, at->tcp_offset + SHK_TCP_HEADER_MIN, want, copy);
	if (options)
		shk_options_parse(seg, options, want, want);
	else /* in pages that the CPU may not read */
		seg->options = SHK_OPT_TRUNCATED;
}

/*
 * The sender's socket, at LOCAL_OUT only: elsewhere it is somebody else's or a guess of early demux. It
 * may be a request or a TIME-WAIT minisock. Before 6.13 resets and the ACKs of minisocks hang on a
 * raw socket that each CPU has for them, which says nothing about the connection.
 */
static void shk_describe_socket(struct shk_segment *seg, const struct sock *sk)
{
	u8 state = READ_ONCE(sk->sk_state);

	if (state == TCP_NEW_SYN_RECV) {
		seg->synack_timeouts = inet_reqsk(sk)->num_timeout;
	} else if (state == TCP_TIME_WAIT) {
		state = READ_ONCE(inet_twsk(sk)->tw_substate);
	} else if (!sk_is_tcp(sk)) {
		return;
	} else if (state == TCP_LISTEN && (seg->tcp_flags & SHK_TCP_SYN)) {
		return; /* no request: a SYN cookie */
	}
	seg->sock_state = state;
}

static u32 shk_skb_id(const struct sk_buff *skb)
{
	struct shk_hash_state s;

	shk_hash_init(&s, &shk_segment_key);
	shk_hash_add(&s, (unsigned long)skb);
	return shk_hash_end(&s, sizeof(skb));
}

static u32 shk_ifindex(const struct nf_hook_state *state)
{
	const struct net_device *dev = state->in;

	if (state->hook == NF_INET_LOCAL_OUT || state->hook == NF_INET_POST_ROUTING)
		dev = state->out;
	return dev ? READ_ONCE(dev->ifindex) : 0;
}

/* Everything else that the record has room for. */
void shk_segment_describe(struct shk_event *ev, const struct shk_place *at, const struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	struct shk_segment *seg = &ev->seg;

	ev->ifindex = shk_ifindex(state);
	shk_describe_ip(seg, at, state->pf);
	shk_describe_options(seg, at, skb);
	seg->skb_id = shk_skb_id(skb);
	seg->mark = skb->mark;
	seg->gso_segs = max_t(u16, skb_shinfo(skb)->gso_segs, 1);
	if (state->hook == NF_INET_LOCAL_OUT && skb->sk)
		shk_describe_socket(seg, skb->sk);
}
