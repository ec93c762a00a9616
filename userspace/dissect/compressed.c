// SPDX-License-Identifier: GPL-2.0
/*
 * IPComp (RFC 3173) with DEFLATE (RFC 2394). Headers are all that is wanted of what was compressed, and for
 * the rest how long it is. Which algorithm it is two hosts agree on unseen, so this one is tried: it is the
 * only one that is used.
 */
#include <zlib.h>

#include "walk.h"

#define DATAGRAM_MAX 65535U

/* How long all of it is, of which the beginning goes to @to; 0 if that does not come out. */
static uint32_t inflate_all(z_stream *z, uint8_t *to)
{
	uint8_t rest[4096];
	int rc;

	z->next_out = to;
	z->avail_out = SHK_INFLATED_MAX;
	do {
		rc = inflate(z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			return z->total_out;
		if (z->avail_out)
			break; /* cut, or damaged */
		z->next_out = rest;
		z->avail_out = sizeof(rest);
	} while (rc == Z_OK && z->total_out <= DATAGRAM_MAX);
	return 0;
}

shk_step_t shk_layer_compressed(struct shk_walk *w)
{
	const uint8_t *h = shk_take(w, 4);
	z_stream z = {0};
	uint32_t len;

	if (!h)
		return shk_short(w, 4);
	/*
	 * A compression within another would be written over what it is read from; nobody compresses twice.
	 */
	if (!w->inflated || inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return SHK_END(NOT_TCP);
	z.next_in = (uint8_t *)w->p;
	z.avail_in = w->have;
	len = inflate_all(&z, w->inflated);
	w->p = w->inflated;
	w->have = z.total_out < SHK_INFLATED_MAX ? z.total_out : SHK_INFLATED_MAX;
	w->want = len ? len : w->have;
	w->in_part |= !len;
	w->inflated = NULL;
	inflateEnd(&z);
	if (!w->have)
		return SHK_END(NOT_TCP);
	return shk_layer_of_protocol(h[0]);
}
