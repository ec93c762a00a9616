/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A walk through the layers of one packet, from the outside in.
 *
 * A layer function takes its header off the front and returns what comes next: another layer, or, as
 * SHK_END(found), the end. It reads only what shk_take() or shk_look() gave it.
 */
#ifndef SHK_DISSECT_WALK_H
#define SHK_DISSECT_WALK_H

#include <stddef.h>
#include <string.h>

#include "dissect.h"
#include "options.h"

struct shk_fragments;

struct shk_walk {
	const uint8_t		*p;	/* next octet */
	uint32_t		have;	/* captured from there on; never more than want */
	uint32_t		want;	/* on the wire from there on, within the layer around it */
	bool			cut;	/* there was less than the IP header says */
	bool			in_part; /* a datagram whose other fragments will not be joined to it */
	const struct shk_packet	*packet;
	struct shk_event	*ev;	/* addresses of the innermost IP header so far */
	struct shk_tcp_place	*at;
	struct shk_fragments	*fragments;
	uint8_t			*inflated; /* SHK_INFLATED_MAX octets */
};

/* Of what was compressed so many are kept: some tunnels and a TCP header. */
#define SHK_INFLATED_MAX 512U

enum shk_layer {
#define SHK_LAYER(name) SHK_LAYER_##name,
#include "layers.def"
	SHK_LAYER_COUNT
};

/* A layer, or SHK_END(): the end of the walk. */
typedef int shk_step_t;
#define SHK_END(found) (SHK_LAYER_COUNT + SHK_FOUND_##found)

#define SHK_LAYER(name) shk_step_t shk_layer_##name(struct shk_walk *w);
#include "layers.def"

#define SHK_ETHERTYPE_MIN 0x0600	/* below, it is the length of an IEEE 802.2 frame */

/* The layer that a number of a registry stands for. */
shk_step_t shk_layer_of_ethertype(uint16_t type);	/* IEEE EtherType */
shk_step_t shk_layer_of_protocol(uint8_t protocol);	/* IANA protocol number */
shk_step_t shk_layer_of_family(uint32_t family);	/* AF_* of whatever system wrote the capture */

/* The first @n octets, or NULL if not all of them were captured. */
static inline const uint8_t *shk_look(const struct shk_walk *w, uint32_t n)
{
	return n <= w->have ? w->p : NULL;
}

/* Likewise, and goes on behind them. */
static inline const uint8_t *shk_take(struct shk_walk *w, uint32_t n)
{
	const uint8_t *p = w->p;

	if (n > w->have)
		return NULL;
	w->p += n;
	w->have -= n;
	w->want -= n;
	return p;
}

/* How a walk ends where @n octets could not be had. */
static inline shk_step_t shk_short(const struct shk_walk *w, uint32_t n)
{
	return n > w->want ? SHK_END(MALFORMED) : SHK_END(TRUNCATED);
}

/* The layer around it says that no more than @n octets follow: the rest is padding or a trailer. */
static inline void shk_limit(struct shk_walk *w, uint32_t n)
{
	if (n < w->want)
		w->want = n;
	if (n < w->have)
		w->have = n;
}

static inline uint16_t shk_le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t shk_le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* fragments.c */
struct shk_fragment {
	uint8_t		addresses[32];	/* of source and destination, as in the event */
	uint32_t	id;
	uint32_t	offset;		/* octets */
	uint8_t		protocol;
	bool		more;
};

struct shk_fragments *shk_fragments_new(void);	/* NULL: no memory */
void shk_fragments_free(struct shk_fragments *t);	/* accepts NULL */
uint64_t shk_fragments_unfinished(const struct shk_fragments *t);

/*
 * @w stands behind the header of a fragment. True if it was the last that was missing: then @w stands at
 * the beginning of the whole datagram's payload.
 */
bool shk_fragments_add(struct shk_fragments *t, const struct shk_fragment *f, struct shk_walk *w);

#endif /* SHK_DISSECT_WALK_H */
