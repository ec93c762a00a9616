// SPDX-License-Identifier: GPL-2.0
/*
 * The ring in the memory that sessions get, with the kernel's own atomic operations: events whose content
 * proves where they come from, written by a thread, a softirq and a hard interrupt of one CPU that interrupt
 * one another, and readers that write nonsense into the page that is theirs.
 */
#include <linux/hrtimer.h>
#include <linux/prandom.h>

#include "everywhere.h"
#include "ring.h"

#define RING_SLOTS SHK_RING_SLOTS_MIN

enum ring_writer { RING_THREAD, RING_SOFTIRQ, RING_HARDIRQ, RING_WRITERS };

/* What the reader of one ring has seen. */
struct ring_account {
	u64 tail;
	u64 events;
	u64 notes;
	u64 announced;
	u64 bad; /* records that nobody wrote, or out of order */
	u64 next[RING_WRITERS];
};

/* Event number @counter of @writer: every octet follows from the two. */
static struct shk_event ring_event(u32 writer, u64 counter)
{
	struct shk_event ev;
	struct rnd_state state;

	prandom_seed_state(&state, counter << 8 | writer);
	prandom_bytes_state(&state, &ev, sizeof(ev));
	ev.ts_ns = counter;
	ev.netns = writer;
	ev.kind = SHK_EV_SEGMENT;
	return ev;
}

static int ring_put(struct shk_ring *ring, u32 writer, u64 counter)
{
	struct shk_event ev = ring_event(writer, counter);
	int written;

	preempt_disable();
	written = shk_ring_put(ring, &ev);
	preempt_enable();
	return written;
}

static void ring_check(struct ring_account *a, const struct shk_event *ev)
{
	struct shk_event expected;

	if (ev->kind == SHK_EV_LOST) {
		a->notes++;
		a->announced += ev->lost.count;
		return;
	}
	expected = ring_event(ev->netns, ev->ts_ns);
	a->events++;
	if (ev->netns >= RING_WRITERS || memcmp(ev, &expected, sizeof(expected)) ||
	    ev->ts_ns < a->next[ev->netns])
		a->bad++;
	else
		a->next[ev->netns] = ev->ts_ns + 1;
}

static u64 ring_read(struct shk_ring *ring, struct ring_account *a, u64 limit)
{
	const struct shk_event *ev;
	u64 n;

	for (n = 0; n < limit; n++) {
		ev = shk_ring_peek(ring, a->tail);
		if (!ev)
			break;
		ring_check(a, ev);
		shk_ring_release(ring, ++a->tail);
	}
	return n;
}

/* At rest and read to the end, the books balance to the last event. */
static void ring_expect_balance(struct kunit *test, const struct shk_ring *ring, const struct ring_account *a)
{
	const struct shk_ring_meta *meta = ring->meta;

	KUNIT_EXPECT_EQ(test, a->bad, 0);
	KUNIT_EXPECT_EQ(test, a->tail, meta->head);
	KUNIT_EXPECT_EQ(test, meta->seen, a->events + meta->lost);
	KUNIT_EXPECT_EQ(test, meta->lost, a->announced + meta->unannounced);
	KUNIT_EXPECT_EQ(test, meta->notes, a->notes);
	KUNIT_EXPECT_EQ(test, meta->head, meta->seen - meta->lost + meta->notes);
}

static void ring_free(void *rings)
{
	shk_rings_free(rings);
}

static struct shk_rings *ring_new(struct kunit *test)
{
	struct shk_rings *rings = shk_rings_new(RING_SLOTS);

	KUNIT_ASSERT_NOT_NULL(test, rings);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, ring_free, rings), 0);
	return rings;
}

static struct shk_ring *ring_of(struct shk_rings *rings, unsigned int cpu)
{
	return &per_cpu_ptr(rings->cpu, cpu)->ring;
}

static void ring_says_what_it_is(struct kunit *test)
{
	struct shk_rings *rings = ring_new(test);
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct shk_ring_meta *meta = ring_of(rings, cpu)->meta;

		KUNIT_EXPECT_EQ(test, meta->abi, SHK_ABI);
		KUNIT_EXPECT_EQ(test, meta->meta_size, sizeof(*meta));
		KUNIT_EXPECT_EQ(test, meta->slot_size, sizeof(struct shk_slot));
		KUNIT_EXPECT_EQ(test, meta->cpu, cpu);
		KUNIT_EXPECT_EQ(test, meta->slots, RING_SLOTS);
		KUNIT_EXPECT_EQ(test, meta->head, 0);
		KUNIT_EXPECT_NULL(test, shk_ring_peek(ring_of(rings, cpu), 0));
	}
}

static void ring_wraps_without_loss(struct kunit *test)
{
	struct shk_ring *ring = ring_of(ring_new(test), 0);
	struct ring_account a = {};
	u64 i, burst;

	for (i = 0, burst = 1; i < 100 * RING_SLOTS; burst = burst % RING_SLOTS + 1) {
		u64 end = i + burst;

		for (; i < end; i++)
			KUNIT_ASSERT_EQ(test, ring_put(ring, RING_THREAD, i), 1);
		KUNIT_ASSERT_EQ(test, ring_read(ring, &a, U64_MAX), burst);
	}
	KUNIT_EXPECT_EQ(test, a.events, i);
	KUNIT_EXPECT_EQ(test, a.notes, 0);
	ring_expect_balance(test, ring, &a);
}

static void ring_drops_the_newest_and_says_so(struct kunit *test)
{
	struct shk_ring *ring = ring_of(ring_new(test), 0);
	struct ring_account a = {};
	u64 i;

	for (i = 0; i < RING_SLOTS + 10; i++)
		KUNIT_EXPECT_EQ(test, ring_put(ring, RING_THREAD, i), i < RING_SLOTS);
	KUNIT_EXPECT_EQ(test, ring->meta->lost, 10);
	/* Room for one record is not room for the note and the event it precedes. */
	KUNIT_EXPECT_EQ(test, ring_read(ring, &a, 1), 1);
	KUNIT_EXPECT_EQ(test, ring_put(ring, RING_THREAD, i++), 0);
	KUNIT_EXPECT_EQ(test, ring_read(ring, &a, 1), 1);
	KUNIT_EXPECT_EQ(test, ring_put(ring, RING_THREAD, i++), 1);
	ring_read(ring, &a, U64_MAX);
	KUNIT_EXPECT_EQ(test, a.notes, 1);
	KUNIT_EXPECT_EQ(test, a.announced, 11);
	KUNIT_EXPECT_EQ(test, a.next[RING_THREAD], i);
	ring_expect_balance(test, ring, &a);
}

static const struct ring_tail_case {
	const char *name;
	bool from_head;
	u64 tail; /* added to head, if from_head */
	/* expected */
	u64 room;
} ring_tail_cases[] = {
	{"everything read", true, 0, RING_SLOTS},
	{"all but one read", true, -1, RING_SLOTS - 1},
	{"nothing read", true, -RING_SLOTS, 0},
	{"one position ahead", true, 1, 0},
	{"a ring ahead", true, RING_SLOTS, 0},
	{"half of all numbers ahead", true, 1ULL << 63, 0},
	{"more than a ring behind", true, -RING_SLOTS - 1, 0},
	{"zero", false, 0, 0},
	{"all ones", false, U64_MAX, 0},
	{"32 bits of ones", false, U32_MAX, 0},
	{"an address of the kernel", false, 0xffff888000000000, 0},
};

KUNIT_ARRAY_PARAM_DESC(ring_tail, ring_tail_cases, name);

/* The reader may write anything: it decides about room and about nothing else. */
static void ring_survives_any_position_of_its_reader(struct kunit *test)
{
	const struct ring_tail_case *c = test->param_value;
	struct shk_ring *ring = ring_of(ring_new(test), 0);
	struct shk_ring_meta *meta = ring->meta, before;
	u64 i, written = 0;

	for (i = 0; i < 1000; i++) {
		ring_put(ring, RING_THREAD, i);
		shk_ring_release(ring, i + 1);
	}
	before = *meta;
	shk_ring_release(ring, c->from_head ? meta->head + c->tail : c->tail);
	for (i = 0; i < 3 * RING_SLOTS; i++)
		written += ring_put(ring, RING_THREAD, i);
	KUNIT_EXPECT_EQ(test, written, c->room);
	KUNIT_EXPECT_EQ(test, meta->head, before.head + written);
	KUNIT_EXPECT_EQ(test, meta->seen, before.seen + 3 * RING_SLOTS);
	KUNIT_EXPECT_EQ(test, meta->lost, 3 * RING_SLOTS - written);
	before.head = meta->head;
	before.seen = meta->seen;
	before.lost = meta->lost;
	before.unannounced = meta->unannounced;
	KUNIT_EXPECT_MEMEQ(test, meta, &before, sizeof(before));
	KUNIT_EXPECT_EQ(test, ring->mask, RING_SLOTS - 1);
}

struct ring_scribble {
	struct shk_rings *rings;
	atomic_t writing;
};

/* CPU 0 writes nonsense into every other CPU's control page while they write events. */
static void ring_scribble(unsigned int cpu, void *arg)
{
	struct ring_scribble *s = arg;
	struct shk_ring *ring = ring_of(s->rings, cpu);
	struct rnd_state state;
	int other;
	u64 i;

	if (cpu) {
		for (i = 0; i < 20000; i++)
			ring_put(ring, RING_THREAD, i);
		atomic_dec(&s->writing);
		return;
	}
	prandom_seed_state(&state, 1);
	while (atomic_read(&s->writing)) {
		for_each_online_cpu(other)
		{
			struct shk_ring *theirs = ring_of(s->rings, other);
			u32 noise = prandom_u32_state(&state);

			/* Half of them near head, or there would hardly ever be room. */
			shk_ring_release(theirs, noise & 1 ? (u64)noise << 32 | noise
							   : READ_ONCE(theirs->meta->head) -
								     (noise >> 1) % (2 * RING_SLOTS));
		}
		cond_resched();
	}
}

static void ring_survives_a_reader_that_scribbles(struct kunit *test)
{
	struct ring_scribble s = {.rings = ring_new(test)};
	int cpu;

	KUNIT_ASSERT_GT(test, num_online_cpus(), 1);
	atomic_set(&s.writing, num_online_cpus() - 1);
	everywhere(test, ring_scribble, &s);
	for_each_online_cpu(cpu)
	{
		struct shk_stats stats = {.cpu = cpu};

		KUNIT_ASSERT_EQ(test, shk_rings_account(s.rings, &stats), 0);
		KUNIT_EXPECT_EQ(test, stats.seen, cpu ? 20000 : 0);
		KUNIT_EXPECT_EQ(test, stats.seen, stats.delivered + stats.lost);
		KUNIT_EXPECT_EQ(test, ring_of(s.rings, cpu)->meta->slots, RING_SLOTS);
	}
}

/* One CPU's writers. */
struct ring_nest {
	struct shk_ring *ring;
	struct hrtimer soft, hard;
	u64 counter[RING_WRITERS];
	bool is_over;
	struct ring_account account;
};

#define RING_NESTED_EVENTS 20000U
#define RING_INTERRUPTS    100U

static enum hrtimer_restart ring_interrupt(struct ring_nest *nest, struct hrtimer *timer,
					   enum ring_writer writer)
{
	if (READ_ONCE(nest->is_over))
		return HRTIMER_NORESTART;
	ring_put(nest->ring, writer, nest->counter[writer]++);
	/* Of two periods without a common divisor, one falls into the other sooner or later. */
	hrtimer_forward_now(timer, ns_to_ktime(writer == RING_SOFTIRQ ? 173000 : 211000));
	return HRTIMER_RESTART;
}

static enum hrtimer_restart ring_soft(struct hrtimer *timer)
{
	return ring_interrupt(container_of(timer, struct ring_nest, soft), timer, RING_SOFTIRQ);
}

static enum hrtimer_restart ring_hard(struct hrtimer *timer)
{
	return ring_interrupt(container_of(timer, struct ring_nest, hard), timer, RING_HARDIRQ);
}

static bool ring_nested_enough(const struct ring_nest *nest)
{
	return nest->counter[RING_THREAD] >= RING_NESTED_EVENTS &&
	       READ_ONCE(nest->counter[RING_SOFTIRQ]) >= RING_INTERRUPTS &&
	       READ_ONCE(nest->counter[RING_HARDIRQ]) >= RING_INTERRUPTS;
}

static void ring_nest(unsigned int cpu, void *arg)
{
	struct ring_nest *nest = per_cpu_ptr((struct ring_nest __percpu *)arg, cpu);
	ktime_t deadline = ktime_add_ms(ktime_get(), 60000);

	hrtimer_setup(&nest->soft, ring_soft, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_SOFT);
	hrtimer_setup(&nest->hard, ring_hard, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	hrtimer_start(&nest->soft, 1, HRTIMER_MODE_REL_PINNED_SOFT);
	hrtimer_start(&nest->hard, 1, HRTIMER_MODE_REL_PINNED_HARD);
	while (!ring_nested_enough(nest) && ktime_before(ktime_get(), deadline)) {
		ring_put(nest->ring, RING_THREAD, nest->counter[RING_THREAD]++);
		/* Slower than it is filled now and then, so that losses are announced among the writers. */
		if (nest->counter[RING_THREAD] % 512 < 400)
			ring_read(nest->ring, &nest->account, 2);
		cond_resched();
	}
	WRITE_ONCE(nest->is_over, true);
	hrtimer_cancel(&nest->soft);
	hrtimer_cancel(&nest->hard);
	ring_read(nest->ring, &nest->account, U64_MAX);
}

static void ring_takes_writers_that_interrupt_one_another(struct kunit *test)
{
	struct ring_nest __percpu *nests = alloc_percpu(struct ring_nest);
	struct shk_rings *rings = ring_new(test);
	u64 lost = 0;
	int cpu;

	KUNIT_ASSERT_TRUE(test, nests);
	for_each_online_cpu(cpu) per_cpu_ptr(nests, cpu)->ring = ring_of(rings, cpu);
	everywhere(test, ring_nest, (void *)nests);
	for_each_online_cpu(cpu)
	{
		struct ring_nest *nest = per_cpu_ptr(nests, cpu);
		u64 all = nest->counter[RING_THREAD] + nest->counter[RING_SOFTIRQ] +
			  nest->counter[RING_HARDIRQ];

		KUNIT_EXPECT_TRUE_MSG(
			test, ring_nested_enough(nest), "CPU %d: %llu, %llu, %llu events in a minute", cpu,
			nest->counter[RING_THREAD], nest->counter[RING_SOFTIRQ], nest->counter[RING_HARDIRQ]);
		KUNIT_EXPECT_EQ(test, nest->ring->meta->seen, all);
		ring_expect_balance(test, nest->ring, &nest->account);
		lost += nest->ring->meta->lost;
	}
	KUNIT_EXPECT_GT(test, lost, 0);
	free_percpu(nests);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(ring_says_what_it_is),
	KUNIT_CASE(ring_wraps_without_loss),
	KUNIT_CASE(ring_drops_the_newest_and_says_so),
	KUNIT_CASE_PARAM(ring_survives_any_position_of_its_reader, ring_tail_gen_params),
	KUNIT_CASE(ring_survives_a_reader_that_scribbles),
	KUNIT_CASE(ring_takes_writers_that_interrupt_one_another),
	{}};

static struct kunit_suite ring_suite = {
	.name = "tcpshake_ring",
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);
