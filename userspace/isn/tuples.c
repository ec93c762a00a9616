// SPDX-License-Identifier: GPL-2.0
#include "isn/tuples.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define NOBODY          UINT32_MAX
#define HEADS_PER_ENTRY 4 /* most tuples are new: then an empty head tells, and no entry is visited */

/* The lower end first, by address in memory order, then by port. */
struct key {
	uint8_t addr[2][16];
	uint32_t netns;
	uint16_t port[2];
};

struct entry {
	struct key key;
	uint32_t head; /* its place among the heads */
	uint32_t hash_next;
	uint32_t older, newer; /* by learning */
	unsigned int client;   /* place of the client's end in the key */
	struct shk_tuple_use use;
};

struct shk_tuples {
	struct shk_hash_key hash_key;
	struct shk_tuple_use earlier; /* turned as the connection that asks */
	uint32_t *heads;              /* a power of two */
	uint32_t mask;
	struct entry *entries;
	uint32_t max, count;
	uint32_t oldest, newest;
	uint64_t learned;
	uint64_t forgotten;
};

struct shk_tuples *shk_tuples_new(uint32_t max, const uint64_t hash_key[2])
{
	struct shk_tuples *t = calloc(1, sizeof(*t));
	uint32_t heads = 1;

	if (!t)
		return NULL;
	while (heads < HEADS_PER_ENTRY * max)
		heads *= 2;
	/* Pages of a large calloc() cost nothing until they are used. */
	t->entries = calloc(max, sizeof(*t->entries));
	t->heads = malloc(heads * sizeof(*t->heads));
	if (!t->entries || !t->heads) {
		shk_tuples_free(t);
		return NULL;
	}
	memset(t->heads, 0xff, heads * sizeof(*t->heads));
	t->hash_key = (struct shk_hash_key){{hash_key[0], hash_key[1]}};
	t->mask = heads - 1;
	t->max = max;
	t->oldest = NOBODY;
	t->newest = NOBODY;
	return t;
}

void shk_tuples_free(struct shk_tuples *t)
{
	if (!t)
		return;
	free(t->entries);
	free(t->heads);
	free(t);
}

/* Returns the place of the client's end. */
static unsigned int key_of(struct key *key, const struct shk_conn *conn)
{
	const struct shk_end *client = &conn->end[SHK_CLIENT], *server = &conn->end[SHK_SERVER];
	int order = memcmp(client->addr, server->addr, sizeof(client->addr));
	unsigned int place = order ? order > 0 : client->port > server->port;

	memcpy(key->addr[place], client->addr, sizeof(client->addr));
	memcpy(key->addr[place ^ 1], server->addr, sizeof(server->addr));
	key->port[place] = client->port;
	key->port[place ^ 1] = server->port;
	key->netns = conn->netns;
	return place;
}

static uint32_t head_of(const struct shk_tuples *t, const struct key *key)
{
	struct shk_hash_state s;
	uint64_t words[sizeof(*key) / sizeof(uint64_t)];
	size_t i;

	_Static_assert(sizeof(*key) % sizeof(uint64_t) == 0, "hashed in words");
	memcpy(words, key, sizeof(words));
	shk_hash_init(&s, &t->hash_key);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		shk_hash_add(&s, words[i]);
	return shk_hash_end(&s, sizeof(words)) & t->mask;
}

static struct entry *find(struct shk_tuples *t, uint32_t head, const struct key *key)
{
	uint32_t i;

	for (i = t->heads[head]; i != NOBODY; i = t->entries[i].hash_next)
		if (!memcmp(&t->entries[i].key, key, sizeof(*key)))
			return &t->entries[i];
	return NULL;
}

static void unlink_age(struct shk_tuples *t, struct entry *e)
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

static void link_newest(struct shk_tuples *t, struct entry *e)
{
	e->older = t->newest;
	e->newer = NOBODY;
	if (t->newest != NOBODY)
		t->entries[t->newest].newer = e - t->entries;
	else
		t->oldest = e - t->entries;
	t->newest = e - t->entries;
}

static void unhash(struct shk_tuples *t, const struct entry *e)
{
	uint32_t *link = &t->heads[e->head];

	while (*link != (uint32_t)(e - t->entries))
		link = &t->entries[*link].hash_next;
	*link = e->hash_next;
}

static void fetch(const struct entry *e)
{
	const char *lines = (const char *)e;

	for (size_t i = 0; i < sizeof(*e); i += 64)
		__builtin_prefetch(lines + i, 1);
}

/* Those that go next, when one is needed: the second entry, and for the first, which is there, its head. */
static void fetch_oldest(const struct shk_tuples *t)
{
	const struct entry *e;

	if (t->oldest == NOBODY)
		return;
	e = &t->entries[t->oldest];
	__builtin_prefetch(&t->heads[e->head], 1);
	if (e->newer != NOBODY)
		fetch(&t->entries[e->newer]);
}

/* A free entry, at the cost of the oldest if need be. */
static struct entry *take(struct shk_tuples *t, uint64_t now_ns)
{
	struct entry *e;

	if (t->count < t->max)
		return &t->entries[t->count++];
	e = &t->entries[t->oldest];
	if (now_ns < e->use.last_ns + SHK_MSL_RFC_NS)
		t->forgotten++;
	unhash(t, e);
	unlink_age(t, e);
	fetch_oldest(t);
	return e;
}

static void turn(struct shk_tuple_use *to, const struct shk_tuple_use *from)
{
	unsigned int i;

	*to = *from;
	for (i = 0; i < 2; i++) {
		to->isn_ns[i] = from->isn_ns[i ^ 1];
		to->isn[i] = from->isn[i ^ 1];
		to->end[i] = from->end[i ^ 1];
		to->window[i] = from->window[i ^ 1];
		to->rst[i] = from->rst[i ^ 1];
		to->last_known[i] = from->last_known[i ^ 1];
		to->tsval[i] = from->tsval[i ^ 1];
		to->tsval_last[i] = from->tsval_last[i ^ 1];
	}
}

void shk_tuples_look(struct shk_tuples *t, const struct shk_conn *conn, struct shk_tuple_reuse *reuse)
{
	struct shk_tuple_use later;
	const struct entry *e;
	unsigned int client;
	struct key key;

	*reuse = (struct shk_tuple_reuse){0};
	if (!shk_use_from_conn(&later, conn))
		return;
	client = key_of(&key, conn);
	e = find(t, head_of(t, &key), &key);
	if (!e)
		return;
	if (e->client == client)
		t->earlier = e->use;
	else
		turn(&t->earlier, &e->use);
	reuse->known = true;
	reuse->earlier = &t->earlier;
	shk_reuse_judge(&t->earlier, &later, reuse);
}

void shk_tuples_learn(struct shk_tuples *t, const struct shk_conn *conn)
{
	struct shk_tuple_use use;
	unsigned int client;
	struct entry *e;
	uint32_t head;
	struct key key;

	if (!shk_use_from_conn(&use, conn))
		return;
	use.number = t->learned++;
	client = key_of(&key, conn);
	head = head_of(t, &key);
	e = find(t, head, &key);
	if (e) {
		unlink_age(t, e);
	} else {
		e = take(t, use.last_ns);
		e->key = key;
		e->head = head;
		e->hash_next = t->heads[head];
		t->heads[head] = e - t->entries;
	}
	e->client = client;
	e->use = use;
	link_newest(t, e);
}

uint64_t shk_tuples_forgotten(const struct shk_tuples *t)
{
	return t->forgotten;
}

uint32_t shk_tuples_count(const struct shk_tuples *t)
{
	return t->count;
}
