/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of ring_core.h share: a small ring with guards around it, events whose content proves
 * where they come from, and a reader that checks whatever it finds and keeps the account.
 */
#ifndef TEST_RING_RIG_H
#define TEST_RING_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ring_core.h"

#define RIG_SLOTS_MAX	64U
#define RIG_WRITERS_MAX	8U
#define RIG_CPU		7U

struct rig_pages {
	uint8_t			before[128];
	struct shk_slot		slots[RIG_SLOTS_MAX];
	uint8_t			after[128];
	struct shk_ring_meta	meta;
	struct shk_ring_control	control;
};

/* What the reader has seen so far. */
struct rig_account {
	uint64_t events;
	uint64_t notes;
	uint64_t announced;
	uint64_t next[RIG_WRITERS_MAX];	/* lowest counter that may come next from each writer */
};

struct rig {
	struct rig_pages	*pages;
	struct shk_ring		ring;		/* the writers' view, and the reader's */
	uint64_t		tail;
	struct rig_account	account;
};

static inline void rig_open(struct rig *rig, uint32_t slots)
{
	struct rig_pages *pages = calloc(1, sizeof(*pages));

	assert_non_null(pages);
	memset(pages->before, 0xa5, sizeof(pages->before));
	memset(pages->after, 0xa5, sizeof(pages->after));
	memset(rig, 0, sizeof(*rig));
	pages->meta.slots = slots;
	pages->meta.cpu = RIG_CPU;
	rig->pages = pages;
	rig->ring = (struct shk_ring){
		.meta = &pages->meta, .control = &pages->control, .slots = pages->slots, .mask = slots - 1,
	};
}

/* Also proves that nothing was written beyond the slots in use. */
static inline void rig_close(struct rig *rig)
{
	static const struct shk_slot untouched;
	uint8_t guard[128];
	uint64_t i;

	memset(guard, 0xa5, sizeof(guard));
	assert_memory_equal(rig->pages->before, guard, sizeof(guard));
	assert_memory_equal(rig->pages->after, guard, sizeof(guard));
	for (i = rig->ring.mask + 1; i < RIG_SLOTS_MAX; i++)
		assert_memory_equal(&rig->pages->slots[i], &untouched, sizeof(untouched));
	free(rig->pages);
	rig->pages = NULL;
}

/* Event number @counter of @writer: every octet follows from the two. */
static inline struct shk_event rig_event(uint32_t writer, uint64_t counter)
{
	struct shk_event ev;
	uint64_t words[sizeof(ev) / 8], i, x = (counter + 1) * 0x9e3779b97f4a7c15ULL + writer;

	for (i = 0; i < sizeof(words) / 8; i++) {
		x ^= x >> 29;
		x *= 0xbf58476d1ce4e5b9ULL;
		words[i] = x;
	}
	memcpy(&ev, words, sizeof(ev));
	ev.ts_ns = counter;
	ev.netns = writer;
	ev.kind = SHK_EV_SEGMENT;
	return ev;
}

static inline int rig_put(struct rig *rig, uint32_t writer, uint64_t counter)
{
	struct shk_event ev = rig_event(writer, counter);

	return shk_ring_put(&rig->ring, &ev);
}

static inline void rig_check_event(struct rig *rig, const struct shk_event *ev)
{
	struct shk_event expected;

	assert_true(ev->netns < RIG_WRITERS_MAX);
	expected = rig_event(ev->netns, ev->ts_ns);
	assert_memory_equal(ev, &expected, sizeof(expected));
	assert_true(ev->ts_ns >= rig->account.next[ev->netns]);
	rig->account.next[ev->netns] = ev->ts_ns + 1;
	rig->account.events++;
}

static inline void rig_check_note(struct rig *rig, const struct shk_event *ev)
{
	struct shk_event expected = { .ts_ns = ev->ts_ns, .kind = SHK_EV_LOST, .cpu = RIG_CPU };

	expected.lost.count = ev->lost.count;
	assert_memory_equal(ev, &expected, sizeof(expected));
	rig->account.announced += ev->lost.count;
	rig->account.notes++;
}

/* Reads at most @limit records and hands them back. Returns how many there were. */
static inline uint64_t rig_read(struct rig *rig, uint64_t limit)
{
	const struct shk_event *ev;
	uint64_t n;

	for (n = 0; n < limit; n++) {
		ev = shk_ring_peek(&rig->ring, rig->tail);
		if (!ev)
			break;
		if (ev->kind == SHK_EV_LOST)
			rig_check_note(rig, ev);
		else
			rig_check_event(rig, ev);
		shk_ring_release(&rig->ring, ++rig->tail);
	}
	return n;
}

/* At rest, everything read: the books must balance to the last event. */
static inline void rig_check_account(const struct rig *rig)
{
	const struct shk_ring_meta *meta = rig->ring.meta;

	assert_int_equal(rig->tail, meta->head);
	assert_int_equal(meta->seen, rig->account.events + meta->lost);
	assert_int_equal(meta->lost, rig->account.announced + meta->unannounced);
	assert_int_equal(meta->notes, rig->account.notes);
	assert_int_equal(meta->head, meta->seen - meta->lost + meta->notes);
}

#endif /* TEST_RING_RIG_H */
