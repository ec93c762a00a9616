// SPDX-License-Identifier: GPL-2.0
/* Every way a TCP header can be wrapped, whole and cut after every octet. */
#include "frame.h"

#include <pcap/dlt.h>

#include "dissect/dissect.h"
#include "prng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	int dlt;
	const char *headers;
} cases[] = {
	{DLT_EN10MB, "eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4-options tcp"},
	{DLT_EN10MB, "eth/ip6 ip6 tcp"},
	{DLT_EN10MB, "eth/ip6 ip6-chain tcp"},
	{DLT_EN10MB, "eth/ip6 ip6-atomic tcp"},
	{DLT_EN10MB, "eth/vlan vlan/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/qinq vlan/vlan vlan/ip6 ip6 tcp"},
	{DLT_EN10MB, "eth/mpls mpls mpls-last ip4 tcp"},
	{DLT_EN10MB, "eth/mpls mpls-last ip6 tcp"},
	{DLT_EN10MB, "eth/mpls mpls-last control-word eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/mpls mpls-last eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/pppoe pppoe/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/pppoe pppoe/ip6 ip6 tcp"},
	{DLT_EN10MB, "eth/llc snap/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/llc llc/ip ip4 tcp"},
	{DLT_EN10MB, "eth/vntag vntag/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/pbb pbb eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/fabricpath fabricpath eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/nsh nsh/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/nsh nsh/eth eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/ip6 ip6 tcp"},
	{DLT_EN10MB, "eth/ip6 ip6/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip6 ip6/ip6 ip6/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/ah ah/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/mpls mpls-last ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/etherip etherip eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre-all/ip6 ip6 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre/eth eth/vlan vlan/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre/mpls mpls-last ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre/erspan1 eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre/erspan2 erspan2 eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre/erspan3 erspan3 eth/ip6 ip6 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre/erspan3 erspan3-more eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre-pptp/ppp ppp/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre/wifi wifi snap/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/vxlan vxlan eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip6 ip6/udp udp/vxlan-old vxlan eth/vlan vlan/ip6 ip6 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/gpe gpe/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/geneve geneve/eth eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/geneve geneve/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/gtpu gtpu ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/gtpu gtpu-extended ip6 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/teredo ip6 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/teredo teredo-indications ip6 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/l2tp l2tp ppp/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/l2tp l2tp-all ppp/ip6 ip6 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/ayiya ayiya/ip6 ip6 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/lisp lisp ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/mpls mpls-last ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/gre gre/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre/wccp1 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/gre gre/wccp2 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/gtp0 gtp0 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/capwap capwap/eth eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/capwap capwap/wifi wifi-turned snap/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/capwap capwap/wifi wifi snap/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/ip4 ip4/udp udp/tzsp tzsp/eth eth/ip6 ip6 tcp"},
	{DLT_EN10MB, "eth/trill trill eth/ip4 ip4 tcp"},
	{DLT_EN10MB, "eth/hsr hsr/ip4 ip4 tcp"},
	{DLT_EN10MB, "isl eth/vlan vlan/ip4 ip4 tcp"},
	{DLT_LINUX_SLL, "sll/ip4 ip4 tcp"},
	{DLT_LINUX_SLL, "sll/ip6 ip6 tcp"},
	{DLT_LINUX_SLL, "sll/vlan vlan/ip4 ip4 tcp"},
	{DLT_LINUX_SLL2, "sll2/ip4 ip4 tcp"},
	{DLT_RAW, "ip4 tcp"},
	{DLT_RAW, "ip6 tcp"},
	{DLT_IPV4, "ip4 tcp"},
	{DLT_IPV6, "ip6 tcp"},
	{DLT_NULL, "null/ip4 ip4 tcp"},
	{DLT_NULL, "null-big/ip4 ip4 tcp"},
	{DLT_NULL, "null/ip6 ip6 tcp"},
	{DLT_NULL, "null-windows/ip6 ip6 tcp"},
	{DLT_NULL, "null-type/ip4 ip4 tcp"},
	{DLT_NULL, "ppp/ip4 ip4 tcp"},
	{DLT_LOOP, "loop/ip6 ip6 tcp"},
	{DLT_ENC, "enc/ip4 ip4 tcp"},
	{DLT_PFLOG, "pflog/ip4 ip4 tcp"},
	{DLT_PPP, "ppp/ip4 ip4 tcp"},
	{DLT_PPP, "ppp-short/ip4 ip4 tcp"},
	{DLT_PPP, "ppp/ip6 ip6 tcp"},
	{DLT_PPP, "chdlc/ip4 ip4 tcp"},
	{DLT_PPP_SERIAL, "ppp/ip4 ip4 tcp"},
	{DLT_PPP_PPPD, "ppp-direction/ip4 ip4 tcp"},
	{DLT_PPP_ETHER, "pppoe/ip4 ip4 tcp"},
	{DLT_C_HDLC, "chdlc/ip4 ip4 tcp"},
	{DLT_FRELAY, "fr/ip4 ip4 tcp"},
	{DLT_FRELAY, "fr-snap/ip4 ip4 tcp"},
	{DLT_FRELAY, "fr-snap/bridged eth/ip4 ip4 tcp"},
	{DLT_PPP_WITH_DIR, "direction ppp/ip4 ip4 tcp"},
	{DLT_C_HDLC_WITH_DIR, "direction chdlc/ip4 ip4 tcp"},
	{DLT_FRELAY_WITH_DIR, "direction fr/ip4 ip4 tcp"},
	{DLT_MPLS, "mpls-last ip4 tcp"},
	{DLT_DOCSIS, "docsis eth/ip4 ip4 tcp"},
	{DLT_DOCSIS, "docsis-extended eth/ip4 ip4 tcp"},
	{DLT_DSA_TAG_DSA, "dsa/ip4 ip4 tcp"},
	{DLT_DSA_TAG_BRCM, "dsa/ip4 ip4 tcp"},
	{DLT_DSA_TAG_BRCM_PREPEND, "four eth/ip4 ip4 tcp"},
	{DLT_DSA_TAG_EDSA, "edsa/ip4 ip4 tcp"},
	{DLT_NETANALYZER, "four eth/ip4 ip4 tcp"},
	{DLT_NETANALYZER_TRANSPARENT, "twelve eth/ip4 ip4 tcp"},
	{DLT_ERF, "erf/eth eth/ip4 ip4 tcp"},
	{DLT_ERF, "erf-more/eth eth/ip4 ip4 tcp"},
	{DLT_ERF, "erf/ppp ppp/ip4 ip4 tcp"},
	{DLT_ERF, "erf/ip4 ip4 tcp"},
	{DLT_IEEE802, "token-ring snap/ip4 ip4 tcp"},
	{DLT_IEEE802, "token-ring-routed snap/ip4 ip4 tcp"},
	{DLT_FDDI, "fddi snap/ip4 ip4 tcp"},
	{DLT_ATM_RFC1483, "snap/ip4 ip4 tcp"},
	{DLT_ATM_RFC1483, "snap/bridged eth/ip4 ip4 tcp"},
	{DLT_SUNATM, "sunatm snap/ip4 ip4 tcp"},
	{DLT_ARCNET_LINUX, "arcnet-1051 ip4 tcp"},
	{DLT_ARCNET_LINUX, "arcnet-1201 ip4 tcp"},
	{DLT_IP_OVER_FC, "fc snap/ip4 ip4 tcp"},
	{DLT_APPLE_IP_OVER_IEEE1394, "firewire/ip4 ip4 tcp"},
	{DLT_IPOIB, "infiniband/ip4 ip4 tcp"},
	{DLT_JUNIPER_ETHER, "juniper eth/ip4 ip4 tcp"},
	{DLT_PKTAP, "pktap/eth eth/ip4 ip4 tcp"},
	{DLT_IEEE802_11, "wifi snap/ip4 ip4 tcp"},
	{DLT_IEEE802_11, "wifi-qos snap/ip4 ip4 tcp"},
	{DLT_IEEE802_11, "wifi-qos-ht snap/ip4 ip4 tcp"},
	{DLT_IEEE802_11, "wifi-four snap/ip4 ip4 tcp"},
	{DLT_IEEE802_11, "wifi-aggregate subframe snap/ip4 ip4 tcp"},
	{DLT_IEEE802_11_RADIO, "radiotap wifi snap/ip4 ip4 tcp"},
	{DLT_IEEE802_11_RADIO, "radiotap-padded wifi-padded snap/ip4 ip4 tcp"},
	{DLT_IEEE802_11_RADIO, "radiotap-words wifi-qos snap/ip4 ip4 tcp"},
	{DLT_PRISM_HEADER, "prism wifi snap/ip4 ip4 tcp"},
	{DLT_PRISM_HEADER, "avs wifi snap/ip4 ip4 tcp"},
	{DLT_IEEE802_11_RADIO_AVS, "avs wifi snap/ip4 ip4 tcp"},
	{DLT_PPI, "ppi/wifi wifi snap/ip4 ip4 tcp"},
};

static struct shk_dissector *dissector;
static struct shk_event ev;
static struct shk_tcp_place place;

static int setup(void **state)
{
	(void)state;
	dissector = shk_dissector_new();
	return dissector ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	shk_dissector_free(dissector);
	return 0;
}

/* The first @have octets of a packet of @len, in memory of exactly that size. */
static enum shk_found dissect(int dlt, const uint8_t *octets, uint32_t have, uint32_t len)
{
	uint8_t *exact = malloc(have ? have : 1);
	struct shk_packet packet = {.octets = exact, .have = have, .len = len, .ts_ns = 1};
	enum shk_found found;
	int link = shk_dissect_link(dlt);

	assert_non_null(exact);
	assert_true(link >= 0);
	memcpy(exact, octets, have);
	found = shk_dissect(dissector, link, &packet, &ev, &place);
	if (found == SHK_FOUND_SEGMENT)
		shk_dissect_options(&ev, &place);
	free(exact);
	return found;
}

static enum shk_found dissect_frame(int dlt, const struct frame *f)
{
	return dissect(dlt, frame_octets(f), frame_len(f), frame_len(f));
}

static void check_addresses(bool ipv6)
{
	uint8_t from[16], to[16];

	memset(from, 0, sizeof(from));
	hex_octets(from, ipv6 ? "20010db8000000000000000000000001" : "00000000000000000000ffff0a000001");
	hex_octets(to, ipv6 ? "20010db8000000000000000000000002" : "00000000000000000000ffff0a000002");
	assert_memory_equal(ev.saddr, from, 16);
	assert_memory_equal(ev.daddr, to, 16);
	assert_int_equal(ev.seg.ttl, 57);
	assert_int_equal(ev.seg.dsfield, 0x10);
	assert_int_equal(ev.seg.ip_id, ipv6 ? 0 : 0xbeef);
}

static void check_segment(bool ipv6)
{
	check_addresses(ipv6);
	assert_int_equal(ev.kind, SHK_EV_SEGMENT);
	assert_int_equal(ev.where, SHK_HOOK_CAPTURE);
	assert_int_equal(ev.ts_ns, 1);
	assert_int_equal(ev.sport, 1000);
	assert_int_equal(ev.dport, 80);
	assert_int_equal(ev.seg.seq, 0x01020304);
	assert_int_equal(ev.seg.tcp_flags, SHK_TCP_SYN);
	assert_int_equal(ev.seg.payload_len, 5);
	assert_int_equal(ev.seg.gso_segs, 1);
}

static bool inner_is_ipv6(const char *names)
{
	return strstr(names, " ip6 ") || strstr(names, " ip6-") || !strncmp(names, "ip6 ", 4);
}

static void test_whole(void **state)
{
	struct frame f;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		print_message("%s\n", cases[i].headers);
		frame_build(&f, cases[i].headers);
		assert_int_equal(dissect_frame(cases[i].dlt, &f), SHK_FOUND_SEGMENT);
		check_segment(inner_is_ipv6(cases[i].headers));
		assert_int_equal(ev.seg.options, SHK_OPT_MSS | SHK_OPT_WSCALE);
		assert_int_equal(ev.seg.mss, 1460);
		assert_int_equal(ev.seg.wscale, 7);
	}
}

/* A frame may be padded, or carry its checksum. */
static void test_trailer(void **state)
{
	static const uint8_t trailer[18];
	struct frame f;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		print_message("%s\n", cases[i].headers);
		frame_build(&f, cases[i].headers);
		f.at -= sizeof(trailer);
		memmove(f.octets + f.at, f.octets + f.at + sizeof(trailer), frame_len(&f) - sizeof(trailer));
		memcpy(f.octets + FRAME_MAX - sizeof(trailer), trailer, sizeof(trailer));
		assert_int_equal(dissect_frame(cases[i].dlt, &f), SHK_FOUND_SEGMENT);
		check_segment(inner_is_ipv6(cases[i].headers));
	}
}

/* Cut by the capture: the fixed TCP header suffices, and the payload is as long as it was. */
static void test_cut_by_capture(void **state)
{
	uint32_t have, len, needed;
	enum shk_found found;
	struct frame f;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		print_message("%s\n", cases[i].headers);
		frame_build(&f, cases[i].headers);
		len = frame_len(&f);
		needed = len - 5 - 8; /* without payload and options */
		for (have = 0; have < len; have++) {
			found = dissect(cases[i].dlt, frame_octets(&f), have, len);
			if (have < needed) {
				assert_int_equal(found, SHK_FOUND_TRUNCATED);
				continue;
			}
			assert_int_equal(found, SHK_FOUND_SEGMENT);
			check_segment(inner_is_ipv6(cases[i].headers));
			assert_int_equal(!!(ev.seg.options & SHK_OPT_TRUNCATED), have < len - 5);
		}
	}
}

/* Short on the wire: the headers contradict each other, and nothing is read beyond the end. */
static void test_cut_on_the_wire(void **state)
{
	uint32_t have, len;
	struct frame f;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		frame_build(&f, cases[i].headers);
		len = frame_len(&f);
		for (have = 0; have < len - 5 - 8; have++)
			assert_int_not_equal(dissect(cases[i].dlt, frame_octets(&f), have, have),
					     SHK_FOUND_SEGMENT);
	}
}

/* Any octet may be any other: the sanitizers watch. */
static void test_damaged(void **state)
{
	struct prng random = {.state = 42};
	struct frame f;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		for (n = 0; n < 500; n++) {
			frame_build(&f, cases[i].headers);
			f.octets[f.at + prng_below(&random, frame_len(&f))] = prng_below(&random, 256);
			f.octets[f.at + prng_below(&random, frame_len(&f))] = prng_below(&random, 256);
			dissect(cases[i].dlt, frame_octets(&f), prng_below(&random, frame_len(&f) + 1),
				frame_len(&f));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),          cmocka_unit_test(test_trailer),
		cmocka_unit_test(test_cut_by_capture), cmocka_unit_test(test_cut_on_the_wire),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
