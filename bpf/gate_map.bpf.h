/* SPDX-License-Identifier: GPL-2.0 */
/* The gate's table as a map: a part of wire.bpf.c. */
#ifndef SHK_BPF_GATE_MAP_H
#define SHK_BPF_GATE_MAP_H

#include "kernel.h"
#include "gate.h"

/* Set by the loader before the program is loaded. */
const volatile __u32 shk_gate_mask = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shk_gate_bucket);
} gate SEC(".maps");

static __always_inline struct shk_gate_bucket *shk_gate_bucket_of(__u64 hash)
{
	__u32 index = hash & shk_gate_mask;

	return bpf_map_lookup_elem(&gate, &index);
}

#endif /* SHK_BPF_GATE_MAP_H */
