// SPDX-License-Identifier: GPL-2.0
/* Where is the TCP header? Every kind of packet, whole, cut after every octet, and spread over pages. */
#include "packet.h"

static const u8 forty[40] = {
	2,  4,  5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 5,  6, 7, 8, 1, 3, 3, 7,
	30, 12, 0, 1,   1, 2, 3, 4,  5, 6, 7, 8, 34, 8, 9, 9, 9, 9, 9, 9,
};

static void ipv4(struct packet *p)
{
	packet_ipv4(p, IPPROTO_TCP, 0);
	packet_tcp(p, SHK_TCP_SYN, forty, sizeof(forty));
}

static void ipv4_options(struct packet *p)
{
	packet_ipv4(p, IPPROTO_TCP, 40);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv4_dont_fragment(struct packet *p)
{
	packet_ipv4(p, IPPROTO_TCP, 0)->frag_off = htons(IP_DF);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv4_first_fragment(struct packet *p)
{
	packet_ipv4(p, IPPROTO_TCP, 0)->frag_off = htons(IP_MF);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv4_last_fragment(struct packet *p)
{
	packet_ipv4(p, IPPROTO_TCP, 0)->frag_off = htons(1);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv4_udp(struct packet *p)
{
	packet_ipv4(p, IPPROTO_UDP, 0);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv4_version_5(struct packet *p)
{
	packet_ipv4(p, IPPROTO_TCP, 0)->version = 5;
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv4_short_header(struct packet *p)
{
	packet_ipv4(p, IPPROTO_TCP, 0)->ihl = 4;
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void tcp_short_header(struct packet *p)
{
	packet_ipv4(p, IPPROTO_TCP, 0);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0)->doff = 4;
}

static void tcp_long_header(struct packet *p)
{
	packet_ipv4(p, IPPROTO_TCP, 0);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0)->doff = 6;
}

static void ipv6(struct packet *p)
{
	packet_ipv6(p, NEXTHDR_TCP);
	packet_tcp(p, SHK_TCP_SYN, forty, sizeof(forty));
}

static void ipv6_extensions(struct packet *p)
{
	packet_ipv6(p, NEXTHDR_HOP);
	packet_extension(p, NEXTHDR_HOP, 8, NEXTHDR_DEST);
	packet_extension(p, NEXTHDR_DEST, 16, NEXTHDR_ROUTING);
	packet_extension(p, NEXTHDR_ROUTING, 24, NEXTHDR_AUTH);
	packet_extension(p, NEXTHDR_AUTH, 12, NEXTHDR_TCP);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv6_atomic_fragment(struct packet *p)
{
	packet_ipv6(p, NEXTHDR_FRAGMENT);
	packet_fragment(p, 0, NEXTHDR_TCP);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv6_first_fragment(struct packet *p)
{
	packet_ipv6(p, NEXTHDR_FRAGMENT);
	packet_fragment(p, IP6_MF, NEXTHDR_TCP);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv6_last_fragment(struct packet *p)
{
	packet_ipv6(p, NEXTHDR_FRAGMENT);
	packet_fragment(p, 8, NEXTHDR_TCP);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv6_udp_fragment(struct packet *p)
{
	packet_ipv6(p, NEXTHDR_FRAGMENT);
	packet_fragment(p, 8, NEXTHDR_UDP);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv6_udp(struct packet *p)
{
	packet_ipv6(p, NEXTHDR_UDP);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv6_encrypted(struct packet *p)
{
	packet_ipv6(p, NEXTHDR_ESP);
	packet_tcp(p, SHK_TCP_SYN, NULL, 0);
}

static void ipv6_nothing(struct packet *p)
{
	packet_ipv6(p, NEXTHDR_HOP);
	packet_extension(p, NEXTHDR_HOP, 8, NEXTHDR_NONE);
}

static void ipv6_endless_extension(struct packet *p)
{
	packet_ipv6(p, NEXTHDR_HOP);
	packet_extension(p, NEXTHDR_HOP, 8, NEXTHDR_DEST);
	packet_extension(p, NEXTHDR_DEST, 8, NEXTHDR_TCP)[1] = 255;
}

static const struct find_case {
	const char *name;
	void (*build)(struct packet *p);
	/* expected */
	enum shk_found found;
	u32 ip_len; /* where TCP begins, if it is found */
	u32 tcp_len;
} find_cases[] = {
	{"IPv4", ipv4, SHK_FOUND_SEGMENT, 20, 60},
	{"IPv4 with options", ipv4_options, SHK_FOUND_SEGMENT, 60, 20},
	{"IPv4, not to be fragmented", ipv4_dont_fragment, SHK_FOUND_SEGMENT, 20, 20},
	{"first fragment of IPv4", ipv4_first_fragment, SHK_FOUND_FRAGMENT},
	{"last fragment of IPv4", ipv4_last_fragment, SHK_FOUND_FRAGMENT},
	{"UDP over IPv4", ipv4_udp, SHK_FOUND_OTHER},
	{"IP version 5", ipv4_version_5, SHK_FOUND_MALFORMED},
	{"IPv4 header of 16 octets", ipv4_short_header, SHK_FOUND_MALFORMED},
	{"TCP header of 16 octets", tcp_short_header, SHK_FOUND_MALFORMED},
	{"TCP header longer than the packet", tcp_long_header, SHK_FOUND_TRUNCATED},
	{"IPv6", ipv6, SHK_FOUND_SEGMENT, 40, 60},
	{"IPv6 with every extension header", ipv6_extensions, SHK_FOUND_SEGMENT, 100, 20},
	{"IPv6 fragment that is a whole packet", ipv6_atomic_fragment, SHK_FOUND_SEGMENT, 48, 20},
	{"first fragment of IPv6", ipv6_first_fragment, SHK_FOUND_FRAGMENT},
	{"last fragment of IPv6", ipv6_last_fragment, SHK_FOUND_FRAGMENT},
	{"fragment of UDP over IPv6", ipv6_udp_fragment, SHK_FOUND_OTHER},
	{"UDP over IPv6", ipv6_udp, SHK_FOUND_OTHER},
	{"ESP over IPv6", ipv6_encrypted, SHK_FOUND_OTHER},
	{"IPv6 extension header and nothing", ipv6_nothing, SHK_FOUND_UNFINISHED},
	{"IPv6 extension header longer than the packet", ipv6_endless_extension, SHK_FOUND_TRUNCATED},
};

KUNIT_ARRAY_PARAM_DESC(find, find_cases, name);

static void segment_is_found_in_a_whole_packet(struct kunit *test)
{
	const struct find_case *c = test->param_value;
	struct shk_place at;
	struct packet p;

	c->build(&p);
	KUNIT_ASSERT_EQ(test, (int)shk_segment_find(&at, packet_whole(test, &p), p.pf), (int)c->found);
	if (c->found != SHK_FOUND_SEGMENT)
		return;
	KUNIT_EXPECT_EQ(test, at.tcp_offset, c->ip_len);
	KUNIT_EXPECT_EQ(test, at.l4_len, c->tcp_len + 3);
	KUNIT_EXPECT_EQ(test, shk_place_flags(&at), SHK_TCP_SYN);
}

/* What is known of a packet that ends after @len octets. */
static enum shk_found found_when_cut(const struct find_case *c, const struct packet *p, u32 len)
{
	if (len < (p->pf == NFPROTO_IPV4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)))
		return SHK_FOUND_OTHER;
	/* The fields that lead on must be there, not all of the last extension header. */
	if (p->pf == NFPROTO_IPV6 && len < p->last + (c->build == ipv6_atomic_fragment ? 4 : 2))
		return SHK_FOUND_UNFINISHED;
	return len < c->ip_len + c->tcp_len ? SHK_FOUND_TRUNCATED : SHK_FOUND_SEGMENT;
}

static void segment_is_judged_by_what_is_there(struct kunit *test)
{
	const struct find_case *c = test->param_value;
	struct shk_event whole, ev;
	struct sk_buff *skb;
	struct packet p;
	u32 len;

	if (c->found != SHK_FOUND_SEGMENT) {
		kunit_skip(test, "no segment to cut");
		return;
	}
	c->build(&p);
	packet_event(&whole, packet_whole(test, &p), p.pf, NF_INET_LOCAL_IN);
	for (len = 0; len <= p.len; len++) {
		enum shk_found found, expected = found_when_cut(c, &p, len);

		skb = packet_skb(test, &p, len, len, 1);
		found = packet_event(&ev, skb, p.pf, NF_INET_LOCAL_IN);
		KUNIT_EXPECT_EQ_MSG(test, (int)found, (int)expected, "of %u octets, %u are there", p.len,
				    len);
		if (found == SHK_FOUND_SEGMENT) {
			ev.seg.payload_len += p.len - len;
			KUNIT_EXPECT_MEMEQ(test, &ev, &whole, sizeof(ev));
		}
		packet_free(test, skb);
	}
}

/* Wherever a page ends, the event is the same octet by octet. */
static void segment_is_the_same_in_pages(struct kunit *test)
{
	const struct find_case *c = test->param_value;
	enum shk_found found;
	struct shk_event whole, ev;
	struct sk_buff *skb;
	struct packet p;
	u32 linear, page;

	c->build(&p);
	found = packet_event(&whole, packet_whole(test, &p), p.pf, NF_INET_LOCAL_IN);
	for (page = DIV_ROUND_UP(p.len, MAX_SKB_FRAGS); page <= p.len; page++) {
		for (linear = 0; linear <= p.len; linear += 1 + page / 8) {
			skb = packet_skb(test, &p, p.len, linear, page);
			KUNIT_EXPECT_EQ(test, (int)packet_event(&ev, skb, p.pf, NF_INET_LOCAL_IN),
					(int)found);
			KUNIT_EXPECT_MEMEQ(test, &ev, &whole, sizeof(ev));
			packet_free(test, skb);
		}
	}
}

static struct kunit_case segment_find_cases[] = {
	KUNIT_CASE_PARAM(segment_is_found_in_a_whole_packet, find_gen_params),
	KUNIT_CASE_PARAM(segment_is_judged_by_what_is_there, find_gen_params),
	KUNIT_CASE_PARAM(segment_is_the_same_in_pages, find_gen_params),
	{}};

static struct kunit_suite segment_find_suite = {
	.name = "tcpshake_segment_find",
	.test_cases = segment_find_cases,
};

kunit_test_suite(segment_find_suite);
