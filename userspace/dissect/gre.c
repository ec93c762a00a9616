// SPDX-License-Identifier: GPL-2.0
/* GRE (RFC 2784, 2890), its version for PPTP (RFC 2637), and the mirrors of switches that travel in it. */
#include "walk.h"

#define GRE_CHECKSUM 0x8000
#define GRE_ROUTING  0x4000
#define GRE_KEY      0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_ACK      0x0080 /* version 1 */
#define GRE_VERSION  0x0007

/* Aruba's controllers carry 802.11 frames under these. */
static bool is_aruba(uint16_t protocol)
{
	return protocol >= 0x8200 && protocol <= 0x8210;
}

static shk_step_t layer_of_gre(uint16_t protocol, uint16_t flags)
{
	if (protocol == 0x88be) /* without a sequence number ERSPAN has no header of its own */
		return flags & GRE_SEQUENCE ? SHK_LAYER_erspan2 : SHK_LAYER_ethernet;
	if (protocol == 0x22eb)
		return SHK_LAYER_erspan3;
	if (protocol == 0x883e)
		return SHK_LAYER_wccp;
	if (is_aruba(protocol))
		return SHK_LAYER_ieee80211;
	return shk_layer_of_ethertype(protocol);
}

shk_step_t shk_layer_gre(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 4);
	uint32_t len = 4;
	uint16_t flags;

	if (!h)
		return shk_short(w, 4);
	flags = shk_be16(h);
	if (flags & GRE_ROUTING || (flags & GRE_VERSION) > 1)
		return SHK_END(NOT_TCP);
	if (flags & GRE_CHECKSUM)
		len += 4;
	if (flags & GRE_KEY)
		len += 4;
	if (flags & GRE_SEQUENCE)
		len += 4;
	if ((flags & GRE_VERSION) == 1 && flags & GRE_ACK)
		len += 4;
	if (!shk_take(w, len))
		return shk_short(w, len);
	return layer_of_gre(shk_be16(h + 2), flags);
}

shk_step_t shk_layer_erspan2(struct shk_walk *w)
{
	return shk_take(w, 8) ? SHK_LAYER_ethernet : shk_short(w, 8);
}

/* draft-foschiano-erspan: the frame type says IP or Ethernet, the last bit that another 8 octets follow. */
shk_step_t shk_layer_erspan3(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 12);
	unsigned int frame_type;

	if (!h)
		return shk_short(w, 12);
	frame_type = (h[10] >> 2) & 0x1f;
	if (h[11] & 1 && !shk_take(w, 8))
		return shk_short(w, 8);
	return frame_type == 2 ? SHK_LAYER_ip : SHK_LAYER_ethernet;
}

/*
 * A router's redirection: from version 2 on with a header, whose first octet is small (draft-wilson-wrec-
 * wccp).
 */
shk_step_t shk_layer_wccp(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 1);

	if (!h)
		return shk_short(w, 1);
	if (h[0] >> 4 != 4 && !shk_take(w, 4))
		return shk_short(w, 4);
	return SHK_LAYER_ipv4;
}
