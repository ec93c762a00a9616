/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate: which plain ACKs belong to a handshake?
 *
 * SYN, FIN and RST always pass. Of all other segments only those matter that answer one of them, and
 * those are few. So a SYN+ACK or FIN leaves an *expectation* behind, "an ACK in the other direction
 * that covers this number", and the segment that meets it passes. There is no state per connection,
 * no timer, no allocation; the table has a fixed size, and what no longer fits is displaced and counted.
 *
 *	cause		leaves in the other direction	met by
 *	SYN, RST	ANSWER				the next segment with ACK, whatever its number:
 *							a challenge ACK (RFC 5961 3.2, 4.2), the ACK
 *							of a TIME-WAIT or half-open end (RFC 9293 3.5.1)
 *	SYN+ACK		ACK_OF_SYNACK			ack in [seq + 1 + payload, + SHK_GATE_REACH)
 *			and ANSWER			as above: the wrong ACK that comes instead and is
 *							answered by RST (RFC 9293 3.10.7.4)
 *	FIN		ACK_OF_FIN			ack == seq + payload + 1
 *
 * A segment is seen at several hooks in turn, so an expectation is met once *at each hook*: it keeps a
 * bit for every hook where it was met. A retransmitted cause clears these bits.
 *
 * All expectations of a connection, both directions, lie in one bucket of one cache line. A data
 * segment costs one keyed hash and eight comparisons.
 *
 * Concurrency: an entry is one 64-bit word, read once and replaced by compare-and-swap. Whoever loses
 * the race reads again. Any context, no lock. The worst that a race between two causes can do is to
 * displace an expectation, which is counted.
 *
 * A tag collision (2^-18 for an entry of the same bucket) can let one unneeded ACK pass and use up an
 * expectation's bit at that hook: the engine then misses one stamp, and says so.
 *
 * The module, BPF programs, the capture source and the unit tests all compile this file.
 */
#ifndef SHK_GATE_H
#define SHK_GATE_H

#include "tuple.h"

#define SHK_GATE_WAYS	8U
#define SHK_GATE_REACH	(1U << 24)	/* how far beyond the SYN+ACK a first ACK may reach: data too */

struct shk_gate_bucket {
	__u64 entry[SHK_GATE_WAYS];
} __attribute__((aligned(64)));

enum shk_expect {
	SHK_EXPECT_NOTHING	= 0,	/* an empty entry is all zero */
	SHK_EXPECT_ANSWER	= 1,
	SHK_EXPECT_ACK_OF_SYNACK = 2,
	SHK_EXPECT_ACK_OF_FIN	= 3,
};

/* What the gate did with a segment; the caller adds it to its counters. */
struct shk_gate_result {
	__u32 why;		/* SHK_WHY_*; 0: the segment does not pass */
	__u32 inserted;
	__u32 displaced;	/* expectations thrown out before they were met anywhere */
};

/*
 * An entry, from the top: tag 18, direction of the awaited segment 1, kind 2, age 5, hooks 6, number 32.
 * The age is the time of insertion in units of 2^31 ns, so that the oldest goes first.
 */
#define SHK_GATE_TAG_SHIFT	46
#define SHK_GATE_DIR_SHIFT	45
#define SHK_GATE_KIND_SHIFT	43
#define SHK_GATE_AGE_SHIFT	38
#define SHK_GATE_HOOK_SHIFT	32
#define SHK_GATE_AGE_MASK	31U
#define SHK_GATE_HOOK_MASK	63U

#if defined(__KERNEL__) && !defined(__bpf__)
#include <linux/atomic.h>
#define shk_gate_load(p)		READ_ONCE(*(p))
#define shk_gate_swap(p, old, new)	(cmpxchg64((p), (old), (new)) == (old))
#elif defined(__bpf__)
#define shk_gate_load(p)		(*(volatile __u64 *)(p))
#define shk_gate_swap(p, old, new)	(__sync_val_compare_and_swap((p), (old), (new)) == (old))
#else
#define shk_gate_load(p)		__atomic_load_n((p), __ATOMIC_RELAXED)
#define shk_gate_swap(p, old, new) ({							\
	__u64 expected_ = (old);							\
	__atomic_compare_exchange_n((p), &expected_, (new), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED); })
#endif

static inline __u32 shk_gate_kind(__u64 entry)
{
	return (entry >> SHK_GATE_KIND_SHIFT) & 3;
}

static inline __u32 shk_gate_hooks(__u64 entry)
{
	return (entry >> SHK_GATE_HOOK_SHIFT) & SHK_GATE_HOOK_MASK;
}

static inline __u64 shk_gate_make(__u32 tag, __u32 dir, __u32 kind, __u32 number, __u64 now_ns)
{
	return (__u64)tag << SHK_GATE_TAG_SHIFT | (__u64)dir << SHK_GATE_DIR_SHIFT |
	       (__u64)kind << SHK_GATE_KIND_SHIFT |
	       ((now_ns >> 31) & SHK_GATE_AGE_MASK) << SHK_GATE_AGE_SHIFT | number;
}

/* The low bits of the hash choose the bucket, so the tag comes from the top. */
static inline __u32 shk_gate_tag(__u64 hash)
{
	return hash >> SHK_GATE_TAG_SHIFT;
}

/*
 * How gladly an entry is given up: an empty one first, then those that were met somewhere, then the
 * oldest. Higher goes first.
 */
static inline __u32 shk_gate_worth_replacing(__u64 entry, __u64 now_ns)
{
	__u32 age;

	if (!entry)
		return 1000;
	age = ((__u32)(now_ns >> 31) - (__u32)(entry >> SHK_GATE_AGE_SHIFT)) & SHK_GATE_AGE_MASK;
	return shk_gate_hooks(entry) ? 100 + age : age;
}

static inline void shk_gate_expect(struct shk_gate_bucket *b, __u64 entry, __u64 now_ns,
				   struct shk_gate_result *res)
{
	__u32 i, tries, victim, best, worth;
	__u64 old, scored;

	/* Each failed swap means that another CPU made progress; four in a row are not worth more. */
	for (tries = 0; tries < 4; tries++) {
		victim = 0;
		best = 0;
		scored = 0;
		for (i = 0; i < SHK_GATE_WAYS; i++) {
			old = shk_gate_load(&b->entry[i]);
			/* The same expectation again: renew it in place. */
			if (old && (old ^ entry) >> SHK_GATE_KIND_SHIFT == 0)
				worth = 2000;
			else
				worth = shk_gate_worth_replacing(old, now_ns) + 1;
			if (worth > best) {
				best = worth;
				victim = i;
				scored = old;
			}
		}
		victim &= SHK_GATE_WAYS - 1;	/* for the BPF verifier */
		if (shk_gate_swap(&b->entry[victim], scored, entry)) {
			res->inserted++;
			if (best <= 100)
				res->displaced++;
			return;
		}
	}
	res->displaced++;
}

/* SHK_WHY_* if a segment with this ack meets @entry, else 0. */
static inline __u32 shk_gate_match(__u64 entry, __u32 ack)
{
	__u32 beyond = ack - (__u32)entry;

	switch (shk_gate_kind(entry)) {
	case SHK_EXPECT_ANSWER:
		return SHK_WHY_ANSWERS;
	case SHK_EXPECT_ACK_OF_SYNACK:
		return beyond < SHK_GATE_REACH ? SHK_WHY_ACKS_SYNACK : 0;
	case SHK_EXPECT_ACK_OF_FIN:
		return beyond == 0 ? SHK_WHY_ACKS_FIN : 0;
	}
	return 0;
}

static inline __u32 shk_gate_meet(struct shk_gate_bucket *b, __u32 tag, __u32 dir, __u32 ack, __u32 hook)
{
	__u64 id = (__u64)tag << 1 | dir;
	__u64 bit = 1ULL << (SHK_GATE_HOOK_SHIFT + hook);
	__u32 why = 0, i, reason;

	for (i = 0; i < SHK_GATE_WAYS; i++) {
		__u64 entry = shk_gate_load(&b->entry[i]);

		if (entry >> SHK_GATE_DIR_SHIFT != id || !entry || (entry & bit))
			continue;
		reason = shk_gate_match(entry, ack);
		if (!reason)
			continue;
		/* Lost race: somebody met or replaced it just now, and answers for it. */
		if (!shk_gate_swap(&b->entry[i], entry, entry | bit))
			continue;
		why |= reason;
	}
	return why;
}

/**
 * shk_gate_judge - should this segment be recorded?
 * @b:		the bucket of its connection
 * @hash:	shk_tuple_hash() of its tuple
 * @t:		its tuple
 * @seg:	.seq, .ack, .payload_len and .tcp_flags are looked at
 * @hook:	enum shk_hook
 * @now_ns:	the event's time
 * @res:	out: what to count; .why is not 0 if the segment passes
 *
 * Any context.
 */
static inline void shk_gate_judge(struct shk_gate_bucket *b, __u64 hash, const struct shk_tuple *t,
				  const struct shk_segment *seg, __u32 hook, __u64 now_ns,
				  struct shk_gate_result *res)
{
	__u32 flags = seg->tcp_flags;
	__u32 tag = shk_gate_tag(hash);
	__u32 back = t->dir ^ (t->same_ends ? 0 : 1);
	__u32 number = seg->seq + seg->payload_len + 1;

	res->why = 0;
	res->inserted = 0;
	res->displaced = 0;

	if (flags & SHK_TCP_ACK)
		res->why = shk_gate_meet(b, tag, t->dir, seg->ack, hook);
	if (!(flags & (SHK_TCP_SYN | SHK_TCP_FIN | SHK_TCP_RST)))
		return;

	res->why |= SHK_WHY_CONTROL;
	if (flags & (SHK_TCP_RST | SHK_TCP_SYN))
		shk_gate_expect(b, shk_gate_make(tag, back, SHK_EXPECT_ANSWER, 0, now_ns), now_ns, res);
	if (flags & SHK_TCP_RST)
		return;
	if ((flags & (SHK_TCP_SYN | SHK_TCP_ACK)) == (SHK_TCP_SYN | SHK_TCP_ACK))
		shk_gate_expect(b, shk_gate_make(tag, back, SHK_EXPECT_ACK_OF_SYNACK, number, now_ns),
				now_ns, res);
	else if (flags & SHK_TCP_FIN)
		shk_gate_expect(b, shk_gate_make(tag, back, SHK_EXPECT_ACK_OF_FIN, number, now_ns),
				now_ns, res);
}

#endif /* SHK_GATE_H */
