// SPDX-License-Identifier: GPL-2.0
#include "packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#define TCP_SIZE     20U
#define OPTION_NOP   1
#define TFO_OCTETS   4U /* that an event has */
#define CHECKSUM_IP4 10U
#define CHECKSUM_TCP 16U

/* Options are put one behind the other. */
struct options {
	unsigned char octets[40];
	unsigned int len;
};

static void put(struct options *o, const void *octets, unsigned int len)
{
	memcpy(o->octets + o->len, octets, len);
	o->len += len;
}

static void put_tfo(struct options *o, const struct shk_segment *seg)
{
	const unsigned char standard[] = {34, 2 + seg->tfo_len};
	const unsigned char experiment[] = {254, 4 + seg->tfo_len, 0xf9, 0x89};

	if (seg->tfo_len > TFO_OCTETS)
		return;
	if (seg->options & SHK_OPT_TFO)
		put(o, standard, sizeof(standard));
	else if (seg->options & SHK_OPT_TFO_EXPERIMENT)
		put(o, experiment, sizeof(experiment));
	else
		return;
	put(o, &seg->tfo_cookie, seg->tfo_len);
}

/* In the order in which Linux has them. */
static void make_options(struct options *o, const struct shk_segment *seg)
{
	const unsigned char mss[] = {2, 4, seg->mss >> 8, seg->mss & 0xff};
	const unsigned char sack_permitted[] = {4, 2};
	const unsigned char timestamps[] = {8, 10};
	const unsigned char wscale[] = {3, 3, seg->wscale};
	const uint32_t ts[] = {htonl(seg->tsval), htonl(seg->tsecr)};

	o->len = 0;
	if (seg->options & SHK_OPT_MSS)
		put(o, mss, sizeof(mss));
	if (seg->options & SHK_OPT_SACK_PERMITTED)
		put(o, sack_permitted, sizeof(sack_permitted));
	if (seg->options & SHK_OPT_TIMESTAMPS) {
		put(o, timestamps, sizeof(timestamps));
		put(o, ts, sizeof(ts));
	}
	if (seg->options & SHK_OPT_WSCALE)
		put(o, wscale, sizeof(wscale));
	put_tfo(o, seg);
	while (o->len % 4)
		o->octets[o->len++] = OPTION_NOP;
}

/* RFC 1071, of an even number of octets or with one more that is 0. */
static uint32_t add_up(uint32_t sum, const unsigned char *p, unsigned int len)
{
	unsigned int i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

static void put_checksum(unsigned char *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum;
	at[0] = sum >> 8 & 0xff;
	at[1] = sum & 0xff;
}

static void put_length(unsigned char *at, unsigned int len)
{
	if (len > UINT16_MAX)
		len = 0;
	at[0] = len >> 8;
	at[1] = len & 0xff;
}

/* The pseudo-header of RFC 9293 3.1 is the addresses, the protocol and the length. */
static void finish_tcp(struct shk_packet_made *p, unsigned int l3_len, unsigned int addresses)
{
	unsigned char *tcp = p->octets + l3_len;
	unsigned int len = p->len - l3_len;
	uint32_t sum = IPPROTO_TCP + len;

	tcp[12] = len / 4 << 4 | (tcp[12] & 0x0f);
	if (p->wire_len != p->len)
		return;
	sum = add_up(sum, p->octets + addresses, l3_len - addresses);
	put_checksum(tcp + CHECKSUM_TCP, add_up(sum, tcp, len));
}

static void finish_ip4(struct shk_packet_made *p, unsigned int l3_len)
{
	put_length(p->octets + 2, p->wire_len);
	put_checksum(p->octets + CHECKSUM_IP4, add_up(0, p->octets, l3_len));
}

void shk_packet_make(struct shk_packet_made *p, const struct shk_event *ev)
{
	struct shk_headers h;
	struct options o;
	unsigned int l3_len;

	shk_headers_make(&h, ev);
	make_options(&o, &ev->seg);
	memcpy(p->octets, h.octets, h.len);
	memcpy(p->octets + h.len, o.octets, o.len);
	p->len = h.len + o.len;
	p->wire_len = p->len + ev->seg.payload_len;
	l3_len = h.len - TCP_SIZE;
	if (p->octets[0] >> 4 == 4) {
		finish_ip4(p, l3_len);
		finish_tcp(p, l3_len, 12);
	} else {
		put_length(p->octets + 4, p->wire_len - l3_len);
		finish_tcp(p, l3_len, 8);
	}
}
