// SPDX-License-Identifier: GPL-2.0
#include "dissect.h"

#include <pcap/dlt.h>
#include <stdlib.h>

#include "walk.h"

/* A packet of a provider that carries another's tunnels has a dozen; a loop in a header has no end. */
#define LAYERS_MAX 32

struct shk_dissector {
	struct shk_fragments *fragments;
	uint8_t inflated[SHK_INFLATED_MAX];
};

typedef shk_step_t layer_fn(struct shk_walk *w);

static layer_fn *const layers[] = {
#define SHK_LAYER(name) [SHK_LAYER_##name] = shk_layer_##name,
#include "layers.def"
};

/* In the order of their numbers, which are libpcap's. */
static const struct {
	int dlt;
	int layer;
} links[] = {
	{DLT_NULL, SHK_LAYER_null},
	{DLT_EN10MB, SHK_LAYER_ethernet},
	{DLT_IEEE802, SHK_LAYER_token_ring},
	{DLT_PPP, SHK_LAYER_ppp},
	{DLT_FDDI, SHK_LAYER_fddi},
	{DLT_ATM_RFC1483, SHK_LAYER_llc},
	{DLT_RAW, SHK_LAYER_ip},
	{14, SHK_LAYER_ip}, /* DLT_RAW of OpenBSD */
	{DLT_ATM_CLIP, SHK_LAYER_llc},
	{DLT_PPP_SERIAL, SHK_LAYER_ppp},
	{DLT_PPP_ETHER, SHK_LAYER_pppoe},
	{DLT_C_HDLC, SHK_LAYER_cisco_hdlc},
	{DLT_IEEE802_11, SHK_LAYER_ieee80211},
	{DLT_FRELAY, SHK_LAYER_frame_relay},
	{DLT_LOOP, SHK_LAYER_loop},
	{DLT_ENC, SHK_LAYER_enc},
	{DLT_LINUX_SLL, SHK_LAYER_cooked1},
	{DLT_PFLOG, SHK_LAYER_pflog},
	{DLT_PRISM_HEADER, SHK_LAYER_prism},
	{DLT_IP_OVER_FC, SHK_LAYER_ip_over_fc},
	{DLT_SUNATM, SHK_LAYER_sunatm},
	{DLT_IEEE802_11_RADIO, SHK_LAYER_radiotap},
	{DLT_ARCNET_LINUX, SHK_LAYER_arcnet},
	{DLT_APPLE_IP_OVER_IEEE1394, SHK_LAYER_firewire},
	{DLT_IEEE802_11_RADIO_AVS, SHK_LAYER_avs},
	{DLT_DOCSIS, SHK_LAYER_docsis},
	{DLT_PPP_PPPD, SHK_LAYER_ppp_direction},
	{DLT_JUNIPER_ETHER, SHK_LAYER_juniper_ethernet},
	{DLT_PPI, SHK_LAYER_ppi},
	{DLT_ERF, SHK_LAYER_erf},
	{DLT_PPP_WITH_DIR, SHK_LAYER_directed_ppp},
	{DLT_C_HDLC_WITH_DIR, SHK_LAYER_directed_hdlc},
	{DLT_FRELAY_WITH_DIR, SHK_LAYER_directed_frame_relay},
	{DLT_MPLS, SHK_LAYER_mpls},
	{DLT_IPV4, SHK_LAYER_ip},
	{DLT_IPV6, SHK_LAYER_ip},
	{DLT_NFLOG, SHK_LAYER_nflog},
	{DLT_NETANALYZER, SHK_LAYER_netanalyzer},
	{DLT_NETANALYZER_TRANSPARENT, SHK_LAYER_netanalyzer_transparent},
	{DLT_IPOIB, SHK_LAYER_infiniband},
	{DLT_PKTAP, SHK_LAYER_pktap},
	{DLT_LINUX_SLL2, SHK_LAYER_cooked2},
	{DLT_DSA_TAG_BRCM, SHK_LAYER_switch_tag},
	{DLT_DSA_TAG_BRCM_PREPEND, SHK_LAYER_switch_tag_before},
	{DLT_DSA_TAG_DSA, SHK_LAYER_switch_tag},
	{DLT_DSA_TAG_EDSA, SHK_LAYER_switch_tag_long},
};

int shk_dissect_link(int dlt)
{
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].dlt == dlt)
			return links[i].layer;
	return -1;
}

const char *shk_found_words(enum shk_found found)
{
	static const char *const words[] = {
#define SHK_FOUND(code, text) text,
#include "found.def"
	};

	return words[found];
}

struct shk_dissector *shk_dissector_new(void)
{
	struct shk_dissector *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->fragments = shk_fragments_new();
	if (!d->fragments) {
		free(d);
		return NULL;
	}
	return d;
}

void shk_dissector_free(struct shk_dissector *d)
{
	if (!d)
		return;
	shk_fragments_free(d->fragments);
	free(d);
}

uint64_t shk_dissector_unfinished(const struct shk_dissector *d)
{
	return shk_fragments_unfinished(d->fragments);
}

enum shk_found shk_dissect(struct shk_dissector *d, int link, const struct shk_packet *packet,
			   struct shk_event *ev, struct shk_tcp_place *at)
{
	struct shk_walk w = {
		.p = packet->octets,
		.have = packet->have < packet->len ? packet->have : packet->len,
		.want = packet->len,
		.packet = packet,
		.ev = ev,
		.at = at,
		.fragments = d->fragments,
		.inflated = d->inflated,
	};
	shk_step_t step = link;
	unsigned int n;

	memset(ev, 0, sizeof(*ev));
	ev->ts_ns = packet->ts_ns;
	ev->kind = SHK_EV_SEGMENT;
	ev->where = SHK_HOOK_CAPTURE;
	for (n = 0; n < LAYERS_MAX; n++) {
		step = layers[step](&w);
		if (step >= SHK_LAYER_COUNT)
			return step - SHK_LAYER_COUNT;
	}
	return SHK_FOUND_TOO_DEEP;
}

void shk_dissect_options(struct shk_event *ev, const struct shk_tcp_place *at)
{
	shk_options_parse(&ev->seg, at->tcp + SHK_TCP_HEADER_MIN, at->have - SHK_TCP_HEADER_MIN,
			  at->header_len - SHK_TCP_HEADER_MIN);
}
