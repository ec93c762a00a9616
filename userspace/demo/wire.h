/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cable between the two hosts: what passes is recorded at the server's end, can be drawn as a ladder,
 * and sent a second time from the client's end, as a network does that had held it up.
 */
#ifndef SHK_DEMO_WIRE_H
#define SHK_DEMO_WIRE_H

#include "demo/hosts.h"
#include "sink.h"

#define SHK_WIRE_SEGMENTS 64
#define SHK_WIRE_FRAME	  256	/* octets; nothing longer is sent here */

struct shk_wire_segment {
	struct shk_event ev;
	uint32_t	size;
	uint8_t		frame[SHK_WIRE_FRAME];	/* from the Ethernet header on */
};

struct shk_wire;

/* 0, or -errno and *err. */
int shk_wire_open(struct shk_wire **wire, const struct shk_hosts *hosts, struct shk_error *err);
void shk_wire_close(struct shk_wire *wire);	/* accepts NULL */

/* Forgets what has passed so far. */
int shk_wire_clear(struct shk_wire *wire, struct shk_error *err);

/* What has passed since; valid until the next call. */
int shk_wire_read(struct shk_wire *wire, struct shk_error *err);
unsigned int shk_wire_count(const struct shk_wire *wire);
const struct shk_wire_segment *shk_wire_segment(const struct shk_wire *wire, unsigned int i);

/* Waits for a segment with exactly these flags and so much payload. NULL and *err if none comes. */
const struct shk_wire_segment *shk_wire_wait(struct shk_wire *wire, uint16_t tcp_flags, uint32_t payload_len,
					     struct shk_error *err);

/* Sends it again, octet by octet the same. */
int shk_wire_replay(struct shk_wire *wire, const struct shk_wire_segment *segment, struct shk_error *err);

/* The connection that has passed. Each segment has the number of its arrow in the ladder. */
int shk_wire_draw(struct shk_wire *wire, struct shk_sink *sink, struct shk_error *err);

#endif /* SHK_DEMO_WIRE_H */
