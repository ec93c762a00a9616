/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring: one per CPU and session, many nested writers, one reader in userspace.
 *
 * Writers are hooks. They run in process context or softirq, and one may interrupt another on the same
 * CPU between any two instructions. The caller has disabled preemption, so a writer can be
 * interrupted but never moved or overtaken by another task: that holds on every preemption model,
 * PREEMPT_RT included. So a position is reserved by compare-and-swap, the record is written, and its
 * stamp is published last; an interrupting writer simply takes the next position and is published
 * first. Nobody waits for anybody.
 *
 *	writer				reader
 *
 *	load control->tail	A	load slot->stamp	C
 *	swap meta->head			read slot->ev
 *	write slot->ev			store control->tail	D
 *	store slot->stamp	B
 *
 *	B release, C acquire:	who sees the stamp sees the whole record
 *	D release, A acquire:	who sees the tail may overwrite what lies before it, for the reader
 *				has finished with it
 *
 * The reader may write anything into its tail. It is used for nothing but the comparison
 * "head - tail <= slots - wanted", whose result decides between storing and dropping; the slot's index
 * comes from head and a mask that only the kernel can write. A tail that lies ahead makes the difference
 * huge, which means "full"; one that runs along with head makes writers overwrite records that this
 * reader has not read yet.
 *
 * An interrupted writer whose slot was lapped because of such a tail stores its stamp into a slot that
 * somebody else has stamped already: garbage for that reader, and inside the ring all the same.
 *
 * Loss: a dropped event is counted in meta->lost and in meta->unannounced. The next writer that finds
 * room for two records moves the latter into an SHK_EV_LOST record in front of its own event.
 *
 * Compiled by the module and, on C11 atomics, by the unit tests, where real threads take the part of
 * the nested contexts and ThreadSanitizer watches. tests/litmus has the letters in the kernel's memory
 * model, and what becomes of it without each.
 */
#ifndef SHK_RING_CORE_H
#define SHK_RING_CORE_H

#include "uapi/tcpshake.h"

#ifdef __KERNEL__
#include <linux/atomic.h>
/* Writers of one ring share a CPU: no LOCK prefix is needed against one's own interrupts. */
#define shk_ring_swap(p, old, new)	(cmpxchg64_local((p), (old), (new)) == (old))
#define shk_ring_load(p)		READ_ONCE(*(p))
#define shk_ring_load_acquire(p)	smp_load_acquire(p)
#define shk_ring_store_release(p, v)	smp_store_release((p), (v))
#else
#define shk_ring_swap(p, old, new) ({							\
	__u64 expected_ = (old);							\
	__atomic_compare_exchange_n((p), &expected_, (new), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE); })
#define shk_ring_load(p)		__atomic_load_n((p), __ATOMIC_RELAXED)
#define shk_ring_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define shk_ring_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)
#endif

/* One side's view of a ring. The kernel's own copy of the mask is out of the reader's reach. */
struct shk_ring {
	struct shk_ring_meta	*meta;
	struct shk_ring_control	*control;
	struct shk_slot		*slots;
	__u64			mask;		/* slots - 1; a power of two, at least 2, less 1 */
};

/*
 * ---- Writer: preemption disabled, any nesting -----------------------------------------------------
 */

static inline __u64 shk_ring_add(__u64 *counter, __u64 n)
{
	__u64 old;

	do {
		old = shk_ring_load(counter);
	} while (!shk_ring_swap(counter, old, old + n));
	return old;
}

/* Takes all of a counter at once. */
static inline __u64 shk_ring_take(__u64 *counter)
{
	__u64 old;

	do {
		old = shk_ring_load(counter);
	} while (!shk_ring_swap(counter, old, 0));
	return old;
}

/* Sets *pos to the first of @count positions of our own, or returns 0 if the ring has no room for them. */
static inline int shk_ring_reserve(struct shk_ring *r, __u64 count, __u64 *pos)
{
	__u64 tail, head;

	for (;;) {
		head = shk_ring_load(&r->meta->head);
		tail = shk_ring_load_acquire(&r->control->tail);	/* A, pairs with D */
		if (head - tail <= r->mask + 1 - count) {
			if (shk_ring_swap(&r->meta->head, head, head + count))
				break;
		} else if (shk_ring_load(&r->meta->head) == head) {
			/* Otherwise we were interrupted for so long that the reader passed our head. */
			return 0;
		}
	}
	*pos = head;
	return 1;
}

static inline void shk_ring_publish(struct shk_ring *r, __u64 pos, const struct shk_event *ev)
{
	struct shk_slot *slot = &r->slots[pos & r->mask];

	slot->ev = *ev;		/* not memcpy(): gcc expands that behind ThreadSanitizer's back */
	shk_ring_store_release(&slot->stamp, pos + 1);			/* B, pairs with C */
}

/* Writes what was lost into the position before that of an event. */
static inline void shk_ring_announce(struct shk_ring *r, __u64 pos, __u64 ts_ns)
{
	struct shk_event note = { .ts_ns = ts_ns, .kind = SHK_EV_LOST };

	/* An interrupting writer may have taken the count meanwhile: then this record says 0. */
	note.cpu = r->meta->cpu;
	note.lost.count = shk_ring_take(&r->meta->unannounced);
	shk_ring_add(&r->meta->notes, 1);
	shk_ring_publish(r, pos, &note);
}

/**
 * shk_ring_put - write one event, or count it as lost
 *
 * After a loss there must be room for the note and the event: a note alone would take the place of the
 * very event that it precedes, and a reader that frees one slot at a time would read nothing else.
 *
 * Returns 1 if it was written and 0 if the ring was full.
 */
static inline int shk_ring_put(struct shk_ring *r, const struct shk_event *ev)
{
	__u64 note, pos;

	shk_ring_add(&r->meta->seen, 1);
	note = shk_ring_load(&r->meta->unannounced) != 0;
	if (!shk_ring_reserve(r, 1 + note, &pos)) {
		shk_ring_add(&r->meta->lost, 1);
		shk_ring_add(&r->meta->unannounced, 1);
		return 0;
	}
	if (note)
		shk_ring_announce(r, pos, ev->ts_ns);
	shk_ring_publish(r, pos + note, ev);
	return 1;
}

/*
 * ---- Reader: one thread --------------------------------------------------------------------------
 */

/* The record at position @tail, or NULL if it is not there yet. Valid until shk_ring_release(). */
static inline const struct shk_event *shk_ring_peek(const struct shk_ring *r, __u64 tail)
{
	const struct shk_slot *slot = &r->slots[tail & r->mask];

	if (shk_ring_load_acquire(&slot->stamp) != tail + 1)		/* C, pairs with B */
		return NULL;
	return &slot->ev;
}

/* Hands back everything before @tail. */
static inline void shk_ring_release(struct shk_ring *r, __u64 tail)
{
	shk_ring_store_release(&r->control->tail, tail);		/* D, pairs with A */
}

#endif /* SHK_RING_CORE_H */
