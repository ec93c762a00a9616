/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a packet to an event. Everything is read through skb_header_pointer(), as if the packet could
 * end after any octet and lie in any number of pages; nothing is ever written to it.
 *
 * Three steps, each for those that passed the one before: where is the TCP header (every packet),
 * who talks to whom about which octets (while a session runs), all the rest (what the gate lets pass).
 */
#ifndef SHK_SEGMENT_H
#define SHK_SEGMENT_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>

#include "uapi/tcpshake.h"

enum shk_found {
	SHK_FOUND_SEGMENT,	/* a TCP segment whose header lengths are possible */
	SHK_FOUND_OTHER,	/* not TCP */
	SHK_FOUND_FRAGMENT,	/* part of a TCP segment */
	SHK_FOUND_TRUNCATED,	/* ends before its TCP header does */
	SHK_FOUND_MALFORMED,	/* an IP or TCP header length is impossible */
	SHK_FOUND_UNFINISHED,	/* IPv6 extension headers and nothing behind them */
};

/* Where the headers of one packet are: in the packet, or in the copies if they span pages. */
struct shk_place {
	union {
		const struct iphdr	*ip4;	/* pf == NFPROTO_IPV4 */
		const struct ipv6hdr	*ip6;	/* pf == NFPROTO_IPV6 */
	};
	const struct tcphdr		*tcp;
	u32				tcp_offset;	/* from skb->data */
	u32				l4_len;		/* TCP header and payload, octets */
	union {
		struct iphdr		ip4_copy;
		struct ipv6hdr		ip6_copy;
	};
	struct tcphdr			tcp_copy;
};

/* The low eight flags, in header order: SHK_TCP_FIN to SHK_TCP_CWR. */
static inline u8 shk_place_flags(const struct shk_place *at)
{
	return ((const u8 *)at->tcp)[13];
}

enum shk_found shk_segment_find(struct shk_place *at, const struct sk_buff *skb, u8 pf);
void shk_segment_identify(struct shk_event *ev, const struct shk_place *at,
			  const struct nf_hook_state *state);
void shk_segment_describe(struct shk_event *ev, const struct shk_place *at, const struct sk_buff *skb,
			  const struct nf_hook_state *state);

void shk_segment_init(void);

#endif /* SHK_SEGMENT_H */
