/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Community ID, version 1: the same short string for a flow in every tool that computes it (Zeek,
 * Suricata, Arkime, ...), whichever end is called the client. Seed 0, the default everywhere.
 */
#ifndef SHK_COMMUNITY_ID_H
#define SHK_COMMUNITY_ID_H

#include <stdint.h>

#define SHK_COMMUNITY_ID_SIZE	31	/* "1:", base64 of a SHA-1, NUL */

struct shk_end;

/* The ID of the TCP connection between these two ends, in either order. */
void shk_community_id(char buf[SHK_COMMUNITY_ID_SIZE], const struct shk_end *one,
		      const struct shk_end *other);

#endif /* SHK_COMMUNITY_ID_H */
