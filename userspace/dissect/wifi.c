// SPDX-License-Identifier: GPL-2.0
/* IEEE 802.11 data frames as far as they are not encrypted, and what capture drivers put before them. */
#include <pcap/dlt.h>

#include "walk.h"

#define FC_TYPE       0x000c
#define FC_TYPE_DATA  0x0008
#define FC_NULL       0x0040 /* subtypes without data */
#define FC_QOS        0x0080
#define FC_DS_BOTH    0x0300 /* between access points: a fourth address */
#define FC_MORE_FRAGS 0x0400
#define FC_PROTECTED  0x4000
#define FC_ORDER      0x8000

#define QOS_AMSDU 0x80

static uint32_t header_len_80211(uint16_t control)
{
	uint32_t len = 24;

	if ((control & FC_DS_BOTH) == FC_DS_BOTH)
		len += 6;
	if (control & FC_QOS)
		len += control & FC_ORDER ? 6 : 2;
	return len;
}

/* An aggregate's first subframe: two addresses and a length, then as any other. */
static shk_step_t first_subframe(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 14);

	if (!h)
		return shk_short(w, 14);
	shk_limit(w, shk_be16(h + 12));
	return SHK_LAYER_llc;
}

static shk_step_t frame_of_control(struct shk_walk *w, uint16_t control, bool padded)
{
	uint32_t len, padded_len;
	const uint8_t *h = w->p;

	if ((control & FC_TYPE) != FC_TYPE_DATA || control & FC_NULL)
		return SHK_END(NOT_IP);
	if (control & FC_PROTECTED)
		return SHK_END(PROTECTED);
	len = header_len_80211(control);
	padded_len = padded ? (len + 3) & ~3U : len;
	if (!shk_take(w, padded_len))
		return shk_short(w, padded_len);
	if (control & FC_MORE_FRAGS || shk_le16(h + 22) & 0x0f)
		return SHK_END(NOT_IP); /* a part of a frame */
	if (control & FC_QOS && h[(control & FC_DS_BOTH) == FC_DS_BOTH ? 30 : 24] & QOS_AMSDU)
		return first_subframe(w);
	return SHK_LAYER_llc;
}

static shk_step_t frame_80211(struct shk_walk *w, bool padded)
{
	const uint8_t *h = shk_look(w, 2);

	return h ? frame_of_control(w, shk_le16(h), padded) : shk_short(w, 2);
}

/* With its first two octets the other way round. */
shk_step_t shk_layer_ieee80211_turned(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 2);

	return h ? frame_of_control(w, shk_be16(h), false) : shk_short(w, 2);
}

shk_step_t shk_layer_ieee80211(struct shk_walk *w)
{
	return frame_80211(w, false);
}

/* Flags of the radiotap header, which come first unless the time stamp does, aligned to 8. */
static uint8_t radiotap_flags(const uint8_t *h, uint32_t len)
{
	uint32_t at = 4, present, word;

	if (len < 8)
		return 0;
	present = shk_le32(h + 4);
	do {
		if (at + 4 > len)
			return 0;
		word = shk_le32(h + at);
		at += 4;
	} while (word & 0x80000000U);
	if (!(present & 2))
		return 0;
	if (present & 1)
		at = ((at + 7) & ~7U) + 8;
	return at < len ? h[at] : 0;
}

shk_step_t shk_layer_radiotap(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 4);
	uint32_t len;
	uint8_t flags;

	if (!h)
		return shk_short(w, 4);
	len = shk_le16(h + 2);
	if (h[0] != 0 || len < 8)
		return SHK_END(MALFORMED);
	if (!shk_take(w, len))
		return shk_short(w, len);
	flags = radiotap_flags(h, len);
	return frame_80211(w, flags & 0x20);
}

shk_step_t shk_layer_avs(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 8);
	uint32_t len;

	if (!h)
		return shk_short(w, 8);
	len = shk_be32(h + 4);
	if (len < 8)
		return SHK_END(MALFORMED);
	return shk_take(w, len) ? SHK_LAYER_ieee80211 : shk_short(w, len);
}

/* Its length is in the driver's byte order, and never large. Some drivers write AVS under this type. */
shk_step_t shk_layer_prism(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 8);
	uint32_t len;

	if (!h)
		return shk_short(w, 8);
	if ((shk_be32(h) & 0xfffff000U) == 0x80211000U)
		return SHK_LAYER_avs;
	len = h[4] ? shk_le32(h + 4) : shk_be32(h + 4);
	if (len < 8)
		return SHK_END(MALFORMED);
	return shk_take(w, len) ? SHK_LAYER_ieee80211 : shk_short(w, len);
}

/* CACE's: fields of whatever kind, and a link type of its own. */
shk_step_t shk_layer_ppi(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 8);
	uint32_t len;
	int link;

	if (!h)
		return shk_short(w, 8);
	len = shk_le16(h + 2);
	if (len < 8)
		return SHK_END(MALFORMED);
	link = shk_dissect_link(shk_le32(h + 4));
	if (!shk_take(w, len))
		return shk_short(w, len);
	return link < 0 ? SHK_END(NOT_IP) : link;
}
