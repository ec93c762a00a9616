/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes IP packets with TCP in them: handshakes, data and closes of a few flows at a time as they should be,
 * and then spoiled in one or several ways. Everything follows from the choices of struct chance.
 *
 * The end that every flow has in common is the host under test: a flow goes to a listener of its own, or
 * through it, from one network to another.
 */
#ifndef FUZZ_PACKET_MAKER_H
#define FUZZ_PACKET_MAKER_H

#include <arpa/inet.h>
#include <string.h>

#include "chance.h"
#include "uapi/tcpshake.h"

#define MAKER_FLOWS	32U
#define MAKER_MAX	9216U	/* octets of a packet */
#define MAKER_PORT	7000U	/* where the host listens */

struct maker_flow {
	uint8_t		step;
	bool		ipv6;
	bool		is_local;	/* the host answers itself; else the other end is made as well */
	uint16_t	port;		/* of who opens */
	uint32_t	next[2];	/* sequence numbers: of who opens, of who answers */
};

struct made_packet {
	uint32_t	len;
	uint32_t	headers;	/* IP and TCP, as long as nothing was cut */
	uint8_t		octets[MAKER_MAX];
};

struct packet_maker {
	struct chance		chance;
	bool			only_ipv4;
	uint16_t		serial;
	struct maker_flow	flow[MAKER_FLOWS];
	struct made_packet	rest;		/* second part of one that was fragmented, to be had next */
};

/* What of it goes into the header; ends: 0 opens, 1 answers. */
struct maker_segment {
	uint8_t		from;
	uint16_t	flags;
	uint32_t	seq, ack;
	uint32_t	payload_len;
};

static inline void maker_put16(uint8_t *to, uint16_t value)
{
	to[0] = value >> 8;
	to[1] = value;
}

static inline void maker_put32(uint8_t *to, uint32_t value)
{
	maker_put16(to, value >> 16);
	maker_put16(to + 2, value);
}

static inline uint32_t maker_get32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | from[1] << 16 | from[2] << 8 | from[3];
}

/*
 * ---- Segments -------------------------------------------------------------------------------------
 */

/* Of a life without faults. A local end's own part is left to it. */
static const struct maker_segment maker_script[] = {
	{0, SHK_TCP_SYN, 0, 0, 0},
	{1, SHK_TCP_SYN | SHK_TCP_ACK, 0, 0, 0},
	{0, SHK_TCP_ACK, 0, 0, 0},
	{0, SHK_TCP_ACK | SHK_TCP_PSH, 0, 0, 100},
	{1, SHK_TCP_ACK, 0, 0, 0},
	{1, SHK_TCP_ACK | SHK_TCP_PSH, 0, 0, 700},
	{0, SHK_TCP_ACK, 0, 0, 0},
	{1, SHK_TCP_ACK | SHK_TCP_FIN, 0, 0, 0},
	{0, SHK_TCP_ACK, 0, 0, 0},
	{0, SHK_TCP_ACK | SHK_TCP_FIN, 0, 0, 0},
	{1, SHK_TCP_ACK, 0, 0, 0},
};

#define MAKER_STEPS	(sizeof(maker_script) / sizeof(maker_script[0]))

static inline void maker_begin_flow(struct packet_maker *m, struct maker_flow *f)
{
	struct chance *c = &m->chance;

	f->step = 0;
	f->ipv6 = !m->only_ipv4 && chance_below(c, 2);
	f->is_local = chance_below(c, 2);
	f->port = 1024 + chance_below(c, 64000);
	f->next[0] = chance_word(c);
	f->next[1] = chance_word(c);
}

/* The flow's next segment as it should be. */
static inline struct maker_segment maker_next(struct packet_maker *m, struct maker_flow *f)
{
	struct maker_segment seg;

	if (f->step >= MAKER_STEPS)
		maker_begin_flow(m, f);
	while (f->is_local && f->step < MAKER_STEPS - 1 && maker_script[f->step].from)
		f->step++;
	seg = maker_script[f->step++];
	seg.seq = f->next[seg.from];
	seg.ack = seg.flags & SHK_TCP_ACK ? f->next[!seg.from] : 0;
	f->next[seg.from] += seg.payload_len + !!(seg.flags & (SHK_TCP_SYN | SHK_TCP_FIN));
	return seg;
}

/* Other flags, numbers beside those that are due, another length, the same again. */
static inline void maker_spoil_segment(struct packet_maker *m, struct maker_flow *f,
				       struct maker_segment *seg)
{
	struct chance *c = &m->chance;

	switch (chance_below(c, 7)) {
	case 0:
		seg->flags = chance_below(c, 4096);
		break;
	case 1:
		seg->flags = SHK_TCP_RST | (chance_below(c, 2) ? SHK_TCP_ACK : 0);
		f->step = MAKER_STEPS;
		break;
	case 2:
		seg->seq += chance_below(c, 5) - 2;
		break;
	case 3:
		seg->ack += chance_below(c, 5) - 2;
		break;
	case 4:
		seg->seq = chance_word(c);
		seg->ack = chance_word(c);
		break;
	case 5:
		seg->payload_len = chance_below(c, chance_one_in(c, 8) ? 8000 : 1400);
		break;
	case 6:
		f->step -= f->step > 0;
		break;
	}
}

/*
 * ---- TCP ------------------------------------------------------------------------------------------
 */

static const uint8_t maker_usual_syn[] = {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};

/* One option that is right, or has a length that is not. Returns its octets. */
static inline uint32_t maker_option(struct chance *c, uint8_t to[40])
{
	static const uint8_t kinds[] = {0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34, 172, 174, 254};
	static const uint8_t lens[] = {1, 1, 4, 3, 2, 10, 10, 18, 4, 16, 12, 10, 11, 8, 8};
	uint32_t i = chance_below(c, sizeof(kinds)), len = lens[i], at;

	to[0] = kinds[i];
	if (len == 1)
		return 1;
	to[1] = chance_one_in(c, 4) ? chance_below(c, 256) : len;
	for (at = 2; at < len; at++)
		to[at] = chance_below(c, 256);
	if (to[0] == 254 && chance_below(c, 2))
		maker_put16(to + 2, 0xf989);
	return len;
}

/* Fills @to and returns the length, which is a multiple of four. */
static inline uint32_t maker_options(struct chance *c, uint16_t flags, uint8_t to[40])
{
	uint8_t one[40];
	uint32_t len = 0, size;

	memset(to, 0, 40);
	switch (chance_below(c, 4)) {
	case 0:
		if (!(flags & SHK_TCP_SYN))
			return 0;
		memcpy(to, maker_usual_syn, sizeof(maker_usual_syn));
		return sizeof(maker_usual_syn);
	case 1:
		return 0;
	case 2:
		for (len = chance_below(c, 41), size = 0; size < len; size++)
			to[size] = chance_below(c, 256);
		break;
	case 3:
		while (!chance_one_in(c, 5) && (size = maker_option(c, one)) <= 40 - len) {
			memcpy(to + len, one, size);
			len += size;
		}
		break;
	}
	return (len + 3) & ~3U;
}

/* Header, options and payload behind each other; the checksum is missing. Returns how much that is. */
static inline uint32_t maker_tcp(struct packet_maker *m, const struct maker_flow *f,
				 const struct maker_segment *seg, uint8_t *to, uint32_t *header_len)
{
	struct chance *c = &m->chance;
	uint32_t options = maker_options(c, seg->flags, to + 20), doff = 5 + options / 4;

	if (chance_one_in(c, 24))
		doff = chance_below(c, 16);
	maker_put16(to, seg->from ? MAKER_PORT : f->port);
	maker_put16(to + 2, seg->from ? f->port : MAKER_PORT);
	maker_put32(to + 4, seg->seq);
	maker_put32(to + 8, seg->ack);
	maker_put16(to + 12, doff << 12 | (seg->flags & 0xfff));
	maker_put16(to + 14, chance_one_in(c, 16) ? 0 : 65000);
	maker_put32(to + 16, 0);
	*header_len = 20 + options;
	memset(to + *header_len, 'x', seg->payload_len);
	return *header_len + seg->payload_len;
}

/*
 * ---- IP -------------------------------------------------------------------------------------------
 */

static inline uint32_t maker_sum(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (; len > 1; p += 2, len -= 2)
		sum += p[0] << 8 | p[1];
	if (len)
		sum += p[0] << 8;
	return sum;
}

static inline uint16_t maker_checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The host is x.0.1 and its peer x.0.2; through it, x.1.2 talks to x.2.2. */
static inline void maker_address(const struct maker_flow *f, unsigned int end, uint8_t to[16])
{
	uint8_t network = f->is_local ? 0 : 1 + end, host = f->is_local && end ? 1 : 2;
	const uint8_t ipv6[16] = {0xfd, 0, 0, 9, 0, network, [15] = host};
	const uint8_t ipv4[4] = {10, 9, network, host};

	memcpy(to, f->ipv6 ? ipv6 : ipv4, f->ipv6 ? sizeof(ipv6) : sizeof(ipv4));
}

static inline void maker_fix_ipv4(uint8_t *ip, uint32_t header_len)
{
	maker_put16(ip + 10, 0);
	maker_put16(ip + 10, maker_checksum(maker_sum(ip, header_len, 0)));
}

/* Returns the header's length; @len is what follows. */
static inline uint32_t maker_ipv4(struct packet_maker *m, const struct maker_flow *f, unsigned int from,
				  uint8_t *ip, uint32_t len)
{
	struct chance *c = &m->chance;
	uint32_t options = chance_one_in(c, 24) ? chance_below(c, 11) * 4 : 0, i;

	ip[0] = 0x45 + options / 4;
	ip[1] = chance_one_in(c, 8) ? chance_below(c, 256) : 0;
	maker_put16(ip + 2, 20 + options + len);
	maker_put16(ip + 4, ++m->serial);
	maker_put16(ip + 6, 0);
	ip[8] = chance_one_in(c, 24) ? chance_below(c, 3) : 64;
	ip[9] = IPPROTO_TCP;
	maker_address(f, from, ip + 12);
	maker_address(f, !from, ip + 16);
	for (i = 0; i < options; i++)
		ip[20 + i] = chance_one_in(c, 4) ? chance_below(c, 256) : 1;
	maker_fix_ipv4(ip, 20 + options);
	return 20 + options;
}

/* One extension header. Returns its length. */
static inline uint32_t maker_extension(struct chance *c, uint8_t kind, uint8_t *to)
{
	uint32_t len = 8 + (kind == 44 ? 0 : 8 * chance_below(c, 3)), i;

	memset(to, 0, len);
	to[1] = kind == 44 ? 0 : kind == 51 ? len / 4 - 2 : len / 8 - 1;
	if (kind == 44 && chance_below(c, 2))
		maker_put16(to + 2, chance_below(c, 65536));
	if (kind == 43)
		to[2] = chance_below(c, 5);
	if (chance_one_in(c, 6))
		to[1] = chance_below(c, 256);
	if (chance_one_in(c, 6))
		for (i = 2; i < len; i++)
			to[i] = chance_below(c, 256);
	else if (kind == 0 || kind == 60) /* one that pads the rest */
		to[2] = 1, to[3] = len - 4;
	return len;
}

static inline uint32_t maker_ipv6(struct packet_maker *m, const struct maker_flow *f, unsigned int from,
				  uint8_t *ip, uint32_t len)
{
	static const uint8_t kinds[] = {0, 60, 43, 44, 51, 60, 135, 59, 200};
	struct chance *c = &m->chance;
	uint32_t at = 40, n = chance_one_in(c, 6) ? 1 + chance_below(c, 3) : 0;
	uint8_t *next = ip + 6, kind;

	maker_put32(ip, 6U << 28 | chance_below(c, 256) << 20);
	ip[7] = chance_one_in(c, 24) ? chance_below(c, 3) : 64;
	maker_address(f, from, ip + 8);
	maker_address(f, !from, ip + 24);
	while (n--) {
		kind = CHANCE_PICK(c, kinds);
		*next = kind;
		next = ip + at;
		at += maker_extension(c, kind, next);
	}
	*next = IPPROTO_TCP;
	maker_put16(ip + 4, at - 40 + len);
	return at;
}

static inline void maker_finish_tcp(const struct maker_flow *f, unsigned int from, uint8_t *tcp, uint32_t len)
{
	uint32_t size = f->ipv6 ? 16 : 4, sum = IPPROTO_TCP + len;
	uint8_t ends[32];

	maker_address(f, from, ends);
	maker_address(f, !from, ends + size);
	sum = maker_sum(ends, 2 * size, sum);
	maker_put16(tcp + 16, maker_checksum(maker_sum(tcp, len, sum)));
}

/*
 * ---- Packets --------------------------------------------------------------------------------------
 */

/* Two fragments, which may overlap or leave a gap; the second comes next. */
static inline void maker_fragment(struct packet_maker *m, struct made_packet *p, uint32_t header_len)
{
	struct chance *c = &m->chance;
	uint32_t body = p->len - header_len, first, from;

	if (body < 24)
		return;
	first = (8 + chance_below(c, body - 16)) & ~7U;
	from = chance_one_in(c, 8) ? (first - 8 + chance_below(c, 3) * 8) : first;
	if (from >= body)
		return;
	m->rest = *p;
	memmove(m->rest.octets + header_len, p->octets + header_len + from, body - from);
	m->rest.len = header_len + body - from;
	maker_put16(m->rest.octets + 2, m->rest.len);
	maker_put16(m->rest.octets + 6, from / 8 | (chance_one_in(c, 16) ? 0x2000 : 0));
	maker_fix_ipv4(m->rest.octets, header_len);
	p->len = header_len + first;
	maker_put16(p->octets + 2, p->len);
	maker_put16(p->octets + 6, 0x2000);
	maker_fix_ipv4(p->octets, header_len);
}

/* The packet ends early, or its header says so, or something else; @at: where TCP begins. */
static inline void maker_spoil_packet(struct packet_maker *m, struct made_packet *p, bool ipv6, uint32_t at)
{
	struct chance *c = &m->chance;
	uint32_t n, len = p->len;

	switch (chance_below(c, 4)) {
	case 0:
		p->len = at + chance_below(c, p->len - at < 44 ? p->len - at : 44);
		len = chance_below(c, 2) ? p->len : len;
		break;
	case 1:
		p->len = 1 + chance_below(c, p->len);
		break;
	case 2:
		len = chance_below(c, 2) ? chance_below(c, 65536) : len + chance_below(c, 9) - 4;
		break;
	case 3:
		for (n = 1 + chance_below(c, 4); n; n--)
			p->octets[chance_below(c, at + 20)] = chance_below(c, 256);
		return;
	}
	maker_put16(p->octets + (ipv6 ? 4 : 2), len - (ipv6 ? 40 : 0));
	if (!ipv6)
		maker_fix_ipv4(p->octets, (p->octets[0] & 15) * 4);
}

/* The next packet. Half of them are what they should be. */
static inline void maker_make(struct packet_maker *m, struct made_packet *p)
{
	struct maker_flow *f = &m->flow[chance_below(&m->chance, MAKER_FLOWS)];
	struct maker_segment seg;
	uint32_t at, len, header_len;
	uint8_t tcp[60 + 8000];
	bool whole = chance_below(&m->chance, 2);

	if (m->rest.len) {
		memcpy(p, &m->rest, offsetof(struct made_packet, octets) + m->rest.len);
		m->rest.len = 0;
		return;
	}
	seg = maker_next(m, f);
	if (!whole && chance_below(&m->chance, 2))
		maker_spoil_segment(m, f, &seg);
	len = maker_tcp(m, f, &seg, tcp, &header_len);
	if (!chance_one_in(&m->chance, 32))
		maker_finish_tcp(f, seg.from, tcp, len);
	at = (f->ipv6 ? maker_ipv6 : maker_ipv4)(m, f, seg.from, p->octets, len);
	memcpy(p->octets + at, tcp, len);
	p->len = at + len;
	p->headers = at + header_len;
	if (whole)
		return;
	if (!f->ipv6 && chance_one_in(&m->chance, 8))
		maker_fragment(m, p, at);
	else if (chance_one_in(&m->chance, 4))
		maker_spoil_packet(m, p, f->ipv6, at);
}

/* A SYN from any address and port, as a flood consists of. */
static inline void maker_syn(struct packet_maker *m, struct made_packet *p)
{
	struct maker_flow f = {.is_local = true, .port = 1024 + chance_below(&m->chance, 64000)};
	uint32_t any = chance_word(&m->chance);

	memset(p->octets, 0, 40 + sizeof(maker_usual_syn));
	p->octets[0] = 0x45;
	p->octets[8] = 64;
	p->octets[9] = IPPROTO_TCP;
	maker_address(&f, 0, p->octets + 12);
	maker_put16(p->octets + 14, 0x300 + any % 0xfc00);	/* 10.9.3.0 and above */
	maker_address(&f, 1, p->octets + 16);
	p->headers = p->len = 40 + sizeof(maker_usual_syn);
	maker_put16(p->octets + 2, p->len);
	maker_fix_ipv4(p->octets, 20);
	maker_put16(p->octets + 20, f.port);
	maker_put16(p->octets + 22, MAKER_PORT);
	maker_put32(p->octets + 24, any);
	maker_put16(p->octets + 32, (5 + sizeof(maker_usual_syn) / 4) << 12 | SHK_TCP_SYN);
	maker_put16(p->octets + 34, 65000);
	memcpy(p->octets + 40, maker_usual_syn, sizeof(maker_usual_syn));
	maker_put16(p->octets + 36, maker_checksum(maker_sum(p->octets + 12, p->len - 12,
							     IPPROTO_TCP + p->len - 20)));
}

/* A packet of the host: from its SYN+ACK the flow learns the number that it was not told. */
static inline void maker_learn(struct packet_maker *m, const uint8_t *p, size_t len)
{
	size_t at = (p[0] >> 4) == 4 ? 20 : 40;
	struct maker_flow *f;

	if (len < at + 20 || p[at + 13] != (SHK_TCP_SYN | SHK_TCP_ACK))
		return;
	for (f = m->flow; f < m->flow + MAKER_FLOWS; f++)
		if (f->is_local && f->port == (p[at + 2] << 8 | p[at + 3]))
			f->next[1] = maker_get32(p + at + 4) + 1;
}

static inline void maker_init(struct packet_maker *m, struct chance chance, bool only_ipv4)
{
	memset(m, 0, sizeof(*m));
	m->chance = chance;
	m->only_ipv4 = only_ipv4;
	for (uint32_t i = 0; i < MAKER_FLOWS; i++)
		maker_begin_flow(m, &m->flow[i]);
}

#endif /* FUZZ_PACKET_MAKER_H */
