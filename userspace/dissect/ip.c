// SPDX-License-Identifier: GPL-2.0
/* IPv4, IPv6 with its extension headers, and TCP. */
#include "walk.h"

enum {
	PROTO_HOP_BY_HOP = 0,
	PROTO_IPV4 = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_IPV6 = 41,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_GRE = 47,
	PROTO_AH = 51,
	PROTO_DESTINATION = 60,
	PROTO_IPIP = 94,
	PROTO_ETHERIP = 97,
	PROTO_IPCOMP = 108,
	PROTO_MOBILITY = 135,
	PROTO_MPLS = 137,
	PROTO_HIP = 139,
	PROTO_SHIM6 = 140,
};

shk_step_t shk_layer_of_protocol(uint8_t protocol)
{
	switch (protocol) {
	case PROTO_TCP:
		return SHK_LAYER_tcp;
	case PROTO_UDP:
		return SHK_LAYER_udp;
	case PROTO_IPV4:
	case PROTO_IPIP:
		return SHK_LAYER_ipv4;
	case PROTO_IPV6:
		return SHK_LAYER_ipv6;
	case PROTO_GRE:
		return SHK_LAYER_gre;
	case PROTO_MPLS:
		return SHK_LAYER_mpls;
	case PROTO_ETHERIP:
		return SHK_LAYER_etherip;
	case PROTO_AH:
		return SHK_LAYER_authentication;
	case PROTO_IPCOMP:
		return SHK_LAYER_compressed;
	case PROTO_FRAGMENT:
		return SHK_LAYER_ipv6_fragment;
	case PROTO_HOP_BY_HOP:
	case PROTO_ROUTING:
	case PROTO_DESTINATION:
	case PROTO_MOBILITY:
	case PROTO_HIP:
	case PROTO_SHIM6:
		return SHK_LAYER_ipv6_extension;
	}
	return SHK_END(NOT_TCP);
}

shk_step_t shk_layer_ip(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 1);

	if (!h)
		return shk_short(w, 1);
	switch (h[0] >> 4) {
	case 4:
		return SHK_LAYER_ipv4;
	case 6:
		return SHK_LAYER_ipv6;
	}
	return SHK_END(NOT_IP);
}

/*
 * What IP says about the length counts, but for more than there was: that was cut by somebody who has not
 * said so, and what is missing nobody knows. A capture on the sending host sees packets with a length of 0,
 * and there the packet's own length is the only one.
 */
static void set_length(struct shk_walk *w, uint32_t len)
{
	w->cut = len > w->want;
	if (len)
		shk_limit(w, len);
}

static shk_step_t fragment(struct shk_walk *w, uint32_t id, uint32_t offset, bool more, uint8_t protocol)
{
	struct shk_fragment f = {.id = id, .offset = offset, .more = more, .protocol = protocol};

	/*
	 * Cut by the capture: the headers are in the first, and the rest cannot be put together. How much
	 * that is nobody says.
	 */
	if (w->have < w->want || w->cut) {
		w->in_part = true;
		return offset ? SHK_END(TRUNCATED) : shk_layer_of_protocol(protocol);
	}
	memcpy(f.addresses, w->ev->saddr, 16);
	memcpy(f.addresses + 16, w->ev->daddr, 16);
	if (!shk_fragments_add(w->fragments, &f, w))
		return SHK_END(FRAGMENT);
	return shk_layer_of_protocol(protocol);
}

static void map_address(uint8_t to[16], const uint8_t *from)
{
	memset(to, 0, 10);
	memset(to + 10, 0xff, 2);
	memcpy(to + 12, from, 4);
}

shk_step_t shk_layer_ipv4(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 20);
	uint32_t header_len, total_len, offset;

	if (!h)
		return shk_short(w, 20);
	header_len = (h[0] & 0x0f) * 4U;
	total_len = shk_be16(h + 2);
	if (h[0] >> 4 != 4 || header_len < 20 || (total_len && total_len < header_len))
		return SHK_END(MALFORMED);
	set_length(w, total_len);
	if (!shk_take(w, header_len))
		return shk_short(w, header_len);
	map_address(w->ev->saddr, h + 12);
	map_address(w->ev->daddr, h + 16);
	w->ev->seg.dsfield = h[1];
	w->ev->seg.ip_id = shk_be16(h + 4);
	w->ev->seg.ttl = h[8];
	offset = shk_be16(h + 6);
	if (offset & 0x3fff)
		return fragment(w, shk_be16(h + 4), (offset & 0x1fff) * 8, offset & 0x2000, h[9]);
	return h[9] == PROTO_TCP ? SHK_LAYER_tcp : shk_layer_of_protocol(h[9]);
}

shk_step_t shk_layer_ipv6(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 40);

	if (!h)
		return shk_short(w, 40);
	if (h[0] >> 4 != 6)
		return SHK_END(MALFORMED);
	set_length(w, shk_be16(h + 4));
	memcpy(w->ev->saddr, h + 8, 16);
	memcpy(w->ev->daddr, h + 24, 16);
	w->ev->seg.dsfield = (h[0] & 0x0f) << 4 | h[1] >> 4;
	w->ev->seg.ip_id = 0;
	w->ev->seg.ttl = h[7];
	return shk_layer_of_protocol(h[6]);
}

/* Hop-by-hop options, routing, destination options and their like: RFC 6564. */
shk_step_t shk_layer_ipv6_extension(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 8);
	uint32_t len;

	if (!h)
		return shk_short(w, 8);
	len = (h[1] + 1U) * 8;
	if (!shk_take(w, len))
		return shk_short(w, len);
	return shk_layer_of_protocol(h[0]);
}

shk_step_t shk_layer_ipv6_fragment(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 8);
	uint32_t offset;

	if (!h)
		return shk_short(w, 8);
	offset = shk_be16(h + 2);
	if (!(offset & 0xfff9)) /* the only one: RFC 6946 */
		return shk_layer_of_protocol(h[0]);
	return fragment(w, shk_be32(h + 4), offset & 0xfff8, offset & 1, h[0]);
}

shk_step_t shk_layer_authentication(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 12);
	uint32_t len;

	if (!h)
		return shk_short(w, 12);
	len = (h[1] + 2U) * 4;
	if (len < 12)
		return SHK_END(MALFORMED);
	if (!shk_take(w, len))
		return shk_short(w, len);
	return shk_layer_of_protocol(h[0]);
}

/* RFC 3378 */
shk_step_t shk_layer_etherip(struct shk_walk *w)
{
	return shk_take(w, 2) ? SHK_LAYER_ethernet : shk_short(w, 2);
}

shk_step_t shk_layer_tcp(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, SHK_TCP_HEADER_MIN);
	uint32_t header_len, payload_len = 0;

	if (!h)
		return shk_short(w, SHK_TCP_HEADER_MIN);
	header_len = (h[12] >> 4) * 4U;
	if (header_len < SHK_TCP_HEADER_MIN || (header_len > w->want && !w->cut))
		return SHK_END(MALFORMED);
	if (header_len < w->want && !w->in_part)
		payload_len = w->want - header_len;
	w->ev->seg.gso_segs = 1;
	shk_header_fixed(w->ev, h, payload_len);
	*w->at = (struct shk_tcp_place){.tcp = h, .have = w->have, .header_len = header_len};
	return SHK_END(SEGMENT);
}
