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
 *	SYN, SYN+ACK	FIRST, in its own direction	the first segment with data, and the first pure
 *							ACK: no part of the handshake, but how Wireshark
 *							and Zeek tell what became of a connection
 *
 * A segment is seen at several hooks in turn, so an expectation is met once *at each hook*: it keeps a
 * bit for every hook where it was met. A retransmitted cause clears these bits. FIRST waits for two things;
 * it keeps bits for each of them in place of a number, and the bit of the others when both were met.
 *
 * All expectations of a connection, both directions, lie in one bucket of one cache line. A data
 * segment costs one keyed hash and eight comparisons.
 *
 * Who makes room: a FIRST never displaces an ACK that somebody waits for, and is itself given up before one.
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
#define SHK_GATE_REACH_BITS 24U	/* a first ACK may reach 2^24 beyond the SYN+ACK: data too */
#define SHK_GATE_REACH	(1U << SHK_GATE_REACH_BITS)

struct shk_gate_bucket {
	__u64 entry[SHK_GATE_WAYS];
} __attribute__((aligned(64)));

enum shk_expect {
	SHK_EXPECT_FIRST	= 0,	/* an empty entry has this kind too, but is all zero */
	SHK_EXPECT_ANSWER	= 1,
	SHK_EXPECT_ACK_OF_SYNACK = 2,
	SHK_EXPECT_ACK_OF_FIN	= 3,
};

/* What the gate did with a segment; the caller adds it to its counters. */
struct shk_gate_result {
	__u32 why;		/* SHK_WHY_*; 0: the segment does not pass */
	__u32 inserted;
	__u32 displaced;	/* expectations thrown out, or not let in, before they were met anywhere */
	__u32 first_displaced;	/* likewise those of kind FIRST, before both were met at one hook */
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

/* The number of a FIRST: for each hook a bit that the data was seen and one that the ACK was. Never 0. */
#define SHK_GATE_FIRST_DATA_SHIFT 0
#define SHK_GATE_FIRST_ACK_SHIFT 8
#define SHK_GATE_FIRST_MET	0x3f3fU
#define SHK_GATE_FIRST		0x80000000U

/*
 * For each enum shk_expect an octet: within how many low bits the ack may lie beyond the number, and what
 * an ack that does is worth. FIRST is judged by another rule.
 */
#define SHK_GATE_BEYOND_BITS	(32U << 8 | SHK_GATE_REACH_BITS << 16 | 0U << 24)
#define SHK_GATE_WHY		(SHK_WHY_ANSWERS << 8 | SHK_WHY_ACKS_SYNACK << 16 | SHK_WHY_ACKS_FIN << 24)

#ifdef __clang__
#define SHK_GATE_UNROLL	_Pragma("clang loop unroll(full)")
#else
#define SHK_GATE_UNROLL	_Pragma("GCC unroll 8")
#endif

/*
 * Out of line, for few segments come here. In a BPF program a function that is not static is verified once by
 * itself, whatever its callers do: inlined, the paths through several calls of it would multiply.
 */
#ifdef __bpf__
#define SHK_GATE_OUTLINE __attribute__((__noinline__))
#else
#define SHK_GATE_OUTLINE static __attribute__((__noinline__, __unused__))
#endif

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

static inline __u64 shk_gate_is_zero(__u64 x)
{
	return ~(x | -x) >> 63;
}

static inline __u64 shk_gate_is_first(__u64 entry)
{
	return shk_gate_is_zero(shk_gate_kind(entry)) & (1 ^ shk_gate_is_zero(entry));
}

/*
 * How gladly @old is given up for @entry: the same expectation is renewed in place, then an empty place
 * is taken, then one that was met somewhere, then a FIRST that still waits, then the oldest of the others.
 * Without branches: eight of these in a row would otherwise be more paths than the BPF verifier follows.
 * The 1 is for entries of another CPU whose clock reading lies a unit ahead of ours: they are the youngest,
 * not the oldest.
 */
static inline __u64 shk_gate_worth(__u64 old, __u64 entry, __u64 now_ns)
{
	__u64 same = shk_gate_is_zero((old ^ entry) >> SHK_GATE_KIND_SHIFT) & (1 ^ shk_gate_is_zero(old));
	__u64 empty = shk_gate_is_zero(old);
	__u64 first = shk_gate_is_first(old);
	__u64 met = 1 ^ shk_gate_is_zero(shk_gate_hooks(old));
	__u64 age = ((now_ns >> 31) + 1 - (old >> SHK_GATE_AGE_SHIFT)) & SHK_GATE_AGE_MASK;

	return same << 8 | empty << 7 | met << 6 | first << 5 | age;
}

#define SHK_GATE_WORTH_UNMET	64U	/* below: somebody still waits for it */
#define SHK_GATE_WORTH_ACK	32U	/* below: and it is no FIRST */

SHK_GATE_OUTLINE int shk_gate_expect(struct shk_gate_bucket *b, __u64 entry, __u64 now_ns,
				     struct shk_gate_result *res)
{
	__u64 best, challenger, behind, old, worth;
	__u32 i, tries;

	if (!b || !res)		/* never; but the BPF verifier looks at this function alone */
		return 0;
	/* Each failed swap means that another CPU made progress; four in a row are not worth more. */
	for (tries = 0; tries < 4; tries++) {
		best = 0;
		for (i = 0; i < SHK_GATE_WAYS; i++) {
			challenger = shk_gate_worth(shk_gate_load(&b->entry[i]), entry, now_ns);
			challenger = challenger << 3 | i;
			behind = best - challenger;		/* top bit set: challenger is higher */
			best -= behind & -(behind >> 63);
		}
		i = best & (SHK_GATE_WAYS - 1);
		old = shk_gate_load(&b->entry[i]);
		worth = shk_gate_worth(old, entry, now_ns);
		if (worth != best >> 3)		/* no longer what was chosen */
			continue;
		if (worth < SHK_GATE_WORTH_ACK && !shk_gate_kind(entry))
			break;
		if (shk_gate_swap(&b->entry[i], old, entry)) {
			res->inserted++;
			res->displaced += worth < SHK_GATE_WORTH_ACK;
			res->first_displaced += (worth & ~31ULL) == SHK_GATE_WORTH_ACK;
			return 1;
		}
	}
	res->displaced += shk_gate_kind(entry) != SHK_EXPECT_FIRST;
	res->first_displaced += shk_gate_kind(entry) == SHK_EXPECT_FIRST;
	return 0;
}

/* SHK_WHY_* if a segment with this ack meets @entry, else 0. */
static inline __u32 shk_gate_match(__u64 entry, __u32 ack)
{
	__u32 octet = 8 * shk_gate_kind(entry);
	__u64 beyond = (__u32)(ack - (__u32)entry);

	/* Tables in a word, where a switch would be four paths for the BPF verifier. */
	return beyond >> (SHK_GATE_BEYOND_BITS >> octet & 0xff) ? 0 : SHK_GATE_WHY >> octet & 0xff;
}

#define SHK_GATE_CONTROL	(SHK_TCP_SYN | SHK_TCP_FIN | SHK_TCP_RST)

/* The bit by which @seg meets a FIRST; 0: a SYN, FIN or RST does not. */
static inline __u64 shk_gate_first_bit(const struct shk_segment *seg, __u32 hook)
{
	__u64 plain = shk_gate_is_zero(seg->tcp_flags & SHK_GATE_CONTROL);

	return plain << hook << (seg->payload_len ? SHK_GATE_FIRST_DATA_SHIFT : SHK_GATE_FIRST_ACK_SHIFT);
}

/* A FIRST after @bit was met; if its data and its ACK were both met at this hook, so was all of it. */
static inline __u64 shk_gate_met_first(__u64 entry, __u64 bit, __u64 hook_bit)
{
	entry |= bit;
	return entry | ((entry >> SHK_GATE_FIRST_DATA_SHIFT & entry >> SHK_GATE_FIRST_ACK_SHIFT)
			<< SHK_GATE_HOOK_SHIFT & hook_bit);
}

/*
 * An entry for us that was not met at this hook yet. Whoever loses the race looks again: the entry may
 * have been met at another hook, or replaced. Besides the ACKs of handshakes, what comes here is data in a
 * direction that has not sent a pure ACK, or the other way round.
 */
SHK_GATE_OUTLINE int shk_gate_meet_entry(__u64 *place, __u64 id, const struct shk_segment *seg, __u32 hook)
{
	__u64 hook_bit = 1ULL << (SHK_GATE_HOOK_SHIFT + (hook & 7)), first_bit, entry, met;
	__u32 tries, why;

	if (!place || !seg)	/* never; but the BPF verifier looks at this function alone */
		return 0;
	first_bit = shk_gate_first_bit(seg, hook & 7);
	for (tries = 0; tries < 4; tries++) {
		entry = shk_gate_load(place);
		if (entry >> SHK_GATE_DIR_SHIFT != id || (entry & hook_bit))
			return 0;
		if (shk_gate_kind(entry)) {
			why = shk_gate_match(entry, seg->ack);
			met = entry | hook_bit;
		} else {
			why = seg->payload_len ? SHK_WHY_FIRST_DATA : SHK_WHY_FIRST_ACK;
			if (!entry || !(first_bit & ~entry))
				why = 0;
			met = shk_gate_met_first(entry, first_bit, hook_bit);
		}
		if (!why || shk_gate_swap(place, entry, met))
			return why;
	}
	return 0;
}

static inline __attribute__((always_inline)) __u32
shk_gate_meet(struct shk_gate_bucket *b, __u32 tag, __u32 dir, const struct shk_segment *seg, __u32 hook)
{
	__u64 id = (__u64)tag << 1 | dir;
	__u64 bit = 1ULL << (SHK_GATE_HOOK_SHIFT + hook);
	__u32 why = 0, i;

	/* This loop is what a data segment pays, so it is unrolled. */
	SHK_GATE_UNROLL
	for (i = 0; i < SHK_GATE_WAYS; i++) {
		__u64 entry = shk_gate_load(&b->entry[i]);

		if (entry >> SHK_GATE_DIR_SHIFT == id && !(entry & bit))
			why |= shk_gate_meet_entry(&b->entry[i], id, seg, hook);
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
static inline __attribute__((always_inline)) void	/* BPF functions take five arguments at most */
shk_gate_judge(struct shk_gate_bucket *b, __u64 hash, const struct shk_tuple *t,
	       const struct shk_segment *seg, __u32 hook, __u64 now_ns, struct shk_gate_result *res)
{
	__u32 flags = seg->tcp_flags;
	__u32 tag = shk_gate_tag(hash);
	__u32 back = t->dir ^ (t->same_ends ? 0 : 1);
	__u32 number = seg->seq + seg->payload_len + 1;

	res->why = 0;
	res->inserted = 0;
	res->displaced = 0;
	res->first_displaced = 0;

	if (flags & SHK_TCP_ACK)
		res->why = shk_gate_meet(b, tag, t->dir, seg, hook);
	if (!(flags & SHK_GATE_CONTROL))
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
	if (flags & SHK_TCP_SYN)
		shk_gate_expect(b, shk_gate_make(tag, t->dir, SHK_EXPECT_FIRST, SHK_GATE_FIRST, now_ns),
				now_ns, res);
}

#endif /* SHK_GATE_H */
