/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tap that writes each segment as a packet of pcapng, one interface for each hook of each network
 * namespace, with what was found to be said of it as comments.
 */
#ifndef SHK_TAP_PACKETS_H
#define SHK_TAP_PACKETS_H

#include <stdio.h>

#include "tap.h"

struct shk_tap_packets_totals {
	uint64_t packets;
	uint64_t comments;
	unsigned int interfaces;
};

/* @notes is a sorted shk_sink_notes. Both stay the caller's. NULL: no memory. */
struct shk_tap *shk_tap_packets_new(FILE *out, struct shk_sink *notes);
void shk_tap_packets_free(struct shk_tap *t);	/* accepts NULL */

void shk_tap_packets_totals(const struct shk_tap *t, struct shk_tap_packets_totals *totals);

#endif /* SHK_TAP_PACKETS_H */
