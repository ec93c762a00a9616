// SPDX-License-Identifier: GPL-2.0
/* What stands between the link and IP: tags, labels, and PPP over Ethernet. */
#include "walk.h"

static shk_step_t by_ethertype_at(struct shk_walk *w, uint32_t len, uint32_t at)
{
	const uint8_t *h = shk_take(w, len);
	uint16_t type;

	if (!h)
		return shk_short(w, len);
	type = shk_be16(h + at);
	if (type >= SHK_ETHERTYPE_MIN)
		return shk_layer_of_ethertype(type);
	shk_limit(w, type);
	return SHK_LAYER_llc;
}

shk_step_t shk_layer_vlan(struct shk_walk *w)
{
	return by_ethertype_at(w, 4, 2);
}

/* IEEE 802.1BR, 802.1CB and HSR: the type of what follows behind four other octets. */
shk_step_t shk_layer_tag_of_six(struct shk_walk *w)
{
	return by_ethertype_at(w, 6, 4);
}

/* The I-TAG, and the customer's Ethernet header. */
shk_step_t shk_layer_provider_backbone(struct shk_walk *w)
{
	return shk_take(w, 4) ? SHK_LAYER_ethernet : shk_short(w, 4);
}

/* Cisco's: a tree and a hop count between two Ethernet headers. */
shk_step_t shk_layer_fabricpath(struct shk_walk *w)
{
	return shk_take(w, 2) ? SHK_LAYER_ethernet : shk_short(w, 2);
}

/* RFC 6325: options, whose length is in units of four octets, and another Ethernet header. */
shk_step_t shk_layer_trill(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 6);
	uint32_t len;

	if (!h)
		return shk_short(w, 6);
	len = 6 + ((h[0] & 7U) << 2 | h[1] >> 6) * 4;
	return shk_take(w, len) ? SHK_LAYER_ethernet : shk_short(w, len);
}

/*
 * Nothing says what is behind the last label. IP begins with its version, and a pseudowire with a control
 * word that begins with 0, so that it is not taken for IP (RFC 4385); one without it begins with a MAC
 * address.
 */
shk_step_t shk_layer_mpls(struct shk_walk *w)
{
	const uint8_t *h;

	do {
		h = shk_take(w, 4);
		if (!h)
			return shk_short(w, 4);
	} while (!(h[2] & 1));
	h = shk_look(w, 1);
	if (!h)
		return shk_short(w, 1);
	switch (h[0] >> 4) {
	case 4:
		return SHK_LAYER_ipv4;
	case 6:
		return SHK_LAYER_ipv6;
	case 1: /* associated channel: maintenance */
		return SHK_END(NOT_IP);
	}
	if (h[0] == 0 && !shk_take(w, 4))
		return shk_short(w, 4);
	return SHK_LAYER_ethernet;
}

shk_step_t shk_layer_pppoe(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 6);

	if (!h)
		return shk_short(w, 6);
	if (h[0] != 0x11 || h[1] != 0)
		return SHK_END(NOT_IP);
	shk_limit(w, shk_be16(h + 4));
	return SHK_LAYER_ppp_protocol;
}

shk_step_t shk_layer_nsh(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 8);
	uint32_t len;

	if (!h)
		return shk_short(w, 8);
	len = (h[1] & 0x3f) * 4U;
	if (len < 8)
		return SHK_END(MALFORMED);
	if (!shk_take(w, len))
		return shk_short(w, len);
	switch (h[3]) {
	case 1:
		return SHK_LAYER_ipv4;
	case 2:
		return SHK_LAYER_ipv6;
	case 3:
		return SHK_LAYER_ethernet;
	case 5:
		return SHK_LAYER_mpls;
	}
	return SHK_END(NOT_IP);
}
