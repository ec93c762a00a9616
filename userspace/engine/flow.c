// SPDX-License-Identifier: GPL-2.0
#include "flow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_BITS  13 /* flows are allocated 8192 at a time, a huge page, and never move */
#define CHUNK_SIZE  (1U << CHUNK_BITS)
#define BUCKETS_MIN 1024U
#define SCOUTED_MAX 64U
#define SECOND_NS   1000000000ULL

struct list {
	uint32_t head, tail;
	uint64_t span_ns; /* UINT64_MAX: no end */
};

struct shk_flows {
	struct shk_hash_key key;
	struct shk_flow **chunks;
	struct shk_arrows ***ladders; /* for each chunk the ladders of its flows; NULL: none are kept */
	uint32_t *buckets;
	uint32_t bucket_mask;
	uint32_t max, count;
	uint32_t used; /* indices handed out so far, free ones included */
	uint32_t free;
	uint64_t next_deadline_ns; /* nothing expires earlier */
	struct list lists[SHK_LIST_COUNT];
	uint32_t scout; /* a tombstone, SHK_NO_FLOW: none yet */
	uint32_t scouted;
};

/*
 * TIME-WAIT is 60 s on Linux. A FIN is repeated for about 100 s (tcp_orphan_retries, tcp_retries2): after
 * 120 s of silence nobody will acknowledge it.
 */
static const uint64_t list_span_ns[SHK_LIST_COUNT] = {
	[SHK_LIST_LIVE] = UINT64_MAX,
	[SHK_LIST_LINGER] = 0, /* configured */
	[SHK_LIST_TOMBSTONE] = 60 * SECOND_NS,
	[SHK_LIST_CLOSING] = 120 * SECOND_NS,
	/*
	 * Requests are repeated after 1, 2, 4, ... s (RFC 6298 5.5). When twice the last interval and a
	 * second more have gone by, there will be no other. A fifth on top is for late timers.
	 */
	[SHK_LIST_EMBRYO] = 4 * SECOND_NS,
	[SHK_LIST_EMBRYO_2] = 6 * SECOND_NS,
	[SHK_LIST_EMBRYO_3] = 11 * SECOND_NS,
	[SHK_LIST_EMBRYO_4] = 20 * SECOND_NS,
	[SHK_LIST_EMBRYO_5] = 39 * SECOND_NS,
	[SHK_LIST_EMBRYO_6] = 77 * SECOND_NS,
	[SHK_LIST_EMBRYO_7] = 154 * SECOND_NS,
};

uint64_t shk_list_span_ns(enum shk_list list)
{
	return list_span_ns[list];
}

static struct shk_flow *at(const struct shk_flows *t, uint32_t index)
{
	return &t->chunks[index >> CHUNK_BITS][index & (CHUNK_SIZE - 1)];
}

static struct shk_arrows **ladder_at(const struct shk_flows *t, uint32_t index)
{
	return &t->ladders[index >> CHUNK_BITS][index & (CHUNK_SIZE - 1)];
}

/*
 * With millions of connections hardly any access finds its translation in the TLB, or even its page table in
 * a cache: so the table asks for huge pages, and does without them if there are none.
 */
static void *allocate(size_t size)
{
	size_t huge = (size_t)1 << 21;
	void *memory = aligned_alloc(size < huge ? 64 : huge, size);

	if (memory && size >= huge)
		madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

struct shk_flows *shk_flows_new(uint32_t max, const uint64_t hash_key[2], uint64_t linger_ns, bool ladders)
{
	struct shk_flows *t = calloc(1, sizeof(*t));
	uint32_t i;

	if (!t)
		return NULL;
	t->max = max;
	t->free = SHK_NO_FLOW;
	t->scout = SHK_NO_FLOW;
	t->key.k[0] = hash_key[0];
	t->key.k[1] = hash_key[1];
	t->next_deadline_ns = UINT64_MAX;
	t->bucket_mask = BUCKETS_MIN - 1;
	t->buckets = allocate(BUCKETS_MIN * sizeof(*t->buckets));
	t->chunks = calloc((max >> CHUNK_BITS) + 1, sizeof(*t->chunks));
	if (ladders)
		t->ladders = calloc((max >> CHUNK_BITS) + 1, sizeof(*t->ladders));
	if (!t->buckets || !t->chunks || (ladders && !t->ladders)) {
		shk_flows_free(t);
		return NULL;
	}
	memset(t->buckets, 0xff, BUCKETS_MIN * sizeof(*t->buckets));
	for (i = 0; i < SHK_LIST_COUNT; i++)
		t->lists[i] = (struct list){SHK_NO_FLOW, SHK_NO_FLOW, list_span_ns[i]};
	for (i = SHK_LIST_CLOSING; i < SHK_LIST_COUNT; i++)
		t->lists[i].span_ns += linger_ns;
	t->lists[SHK_LIST_LINGER].span_ns = linger_ns;
	return t;
}

void shk_flows_free(struct shk_flows *t)
{
	uint32_t i;

	if (!t)
		return;
	for (i = 0; t->ladders && i < t->used; i++)
		free(*ladder_at(t, i));
	for (i = 0; t->ladders && i <= t->max >> CHUNK_BITS; i++)
		free(t->ladders[i]);
	for (i = 0; t->chunks && i <= t->max >> CHUNK_BITS; i++)
		free(t->chunks[i]);
	free(t->ladders);
	free(t->chunks);
	free(t->buckets);
	free(t);
}

uint64_t shk_flows_hash(const struct shk_flows *t, const struct shk_tuple *tuple)
{
	return shk_tuple_hash(tuple, &t->key);
}

static bool is_same(const struct shk_flow *f, const struct shk_tuple *tuple)
{
	return !memcmp(f->addr, tuple->addr, sizeof(f->addr)) && f->port[0] == tuple->port[0] &&
	       f->port[1] == tuple->port[1] && f->netns == tuple->netns;
}

void shk_flows_fetch_bucket(const struct shk_flows *t, uint64_t hash)
{
	__builtin_prefetch(&t->buckets[hash & t->bucket_mask], 1);
}

static void fetch(const struct shk_flow *f)
{
	const char *lines = (const char *)f;

	for (size_t i = 0; i < sizeof(*f); i += 64)
		__builtin_prefetch(lines + i, 1);
}

void shk_flows_fetch_flow(const struct shk_flows *t, uint64_t hash)
{
	uint32_t i = t->buckets[hash & t->bucket_mask];

	if (i != SHK_NO_FLOW)
		fetch(at(t, i));
}

/* Whose links change when it is touched. */
void shk_flows_fetch_links(const struct shk_flows *t, const struct shk_tuple *tuple, uint64_t hash)
{
	uint32_t i = t->buckets[hash & t->bucket_mask];
	const struct shk_flow *f;

	if (i == SHK_NO_FLOW)
		return;
	f = at(t, i);
	if (!is_same(f, tuple)) {
		if (f->hash_next != SHK_NO_FLOW)
			fetch(at(t, f->hash_next));
		return;
	}
	if (f->prev != SHK_NO_FLOW)
		__builtin_prefetch(at(t, f->prev), 1);
	if (f->next != SHK_NO_FLOW)
		__builtin_prefetch(at(t, f->next), 1);
}

struct shk_flow *shk_flows_find(struct shk_flows *t, const struct shk_tuple *tuple, uint64_t hash)
{
	struct shk_flow *f;
	uint32_t i;

	for (i = t->buckets[hash & t->bucket_mask]; i != SHK_NO_FLOW; i = f->hash_next) {
		f = at(t, i);
		if (is_same(f, tuple))
			return f;
	}
	return NULL;
}

static uint64_t hash_of(const struct shk_flows *t, const struct shk_flow *f)
{
	struct shk_tuple tuple = {.netns = f->netns};

	memcpy(tuple.addr, f->addr, sizeof(tuple.addr));
	memcpy(tuple.port, f->port, sizeof(tuple.port));
	return shk_flows_hash(t, &tuple);
}

/*
 * Twice the buckets, as soon as there are more flows than half of them: every flow in front of the one that
 * is looked for is a miss in the cache. Without memory chains get longer.
 */
static void grow_buckets(struct shk_flows *t)
{
	size_t n = ((size_t)t->bucket_mask + 1) * 2;
	uint32_t *buckets = allocate(n * sizeof(*buckets));
	uint32_t i, b;

	if (!buckets)
		return;
	memset(buckets, 0xff, n * sizeof(*buckets));
	for (i = 0; i < t->used; i++) {
		struct shk_flow *f = at(t, i);

		if (f->list == SHK_LIST_NONE)
			continue; /* on the free list */
		b = hash_of(t, f) & (n - 1);
		f->hash_next = buckets[b];
		buckets[b] = i;
	}
	free(t->buckets);
	t->buckets = buckets;
	t->bucket_mask = n - 1;
}

/* Flows are not zeroed here: each one is, when it is added. */
static bool add_chunk(struct shk_flows *t, uint32_t chunk)
{
	if (t->ladders && !t->ladders[chunk]) {
		t->ladders[chunk] = calloc(CHUNK_SIZE, sizeof(**t->ladders));
		if (!t->ladders[chunk])
			return false;
	}
	t->chunks[chunk] = allocate(CHUNK_SIZE * sizeof(struct shk_flow));
	return t->chunks[chunk];
}

/* An unused index, or SHK_NO_FLOW. */
static uint32_t take_index(struct shk_flows *t)
{
	uint32_t i = t->free;

	if (t->count == t->max)
		return SHK_NO_FLOW;
	if (i != SHK_NO_FLOW) {
		t->free = at(t, i)->hash_next;
		return i;
	}
	if (!t->chunks[t->used >> CHUNK_BITS] && !add_chunk(t, t->used >> CHUNK_BITS))
		return SHK_NO_FLOW;
	return t->used++;
}

static uint32_t index_of(const struct shk_flows *t, const struct shk_flow *f)
{
	/* A flow on a list is named by a neighbour or by the list; so its index need not be stored. */
	if (f->prev != SHK_NO_FLOW)
		return at(t, f->prev)->next;
	return t->lists[f->list].head;
}

struct shk_flow *shk_flows_add(struct shk_flows *t, const struct shk_tuple *tuple, uint64_t hash)
{
	uint32_t i;
	struct shk_flow *f;

	if (t->count > t->bucket_mask / 2)
		grow_buckets(t);
	i = take_index(t);
	if (i == SHK_NO_FLOW)
		return NULL;
	f = at(t, i);
	memset(f, 0, sizeof(*f));
	memcpy(f->addr, tuple->addr, sizeof(f->addr));
	memcpy(f->port, tuple->port, sizeof(f->port));
	f->netns = tuple->netns;
	f->hash_next = t->buckets[hash & t->bucket_mask];
	t->buckets[hash & t->bucket_mask] = i;
	t->count++;

	f->list = SHK_LIST_LIVE;
	f->prev = t->lists[SHK_LIST_LIVE].tail;
	f->next = SHK_NO_FLOW;
	if (f->prev != SHK_NO_FLOW)
		at(t, f->prev)->next = i;
	else
		t->lists[SHK_LIST_LIVE].head = i;
	t->lists[SHK_LIST_LIVE].tail = i;
	return f;
}

/*
 * Tombstones go in the order in which they came, long after anybody looked at them, and perhaps many at once.
 * They are links of a chain, so each has to be there before the next can be fetched: that is done one by one,
 * with every event, for as many as will go next.
 */
static void scout_ahead(struct shk_flows *t)
{
	const struct shk_flow *f;

	if (t->scouted == SCOUTED_MAX)
		return;
	if (t->scout == SHK_NO_FLOW) {
		t->scout = t->lists[SHK_LIST_TOMBSTONE].head;
		return;
	}
	f = at(t, t->scout);
	if (f->next == SHK_NO_FLOW)
		return;
	shk_flows_fetch_bucket(t, hash_of(t, f));
	fetch(at(t, f->next));
	t->scout = f->next;
	t->scouted++;
}

static void scout_leaves(struct shk_flows *t, const struct shk_flow *f)
{
	if (t->scout != SHK_NO_FLOW && at(t, t->scout) == f) {
		t->scout = f->next;
		t->scouted = 0;
	} else if (f->prev == SHK_NO_FLOW && t->scouted) {
		t->scouted--;
	}
}

static void unlink_from_list(struct shk_flows *t, struct shk_flow *f)
{
	struct list *list = &t->lists[f->list];

	if (f->list == SHK_LIST_TOMBSTONE)
		scout_leaves(t, f);
	if (f->prev != SHK_NO_FLOW)
		at(t, f->prev)->next = f->next;
	else
		list->head = f->next;
	if (f->next != SHK_NO_FLOW)
		at(t, f->next)->prev = f->prev;
	else
		list->tail = f->prev;
}

void shk_flows_touch(struct shk_flows *t, struct shk_flow *f, enum shk_list to, uint64_t now_ns)
{
	struct list *list = &t->lists[to];
	uint32_t i = index_of(t, f);

	f->last_ns = now_ns;
	scout_ahead(t);
	if (f->list != to || f->next != SHK_NO_FLOW) {
		unlink_from_list(t, f);
		f->list = to;
		f->prev = list->tail;
		f->next = SHK_NO_FLOW;
		if (f->prev != SHK_NO_FLOW)
			at(t, f->prev)->next = i;
		else
			list->head = i;
		list->tail = i;
	}
	if (list->span_ns != UINT64_MAX && now_ns + list->span_ns < t->next_deadline_ns)
		t->next_deadline_ns = now_ns + list->span_ns;
}

void shk_flows_remove(struct shk_flows *t, struct shk_flow *f)
{
	uint32_t i = index_of(t, f), *link = &t->buckets[hash_of(t, f) & t->bucket_mask];

	while (*link != i)
		link = &at(t, *link)->hash_next;
	*link = f->hash_next;
	unlink_from_list(t, f);
	if (t->ladders) {
		free(*ladder_at(t, i));
		*ladder_at(t, i) = NULL;
	}
	f->list = SHK_LIST_NONE;
	f->hash_next = t->free;
	t->free = i;
	t->count--;
}

struct shk_flow *shk_flows_expired(struct shk_flows *t, uint64_t now_ns, uint64_t *when_ns)
{
	uint64_t deadline_ns, first_ns = UINT64_MAX;
	uint32_t found = SHK_NO_FLOW, i;

	if (now_ns < t->next_deadline_ns)
		return NULL;
	for (i = 0; i < SHK_LIST_COUNT; i++) {
		const struct list *list = &t->lists[i];

		if (list->head == SHK_NO_FLOW || list->span_ns == UINT64_MAX)
			continue;
		deadline_ns = at(t, list->head)->last_ns + list->span_ns;
		if (deadline_ns < first_ns) {
			first_ns = deadline_ns;
			found = list->head;
		}
	}
	t->next_deadline_ns = first_ns;
	*when_ns = first_ns;
	return first_ns <= now_ns && found != SHK_NO_FLOW ? at(t, found) : NULL;
}

struct shk_flow *shk_flows_oldest(struct shk_flows *t)
{
	uint32_t found = t->lists[SHK_LIST_TOMBSTONE].head, i, head;

	if (found == SHK_NO_FLOW)
		found = t->lists[SHK_LIST_LINGER].head;
	if (found != SHK_NO_FLOW)
		return at(t, found);
	for (i = 0; i < SHK_LIST_COUNT; i++) {
		head = t->lists[i].head;
		if (head == SHK_NO_FLOW)
			continue;
		if (found == SHK_NO_FLOW || at(t, head)->last_ns < at(t, found)->last_ns)
			found = head;
	}
	return found == SHK_NO_FLOW ? NULL : at(t, found);
}

uint32_t shk_flows_count(const struct shk_flows *t)
{
	return t->count;
}

struct shk_arrows **shk_flows_arrows(struct shk_flows *t, const struct shk_flow *f)
{
	return t->ladders ? ladder_at(t, index_of(t, f)) : NULL;
}

struct shk_arrow *shk_arrows_add(struct shk_arrows **arrows, uint32_t max)
{
	struct shk_arrows *a = *arrows, *bigger;
	uint32_t n = a ? a->n : 0;

	if (n >= max) {
		if (a)
			a->dropped++;
		return NULL;
	}
	/* Room for eight, then twice as many each time. */
	if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
		bigger = realloc(a, sizeof(*a) + (n ? n * 2 : 8) * sizeof(a->arrow[0]));
		if (!bigger) {
			if (a)
				a->dropped++;
			return NULL;
		}
		if (!n)
			bigger->dropped = 0;
		*arrows = a = bigger;
	}
	a->n = n + 1;
	memset(&a->arrow[n], 0, sizeof(a->arrow[n]));
	return &a->arrow[n];
}
