// SPDX-License-Identifier: GPL-2.0
#include "ahead.h"

#include <string.h>

/* A segment on loopback comes four times in a row. */
static bool has_same_ends(const struct shk_event *a, const struct shk_event *b)
{
	return a->netns == b->netns && a->sport == b->sport && a->dport == b->dport &&
	       !memcmp(a->saddr, b->saddr, sizeof(a->saddr)) && !memcmp(a->daddr, b->daddr, sizeof(a->daddr));
}

static void make_key(struct shk_key *key, const struct shk_flows *t, const struct shk_event *ev)
{
	key->ev = ev;
	shk_tuple_from_event(&key->tuple, ev);
	key->hash = shk_flows_hash(t, &key->tuple);
}

void shk_ahead_look(struct shk_ahead *a, const struct shk_flows *t, const struct shk_event *const events[],
		    unsigned int n)
{
	unsigned int unique[SHK_AHEAD_MAX], n_unique = 0, i;

	a->n = 0;
	a->next = 0;
	for (i = 0; i < n; i++) {
		const struct shk_event *ev = events[i];
		struct shk_key *key = &a->keys[a->n];

		if (ev->kind != SHK_EV_SEGMENT && ev->kind != SHK_EV_SOCKET)
			continue;
		if (a->n && has_same_ends(ev, key[-1].ev)) {
			*key = key[-1];
			key->ev = ev;
		} else {
			make_key(key, t, ev);
			shk_flows_fetch_bucket(t, key->hash);
			unique[n_unique++] = a->n;
		}
		a->n++;
	}
	for (i = 0; i < n_unique; i++)
		shk_flows_fetch_flow(t, a->keys[unique[i]].hash);
	for (i = 0; i < n_unique; i++)
		shk_flows_fetch_links(t, &a->keys[unique[i]].tuple, a->keys[unique[i]].hash);
}

const struct shk_key *shk_ahead_take(struct shk_ahead *a, const struct shk_flows *t,
				     const struct shk_event *ev)
{
	if (a->next < a->n && a->keys[a->next].ev == ev)
		return &a->keys[a->next++];
	a->n = 0;
	make_key(&a->keys[0], t, ev);
	return &a->keys[0];
}
