// SPDX-License-Identifier: GPL-2.0
/*
 * IP fragments. Headers are all that is wanted of a datagram, so only its first octets are kept, and for
 * the rest which of them have come: when all have, the length of the whole is certain.
 *
 * A fixed number of datagrams can wait; the one that has waited longest goes when room is needed.
 */
#include <stdlib.h>

#include "walk.h"

#define DATAGRAMS    64U
#define KEPT         512U           /* octets: some tunnels and a TCP header */
#define DATAGRAM_MAX 65536U         /* octets */
#define UNIT         8U             /* octets: what offsets count in */
#define PATIENCE_NS  30000000000ULL /* ipfrag_time of Linux; then an identification may come again */

struct datagram {
	bool used;
	struct shk_fragment key; /* but for .offset and .more */
	uint64_t first_ns;
	uint32_t fragments;
	uint32_t total; /* octets, 0 while the last fragment has not come */
	uint32_t units; /* how many have come */
	uint8_t kept[KEPT];
	uint64_t come[DATAGRAM_MAX / UNIT / 64];
};

struct shk_fragments {
	uint64_t given_up;   /* fragments */
	uint8_t whole[KEPT]; /* of the datagram that was completed last */
	struct datagram datagrams[DATAGRAMS];
};

struct shk_fragments *shk_fragments_new(void)
{
	return calloc(1, sizeof(struct shk_fragments));
}

void shk_fragments_free(struct shk_fragments *t)
{
	free(t);
}

uint64_t shk_fragments_unfinished(const struct shk_fragments *t)
{
	uint64_t n = t->given_up;
	unsigned int i;

	for (i = 0; i < DATAGRAMS; i++)
		if (t->datagrams[i].used)
			n += t->datagrams[i].fragments;
	return n;
}

static void give_up(struct shk_fragments *t, struct datagram *d)
{
	t->given_up += d->fragments;
	d->used = false;
}

static bool same_key(const struct shk_fragment *a, const struct shk_fragment *b)
{
	return a->id == b->id && a->protocol == b->protocol &&
	       !memcmp(a->addresses, b->addresses, sizeof(a->addresses));
}

/* A clock that went back makes no datagram old. */
static bool too_old(const struct datagram *d, uint64_t now_ns)
{
	return now_ns > d->first_ns && now_ns - d->first_ns > PATIENCE_NS;
}

static struct datagram *find(struct shk_fragments *t, const struct shk_fragment *f, uint64_t now_ns)
{
	unsigned int i;

	for (i = 0; i < DATAGRAMS; i++) {
		struct datagram *d = &t->datagrams[i];

		if (!d->used || !same_key(&d->key, f))
			continue;
		if (!too_old(d, now_ns))
			return d;
		give_up(t, d);
	}
	return NULL;
}

static struct datagram *start(struct shk_fragments *t, const struct shk_fragment *f, uint64_t now_ns)
{
	struct datagram *d = &t->datagrams[0];
	unsigned int i;

	for (i = 1; i < DATAGRAMS && d->used; i++)
		if (!t->datagrams[i].used || t->datagrams[i].first_ns < d->first_ns)
			d = &t->datagrams[i];
	if (d->used)
		give_up(t, d);
	memset(d, 0, sizeof(*d));
	d->used = true;
	d->key = *f;
	d->first_ns = now_ns;
	return d;
}

static void note_units(struct datagram *d, uint32_t from, uint32_t n)
{
	uint32_t i;

	for (i = from; i < from + n; i++) {
		uint64_t bit = 1ULL << (i % 64);

		if (!(d->come[i / 64] & bit))
			d->units++;
		d->come[i / 64] |= bit;
	}
}

static void keep(struct datagram *d, uint32_t offset, const uint8_t *octets, uint32_t len)
{
	if (offset >= KEPT)
		return;
	memcpy(d->kept + offset, octets, len < KEPT - offset ? len : KEPT - offset);
}

/* The whole datagram, of which as much as we kept counts as captured. */
static void hand_over(struct shk_fragments *t, struct datagram *d, struct shk_walk *w)
{
	memcpy(t->whole, d->kept, sizeof(t->whole));
	w->p = t->whole;
	w->want = d->total;
	w->have = d->total < KEPT ? d->total : KEPT;
	d->used = false;
}

bool shk_fragments_add(struct shk_fragments *t, const struct shk_fragment *f, struct shk_walk *w)
{
	uint32_t len = w->have, units = (len + UNIT - 1) / UNIT;
	struct datagram *d;

	if (!len || f->offset + len > DATAGRAM_MAX || (f->more && len % UNIT))
		return false;
	d = find(t, f, w->packet->ts_ns);
	if (!d)
		d = start(t, f, w->packet->ts_ns);
	d->fragments++;
	note_units(d, f->offset / UNIT, units);
	keep(d, f->offset, w->p, len);
	if (!f->more)
		d->total = f->offset + len;
	if (!d->total || d->units != (d->total + UNIT - 1) / UNIT)
		return false;
	hand_over(t, d, w);
	return true;
}
