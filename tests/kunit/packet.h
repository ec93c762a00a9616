/* SPDX-License-Identifier: GPL-2.0 */
/* Packets of any kind, octet by octet, and socket buffers of any shape that hold them. */
#ifndef TEST_PACKET_H
#define TEST_PACKET_H

#include <kunit/skbuff.h>
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/kasan.h>
#include <linux/netfilter.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>

#include "segment.h"

struct packet {
	u8	octets[256];
	u32	len;
	u8	pf;
	u32	last;		/* where the octet lies that says which header comes next */
};

static inline void *packet_add(struct packet *p, u32 len)
{
	void *at = p->octets + p->len;

	memset(at, 0, len);
	p->len += len;
	return at;
}

/* @options: octets of IP options, a multiple of 4 */
static inline struct iphdr *packet_ipv4(struct packet *p, u8 protocol, u32 options)
{
	struct iphdr *ip;

	*p = (struct packet){ .pf = NFPROTO_IPV4 };
	ip = packet_add(p, sizeof(*ip) + options);
	ip->version = 4;
	ip->ihl = (sizeof(*ip) + options) / 4;
	ip->tos = 0x2a;
	ip->id = htons(0x1234);
	ip->ttl = 61;
	ip->protocol = protocol;
	ip->saddr = htonl(0xc0000201);
	ip->daddr = htonl(0xc6336402);
	return ip;
}

static inline struct ipv6hdr *packet_ipv6(struct packet *p, u8 next)
{
	struct ipv6hdr *ip;

	*p = (struct packet){ .pf = NFPROTO_IPV6, .last = offsetof(struct ipv6hdr, nexthdr) };
	ip = packet_add(p, sizeof(*ip));
	ip->version = 6;
	ip->priority = 2;
	ip->flow_lbl[0] = 0xa0;
	ip->nexthdr = next;
	ip->hop_limit = 62;
	ip->saddr.s6_addr[15] = 1;
	ip->daddr.s6_addr[0] = 0xfd;
	ip->daddr.s6_addr[15] = 2;
	return ip;
}

/* An extension header of @len octets; all but the fragment header say so in units of eight. */
static inline u8 *packet_extension(struct packet *p, u8 kind, u32 len, u8 next)
{
	u32 at = p->len;
	u8 *octets = packet_add(p, len);

	p->octets[p->last] = kind;
	p->last = at;
	octets[0] = next;
	octets[1] = kind == NEXTHDR_AUTH ? len / 4 - 2 : len / 8 - 1;
	return octets;
}

static inline void packet_fragment(struct packet *p, u16 offset_and_more, u8 next)
{
	u8 *octets = packet_extension(p, NEXTHDR_FRAGMENT, 8, next);

	octets[1] = 0;
	octets[2] = offset_and_more >> 8;
	octets[3] = offset_and_more;
}

/* A header with @len octets of options (padded with zeroes), and three octets of payload. */
static inline struct tcphdr *packet_tcp(struct packet *p, u16 flags, const u8 *options, u32 len)
{
	u32 room = round_up(len, 4);
	struct tcphdr *tcp = packet_add(p, sizeof(*tcp) + room);

	tcp->source = htons(40000);
	tcp->dest = htons(443);
	tcp->seq = htonl(0xfffffffe);
	tcp->ack_seq = htonl(0x01020304);
	tcp->window = htons(64240);
	((u8 *)tcp)[12] = flags >> 8;
	((u8 *)tcp)[13] = flags;
	tcp->doff = (sizeof(*tcp) + room) / 4;
	if (len)
		memcpy(tcp + 1, options, len);
	memcpy(packet_add(p, 3), "abc", 3);
	return tcp;
}

/*
 * A buffer has room behind a packet, which everybody may read. KASAN is told here to let nobody read the
 * first octet of it. What it knows of eight octets is how many from the first on may be read, so a packet
 * ends after the seventh.
 */
static inline u32 packet_shift(u32 len)
{
	return (7 - len) & 7;
}

/* Forbids the octet behind these @len, which begin at a multiple of eight and end after a seventh. */
static inline void packet_guard(const void *start, u32 len)
{
	kasan_unpoison_range(start, len);
}

/*
 * The first @len octets: @linear of them where the buffer begins, the rest in pages of @page octets each.
 * What is in a page and not the packet's is something else.
 */
static inline struct sk_buff *packet_skb(struct kunit *test, const struct packet *p, u32 len, u32 linear,
					 u32 page)
{
	struct sk_buff *skb = alloc_skb(packet_shift(linear) + linear + 1, GFP_KERNEL);
	u32 done, n, at;
	int i = 0;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, kunit_action_kfree_skb, skb), 0);
	skb_reserve(skb, packet_shift(linear));
	skb_put_data(skb, p->octets, linear);
	packet_guard(skb->head, skb_headroom(skb) + linear);
	for (done = linear; done < len; done += n) {
		struct page *memory = alloc_page(GFP_KERNEL | __GFP_ZERO);

		KUNIT_ASSERT_NOT_NULL(test, memory);
		n = min(page, len - done);
		at = 64 + packet_shift(n);
		memset(page_address(memory), 0xff, PAGE_SIZE);
		memcpy(page_address(memory) + at, p->octets + done, n);
		skb_add_rx_frag(skb, i++, memory, at, n, PAGE_SIZE);
		packet_guard(page_address(memory), at + n);
	}
	skb_reset_network_header(skb);
	return skb;
}

static inline struct sk_buff *packet_whole(struct kunit *test, const struct packet *p)
{
	return packet_skb(test, p, p->len, p->len, 1);
}

static inline void packet_free(struct kunit *test, struct sk_buff *skb)
{
	kunit_release_action(test, kunit_action_kfree_skb, skb);
}

/* All that the module would record of it; .skb_id set to 0, for it differs with every buffer. */
static inline enum shk_found packet_event(struct shk_event *ev, const struct sk_buff *skb, u8 pf, u8 hook)
{
	const struct nf_hook_state state = { .hook = hook, .pf = pf, .net = &init_net };
	struct shk_place at;
	enum shk_found found;

	memset(ev, 0, sizeof(*ev));
	found = shk_segment_find(&at, skb, pf);
	if (found != SHK_FOUND_SEGMENT)
		return found;
	shk_segment_identify(ev, &at, &state);
	shk_segment_describe(ev, &at, skb, &state);
	ev->seg.skb_id = 0;
	return found;
}

#endif /* TEST_PACKET_H */
