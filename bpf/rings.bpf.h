/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One BPF ring buffer for each CPU, and the account of each: the counterpart of kmod/ring_core.h.
 *
 * Rings of their own keep the account exact for each CPU and CPUs from contending for one lock. A
 * program may interrupt another on its CPU (a hook in process context, one in softirq), so counters
 * are changed by atomic instructions. An event by itself does not wake the reader, who looks on his own
 * timer; he is woken only every so many events, long before a ring is full.
 */
#ifndef SHK_BPF_RINGS_H
#define SHK_BPF_RINGS_H

#include "kernel.h"
#include "account.h"

/* Of the count of events, after which the reader is woken; set before the programs are loaded. */
const volatile __u32 shk_rings_wake_mask = 1023;

/* The inner maps are made by the loader, one for each possible CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, 4096);
	});
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shk_bpf_account);
} account SEC(".maps");

static __always_inline struct shk_bpf_account *shk_account(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&account, &zero);
}

#define shk_count(counter, n) __sync_fetch_and_add(&(counter), (n))

/* Says in the stream what was lost, as soon as there is room. */
static __always_inline void
shk_rings_announce(void *ring, struct shk_bpf_account *acc, __u64 ts_ns, __u16 cpu)
{
	struct shk_event *note = bpf_ringbuf_reserve(ring, sizeof(*note), 0);

	if (!note)
		return;
	__builtin_memset(note, 0, sizeof(*note));
	note->ts_ns = ts_ns;
	note->kind = SHK_EV_LOST;
	note->cpu = cpu;
	note->lost.count = __sync_lock_test_and_set(&acc->unannounced, 0);
	shk_count(acc->notes, 1);
	bpf_ringbuf_submit(note, BPF_RB_NO_WAKEUP);
}

/*
 * A place for one record, of @events events, in the ring of this CPU, or NULL: then they are counted as lost.
 * What was reserved must be submitted; until then it can be completed in place.
 */
static __always_inline struct shk_event *
shk_rings_reserve(struct shk_bpf_account *acc, __u64 ts_ns, __u32 events)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct shk_event *slot = NULL;
	void *ring;

	shk_count(acc->seen, events);
	ring = bpf_map_lookup_elem(&rings, &cpu);
	if (ring)
		slot = bpf_ringbuf_reserve(ring, sizeof(*slot), 0);
	if (!slot) {
		shk_count(acc->lost, events);
		shk_count(acc->unannounced, events);
	} else if (acc->unannounced) {
		/* Behind the event: in front, a note could take the last place and cost the next event. */
		shk_rings_announce(ring, acc, ts_ns, cpu);
	}
	return slot;
}

static __always_inline void
shk_rings_submit(const struct shk_bpf_account *acc, struct shk_event *slot, __u32 events)
{
	__u64 flags = (acc->seen & shk_rings_wake_mask) < events ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;

	bpf_ringbuf_submit(slot, flags);
}

#endif /* SHK_BPF_RINGS_H */
