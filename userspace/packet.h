/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A segment as a packet again, for tools that read captures: IP and TCP headers, with the options whose whole
 * content an event has (MSS, window scale, SACK permitted, timestamps, and a Fast Open cookie of up to four
 * octets), and with checksums. Its payload is not there, and counts in wire_len only.
 */
#ifndef SHK_PACKET_H
#define SHK_PACKET_H

#include "headers.h"

#define SHK_PACKET_MAX (SHK_HEADERS_MAX + 40)

struct shk_packet_made {
	unsigned char octets[SHK_PACKET_MAX];	/* from the IP header on */
	unsigned int len;
	unsigned int wire_len;
};

/*
 * @ev is an SHK_EV_SEGMENT. The checksum of TCP is 0 if there was payload, which it would cover; and the
 * length in the IP header is 0 if it does not fit there, as in a large segment that was yet to be cut.
 */
void shk_packet_make(struct shk_packet_made *p, const struct shk_event *ev);

#endif /* SHK_PACKET_H */
