/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pcapng: draft-ietf-opsawg-pcapng. Packets of any number of sections and interfaces, each interface with
 * its own link type, snap length and resolution of time. libpcap reads only files whose interfaces are all
 * alike, and most of those that Wireshark writes from several interfaces are not; for the rest it is used,
 * see source_pcap.c.
 */
#ifndef SHK_PCAPNG_H
#define SHK_PCAPNG_H

#include <stdint.h>
#include <stdio.h>

struct shk_pcapng;

struct shk_pcapng_packet {
	unsigned int interface;	/* counts those of all sections */
	int dlt;		/* its link type, as libpcap numbers them */
	const uint8_t *octets;	/* valid until the next call */
	uint32_t have, len;	/* captured, and on the wire */
	uint64_t ts_ns;		/* since the epoch; 0 if the block has no time */
};

struct shk_pcapng *shk_pcapng_new(FILE *file);	/* NULL: no memory; @file stays the caller's */
void shk_pcapng_free(struct shk_pcapng *r);	/* accepts NULL */

/* 1; 0 at the end; -1 if the file is damaged: then *reason says how. */
int shk_pcapng_next(struct shk_pcapng *r, struct shk_pcapng_packet *packet, const char **reason);

/* Where the block begins that was read last. */
uint64_t shk_pcapng_offset(const struct shk_pcapng *r);

#endif /* SHK_PCAPNG_H */
