// SPDX-License-Identifier: GPL-2.0
#include "headers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>

static void make_tcp(unsigned char *at, const struct shk_event *ev)
{
	const struct shk_segment *seg = &ev->seg;
	struct tcphdr tcp = {
		.source = htons(ev->sport),
		.dest = htons(ev->dport),
		.seq = htonl(seg->seq),
		.ack_seq = htonl(seg->ack),
		.window = htons(seg->window),
	};

	memcpy(at, &tcp, sizeof(tcp));
	at[12] = (sizeof(tcp) / 4) << 4 | (seg->tcp_flags >> 8 & 0x0f);
	at[13] = seg->tcp_flags & 0xff;
}

static unsigned int make_ipv4(unsigned char *at, const struct shk_event *ev, unsigned int payload)
{
	struct ip ip = {
		.ip_hl = sizeof(ip) / 4,
		.ip_v = 4,
		.ip_tos = ev->seg.dsfield,
		.ip_len = htons(sizeof(ip) + payload),
		.ip_id = htons(ev->seg.ip_id),
		.ip_ttl = ev->seg.ttl,
		.ip_p = IPPROTO_TCP,
	};

	memcpy(&ip.ip_src, ev->saddr + 12, 4);
	memcpy(&ip.ip_dst, ev->daddr + 12, 4);
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip);
}

static unsigned int make_ipv6(unsigned char *at, const struct shk_event *ev, unsigned int payload)
{
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6U << 28 | (uint32_t)ev->seg.dsfield << 20),
		.ip6_plen = htons(payload),
		.ip6_nxt = IPPROTO_TCP,
		.ip6_hlim = ev->seg.ttl,
	};

	memcpy(&ip.ip6_src, ev->saddr, 16);
	memcpy(&ip.ip6_dst, ev->daddr, 16);
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip);
}

void shk_headers_make(struct shk_headers *h, const struct shk_event *ev)
{
	unsigned int l4_len = sizeof(struct tcphdr) + ev->seg.payload_len, l3_len;

	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)ev->saddr))
		l3_len = make_ipv4(h->octets, ev, l4_len);
	else
		l3_len = make_ipv6(h->octets, ev, l4_len);
	make_tcp(h->octets + l3_len, ev);
	h->len = l3_len + sizeof(struct tcphdr);
	h->wire_len = l3_len + l4_len;
}
