/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP options and flags, from octets that anybody on the network may have chosen.
 *
 * Every access is checked against the length given, as if the packet could end after any octet. A
 * length that leads out of the list ends it: what was read before stays, and SHK_OPT_MALFORMED is set. One
 * that is wrong for its kind sets that bit too, and the walk goes on behind the option. Kinds and lengths
 * are those of the IANA registry; both that and duplicates behave as in tcp_parse_options(),
 * net/ipv4/tcp_input.c: the last one counts.
 *
 * Compiled by the module, the capture source, the unit tests and the fuzzer.
 */
#ifndef SHK_OPTIONS_H
#define SHK_OPTIONS_H

#include "uapi/tcpshake.h"

#define SHK_TCP_HEADER_MIN	20U
#define SHK_TCP_OPTIONS_MAX	40U

static inline __u16 shk_be16(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

static inline __u32 shk_be32(const __u8 *p)
{
	return (__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3];
}

/* The cookie's octets, wherever it stood: kind 34 or the experimental form. */
static inline void shk_option_tfo(struct shk_segment *seg, const __u8 *cookie, __u32 len)
{
	seg->tfo_len = len;
	seg->tfo_cookie = 0;		/* that of an earlier option does not count */
	if (len >= 4)
		__builtin_memcpy(&seg->tfo_cookie, cookie, 4);
}

/* One option: @p points at its kind, @len (at least 2) is its whole length. Returns its SHK_OPT_* bit. */
static inline __u32 shk_option_read(struct shk_segment *seg, const __u8 *p, __u32 len)
{
	switch (p[0]) {
	case 2:
		if (len != 4)
			return SHK_OPT_MALFORMED;
		seg->mss = shk_be16(p + 2);
		return SHK_OPT_MSS;
	case 3:
		if (len != 3)
			return SHK_OPT_MALFORMED;
		seg->wscale = p[2];
		return SHK_OPT_WSCALE;
	case 4:
		return len == 2 ? SHK_OPT_SACK_PERMITTED : SHK_OPT_MALFORMED;
	case 5:
		if (len < 10 || (len - 2) % 8)
			return SHK_OPT_MALFORMED;
		seg->sack_blocks = (len - 2) / 8;
		return SHK_OPT_SACK;
	case 8:
		if (len != 10)
			return SHK_OPT_MALFORMED;
		seg->tsval = shk_be32(p + 2);
		seg->tsecr = shk_be32(p + 6);
		return SHK_OPT_TIMESTAMPS;
	case 19:
		return len == 18 ? SHK_OPT_MD5 : SHK_OPT_MALFORMED;
	case 28:
		return len == 4 ? SHK_OPT_USER_TIMEOUT : SHK_OPT_MALFORMED;
	case 29:
		return len >= 4 ? SHK_OPT_AO : SHK_OPT_MALFORMED;
	case 30:
		if (len < 3)
			return SHK_OPT_MALFORMED;
		seg->mptcp_subtype = p[2] >> 4;
		return SHK_OPT_MPTCP;
	case 34:
		shk_option_tfo(seg, p + 2, len - 2);
		return SHK_OPT_TFO;
	case 172:
	case 174:
		return SHK_OPT_ACCECN;
	case 254:
		if (len < 4 || shk_be16(p + 2) != 0xf989)
			return SHK_OPT_UNKNOWN;
		shk_option_tfo(seg, p + 4, len - 4);
		return SHK_OPT_TFO_EXPERIMENT;
	}
	return SHK_OPT_UNKNOWN;
}

/* Where a walk through the list stands. */
struct shk_options_walk {
	struct shk_segment	*seg;
	const __u8		*p;
	__u32			have;
	__u32			want;
	__u32			i;
};

/* The list ends here: nothing behind it is an option, so nothing was cut off. */
static inline void shk_options_end(struct shk_options_walk *w)
{
	w->have = w->want;
	w->i = w->want;
}

/*
 * One step: at most one option. Returns 1 when the walk is over. The signature is that of a bpf_loop()
 * callback, because the BPF verifier does not follow a loop of forty variable steps.
 */
static inline long shk_options_step(__u64 n, struct shk_options_walk *w)
{
	__u32 i = w->i, len, bit;

	(void)n;
	if (i >= w->have || i >= SHK_TCP_OPTIONS_MAX)
		return 1;
	if (w->p[i] == 0) {		/* end of list: padding may follow */
		shk_options_end(w);
		return 1;
	}
	if (w->p[i] == 1) {		/* no operation */
		w->i = i + 1;
		return 0;
	}
	if (i + 1 >= w->have)
		return 1;
	len = w->p[i + 1];
	if (len < 2 || len > w->want - i) {
		w->seg->options |= SHK_OPT_MALFORMED;
		shk_options_end(w);
		return 1;
	}
	if (len > w->have - i)
		return 1;
	bit = shk_option_read(w->seg, w->p + i, len);
	if (bit & w->seg->options & ~(SHK_OPT_UNKNOWN | SHK_OPT_MALFORMED))
		w->seg->options |= SHK_OPT_DUPLICATE;
	w->seg->options |= bit;
	w->i = i + len;
	return 0;
}

#define SHK_OPTIONS_USUAL 12U

/*
 * What most segments have and nothing else: NOP, NOP, timestamps, SHK_OPTIONS_USUAL octets in all. Returns 1
 * if these are there; then they are read as by shk_options_parse().
 */
static inline int shk_options_read_usual(struct shk_segment *seg, const __u8 *p)
{
	if (shk_be32(p) != 0x0101080a)
		return 0;
	seg->tsval = shk_be32(p + 4);
	seg->tsecr = shk_be32(p + 8);
	seg->options |= SHK_OPT_TIMESTAMPS;
	return 1;
}

/**
 * shk_options_parse - read a TCP option list
 * @seg:	.options and the members it names are set; must be zero before
 * @p:		first octet after the fixed header. In BPF: a buffer of 64 octets, zero beyond @have
 * @have:	octets that may be read
 * @want:	octets of options the header announces (doff * 4 - 20), 0 to 40; more than @have if the
 *		packet or capture was cut, and then SHK_OPT_TRUNCATED is set
 */
static inline void shk_options_parse(struct shk_segment *seg, const __u8 *p, __u32 have, __u32 want)
{
	struct shk_options_walk w = { .seg = seg, .p = p, .have = have < want ? have : want, .want = want };

	if (want == SHK_OPTIONS_USUAL && have >= want && shk_options_read_usual(seg, p))
		return;
#ifdef __bpf__
	bpf_loop(SHK_TCP_OPTIONS_MAX, shk_options_step, &w, 0);
#else
	while (!shk_options_step(0, &w))
		;
#endif
	if (w.have < want)
		seg->options |= SHK_OPT_TRUNCATED;
	else if (w.i < w.have)		/* a kind without its length */
		seg->options |= SHK_OPT_MALFORMED;
}

/* The fixed part of a header: @p points at SHK_TCP_HEADER_MIN octets. Sets ports and .seg. */
static inline void shk_header_fixed(struct shk_event *ev, const __u8 *p, __u32 payload_len)
{
	struct shk_segment *seg = &ev->seg;

	ev->sport = shk_be16(p);
	ev->dport = shk_be16(p + 2);
	seg->seq = shk_be32(p + 4);
	seg->ack = shk_be32(p + 8);
	seg->tcp_flags = (p[12] & 0x0f) << 8 | p[13];
	seg->window = shk_be16(p + 14);
	seg->payload_len = payload_len;
}

/**
 * shk_header_parse - read a TCP header and its options
 * @ev:		.sport, .dport and .seg are set; .seg must be zero before
 * @p:		first octet of the TCP header
 * @have:	octets that may be read, at least SHK_TCP_HEADER_MIN
 * @l4_len:	octets of TCP header and payload according to IP, which may be more than @have
 *
 * Returns 0, or -1 if the header is impossible (data offset under 5 or beyond the packet).
 */
static inline int shk_header_parse(struct shk_event *ev, const __u8 *p, __u32 have, __u32 l4_len)
{
	__u32 doff = (p[12] >> 4) * 4U;

	if (doff < SHK_TCP_HEADER_MIN || doff > l4_len)
		return -1;
	shk_header_fixed(ev, p, l4_len - doff);
	shk_options_parse(&ev->seg, p + SHK_TCP_HEADER_MIN, have - SHK_TCP_HEADER_MIN,
			  doff - SHK_TCP_HEADER_MIN);
	return 0;
}

#endif /* SHK_OPTIONS_H */
