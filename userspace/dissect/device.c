// SPDX-License-Identifier: GPL-2.0
/* What switches, modems and capture cards put around Ethernet. */
#include "walk.h"

/* Cisco's Inter-Switch Link: 26 octets in front of the whole frame. */
shk_step_t shk_layer_isl(struct shk_walk *w)
{
	return shk_take(w, 26) ? SHK_LAYER_ethernet : shk_short(w, 26);
}

/*
 * Packets only: an extended header is as long as the second octet says, if the last bit of the first is
 * set.
 */
shk_step_t shk_layer_docsis(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 6);
	uint32_t len;

	if (!h)
		return shk_short(w, 6);
	if (h[0] >> 6)
		return SHK_END(NOT_IP);
	len = 6U + (h[0] & 1 ? h[1] : 0);
	return shk_take(w, len) ? SHK_LAYER_ethernet : shk_short(w, len);
}

/* Between the addresses and the type, as <linux/dsa> has it. */
static shk_step_t tagged(struct shk_walk *w, uint32_t tag_len)
{
	const uint8_t *h = shk_take(w, 14 + tag_len);
	uint16_t type;

	if (!h)
		return shk_short(w, 14 + tag_len);
	type = shk_be16(h + 12 + tag_len);
	if (type >= SHK_ETHERTYPE_MIN)
		return shk_layer_of_ethertype(type);
	shk_limit(w, type);
	return SHK_LAYER_llc;
}

shk_step_t shk_layer_switch_tag(struct shk_walk *w)
{
	return tagged(w, 4);
}

shk_step_t shk_layer_switch_tag_long(struct shk_walk *w)
{
	return tagged(w, 8);
}

shk_step_t shk_layer_switch_tag_before(struct shk_walk *w)
{
	return shk_take(w, 4) ? SHK_LAYER_ethernet : shk_short(w, 4);
}

shk_step_t shk_layer_netanalyzer(struct shk_walk *w)
{
	return shk_take(w, 4) ? SHK_LAYER_ethernet : shk_short(w, 4);
}

/* With the preamble and the start of the frame. */
shk_step_t shk_layer_netanalyzer_transparent(struct shk_walk *w)
{
	return shk_take(w, 12) ? SHK_LAYER_ethernet : shk_short(w, 12);
}

/*
 * Endace's: time, type, flags, lengths; where the type says so extensions, which have a bit for another
 * one.
 */
shk_step_t shk_layer_erf(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 16), *more = h ? h + 8 : NULL;

	while (more && *more & 0x80)
		more = shk_take(w, 8);
	if (!more)
		return h ? shk_short(w, 8) : shk_short(w, 16);
	switch (h[8] & 0x7f) {
	case 1: /* PPP or HDLC; the others likewise, with colours or a hash */
	case 10:
	case 15:
	case 17:
		return SHK_LAYER_ppp;
	case 2: /* Ethernet, likewise: an offset and a pad come first */
	case 11:
	case 16:
	case 20:
		return shk_take(w, 2) ? SHK_LAYER_ethernet : shk_short(w, 2);
	case 22:
		return SHK_LAYER_ipv4;
	case 23:
		return SHK_LAYER_ipv6;
	}
	return SHK_END(NOT_IP);
}
