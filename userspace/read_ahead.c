// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks in a ring, each what one drain() gave. The thread fills them and waits where none is free; who
 * drains empties them and waits where none is full. A block belongs to the one or the other, so that the
 * mutex is for the counts only, and taken once for some thousand events.
 */
#include "read_ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LEAD       2 /* blocks, with the one that is emptied; more would leave the caches before their turn */
#define BLOCKS     (LEAD + 1) /* the last one is for what comes of stop() */
#define FIRST_SIZE 1024

struct item {
	struct shk_event ev;
	unsigned int stream;
};

struct block {
	struct item *items;
	size_t n, size;
	int rc; /* negative: nothing comes after it */
	struct shk_error err;
	uint64_t position;
};

struct read_ahead {
	struct shk_source base;
	struct shk_source_ops ops; /* with the name of the other */
	struct shk_source *from;
	pthread_t thread;
	bool running;      /* the thread was not joined yet */
	uint64_t position; /* of the block that was emptied last */
	struct block blocks[BLOCKS];

	pthread_mutex_t mutex; /* for what follows */
	pthread_cond_t changed;
	unsigned int filled, emptied; /* counts that may wrap; a block is at its count % BLOCKS */
	bool stopping;
};

static struct read_ahead *to_ahead(const struct shk_source *s)
{
	return (struct read_ahead *)s;
}

/*
 * ---- The thread ----------------------------------------------------------------------------------
 */

static void keep(void *arg, unsigned int stream, const struct shk_event *ev)
{
	struct block *b = arg;
	size_t size = b->size ? 2 * b->size : FIRST_SIZE;
	struct item *items;

	if (b->n == b->size) {
		items = reallocarray(b->items, size, sizeof(*items));
		if (!items) {
			b->rc = shk_error_set(&b->err, -ENOMEM, "out of memory");
			return;
		}
		b->items = items;
		b->size = size;
	}
	b->items[b->n].ev = *ev;
	b->items[b->n++].stream = stream;
}

/* With @stop, what is left when the source was stopped. */
static void fill(const struct read_ahead *a, struct block *b, bool stop)
{
	struct shk_source *from = a->from;
	struct shk_error err;
	int rc;

	b->n = 0;
	b->rc = stop ? from->ops->stop(from, &b->err) : 0;
	do {
		rc = b->rc ? b->rc : from->ops->drain(from, keep, b, &err);
	} while (stop && rc > 0 && !b->rc);
	if (rc < 0 && !b->rc) {
		b->rc = rc;
		b->err = err;
	}
	if (from->ops->position)
		b->position = from->ops->position(from);
}

/* Waits for a block that is free, but not if the source is to be stopped. */
static bool wait_for_room(struct read_ahead *a)
{
	bool stop;

	pthread_mutex_lock(&a->mutex);
	while (a->filled - a->emptied == LEAD && !a->stopping)
		pthread_cond_wait(&a->changed, &a->mutex);
	stop = a->stopping;
	pthread_mutex_unlock(&a->mutex);
	return stop;
}

static void *read_on(void *arg)
{
	struct read_ahead *a = arg;
	unsigned int n = 0;
	int rc;

	do {
		struct block *b = &a->blocks[n++ % BLOCKS];

		fill(a, b, wait_for_room(a));
		rc = b->rc;
		pthread_mutex_lock(&a->mutex);
		a->filled++;
		pthread_cond_signal(&a->changed);
		pthread_mutex_unlock(&a->mutex);
	} while (!rc);
	return NULL;
}

/*
 * ---- The source ----------------------------------------------------------------------------------
 */

static int source_start(struct shk_source *s, struct shk_error *err)
{
	struct read_ahead *a = to_ahead(s);
	int rc = a->from->ops->start(a->from, err);

	if (rc)
		return rc;
	rc = pthread_create(&a->thread, NULL, read_on, a);
	if (rc)
		return shk_error_set(err, -rc, "cannot make a thread to read with: %s", strerror(rc));
	a->running = true;
	return 0;
}

static struct block *wait_for_block(struct read_ahead *a)
{
	pthread_mutex_lock(&a->mutex);
	while (a->filled == a->emptied)
		pthread_cond_wait(&a->changed, &a->mutex);
	pthread_mutex_unlock(&a->mutex);
	return &a->blocks[a->emptied % BLOCKS];
}

static void give_back(struct read_ahead *a)
{
	pthread_mutex_lock(&a->mutex);
	a->emptied++;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->mutex);
}

static int source_drain(struct shk_source *s, shk_source_fn *fn, void *arg, struct shk_error *err)
{
	struct read_ahead *a = to_ahead(s);
	struct block *b = wait_for_block(a);
	int rc;

	for (size_t i = 0; i < b->n; i++)
		fn(arg, b->items[i].stream, &b->items[i].ev);
	rc = b->rc ? b->rc : (int)b->n;
	b->n = 0;
	a->position = b->position;
	if (rc < 0)
		*err = b->err; /* the block stays, for whoever asks again */
	else
		give_back(a);
	return rc;
}

/* When it returns, nobody but the caller looks at the other source. */
static int source_stop(struct shk_source *s, struct shk_error *err)
{
	struct read_ahead *a = to_ahead(s);

	if (!a->running)
		return a->from->ops->stop(a->from, err);
	pthread_mutex_lock(&a->mutex);
	a->stopping = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->mutex);
	pthread_join(a->thread, NULL);
	a->running = false;
	return 0;
}

static int source_account(struct shk_source *s, unsigned int stream, struct shk_account *account,
			  struct shk_error *err)
{
	return to_ahead(s)->from->ops->account(to_ahead(s)->from, stream, account, err);
}

static uint64_t source_position(const struct shk_source *s)
{
	return to_ahead(s)->position;
}

static void source_close(struct shk_source *s)
{
	struct shk_error err;
	struct read_ahead *a;

	if (!s)
		return;
	a = to_ahead(s);
	if (a->running)
		source_stop(s, &err);
	a->from->ops->close(a->from);
	for (unsigned int i = 0; i < BLOCKS; i++)
		free(a->blocks[i].items);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->mutex);
	free(a);
}

struct shk_source *shk_read_ahead_new(struct shk_source *from)
{
	struct read_ahead *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->ops = (struct shk_source_ops){
		.name = from->ops->name,
		.start = source_start,
		.stop = source_stop,
		.drain = source_drain,
		.account = source_account,
		.position = source_position,
		.close = source_close,
	};
	a->base = *from;
	a->base.ops = &a->ops;
	a->from = from;
	pthread_mutex_init(&a->mutex, NULL);
	pthread_cond_init(&a->changed, NULL);
	return &a->base;
}
