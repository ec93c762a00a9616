/* SPDX-License-Identifier: GPL-2.0 */
/* Writes pcapng: packets that begin with their IP header, with times in ns and comments. */
#ifndef SHK_PCAPNG_WRITE_H
#define SHK_PCAPNG_WRITE_H

#include <stdint.h>
#include <stdio.h>

/* Each returns 0 or -errno. Strings may be long, and are cut where a block has no more room. */

int shk_pcapng_write_section(FILE *out, const char *os, const char *application);

/* The first is interface 0, and so on. */
int shk_pcapng_write_interface(FILE *out, const char *name, const char *description);

struct shk_pcapng_out {
	unsigned int interface;
	uint64_t real_ns;		/* since the epoch */
	const unsigned char *octets;
	uint32_t len, wire_len;
	uint64_t lost;			/* packets lost since the one before; 0: none */
	const char *const *comments;	/* NULL terminated */
};

int shk_pcapng_write_packet(FILE *out, const struct shk_pcapng_out *packet);

#endif /* SHK_PCAPNG_WRITE_H */
