// SPDX-License-Identifier: GPL-2.0
/* Lines between two ends: PPP and its relatives. */
#include "walk.h"

/* With or without address and control (RFC 1662); Cisco HDLC is captured under the same type. */
shk_step_t shk_layer_ppp(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 2);

	if (!h)
		return shk_short(w, 2);
	if (h[0] == 0x0f || h[0] == 0x8f)
		return SHK_LAYER_cisco_hdlc;
	if (h[0] == 0xff && h[1] == 0x03)
		shk_take(w, 2);
	return SHK_LAYER_ppp_protocol;
}

/* pppd writes the direction where the address was. */
shk_step_t shk_layer_ppp_direction(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 1);

	if (!h)
		return shk_short(w, 1);
	h = shk_look(w, 1);
	if (h && h[0] == 0x03)
		shk_take(w, 1);
	return SHK_LAYER_ppp_protocol;
}

/* One octet if it is odd: protocol field compression (RFC 1661 6.5). */
shk_step_t shk_layer_ppp_protocol(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 1), *low;
	uint16_t protocol;

	if (!h)
		return shk_short(w, 1);
	protocol = h[0];
	if (!(protocol & 1)) {
		low = shk_take(w, 1);
		if (!low)
			return shk_short(w, 1);
		protocol = protocol << 8 | *low;
	}
	switch (protocol) {
	case 0x0021:
		return SHK_LAYER_ipv4;
	case 0x0057:
		return SHK_LAYER_ipv6;
	case 0x0281:
	case 0x0283:
		return SHK_LAYER_mpls;
	}
	return SHK_END(NOT_IP);
}

shk_step_t shk_layer_cisco_hdlc(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 4);

	return h ? shk_layer_of_ethertype(shk_be16(h + 2)) : shk_short(w, 4);
}

/* @number says whether SNAP it is: then an organisation and a number of its own follow. */
static shk_step_t snap_of_frame_relay(struct shk_walk *w, uint8_t number)
{
	const uint8_t *h;

	if (number != 0x80)
		return SHK_END(NOT_IP);
	h = shk_take(w, 5);
	if (!h)
		return shk_short(w, 5);
	if (!h[0] && !h[1] && !h[2])
		return shk_layer_of_ethertype(shk_be16(h + 3));
	if (!h[0] && h[1] == 0x80 && h[2] == 0xc2 && (h[4] == 1 || h[4] == 7)) /* bridged Ethernet */
		return SHK_LAYER_ethernet;
	return SHK_END(NOT_IP);
}

/* Two octets of address, and the encapsulation of RFC 2427. */
shk_step_t shk_layer_frame_relay(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 4);

	if (!h)
		return shk_short(w, 4);
	if (h[2] != 0x03)
		return shk_layer_of_ethertype(shk_be16(h + 2)); /* Cisco's own */
	switch (h[3]) {
	case 0xcc:
		return SHK_LAYER_ipv4;
	case 0x8e:
		return SHK_LAYER_ipv6;
	case 0x00: /* a pad in front of SNAP's number */
		if (!shk_take(w, 1))
			return shk_short(w, 1);
		return snap_of_frame_relay(w, h[4]);
	}
	return snap_of_frame_relay(w, h[3]);
}

/* In front of these a direction was written. */
shk_step_t shk_layer_directed_ppp(struct shk_walk *w)
{
	return shk_take(w, 1) ? SHK_LAYER_ppp : shk_short(w, 1);
}

shk_step_t shk_layer_directed_hdlc(struct shk_walk *w)
{
	return shk_take(w, 1) ? SHK_LAYER_cisco_hdlc : shk_short(w, 1);
}

shk_step_t shk_layer_directed_frame_relay(struct shk_walk *w)
{
	return shk_take(w, 1) ? SHK_LAYER_frame_relay : shk_short(w, 1);
}
