// SPDX-License-Identifier: GPL-2.0
#include "isn/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 16U

/* Room for one more; false if there is none. */
static bool grow(struct shk_isn_sample **samples, uint32_t *size, uint32_t n, uint32_t max)
{
	uint32_t bigger = *size ? *size * 2 : FIRST_SIZE;
	struct shk_isn_sample *grown;

	if (n < *size)
		return true;
	if (*size >= max)
		return false;
	if (bigger > max)
		bigger = max;
	grown = realloc(*samples, bigger * sizeof(*grown));
	if (!grown)
		return false;
	*samples = grown;
	*size = bigger;
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct shk_isn_sample *x = a, *y = b;

	return (x->real_ns > y->real_ns) - (x->real_ns < y->real_ns);
}

static int by_tuple(const void *a, const void *b)
{
	const struct shk_isn_sample *x = a, *y = b;

	return x->tuple != y->tuple ? (x->tuple > y->tuple) - (x->tuple < y->tuple) : by_time(a, b);
}

static bool is_selected(const struct shk_isn_store *s, uint64_t tuple)
{
	return !(tuple & ((1ULL << s->selectivity) - 1));
}

/* Of each tuple the latest uses. */
static void thin(struct shk_isn_store *s)
{
	uint32_t from, to, kept = 0;

	shk_isn_store_sort(s);
	for (from = 0; from < s->n_kept; from = to) {
		for (to = from + 1; to < s->n_kept && s->kept[to].tuple == s->kept[from].tuple; to++)
			;
		if (to - from > SHK_ISN_USES_MAX)
			from = to - SHK_ISN_USES_MAX;
		while (from < to)
			s->kept[kept++] = s->kept[from++];
	}
	s->n_kept = kept;
}

static void select_fewer(struct shk_isn_store *s)
{
	uint32_t i, kept = 0;

	s->selectivity++;
	for (i = 0; i < s->n_kept; i++)
		if (is_selected(s, s->kept[i].tuple))
			s->kept[kept++] = s->kept[i];
	s->n_kept = kept;
}

static void make_room(struct shk_isn_store *s)
{
	thin(s);
	while (s->n_kept > SHK_ISN_KEPT_MAX * 3 / 4)
		select_fewer(s);
}

int shk_isn_store_add(struct shk_isn_store *s, const struct shk_isn_sample *sample)
{
	if (grow(&s->recent, &s->recent_size, s->n_recent, SHK_ISN_RECENT_MAX)) {
		s->recent[s->n_recent++] = *sample;
	} else if (s->n_recent == SHK_ISN_RECENT_MAX) {
		s->recent[s->recent_at] = *sample;
		s->recent_at = (s->recent_at + 1) % SHK_ISN_RECENT_MAX;
	} else {
		return -ENOMEM;
	}
	if (!is_selected(s, sample->tuple))
		return 0;
	if (s->n_kept == SHK_ISN_KEPT_MAX)
		make_room(s);
	if (!is_selected(s, sample->tuple))
		return 0;
	if (!grow(&s->kept, &s->kept_size, s->n_kept, SHK_ISN_KEPT_MAX))
		return -ENOMEM;
	s->kept[s->n_kept++] = *sample;
	return 0;
}

void shk_isn_store_release(struct shk_isn_store *s)
{
	free(s->recent);
	free(s->kept);
	memset(s, 0, sizeof(*s));
}

uint32_t shk_isn_store_recent(const struct shk_isn_store *s, struct shk_isn_sample *out)
{
	if (!s->n_recent)
		return 0;
	memcpy(out, s->recent, s->n_recent * sizeof(*out));
	qsort(out, s->n_recent, sizeof(*out), by_time);
	return s->n_recent;
}

void shk_isn_store_sort(struct shk_isn_store *s)
{
	if (s->n_kept)
		qsort(s->kept, s->n_kept, sizeof(*s->kept), by_tuple);
}
