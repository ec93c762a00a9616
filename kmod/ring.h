/* SPDX-License-Identifier: GPL-2.0 */
/* The rings of one session: memory, accounts and mappings. How a ring works is in ring_core.h. */
#ifndef SHK_RING_H
#define SHK_RING_H

#include <linux/mm_types.h>
#include <linux/percpu.h>

#include "ring_core.h"

#define SHK_RING_SLOTS_MIN	64U
#define SHK_RING_SLOTS_MAX	(1U << 20)

struct shk_cpu_ring {
	struct shk_ring	ring;
	u64		filtered;	/* events of this CPU that the session's filter rejected */
};

struct shk_rings {
	struct shk_cpu_ring __percpu	*cpu;
	u32				slots;		/* of each ring */
};

int shk_ring_init(void);
u32 shk_ring_default_slots(void);

struct shk_rings *shk_rings_new(u32 slots);
void shk_rings_free(struct shk_rings *rings);
int shk_rings_mmap(struct shk_rings *rings, struct vm_area_struct *vma);

u64 shk_rings_fullest(const struct shk_rings *rings);
int shk_rings_account(const struct shk_rings *rings, struct shk_stats *stats);

#endif /* SHK_RING_H */
