// SPDX-License-Identifier: GPL-2.0
/* Tunnels over UDP. A port is only a hint, so each of them looks whether its header can be one. */
#include "walk.h"

static const struct {
	uint16_t port;
	uint8_t layer;
} tunnels[] = {
	{1701, SHK_LAYER_l2tp},      {2152, SHK_LAYER_gtpu},   {3386, SHK_LAYER_gtp0},
	{3544, SHK_LAYER_teredo},    {5247, SHK_LAYER_capwap}, {37008, SHK_LAYER_tzsp},
	{4341, SHK_LAYER_lisp},      {4754, SHK_LAYER_gre},    {4789, SHK_LAYER_vxlan},
	{4790, SHK_LAYER_vxlan_gpe}, {5072, SHK_LAYER_ayiya},  {6081, SHK_LAYER_geneve},
	{6635, SHK_LAYER_mpls},      {8472, SHK_LAYER_vxlan}, /* what Linux took before 4789 */
};

static int tunnel_at(uint16_t port)
{
	size_t i;

	for (i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++)
		if (tunnels[i].port == port)
			return tunnels[i].layer;
	return -1;
}

shk_step_t shk_layer_udp(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 8);
	int layer;

	if (!h)
		return shk_short(w, 8);
	layer = tunnel_at(shk_be16(h + 2));
	if (layer < 0)
		layer = tunnel_at(shk_be16(h));
	return layer < 0 ? SHK_END(NOT_TCP) : layer;
}

/* RFC 7348 */
shk_step_t shk_layer_vxlan(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 8);

	if (!h)
		return shk_short(w, 8);
	return h[0] & 0x08 ? SHK_LAYER_ethernet : SHK_END(NOT_TCP);
}

/* draft-ietf-nvo3-vxlan-gpe */
shk_step_t shk_layer_vxlan_gpe(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 8);

	if (!h)
		return shk_short(w, 8);
	if (!(h[0] & 0x04))
		return SHK_LAYER_ethernet;
	switch (h[3]) {
	case 1:
		return SHK_LAYER_ipv4;
	case 2:
		return SHK_LAYER_ipv6;
	case 3:
		return SHK_LAYER_ethernet;
	case 4:
		return SHK_LAYER_nsh;
	case 5:
		return SHK_LAYER_mpls;
	}
	return SHK_END(NOT_TCP);
}

/* RFC 8926 */
shk_step_t shk_layer_geneve(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 8);
	uint32_t len;

	if (!h)
		return shk_short(w, 8);
	if (h[0] >> 6)
		return SHK_END(NOT_TCP);
	len = 8 + (h[0] & 0x3f) * 4U;
	if (!shk_take(w, len))
		return shk_short(w, len);
	return shk_layer_of_ethertype(shk_be16(h + 2));
}

/* Extension headers of GTP-U: length in units of four octets, content, type of the next. */
static shk_step_t gtpu_extensions(struct shk_walk *w, uint8_t type)
{
	const uint8_t *h;
	uint32_t len;

	while (type) {
		h = shk_look(w, 1);
		if (!h)
			return shk_short(w, 1);
		len = h[0] * 4U;
		if (!len)
			return SHK_END(MALFORMED);
		if (!shk_take(w, len))
			return shk_short(w, len);
		type = h[len - 1];
	}
	return SHK_LAYER_ip;
}

/* 3GPP TS 29.281: version 1, user data only. */
shk_step_t shk_layer_gtpu(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 8), *more;

	if (!h)
		return shk_short(w, 8);
	if ((h[0] & 0xf0) != 0x30 || h[1] != 0xff)
		return SHK_END(NOT_TCP);
	if (!(h[0] & 0x07))
		return SHK_LAYER_ip;
	more = shk_take(w, 4);
	if (!more)
		return shk_short(w, 4);
	return gtpu_extensions(w, h[0] & 0x04 ? more[3] : 0);
}

/* 3GPP TS 09.60 of GTP version 0: user data only. */
shk_step_t shk_layer_gtp0(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 20);

	if (!h)
		return shk_short(w, 20);
	return (h[0] & 0xf0) == 0x10 && h[1] == 0xff ? SHK_LAYER_ip : SHK_END(NOT_TCP);
}

/*
 * RFC 5415 4.3, data that are not encrypted: a header as long as it says, and a frame of 802.3, or of
 * 802.11 in which many controllers write the frame control field the other way round.
 */
shk_step_t shk_layer_capwap(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 8);
	uint32_t len;

	if (!h)
		return shk_short(w, 8);
	if (h[0] || h[3] & 0x88) /* DTLS, or another version; a part of a frame, or a keep-alive */
		return SHK_END(NOT_TCP);
	len = (h[1] >> 3) * 4U;
	if (len < 8)
		return SHK_END(MALFORMED);
	if (!shk_take(w, len))
		return shk_short(w, len);
	if (!(h[2] & 1))
		return SHK_LAYER_ethernet;
	h = shk_look(w, 2);
	if (!h)
		return shk_short(w, 2);
	return (h[1] & 0x0f) == 0x08 ? SHK_LAYER_ieee80211_turned : SHK_LAYER_ieee80211;
}

/* What a TZSP header says is in it. */
static shk_step_t layer_of_tzsp(uint16_t protocol)
{
	switch (protocol) {
	case 1:
		return SHK_LAYER_ethernet;
	case 18:
		return SHK_LAYER_ieee80211;
	case 119:
		return SHK_LAYER_prism;
	case 127:
		return SHK_LAYER_avs;
	}
	return SHK_END(NOT_TCP);
}

/* TaZmen Sniffer Protocol, by which routers send what they capture: version, type, protocol, tags. */
shk_step_t shk_layer_tzsp(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 4), *tag;
	uint32_t len;

	if (!h)
		return shk_short(w, 4);
	if (h[0] != 1 || h[1] > 1)
		return SHK_END(NOT_TCP);
	for (;;) {
		tag = shk_take(w, 1);
		if (!tag)
			return shk_short(w, 1);
		if (*tag == 1) /* the last one */
			return layer_of_tzsp(shk_be16(h + 2));
		if (!*tag)
			continue;
		tag = shk_look(w, 1);
		if (!tag)
			return shk_short(w, 1);
		len = 1U + *tag;
		if (!shk_take(w, len))
			return shk_short(w, len);
	}
}

/* RFC 4380 5.1.1: an authentication and an origin indication may come first. */
shk_step_t shk_layer_teredo(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 4);
	uint32_t len;

	if (h && shk_be16(h) == 1) {
		len = 4U + h[2] + h[3] + 9;
		if (!shk_take(w, len))
			return shk_short(w, len);
		h = shk_look(w, 2);
	}
	if (h && shk_be16(h) == 0) {
		if (!shk_take(w, 8))
			return shk_short(w, 8);
		h = shk_look(w, 1);
	}
	if (!h)
		return shk_short(w, 4);
	return h[0] >> 4 == 6 ? SHK_LAYER_ipv6 : SHK_END(NOT_TCP);
}

/* RFC 2661, data messages. Version 3 does not say how long its cookie is. */
shk_step_t shk_layer_l2tp(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 2), *offset;
	uint32_t len = 4;
	uint16_t flags;

	if (!h)
		return shk_short(w, 2);
	flags = shk_be16(h);
	if (flags & 0x8000 || (flags & 0x000f) != 2)
		return SHK_END(NOT_TCP);
	if (flags & 0x4000)
		len += 2;
	if (flags & 0x0800)
		len += 4;
	if (!shk_take(w, len))
		return shk_short(w, len);
	if (flags & 0x0200) {
		offset = shk_take(w, 2);
		if (!offset)
			return shk_short(w, 2);
		if (!shk_take(w, shk_be16(offset)))
			return shk_short(w, shk_be16(offset));
	}
	return SHK_LAYER_ppp;
}

/* draft-massar-v6ops-ayiya: lengths of identity and signature, operation, next header, time. */
shk_step_t shk_layer_ayiya(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 8);
	uint32_t len;

	if (!h)
		return shk_short(w, 8);
	if ((h[2] & 0x0f) != 1) /* forward */
		return SHK_END(NOT_TCP);
	len = 8 + (1U << (h[0] >> 4)) + (h[1] >> 4) * 4U;
	if (!shk_take(w, len))
		return shk_short(w, len);
	return shk_layer_of_protocol(h[3]);
}

/* RFC 9300 5.1 */
shk_step_t shk_layer_lisp(struct shk_walk *w)
{
	return shk_take(w, 8) ? SHK_LAYER_ip : shk_short(w, 8);
}
