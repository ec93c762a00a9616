// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat/compat.h"
#include "layout.h"
#include "ring.h"

/* No session may pin more memory than this, however many CPUs there are. */
#define SHK_RINGS_BYTES_MAX (1ULL << 30)

static unsigned int ring_slots = 32768;
module_param(ring_slots, uint, 0444);
MODULE_PARM_DESC(ring_slots,
		 "slots of 128 octets of each CPU's ring where a reader asks for no other number, a "
		 "power of two from 64 to 1048576 (default 32768, that is 4 MiB for each CPU)");

/* One stretch of memory for each ring: its meta page, its control page, its slots. */
static size_t shk_ring_bytes(u32 slots)
{
	return 2 * PAGE_SIZE + PAGE_ALIGN((size_t)slots * sizeof(struct shk_slot));
}

static bool shk_rings_fit(u32 slots)
{
	return (u64)shk_ring_bytes(slots) * num_possible_cpus() <= SHK_RINGS_BYTES_MAX;
}

int __init shk_ring_init(void)
{
	if (!is_power_of_2(ring_slots) || ring_slots < SHK_RING_SLOTS_MIN ||
	    ring_slots > SHK_RING_SLOTS_MAX) {
		pr_err("ring_slots=%u: must be a power of two from %u to %u\n", ring_slots,
		       SHK_RING_SLOTS_MIN, SHK_RING_SLOTS_MAX);
		return -EINVAL;
	}
	return 0;
}

/* What the parameter says, or less on a machine with so many CPUs that it would not fit. */
u32 shk_ring_default_slots(void)
{
	u32 slots = ring_slots;

	while (slots > SHK_RING_SLOTS_MIN && !shk_rings_fit(slots))
		slots /= 2;
	return slots;
}

static int shk_ring_alloc(struct shk_ring *ring, u32 slots, int cpu)
{
	/* Over the limit of the caller's cgroup this shall fail, not have somebody there killed. */
	void *memory = __vmalloc(shk_ring_bytes(slots),
				 GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);

	if (!memory)
		return -ENOMEM;
	ring->meta = memory;
	ring->control = memory + PAGE_SIZE;
	ring->slots = memory + 2 * PAGE_SIZE;
	ring->mask = slots - 1;
	ring->meta->abi = SHK_ABI;
	ring->meta->meta_size = sizeof(*ring->meta);
	ring->meta->slot_size = sizeof(*ring->slots);
	ring->meta->cpu = cpu;
	ring->meta->slots = slots;
	return 0;
}

/**
 * shk_rings_new - a ring for each possible CPU
 * @slots:	of each, a power of two within the limits
 *
 * May sleep. The memory is charged to the caller's cgroup. Returns NULL if there is not enough.
 */
struct shk_rings *shk_rings_new(u32 slots)
{
	struct shk_rings *rings;
	int cpu;

	if (!shk_rings_fit(slots))
		return NULL;
	rings = kzalloc(sizeof(*rings), GFP_KERNEL_ACCOUNT);
	if (!rings)
		return NULL;
	rings->slots = slots;
	rings->cpu = alloc_percpu_gfp(struct shk_cpu_ring, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!rings->cpu)
		goto free_rings;
	for_each_possible_cpu(cpu) {
		if (shk_ring_alloc(&per_cpu_ptr(rings->cpu, cpu)->ring, slots, cpu))
			goto free_rings;
	}
	return rings;

free_rings:
	shk_rings_free(rings);
	return NULL;
}

/* No writer and no mapping may be left. */
void shk_rings_free(struct shk_rings *rings)
{
	int cpu;

	if (!rings)
		return;
	if (rings->cpu) {
		for_each_possible_cpu(cpu)
			vfree(per_cpu_ptr(rings->cpu, cpu)->ring.meta);
	}
	free_percpu(rings->cpu);
	kfree(rings);
}

/* The kernel's address and the size of what @offset names, see SHK_MMAP_OFFSET(). */
static int shk_rings_locate(struct shk_rings *rings, u64 offset, void **start, size_t *size)
{
	unsigned int part = (offset >> 32) & 3;
	u64 cpu = offset >> 34;
	struct shk_ring *ring;

	if ((u32)offset || part > SHK_MMAP_DATA)
		return -EINVAL;
	if (cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return -ENODEV;
	ring = &per_cpu_ptr(rings->cpu, cpu)->ring;
	*size = PAGE_SIZE;
	switch (part) {
	case SHK_MMAP_META:
		*start = ring->meta;
		break;
	case SHK_MMAP_CONTROL:
		*start = ring->control;
		break;
	default:
		*start = ring->slots;
		*size = PAGE_ALIGN((size_t)rings->slots * sizeof(*ring->slots));
	}
	return 0;
}

/*
 * A child of fork() gets no mapping: two readers of one ring would hand back each other's slots. Core
 * dumps leave the rings out. What is read only stays so: mprotect() cannot change it later.
 */
static void shk_rings_set_flags(struct vm_area_struct *vma, bool writable)
{
	vm_flags_mod(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP,
		     writable ? VM_MAYEXEC : VM_MAYEXEC | VM_MAYWRITE);
}

/* Caller holds the mm's mmap lock for writing. Returns 0 or what the manual says about mmap(). */
int shk_rings_mmap(struct shk_rings *rings, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	size_t size, done;
	bool writable;
	void *start;
	int err;

	err = shk_rings_locate(rings, offset, &start, &size);
	if (err)
		return err;
	if (vma->vm_end - vma->vm_start != size)
		return -EINVAL;
	writable = ((offset >> 32) & 3) == SHK_MMAP_CONTROL;
	if (!(vma->vm_flags & VM_MAYSHARE) || (vma->vm_flags & VM_EXEC) ||
	    (!writable && (vma->vm_flags & VM_WRITE)))
		return -EPERM;
	shk_rings_set_flags(vma, writable);
	for (done = 0; done < size; done += PAGE_SIZE) {
		err = vm_insert_page(vma, vma->vm_start + done, vmalloc_to_page(start + done));
		if (err)
			return err;
	}
	return 0;
}

/* Records that the slowest of the readers' tails has before it. Nonsense if the reader wrote nonsense. */
u64 shk_rings_fullest(const struct shk_rings *rings)
{
	u64 most = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct shk_ring *ring = &per_cpu_ptr(rings->cpu, cpu)->ring;
		u64 tail = shk_ring_load(&ring->control->tail);
		u64 head = shk_ring_load(&ring->meta->head);

		most = max(most, head - tail);
	}
	return most;
}

/**
 * shk_rings_account - what became of the events of one CPU
 * @rings:	of the session
 * @stats:	in: .cpu; out: the rest
 *
 * @delivered comes from the positions that were handed out, not from @seen and @lost, so that the three
 * can be checked against each other. They agree when no event is in flight.
 */
int shk_rings_account(const struct shk_rings *rings, struct shk_stats *stats)
{
	const struct shk_cpu_ring *mine;
	struct shk_ring_meta *meta;

	if (stats->cpu >= nr_cpu_ids || !cpu_possible(stats->cpu))
		return -ENODEV;
	mine = per_cpu_ptr(rings->cpu, stats->cpu);
	meta = mine->ring.meta;
	stats->seen = shk_ring_load(&meta->seen);
	stats->lost = shk_ring_load(&meta->lost);
	stats->filtered = shk_ring_load(&mine->filtered);
	stats->notes = shk_ring_load(&meta->notes);
	stats->unannounced = shk_ring_load(&meta->unannounced);
	stats->delivered = shk_ring_load(&meta->head) - stats->notes;
	return 0;
}
