/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames put together by hand, from the inside out: a payload, then one header after the other in front
 * of it, each by the name it has in the table below.
 */
#ifndef TEST_FRAME_H
#define TEST_FRAME_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FRAME_MAX 4096

struct frame {
	uint8_t		octets[FRAME_MAX];
	unsigned int	at;	/* of the first octet: frames grow towards the front */
};

/*
 * A header in hexadecimal. Where @len_size is not 0, the length of what follows plus @len_add stands at
 * @len_at, big-endian in 2 octets.
 */
struct header {
	const char	*name;
	const char	*hex;
	int		len_size, len_at, len_add;
};

static const struct header frame_headers[] = {
	/* The innermost: port 1000 to 80, SYN, sequence number 0x01020304, MSS 1460 and window scale 7. */
	{ "tcp", "03e8 0050 01020304 00000000 7002 ffff 0000 0000 020405b4 030307 00", 0, 0, 0 },
	{ "tcp-fin", "03e8 0050 01020304 0a0b0c0d 5011 ffff 0000 0000", 0, 0, 0 },
	/* 10.0.0.1 to 10.0.0.2, TTL 57, TOS 0x10, identification 0xbeef */
	{ "ip4", "4510 0000 beef 4000 3906 0000 0a000001 0a000002", 2, 2, 20 },
	{ "ip4-options", "4710 0000 beef 4000 3906 0000 0a000001 0a000002 94040000 01010101", 2, 2, 28 },
	{ "ip4-tso", "4510 0000 beef 4000 3906 0000 0a000001 0a000002", 0, 0, 0 },
	{ "ip6", "6100 0000 0000 0639 20010db8000000000000000000000001 20010db8000000000000000000000002",
	  2, 4, 0 },
	{ "ip6-chain", "6100 0000 0000 0039 20010db8000000000000000000000001 20010db8000000000000000000000002"
		       "2b00 0104 00000000" "3c00 0000 00000000" "0600 0104 00000000", 2, 4, 24 },
	{ "ip6-atomic", "6100 0000 0000 2c39 20010db8000000000000000000000001 "
			"20010db8000000000000000000000002 0600 0000 12345678", 2, 4, 8 },
	/* Those around it: 192.0.2.1 to 192.0.2.2, and 2001:db8:ffff:: */
	{ "ip4/ip4", "4500 0000 0001 0000 4004 0000 c0000201 c0000202", 2, 2, 20 },
	{ "ip4/ip6", "4500 0000 0001 0000 4029 0000 c0000201 c0000202", 2, 2, 20 },
	{ "ip4/gre", "4500 0000 0001 0000 402f 0000 c0000201 c0000202", 2, 2, 20 },
	{ "ip4/udp", "4500 0000 0001 0000 4011 0000 c0000201 c0000202", 2, 2, 20 },
	{ "ip4/ah", "4500 0000 0001 0000 4033 0000 c0000201 c0000202", 2, 2, 20 },
	{ "ip4/icmp", "4500 0000 0001 0000 4001 0000 c0000201 c0000202", 2, 2, 20 },
	{ "ip4/mpls", "4500 0000 0001 0000 4089 0000 c0000201 c0000202", 2, 2, 20 },
	{ "ip4/etherip", "4500 0000 0001 0000 4061 0000 c0000201 c0000202", 2, 2, 20 },
	{ "ip4/comp", "4500 0000 0001 0000 406c 0000 c0000201 c0000202", 2, 2, 20 },
	{ "ip6/ip4", "6000 0000 0000 0440 20010db8ffff00000000000000000001 20010db8ffff00000000000000000002",
	  2, 4, 0 },
	{ "ip6/ip6", "6000 0000 0000 2940 20010db8ffff00000000000000000001 20010db8ffff00000000000000000002",
	  2, 4, 0 },
	{ "ip6/udp", "6000 0000 0000 1140 20010db8ffff00000000000000000001 20010db8ffff00000000000000000002",
	  2, 4, 0 },
	{ "ah/ip4", "0404 0000 00000001 00000001 000000000000000000000000", 0, 0, 0 },
	{ "icmp-unreachable", "0301 0000 00000000", 0, 0, 0 },
	{ "etherip", "3000", 0, 0, 0 },
	/* link types */
	{ "eth/ip4", "020000000002 020000000001 0800", 0, 0, 0 },
	{ "eth/ip6", "020000000002 020000000001 86dd", 0, 0, 0 },
	{ "eth/vlan", "020000000002 020000000001 8100", 0, 0, 0 },
	{ "eth/qinq", "020000000002 020000000001 88a8", 0, 0, 0 },
	{ "eth/mpls", "020000000002 020000000001 8847", 0, 0, 0 },
	{ "eth/pppoe", "020000000002 020000000001 8864", 0, 0, 0 },
	{ "eth/llc", "020000000002 020000000001 0000", 2, 12, 0 },
	{ "eth/vntag", "020000000002 020000000001 8926", 0, 0, 0 },
	{ "eth/pbb", "020000000002 020000000001 88e7", 0, 0, 0 },
	{ "eth/fabricpath", "020000000002 020000000001 8903", 0, 0, 0 },
	{ "eth/nsh", "020000000002 020000000001 894f", 0, 0, 0 },
	{ "eth/arp", "020000000002 020000000001 0806", 0, 0, 0 },
	{ "vlan/ip4", "0064 0800", 0, 0, 0 },
	{ "vlan/vlan", "0064 8100", 0, 0, 0 },
	{ "vlan/ip6", "0064 86dd", 0, 0, 0 },
	{ "vntag/ip4", "00000000 0800", 0, 0, 0 },
	{ "pbb", "00000001", 0, 0, 0 },
	{ "fabricpath", "0041", 0, 0, 0 },
	{ "nsh/ip4", "0002 0101 00000100", 0, 0, 0 },
	{ "nsh/eth", "0002 0103 00000100", 0, 0, 0 },
	{ "mpls", "00010040", 0, 0, 0 },
	{ "mpls-last", "00011140", 0, 0, 0 },
	{ "control-word", "00000001", 0, 0, 0 },
	{ "pppoe/ip4", "1100 0001 0000 0021", 2, 4, 2 },
	{ "pppoe/ip6", "1100 0001 0000 0057", 2, 4, 2 },
	{ "ppp/ip4", "ff03 0021", 0, 0, 0 },
	{ "ppp-short/ip4", "21", 0, 0, 0 },
	{ "ppp/ip6", "0057", 0, 0, 0 },
	{ "ppp-direction/ip4", "0003 0021", 0, 0, 0 },
	{ "chdlc/ip4", "0f00 0800", 0, 0, 0 },
	{ "fr/ip4", "1841 03cc", 0, 0, 0 },
	{ "snap/ip4", "aaaa03 000000 0800", 0, 0, 0 },
	{ "snap/bridged", "aaaa03 0080c2 0007", 0, 0, 0 },
	{ "llc/ip", "060603", 0, 0, 0 },
	{ "sll/ip4", "0000 0001 0006 0200000000010000 0800", 0, 0, 0 },
	{ "sll/ip6", "0004 0001 0006 0200000000010000 86dd", 0, 0, 0 },
	{ "sll/vlan", "0004 0001 0006 0200000000010000 8100", 0, 0, 0 },
	{ "sll2/ip4", "0800 0000 00000003 0001 00 06 0200000000010000", 0, 0, 0 },
	{ "null/ip4", "02000000", 0, 0, 0 },
	{ "null-big/ip4", "00000002", 0, 0, 0 },
	{ "null/ip6", "1e000000", 0, 0, 0 },
	{ "loop/ip6", "00000018", 0, 0, 0 },
	{ "enc/ip4", "02000000 00000001 00000000", 0, 0, 0 },
	{ "pflog/ip4", "3d020000 656d3000000000000000000000000000 00000000000000000000000000000000"
		       "00000000000000000000000000000000 000000000000000000000000", 0, 0, 0 },
	{ "nflog/ip4", "02000000 0800 0100 00000000 0500 0a00 61000000 2400 0900", 0, 0, 0 },
	{ "fddi", "50 020000000002 020000000001", 0, 0, 0 },
	{ "arcnet-1051", "0102 0000 f0", 0, 0, 0 },
	{ "arcnet-1201", "0102 0000 d4 00 0001", 0, 0, 0 },
	{ "infiniband/ip4", "0000000000000000000000000000000000000000 "
			    "0000000000000000000000000000000000000000 0800 0000", 0, 0, 0 },
	{ "firewire/ip4", "0000000000000001 0000000000000002 0800", 0, 0, 0 },
	{ "fc", "00000000000000000000000000000000", 0, 0, 0 },
	{ "sunatm", "02 00 0021", 0, 0, 0 },
	{ "juniper", "4d4743 80 0004 01020304", 0, 0, 0 },
	{ "pktap/eth", "0c000000 01000000 01000000", 0, 0, 0 },
	/* 802.11: from the access point; with QoS; between access points */
	{ "wifi", "0802 0000 020000000001 020000000002 020000000003 1000", 0, 0, 0 },
	{ "wifi-qos", "8802 0000 020000000001 020000000002 020000000003 1000 0000", 0, 0, 0 },
	{ "wifi-qos-ht", "8882 0000 020000000001 020000000002 020000000003 1000 0000 00000000", 0, 0, 0 },
	{ "wifi-four", "0803 0000 020000000001 020000000002 020000000003 1000 020000000004", 0, 0, 0 },
	{ "wifi-aggregate", "8802 0000 020000000001 020000000002 020000000003 1000 8000", 0, 0, 0 },
	{ "wifi-padded", "8802 0000 020000000001 020000000002 020000000003 1000 0000 0000", 0, 0, 0 },
	{ "wifi-encrypted", "0842 0000 020000000001 020000000002 020000000003 1000", 0, 0, 0 },
	{ "wifi-beacon", "8000 0000 ffffffffffff 020000000002 020000000002 1000", 0, 0, 0 },
	{ "subframe", "020000000001 020000000002 0000", 2, 12, 0 },
	{ "radiotap", "0000 0800 00000000", 0, 0, 0 },
	{ "radiotap-padded", "0000 1100 03000000 0000000000000000 20", 0, 0, 0 },
	{ "radiotap-words", "0000 1000 00000080 00000080 00000000", 0, 0, 0 },
	{ "prism", "44000000 0c000000 00000000", 0, 0, 0 },
	{ "avs", "80211001 0000000c 00000000", 0, 0, 0 },
	{ "ppi/wifi", "0000 0c00 69000000 00000000", 0, 0, 0 },
	/* tunnels */
	{ "gre/ip4", "0000 0800", 0, 0, 0 },
	{ "gre-all/ip6", "b000 86dd 00000000 00000001 00000002", 0, 0, 0 },
	{ "gre/eth", "2000 6558 00000001", 0, 0, 0 },
	{ "gre/mpls", "0000 8847", 0, 0, 0 },
	{ "gre/erspan1", "0000 88be", 0, 0, 0 },
	{ "gre/erspan2", "1000 88be 00000001", 0, 0, 0 },
	{ "gre/erspan3", "1000 22eb 00000001", 0, 0, 0 },
	{ "gre-pptp/ppp", "3081 880b 0000 0001 00000001 00000002", 0, 0, 0 },
	{ "gre/wifi", "0000 8200", 0, 0, 0 },
	{ "erspan2", "1001 0000 00000000", 0, 0, 0 },
	{ "erspan3", "2001 0000 00000000 0000 0000", 0, 0, 0 },
	{ "erspan3-more", "2001 0000 00000000 0000 0001 0000000000000000", 0, 0, 0 },
	{ "udp/vxlan", "c000 12b5 0000 0000", 2, 4, 8 },
	{ "udp/vxlan-old", "c000 2118 0000 0000", 2, 4, 8 },
	{ "udp/gpe", "c000 12b6 0000 0000", 2, 4, 8 },
	{ "udp/geneve", "c000 17c1 0000 0000", 2, 4, 8 },
	{ "udp/gtpu", "0868 0868 0000 0000", 2, 4, 8 },
	{ "udp/teredo", "0dd8 c000 0000 0000", 2, 4, 8 },
	{ "udp/l2tp", "06a5 06a5 0000 0000", 2, 4, 8 },
	{ "udp/ayiya", "c000 13d0 0000 0000", 2, 4, 8 },
	{ "udp/lisp", "c000 10f5 0000 0000", 2, 4, 8 },
	{ "udp/mpls", "c000 19eb 0000 0000", 2, 4, 8 },
	{ "udp/gre", "c000 1292 0000 0000", 2, 4, 8 },
	{ "udp/dns", "c000 0035 0000 0000", 2, 4, 8 },
	{ "vxlan", "08000000 00000100", 0, 0, 0 },
	{ "gpe/ip4", "0c000001 00000100", 0, 0, 0 },
	{ "geneve/eth", "0200 6558 00000100 0102030400000000", 0, 0, 0 },
	{ "geneve/ip4", "0000 0800 00000100", 0, 0, 0 },
	{ "gtpu", "30ff 0000 00000001", 2, 2, 0 },
	{ "gtpu-extended", "34ff 0000 00000001 0000 00 85 01 1000 00", 2, 2, 8 },
	{ "teredo-indications", "0001 02 03 0102 030405 0000000000000000 00 0000 0001 80ff0102", 0, 0, 0 },
	{ "l2tp", "0002 0001 0001", 0, 0, 0 },
	{ "l2tp-all", "4a02 0000 0001 0001 0001 0001 0003 aabbcc", 0, 0, 0 },
	{ "ayiya/ip6", "4152 1129 00000000 00112233445566778899aabbccddeeff "
		     "0001020304050607 08090a0b0c0d0e0f 10111213",
	  0, 0, 0 },
	{ "lisp", "00000000 00000000", 0, 0, 0 },
	{ "udp/gtp0", "0d3a 0d3a 0000 0000", 2, 4, 8 },
	{ "udp/capwap", "c000 147f 0000 0000", 2, 4, 8 },
	{ "udp/tzsp", "c000 9090 0000 0000", 2, 4, 8 },
	{ "gre/wccp1", "0000 883e", 0, 0, 0 },
	{ "gre/wccp2", "0000 883e 00010203", 0, 0, 0 },
	{ "gtp0", "1eff 0000 0001 0001 00 000000 0102030405060708", 2, 2, 0 },
	{ "capwap/eth", "00 10 0200 00000000", 0, 0, 0 },
	{ "capwap/wifi", "00 20 0310 00000000 0006020000000001", 0, 0, 0 },
	{ "tzsp/eth", "0100 0001 00 0a 02 0102 01", 0, 0, 0 },
	{ "wifi-turned", "0208 0000 020000000001 020000000002 020000000003 1000", 0, 0, 0 },
	{ "eth/trill", "020000000002 020000000001 22f3", 0, 0, 0 },
	{ "trill", "0045 00010002 01020304", 0, 0, 0 },
	{ "eth/hsr", "020000000002 020000000001 892f", 0, 0, 0 },
	{ "hsr/ip4", "0034 0001 0800", 0, 0, 0 },
	{ "isl", "01000c0000 00 020000000001 0050 aaaa03 020000 0064 0001 0000", 0, 0, 0 },
	{ "docsis", "0000 0040 0000", 0, 0, 0 },
	{ "docsis-extended", "0103 0043 010203 0000", 0, 0, 0 },
	{ "dsa/ip4", "020000000002 020000000001 01020304 0800", 0, 0, 0 },
	{ "edsa/ip4", "020000000002 020000000001 dada000001020304 0800", 0, 0, 0 },
	{ "four", "01020304", 0, 0, 0 },
	{ "twelve", "01020304 55555555555555d5", 0, 0, 0 },
	{ "erf/eth", "0102030405060708 02 04 0060 0000 0050 0000", 0, 0, 0 },
	{ "erf-more/eth", "0102030405060708 82 04 0060 0000 0050 8000000000000000 0000000000000000 0000",
	  0, 0, 0 },
	{ "erf/ppp", "0102030405060708 01 04 0060 0000 0050", 0, 0, 0 },
	{ "erf/ip4", "0102030405060708 16 04 0060 0000 0050", 0, 0, 0 },
	{ "direction", "00", 0, 0, 0 },
	{ "fr-snap/ip4", "1841 0300 80 000000 0800", 0, 0, 0 },
	{ "fr-snap/bridged", "1841 0380 0080c2 0007", 0, 0, 0 },
	{ "null-windows/ip6", "17000000", 0, 0, 0 },
	{ "null-type/ip4", "00080000", 0, 0, 0 },
	{ "token-ring", "1040 020000000002 020000000001", 0, 0, 0 },
	{ "token-ring-routed", "1040 020000000002 820000000001 0630 00110020", 0, 0, 0 },
};

static inline void frame_init(struct frame *f)
{
	memset(f, 0, sizeof(*f));
	f->at = FRAME_MAX;
}

static inline unsigned int frame_len(const struct frame *f)
{
	return FRAME_MAX - f->at;
}

static inline const uint8_t *frame_octets(const struct frame *f)
{
	return f->octets + f->at;
}

static inline uint8_t hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The octets of @hex, which may have blanks, into @to. */
static inline unsigned int hex_octets(uint8_t *to, const char *hex)
{
	unsigned int n = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		to[n / 2] = to[n / 2] << 4 | hex_digit(*hex);
		n++;
	}
	assert_int_equal(n % 2, 0);
	return n / 2;
}

static inline void frame_push_octets(struct frame *f, const uint8_t *octets, unsigned int n)
{
	assert_true(n <= f->at);
	f->at -= n;
	memcpy(f->octets + f->at, octets, n);
}

static inline const struct header *header_named(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(frame_headers) / sizeof(frame_headers[0]); i++)
		if (strlen(frame_headers[i].name) == len && !strncmp(frame_headers[i].name, name, len))
			return &frame_headers[i];
	fail_msg("no header is called %.*s", (int)len, name);
	return NULL;
}

static inline void frame_push_header(struct frame *f, const struct header *h)
{
	unsigned int len = frame_len(f) + h->len_add, n;
	uint8_t octets[256] = { 0 };

	n = hex_octets(octets, h->hex);
	if (h->len_size) {
		octets[h->len_at] = len >> 8;
		octets[h->len_at + 1] = len;
	}
	frame_push_octets(f, octets, n);
}

/* Headers from the outside in, with blanks between their names, in front of what is there. */
static inline void frame_push(struct frame *f, const char *names)
{
	const char *end = names + strlen(names), *begin;

	while (end > names) {
		for (begin = end; begin > names && begin[-1] != ' '; begin--)
			;
		frame_push_header(f, header_named(begin, end - begin));
		end = begin > names ? begin - 1 : names;
	}
}

/* A whole frame around five octets of payload. */
static inline void frame_build(struct frame *f, const char *names)
{
	frame_init(f);
	frame_push_octets(f, (const uint8_t *)"hello", 5);
	frame_push(f, names);
}

#endif /* TEST_FRAME_H */
