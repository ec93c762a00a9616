// SPDX-License-Identifier: GPL-2.0
/*
 * What a capture may begin with. The formats are those of https://www.tcpdump.org/linktypes.html where no
 * other source is named.
 */
#include <pcap/dlt.h>

#include "walk.h"

shk_step_t shk_layer_of_ethertype(uint16_t type)
{
	switch (type) {
	case 0x0800:
		return SHK_LAYER_ipv4;
	case 0x86dd:
		return SHK_LAYER_ipv6;
	case 0x8100: /* IEEE 802.1Q */
	case 0x88a8: /* IEEE 802.1ad */
	case 0x9100: /* QinQ before it was a standard */
	case 0x9200:
	case 0x9300:
		return SHK_LAYER_vlan;
	case 0x8847:
	case 0x8848:
		return SHK_LAYER_mpls;
	case 0x8864:
		return SHK_LAYER_pppoe;
	case 0x880b:
		return SHK_LAYER_ppp;
	case 0x6558: /* transparent Ethernet bridging */
		return SHK_LAYER_ethernet;
	case 0x8870: /* 802.2 in jumbo frames */
		return SHK_LAYER_llc;
	case 0x8926: /* IEEE 802.1BR */
	case 0x892f: /* HSR, IEC 62439-3 */
	case 0xf1c1: /* IEEE 802.1CB */
		return SHK_LAYER_tag_of_six;
	case 0x88e7: /* IEEE 802.1ah */
		return SHK_LAYER_provider_backbone;
	case 0x8903:
		return SHK_LAYER_fabricpath;
	case 0x22f3:
		return SHK_LAYER_trill;
	case 0x894f: /* RFC 8300 */
		return SHK_LAYER_nsh;
	}
	return SHK_END(NOT_IP);
}

/* AF_INET is 2 everywhere; of AF_INET6 every system has its own. */
shk_step_t shk_layer_of_family(uint32_t family)
{
	switch (family) {
	case 2:
		return SHK_LAYER_ipv4;
	case 10: /* Linux */
	case 23: /* Windows */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* Darwin */
		return SHK_LAYER_ipv6;
	}
	return SHK_END(NOT_IP);
}

static shk_step_t type_or_length(struct shk_walk *w, uint16_t type)
{
	if (type >= SHK_ETHERTYPE_MIN)
		return shk_layer_of_ethertype(type);
	shk_limit(w, type);
	return SHK_LAYER_llc;
}

shk_step_t shk_layer_ethernet(struct shk_walk *w)
{
	static const uint8_t to_switches[] = {0x01, 0x00, 0x0c, 0x00, 0x00};
	const uint8_t *h = shk_look(w, 14);

	if (!h)
		return shk_short(w, 14);
	if (!memcmp(h, to_switches, sizeof(to_switches)))
		return SHK_LAYER_isl;
	shk_take(w, 14);
	return type_or_length(w, shk_be16(h + 12));
}

/* The two cooked formats share the protocol and the type of the device, and differ in their order. */
static shk_step_t cooked(uint16_t protocol, uint16_t device)
{
	switch (device) {
	case 778: /* ARPHRD_IPGRE: the protocol is GRE's, which is an EtherType */
		return shk_layer_of_ethertype(protocol);
	case 801: /* ARPHRD_IEEE80211 */
		return SHK_LAYER_ieee80211;
	case 803: /* ARPHRD_IEEE80211_RADIOTAP */
		return SHK_LAYER_radiotap;
	case 824: /* ARPHRD_NETLINK: the protocol is netlink's */
		return SHK_END(NOT_IP);
	}
	if (protocol == 4) /* LINUX_SLL_P_802_2 */
		return SHK_LAYER_llc;
	if (protocol == 7) /* LINUX_SLL_P_PPPHDLC */
		return SHK_LAYER_ppp;
	return protocol < SHK_ETHERTYPE_MIN ? SHK_END(NOT_IP) : shk_layer_of_ethertype(protocol);
}

shk_step_t shk_layer_cooked1(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 16);

	return h ? cooked(shk_be16(h + 14), shk_be16(h + 2)) : shk_short(w, 16);
}

shk_step_t shk_layer_cooked2(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 20);

	return h ? cooked(shk_be16(h), shk_be16(h + 8)) : shk_short(w, 20);
}

/*
 * In the byte order of the machine that wrote it, which need not be that of the file. Some write PPP under
 * this type, and some an EtherType in place of the family.
 */
shk_step_t shk_layer_null(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 4);
	uint32_t family;

	if (!h)
		return shk_short(w, 4);
	if (h[0] == 0xff && h[1] == 0x03)
		return SHK_LAYER_ppp;
	shk_take(w, 4);
	family = h[0] || h[1] ? shk_le32(h) : shk_be32(h);
	return family < SHK_ETHERTYPE_MIN ? shk_layer_of_family(family) : shk_layer_of_ethertype(family);
}

shk_step_t shk_layer_loop(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 4);

	return h ? shk_layer_of_family(shk_be32(h)) : shk_short(w, 4);
}

shk_step_t shk_layer_enc(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 12);

	if (!h)
		return shk_short(w, 12);
	return shk_layer_of_family(h[0] ? shk_le32(h) : shk_be32(h));
}

shk_step_t shk_layer_pflog(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 2);
	uint32_t len;

	if (!h)
		return shk_short(w, 2);
	len = (h[0] + 3U) & ~3U;
	if (len < 4)
		return SHK_END(MALFORMED);
	return shk_take(w, len) ? shk_layer_of_family(h[1]) : shk_short(w, len);
}

/* Family, version, resource; then TLVs in this machine's order, for libpcap has swapped them. */
shk_step_t shk_layer_nflog(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 4), *tlv;
	uint16_t len, type;
	shk_step_t payload;

	if (!h)
		return shk_short(w, 4);
	payload = h[0] == 7 /* AF_BRIDGE */ ? SHK_LAYER_ethernet : shk_layer_of_family(h[0]);
	while ((tlv = shk_look(w, 4))) {
		memcpy(&len, tlv, 2);
		memcpy(&type, tlv + 2, 2);
		if (len < 4)
			return SHK_END(MALFORMED);
		if (type == 9) { /* NFULA_PAYLOAD */
			shk_limit(w, len);
			shk_take(w, 4);
			return payload;
		}
		if (!shk_take(w, (len + 3U) & ~3U))
			return shk_short(w, (len + 3U) & ~3U);
	}
	return w->want ? shk_short(w, 4) : SHK_END(NOT_IP);
}

/* IEEE 802.2, and the SNAP header behind the SAPs AA. RFC 1042, RFC 2684. */
shk_step_t shk_layer_llc(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 3);
	uint32_t oui;

	if (!h)
		return shk_short(w, 3);
	if (h[0] == 0x06 && h[1] == 0x06 && h[2] == 0x03)
		return SHK_LAYER_ip;
	if (h[0] != 0xaa || h[1] != 0xaa || h[2] != 0x03)
		return SHK_END(NOT_IP);
	h = shk_take(w, 5);
	if (!h)
		return shk_short(w, 5);
	oui = (uint32_t)h[0] << 16 | shk_be16(h + 1);
	if (oui == 0x000000 || oui == 0x0000f8)
		return shk_layer_of_ethertype(shk_be16(h + 3));
	if (oui == 0x0080c2 && (shk_be16(h + 3) == 1 || shk_be16(h + 3) == 7)) /* bridged Ethernet */
		return SHK_LAYER_ethernet;
	return SHK_END(NOT_IP);
}

shk_step_t shk_layer_fddi(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 13);

	if (!h)
		return shk_short(w, 13);
	return (h[0] & 0xf0) == 0x50 ? SHK_LAYER_llc : SHK_END(NOT_IP);
}

/* Access and frame control, two addresses, and, if the highest bit of the second is set, the route. */
shk_step_t shk_layer_token_ring(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 14), *route;
	uint32_t len;

	if (!h)
		return shk_short(w, 14);
	if ((h[1] & 0xc0) != 0x40)
		return SHK_END(NOT_IP);
	if (!(h[8] & 0x80))
		return SHK_LAYER_llc;
	route = shk_look(w, 1);
	if (!route)
		return shk_short(w, 1);
	len = route[0] & 0x1f;
	return shk_take(w, len) ? SHK_LAYER_llc : shk_short(w, len);
}

/* As Linux hands it over: two addresses, a two-octet offset, and the protocol. RFC 1051, RFC 1201. */
shk_step_t shk_layer_arcnet(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 5);

	if (!h)
		return shk_short(w, 5);
	if (h[4] == 240)
		return SHK_LAYER_ipv4;
	if (h[4] != 212)
		return SHK_END(NOT_IP);
	h = shk_take(w, 3);
	if (!h)
		return shk_short(w, 3);
	if (h[0] == 0xff && !(h = shk_take(w, 4))) /* an exception frame has its header twice */
		return shk_short(w, 4);
	return h[0] ? SHK_END(NOT_IP) /* part of a packet */ : SHK_LAYER_ipv4;
}

shk_step_t shk_layer_ip_over_fc(struct shk_walk *w)
{
	return shk_take(w, 16) ? SHK_LAYER_llc : shk_short(w, 16);
}

shk_step_t shk_layer_firewire(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 18);

	return h ? shk_layer_of_ethertype(shk_be16(h + 16)) : shk_short(w, 18);
}

/* The global routing header and the four octets of RFC 4391. */
shk_step_t shk_layer_infiniband(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 44);

	return h ? shk_layer_of_ethertype(shk_be16(h + 40)) : shk_short(w, 44);
}

shk_step_t shk_layer_sunatm(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 4);

	if (!h)
		return shk_short(w, 4);
	return (h[0] & 0x0f) == 2 ? SHK_LAYER_llc : SHK_END(NOT_IP);
}

/* "MGC", flags, and with 0x80 extensions with their length. With 0x02 there is no Ethernet header. */
shk_step_t shk_layer_juniper_ethernet(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 6);
	uint32_t len = 4;

	if (!h)
		return shk_short(w, 6);
	if (memcmp(h, "MGC", 3))
		return SHK_END(MALFORMED);
	if (h[3] & 0x80)
		len = 6 + shk_be16(h + 4);
	if (h[3] & 0x02)
		return SHK_END(NOT_IP);
	return shk_take(w, len) ? SHK_LAYER_ethernet : shk_short(w, len);
}

/* Apple's: the length of the header, the type of the record, and a link type of its own. */
shk_step_t shk_layer_pktap(struct shk_walk *w)
{
	const uint8_t *h = shk_look(w, 12);
	uint32_t len;
	int link;

	if (!h)
		return shk_short(w, 12);
	len = shk_le32(h);
	link = shk_dissect_link(shk_le32(h + 8));
	if (len < 12)
		return SHK_END(MALFORMED);
	if (!shk_take(w, len))
		return shk_short(w, len);
	return link < 0 ? SHK_END(NOT_IP) : link;
}
