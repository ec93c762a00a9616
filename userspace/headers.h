/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The IP and TCP headers of an event, put together again, for filters that look at packets.
 */
#ifndef SHK_HEADERS_H
#define SHK_HEADERS_H

#include "uapi/tcpshake.h"

#define SHK_HEADERS_MAX 60	/* IPv6 40, TCP 20 */

struct shk_headers {
	unsigned char octets[SHK_HEADERS_MAX];	/* from the IP header on, no options, checksums 0 */
	unsigned int len;
	unsigned int wire_len;			/* with the payload that is not there */
};

/* @ev is an SHK_EV_SEGMENT. */
void shk_headers_make(struct shk_headers *h, const struct shk_event *ev);

#endif /* SHK_HEADERS_H */
