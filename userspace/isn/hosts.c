// SPDX-License-Identifier: GPL-2.0
#include "isn/hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

int shk_isn_hosts_init(struct shk_isn_hosts *t, uint32_t max, const uint64_t hash_key[2])
{
	uint32_t heads = 1;

	while (heads < max)
		heads *= 2;
	*t = (struct shk_isn_hosts){
		.hash_key = {{hash_key[0], hash_key[1]}},
		.entries = calloc(max, sizeof(*t->entries)),
		.heads = malloc(heads * sizeof(*t->heads)),
		.mask = heads - 1,
		.max = max,
		.oldest = NOBODY,
		.newest = NOBODY,
	};
	if (!t->entries || !t->heads) {
		shk_isn_hosts_release(t);
		return -ENOMEM;
	}
	memset(t->heads, 0xff, heads * sizeof(*t->heads));
	return 0;
}

void shk_isn_hosts_release(struct shk_isn_hosts *t)
{
	uint32_t i;

	for (i = 0; i < t->count; i++)
		shk_isn_store_release(&t->entries[i].store);
	free(t->entries);
	free(t->heads);
}

static uint32_t *head_of(struct shk_isn_hosts *t, const struct shk_isn_key *key)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)];
	struct shk_hash_state s;
	size_t i;

	_Static_assert(sizeof(*key) % sizeof(uint64_t) == 0, "hashed in words");
	memcpy(words, key, sizeof(words));
	shk_hash_init(&s, &t->hash_key);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		shk_hash_add(&s, words[i]);
	return &t->heads[shk_hash_end(&s, sizeof(words)) & t->mask];
}

static void unlink_age(struct shk_isn_hosts *t, struct shk_isn_entry *e)
{
	if (e->older != NOBODY)
		t->entries[e->older].newer = e->newer;
	else
		t->oldest = e->newer;
	if (e->newer != NOBODY)
		t->entries[e->newer].older = e->older;
	else
		t->newest = e->older;
}

static void link_newest(struct shk_isn_hosts *t, struct shk_isn_entry *e)
{
	uint32_t place = e - t->entries;

	e->older = t->newest;
	e->newer = NOBODY;
	if (t->newest != NOBODY)
		t->entries[t->newest].newer = place;
	else
		t->oldest = place;
	t->newest = place;
}

static void unhash(struct shk_isn_hosts *t, const struct shk_isn_entry *e)
{
	uint32_t *link = head_of(t, &e->key);

	while (*link != (uint32_t)(e - t->entries))
		link = &t->entries[*link].hash_next;
	*link = e->hash_next;
}

/* An empty entry, at the cost of the oldest if need be. */
static struct shk_isn_entry *take(struct shk_isn_hosts *t)
{
	struct shk_isn_entry *e;

	if (t->count < t->max)
		return &t->entries[t->count++];
	e = &t->entries[t->oldest];
	t->evicted++;
	unhash(t, e);
	unlink_age(t, e);
	shk_isn_store_release(&e->store);
	memset(e, 0, sizeof(*e));
	return e;
}

struct shk_isn_entry *shk_isn_hosts_get(struct shk_isn_hosts *t, const struct shk_isn_key *key)
{
	uint32_t *head = head_of(t, key);
	struct shk_isn_entry *e;
	uint32_t i;

	for (i = *head; i != NOBODY; i = t->entries[i].hash_next) {
		e = &t->entries[i];
		if (memcmp(&e->key, key, sizeof(*key)))
			continue;
		if (t->newest != i) {
			unlink_age(t, e);
			link_newest(t, e);
		}
		return e;
	}
	e = take(t);
	e->key = *key;
	e->hash_next = *head;
	*head = e - t->entries;
	link_newest(t, e);
	return e;
}
