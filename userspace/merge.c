// SPDX-License-Identifier: GPL-2.0
/*
 * A queue for each stream and a binary heap of the queues that are not empty, by their first entry.
 *
 * Streams are nearly in order, so a push sorts by walking back from the end of its queue, which is
 * one comparison as a rule. Every entry has a number from one counter for all streams: where times
 * are equal, it decides.
 *
 * Late is what is older than the time that was given out. It needs no mark on the way in: such an
 * entry is at once the first of the heap, and the comparison at the exit tells.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "merge.h"

#define FETCH_AHEAD      8  /* entries */
#define QUEUE_FIRST_SIZE 64 /* entries; a power of two, like every size after it */

struct entry {
	uint64_t order;
	struct shk_event ev;
};

struct queue {
	struct entry *entries;
	uint64_t head, tail; /* counts that never wrap; an entry is at its count & (size - 1) */
	uint64_t size;
	unsigned int heap_at; /* where it is in the heap while it is not empty */
};

/* The key is kept here, so that sifting does not visit the queues. */
struct node {
	uint64_t ts_ns;
	uint64_t order;
	unsigned int stream;
};

struct shk_merge {
	uint64_t window_ns;
	uint64_t given_ns; /* everything older than this is late */
	uint64_t pushed;
	uint64_t held;
	uint64_t late;
	struct node *heap;
	unsigned int heap_len;
	unsigned int n_queues;
	struct queue queues[];
};

struct shk_merge *shk_merge_new(unsigned int streams, uint64_t window_ns)
{
	struct shk_merge *m;

	m = calloc(1, sizeof(*m) + streams * sizeof(m->queues[0]));
	if (!m)
		return NULL;
	m->heap = calloc(streams ? streams : 1, sizeof(*m->heap));
	if (!m->heap) {
		free(m);
		return NULL;
	}
	m->window_ns = window_ns;
	m->n_queues = streams;
	return m;
}

void shk_merge_free(struct shk_merge *m)
{
	unsigned int i;

	if (!m)
		return;
	for (i = 0; i < m->n_queues; i++)
		free(m->queues[i].entries);
	free(m->heap);
	free(m);
}

static struct entry *queue_at(const struct queue *q, uint64_t count)
{
	return &q->entries[count & (q->size - 1)];
}

static int queue_grow(struct queue *q)
{
	uint64_t size = q->size ? 2 * q->size : QUEUE_FIRST_SIZE;
	struct entry *entries;
	uint64_t count;

	entries = reallocarray(NULL, size, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	for (count = q->head; count != q->tail; count++)
		entries[count & (size - 1)] = *queue_at(q, count);
	free(q->entries);
	q->entries = entries;
	q->size = size;
	return 0;
}

/* Moves the last entry to its place among the others, behind those of equal time. */
static void queue_sort_last(struct queue *q)
{
	uint64_t at = q->tail - 1;
	struct entry last;

	if (at == q->head || queue_at(q, at - 1)->ev.ts_ns <= queue_at(q, at)->ev.ts_ns)
		return;
	last = *queue_at(q, at);
	for (; at != q->head && queue_at(q, at - 1)->ev.ts_ns > last.ev.ts_ns; at--)
		*queue_at(q, at) = *queue_at(q, at - 1);
	*queue_at(q, at) = last;
}

static bool node_before(const struct node *a, const struct node *b)
{
	return a->ts_ns != b->ts_ns ? a->ts_ns < b->ts_ns : a->order < b->order;
}

static void heap_put(struct shk_merge *m, unsigned int at, const struct node *n)
{
	m->heap[at] = *n;
	m->queues[n->stream].heap_at = at;
}

static void heap_sift_up(struct shk_merge *m, unsigned int at, const struct node *n)
{
	while (at && node_before(n, &m->heap[(at - 1) / 2])) {
		heap_put(m, at, &m->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(m, at, n);
}

static void heap_sift_down(struct shk_merge *m, unsigned int at, const struct node *n)
{
	unsigned int child;

	for (;;) {
		child = 2 * at + 1;
		if (child + 1 < m->heap_len && node_before(&m->heap[child + 1], &m->heap[child]))
			child++;
		if (child >= m->heap_len || !node_before(&m->heap[child], n))
			break;
		heap_put(m, at, &m->heap[child]);
		at = child;
	}
	heap_put(m, at, n);
}

static struct node node_of(const struct shk_merge *m, unsigned int stream)
{
	const struct queue *q = &m->queues[stream];
	const struct entry *first = queue_at(q, q->head);

	return (struct node){.ts_ns = first->ev.ts_ns, .order = first->order, .stream = stream};
}

int shk_merge_push(struct shk_merge *m, unsigned int stream, const struct shk_event *ev)
{
	struct queue *q = &m->queues[stream];
	bool was_empty = q->head == q->tail;
	uint64_t order = m->pushed;
	struct entry *last;
	struct node n;

	if (q->tail - q->head == q->size && queue_grow(q))
		return -ENOMEM;
	/* Copied once, and only the copy is looked at: @ev may be in memory that others can write. */
	last = queue_at(q, q->tail++);
	last->ev = *ev;
	last->order = order;
	queue_sort_last(q);
	m->pushed++;
	m->held++;

	if (was_empty)
		q->heap_at = m->heap_len++;
	n = node_of(m, stream);
	if (n.order == order)
		heap_sift_up(m, q->heap_at, &n);
	return 0;
}

/* Takes the first entry of the first queue. It stays intact in its place until the next push. */
static const struct shk_event *merge_pop(struct shk_merge *m)
{
	unsigned int stream = m->heap[0].stream;
	struct queue *q = &m->queues[stream];
	const struct entry *first = queue_at(q, q->head++);
	struct node n;

	/* It was written a window ago, and other caches of other CPUs may have it. */
	__builtin_prefetch(queue_at(q, q->head + FETCH_AHEAD));
	__builtin_prefetch((const char *)queue_at(q, q->head + FETCH_AHEAD) + 64);
	m->held--;
	if (q->head == q->tail)
		n = m->heap[--m->heap_len];
	else
		n = node_of(m, stream);
	if (m->heap_len)
		heap_sift_down(m, 0, &n);
	return &first->ev;
}

const struct shk_event *shk_merge_next(struct shk_merge *m, uint64_t now_ns, bool *late)
{
	uint64_t until_ns = now_ns > m->window_ns ? now_ns - m->window_ns : 0;
	bool all = now_ns == UINT64_MAX;
	uint64_t ts_ns;

	*late = false;
	if (!m->heap_len || (!all && m->heap[0].ts_ns >= until_ns && m->heap[0].ts_ns >= m->given_ns)) {
		/* The caller now takes it that nothing older will come. */
		if (!all && until_ns > m->given_ns)
			m->given_ns = until_ns;
		return NULL;
	}
	ts_ns = m->heap[0].ts_ns;
	if (ts_ns < m->given_ns) {
		*late = true;
		m->late++;
	} else {
		m->given_ns = ts_ns;
	}
	return merge_pop(m);
}

uint64_t shk_merge_late(const struct shk_merge *m)
{
	return m->late;
}

uint64_t shk_merge_held(const struct shk_merge *m)
{
	return m->held;
}
