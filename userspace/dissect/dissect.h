/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the octets of a captured packet to its innermost TCP header, through whatever lies around it.
 *
 * Pure functions of their input but for a small cache of IP fragments. Nothing is believed: every access
 * is checked against what was captured, every length against the one around it.
 *
 * A packet is captured up to the capture's snap length, and says itself how long it was. So every layer has
 * two lengths: what is there, and what was on the wire. Headers alone suffice; the payload's length comes
 * from IP. TCP that is quoted in an ICMP error is not a segment.
 */
#ifndef SHK_DISSECT_H
#define SHK_DISSECT_H

#include <stdbool.h>
#include <stdint.h>

#include "uapi/tcpshake.h"

enum shk_found {
#define SHK_FOUND(code, words) SHK_FOUND_##code,
#include "found.def"
	SHK_FOUND_COUNT
};

const char *shk_found_words(enum shk_found found);

struct shk_dissector;

struct shk_dissector *shk_dissector_new(void);	/* NULL: no memory */
void shk_dissector_free(struct shk_dissector *d);	/* accepts NULL */

/* Fragments whose others never came: displaced, too old, or still waiting. */
uint64_t shk_dissector_unfinished(const struct shk_dissector *d);

/* The layer a packet of link type @dlt (DLT_*, <pcap/dlt.h>) begins with; -1 if it is not known here. */
int shk_dissect_link(int dlt);

struct shk_packet {
	const uint8_t	*octets;
	uint32_t	have;		/* octets captured */
	uint32_t	len;		/* octets on the wire */
	uint64_t	ts_ns;
};

/* A TCP header: in the packet, or in the dissector until it is given the next packet. */
struct shk_tcp_place {
	const uint8_t	*tcp;
	uint32_t	have;		/* octets captured, at least 20 */
	uint32_t	header_len;	/* as the header says; may be more than @have */
};

/**
 * shk_dissect - find the innermost TCP header
 * @d:		keeps the fragments
 * @link:	from shk_dissect_link()
 * @packet:	its octets
 * @ev:		out: all but the TCP options. Complete only if SHK_FOUND_SEGMENT is returned
 * @at:		out: where the header is, for shk_dissect_options()
 */
enum shk_found shk_dissect(struct shk_dissector *d, int link, const struct shk_packet *packet,
			   struct shk_event *ev, struct shk_tcp_place *at);

/* The options of the segment that was found; apart, for most segments are not worth it. */
void shk_dissect_options(struct shk_event *ev, const struct shk_tcp_place *at);

#endif /* SHK_DISSECT_H */
