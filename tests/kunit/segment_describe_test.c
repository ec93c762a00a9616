// SPDX-License-Identifier: GPL-2.0
/* What is recorded of a segment: every option of TCP, good and bad, and every other field. */
#include <linux/net.h>
#include <net/sock.h>

#include "packet.h"

#define OPTIONS(...) {__VA_ARGS__}, sizeof((u8[]){__VA_ARGS__})

static const struct option_case {
	const char *name;
	u8 octets[40];
	u32 len;
	/* expected */
	struct shk_segment seg;
} option_cases[] = {
	{"no operation", OPTIONS(1, 1, 1, 1), {}},
	{"end of list", OPTIONS(0, 2, 4, 5), {}},
	{"MSS", OPTIONS(2, 4, 5, 180), {.options = SHK_OPT_MSS, .mss = 1460}},
	{"MSS, too short", OPTIONS(2, 3, 5), {.options = SHK_OPT_MALFORMED}},
	{"MSS, twice",
	 OPTIONS(2, 4, 5, 180, 2, 4, 2, 0),
	 {.options = SHK_OPT_MSS | SHK_OPT_DUPLICATE, .mss = 512}},
	{"window scale", OPTIONS(3, 3, 14), {.options = SHK_OPT_WSCALE, .wscale = 14}},
	{"window scale, too large", OPTIONS(3, 3, 255), {.options = SHK_OPT_WSCALE, .wscale = 255}},
	{"window scale, too long", OPTIONS(3, 4, 14, 0), {.options = SHK_OPT_MALFORMED}},
	{"SACK permitted", OPTIONS(4, 2), {.options = SHK_OPT_SACK_PERMITTED}},
	{"SACK permitted, too long", OPTIONS(4, 3, 0), {.options = SHK_OPT_MALFORMED}},
	{"SACK of one block",
	 OPTIONS(5, 10, 0, 0, 0, 1, 0, 0, 0, 2),
	 {.options = SHK_OPT_SACK, .sack_blocks = 1}},
	{"SACK of four blocks", OPTIONS(5, 34, [33] = 1), {.options = SHK_OPT_SACK, .sack_blocks = 4}},
	{"SACK of none", OPTIONS(5, 2), {.options = SHK_OPT_MALFORMED}},
	{"SACK of a block and a half", OPTIONS(5, 14, [13] = 1), {.options = SHK_OPT_MALFORMED}},
	{"timestamps",
	 OPTIONS(8, 10, 1, 2, 3, 4, 5, 6, 7, 8),
	 {.options = SHK_OPT_TIMESTAMPS, .tsval = 0x01020304, .tsecr = 0x05060708}},
	{"timestamps, too short", OPTIONS(8, 6, 1, 2, 3, 4), {.options = SHK_OPT_MALFORMED}},
	{"MD5", OPTIONS(19, 18, [17] = 1), {.options = SHK_OPT_MD5}},
	{"user timeout", OPTIONS(28, 4, 0, 9), {.options = SHK_OPT_USER_TIMEOUT}},
	{"AO", OPTIONS(29, 16, [15] = 1), {.options = SHK_OPT_AO}},
	{"AO, too short", OPTIONS(29, 3, 0), {.options = SHK_OPT_MALFORMED}},
	{"MPTCP, MP_CAPABLE", OPTIONS(30, 4, 0x01, 0x81), {.options = SHK_OPT_MPTCP}},
	{"MPTCP, MP_JOIN", OPTIONS(30, 12, 0x10, [11] = 1), {.options = SHK_OPT_MPTCP, .mptcp_subtype = 1}},
	{"MPTCP, too short", OPTIONS(30, 2), {.options = SHK_OPT_MALFORMED}},
	{"Fast Open, cookie request", OPTIONS(34, 2), {.options = SHK_OPT_TFO}},
	{"Fast Open, cookie",
	 OPTIONS(34, 10, 7, 7, 7, 7, 8, 8, 8, 8),
	 {.options = SHK_OPT_TFO, .tfo_len = 8, .tfo_cookie = 0x07070707}},
	{"Fast Open, in its older form",
	 OPTIONS(254, 12, 0xf9, 0x89, 7, 7, 7, 7, 8, 8, 8, 8),
	 {.options = SHK_OPT_TFO_EXPERIMENT, .tfo_len = 8, .tfo_cookie = 0x07070707}},
	{"another experiment", OPTIONS(254, 4, 0xf9, 0x88), {.options = SHK_OPT_UNKNOWN}},
	{"accurate ECN", OPTIONS(172, 5, 0, 0, 1), {.options = SHK_OPT_ACCECN}},
	{"accurate ECN, the other order", OPTIONS(174, 5, 0, 0, 1), {.options = SHK_OPT_ACCECN}},
	{"a kind nobody knows", OPTIONS(99, 2), {.options = SHK_OPT_UNKNOWN}},
	{"length 0", OPTIONS(2, 0, 5, 180), {.options = SHK_OPT_MALFORMED}},
	{"length 1", OPTIONS(2, 1, 5, 180), {.options = SHK_OPT_MALFORMED}},
	{"length beyond the header",
	 OPTIONS(3, 3, 7, 2, 6, 5, 180, 0),
	 {.options = SHK_OPT_WSCALE | SHK_OPT_MALFORMED, .wscale = 7}},
	{"kind without its length", OPTIONS(1, 1, 1, 2), {.options = SHK_OPT_MALFORMED}},
	{"a good one behind a bad one",
	 OPTIONS(2, 3, 5, 3, 3, 7, 1, 1),
	 {.options = SHK_OPT_MALFORMED | SHK_OPT_WSCALE, .wscale = 7}},
	{"those of Linux",
	 OPTIONS(2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7),
	 {.options = SHK_OPT_MSS | SHK_OPT_SACK_PERMITTED | SHK_OPT_TIMESTAMPS | SHK_OPT_WSCALE,
	  .mss = 1460,
	  .tsval = 9,
	  .wscale = 7}},
};

KUNIT_ARRAY_PARAM_DESC(option, option_cases, name);

static void expect_options(struct kunit *test, const struct shk_segment *got, const struct shk_segment *want)
{
	KUNIT_EXPECT_EQ(test, got->options, want->options);
	KUNIT_EXPECT_EQ(test, got->mss, want->mss);
	KUNIT_EXPECT_EQ(test, got->wscale, want->wscale);
	KUNIT_EXPECT_EQ(test, got->sack_blocks, want->sack_blocks);
	KUNIT_EXPECT_EQ(test, got->tsval, want->tsval);
	KUNIT_EXPECT_EQ(test, got->tsecr, want->tsecr);
	KUNIT_EXPECT_EQ(test, got->mptcp_subtype, want->mptcp_subtype);
	KUNIT_EXPECT_EQ(test, got->tfo_len, want->tfo_len);
	KUNIT_EXPECT_EQ(test, got->tfo_cookie, want->tfo_cookie);
}

/* In one piece, and with a page's end behind every octet of the options. */
static void segment_options_are_read(struct kunit *test)
{
	const struct option_case *c = test->param_value;
	struct sk_buff *skb;
	struct shk_event ev;
	struct packet p;
	u32 linear;

	packet_ipv4(&p, IPPROTO_TCP, 0);
	packet_tcp(&p, SHK_TCP_SYN, c->octets, c->len);
	for (linear = 40; linear <= p.len; linear++) {
		skb = packet_skb(test, &p, p.len, linear, p.len);
		KUNIT_ASSERT_EQ(test, (int)packet_event(&ev, skb, p.pf, NF_INET_LOCAL_IN),
				(int)SHK_FOUND_SEGMENT);
		expect_options(test, &ev.seg, &c->seg);
		packet_free(test, skb);
	}
}

static void segment_of_ipv4_is_described(struct kunit *test)
{
	static const u8 from[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1};
	static const u8 to[16] = {[10] = 0xff, [11] = 0xff, 198, 51, 100, 2};
	struct shk_event ev;
	struct packet p;

	packet_ipv4(&p, IPPROTO_TCP, 0);
	packet_tcp(&p, SHK_TCP_SYN | SHK_TCP_ACK | SHK_TCP_AE, NULL, 0);
	packet_event(&ev, packet_whole(test, &p), p.pf, NF_INET_FORWARD);
	KUNIT_EXPECT_EQ(test, ev.kind, SHK_EV_SEGMENT);
	KUNIT_EXPECT_EQ(test, ev.where, SHK_HOOK_FORWARD);
	KUNIT_EXPECT_EQ(test, ev.netns, init_net.ns.inum);
	KUNIT_EXPECT_MEMEQ(test, ev.saddr, from, sizeof(from));
	KUNIT_EXPECT_MEMEQ(test, ev.daddr, to, sizeof(to));
	KUNIT_EXPECT_EQ(test, ev.sport, 40000);
	KUNIT_EXPECT_EQ(test, ev.dport, 443);
	KUNIT_EXPECT_EQ(test, ev.seg.seq, 0xfffffffe);
	KUNIT_EXPECT_EQ(test, ev.seg.ack, 0x01020304);
	KUNIT_EXPECT_EQ(test, ev.seg.window, 64240);
	KUNIT_EXPECT_EQ(test, ev.seg.payload_len, 3);
	KUNIT_EXPECT_EQ(test, ev.seg.tcp_flags, SHK_TCP_SYN | SHK_TCP_ACK | SHK_TCP_AE);
	KUNIT_EXPECT_EQ(test, ev.seg.ip_id, 0x1234);
	KUNIT_EXPECT_EQ(test, ev.seg.ttl, 61);
	KUNIT_EXPECT_EQ(test, ev.seg.dsfield, 0x2a);
	KUNIT_EXPECT_EQ(test, ev.seg.gso_segs, 1);
	KUNIT_EXPECT_EQ(test, ev.seg.sock_state, 0);
}

static void segment_of_ipv6_is_described(struct kunit *test)
{
	static const u8 from[16] = {[15] = 1}, to[16] = {0xfd, [15] = 2};
	struct shk_event ev;
	struct packet p;

	packet_ipv6(&p, NEXTHDR_TCP);
	packet_tcp(&p, SHK_TCP_FIN | SHK_TCP_ACK, NULL, 0);
	packet_event(&ev, packet_whole(test, &p), p.pf, NF_INET_PRE_ROUTING);
	KUNIT_EXPECT_MEMEQ(test, ev.saddr, from, sizeof(from));
	KUNIT_EXPECT_MEMEQ(test, ev.daddr, to, sizeof(to));
	KUNIT_EXPECT_EQ(test, ev.seg.tcp_flags, SHK_TCP_FIN | SHK_TCP_ACK);
	KUNIT_EXPECT_EQ(test, ev.seg.ip_id, 0);
	KUNIT_EXPECT_EQ(test, ev.seg.ttl, 62);
	KUNIT_EXPECT_EQ(test, ev.seg.dsfield, 0x2a);
}

static void segment_stands_for_those_that_gso_will_cut(struct kunit *test)
{
	struct sk_buff *skb;
	struct shk_event ev;
	struct packet p;

	packet_ipv4(&p, IPPROTO_TCP, 0);
	packet_tcp(&p, SHK_TCP_ACK, NULL, 0);
	skb = packet_whole(test, &p);
	skb_shinfo(skb)->gso_segs = 3;
	skb->mark = 0xdeadbeef;
	packet_event(&ev, skb, p.pf, NF_INET_LOCAL_OUT);
	KUNIT_EXPECT_EQ(test, ev.seg.gso_segs, 3);
	KUNIT_EXPECT_EQ(test, ev.seg.mark, 0xdeadbeef);
}

static void release_socket(void *sock)
{
	sock_release(sock);
}

/* The state of a packet's socket is told where the packet leaves it, if it is one of TCP. */
static void segment_tells_the_state_of_its_sender(struct kunit *test)
{
	static const struct {
		int type, protocol;
		u8 hook;
		/* expected */
		u8 state;
	} cases[] = {
		{SOCK_STREAM, IPPROTO_TCP, NF_INET_LOCAL_OUT, TCP_CLOSE},
		{SOCK_STREAM, IPPROTO_TCP, NF_INET_POST_ROUTING, 0},
		{SOCK_STREAM, IPPROTO_TCP, NF_INET_LOCAL_IN, 0},
		{SOCK_RAW, IPPROTO_TCP, NF_INET_LOCAL_OUT, 0},
	};
	struct socket *sock;
	struct sk_buff *skb;
	struct shk_event ev;
	struct packet p;
	size_t i;

	packet_ipv4(&p, IPPROTO_TCP, 0);
	packet_tcp(&p, SHK_TCP_SYN, NULL, 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_ASSERT_EQ(test,
				sock_create_kern(&init_net, AF_INET, cases[i].type, cases[i].protocol, &sock),
				0);
		KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, release_socket, sock), 0);
		skb = packet_whole(test, &p);
		skb->sk = sock->sk;
		packet_event(&ev, skb, p.pf, cases[i].hook);
		skb->sk = NULL;
		KUNIT_EXPECT_EQ_MSG(test, ev.seg.sock_state, cases[i].state, "case %zu", i);
	}
}

static struct kunit_case segment_describe_cases[] = {
	KUNIT_CASE_PARAM(segment_options_are_read, option_gen_params),
	KUNIT_CASE(segment_of_ipv4_is_described),
	KUNIT_CASE(segment_of_ipv6_is_described),
	KUNIT_CASE(segment_stands_for_those_that_gso_will_cut),
	KUNIT_CASE(segment_tells_the_state_of_its_sender),
	{}};

static struct kunit_suite segment_describe_suite = {
	.name = "tcpshake_segment_describe",
	.test_cases = segment_describe_cases,
};

kunit_test_suite(segment_describe_suite);
