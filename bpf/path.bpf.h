/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The slots of path.h, as the hooks use them: a part of wire.bpf.c.
 */
#ifndef SHK_BPF_PATH_SLOTS_H
#define SHK_BPF_PATH_SLOTS_H

#include "gate_map.bpf.h"
#include "path.h"
#include "rings.bpf.h"

const volatile __u64 shk_skb_secret = 0;
const volatile __u8 shk_paths = 0;	/* the first and the last hook are watched */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SHK_PATH_SLOTS);
	__type(key, __u32);
	__type(value, struct shk_path_slot);
} paths SEC(".maps");

/* The verifier lets nobody calculate with a pointer, so its value is read like any other memory. */
static __always_inline __u64 shk_packet_hash(struct bpf_nf_ctx *ctx)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &ctx->skb);
	return (address ^ shk_skb_secret) * 0x9e3779b97f4a7c15ULL;
}

static __always_inline __u64 shk_path_owner(__u64 packet)
{
	return packet | 2; /* neither FREE nor BUSY */
}

static __always_inline struct shk_path_slot *shk_path_slot_of(__u64 packet)
{
	__u32 index = packet >> 40 & (SHK_PATH_SLOTS - 1);

	return bpf_map_lookup_elem(&paths, &index);
}

static __always_inline int shk_path_is_loopback(const struct nf_hook_state *state)
{
	const struct net_device *dev = state->hook == SHK_HOOK_LOCAL_OUT ||
				       state->hook == SHK_HOOK_POST_ROUTING ? state->out : state->in;

	return dev && dev->ifindex == SHK_PATH_IFINDEX;
}

static __always_inline int shk_path_claim(struct shk_path_slot *slot, __u64 owner)
{
	return __sync_val_compare_and_swap(&slot->owner, owner, SHK_PATH_BUSY) == owner;
}

/* Gives up what was claimed. */
static __always_inline void shk_path_release(struct shk_path_slot *slot, __u64 owner)
{
	__sync_lock_test_and_set(&slot->owner, owner);
}

static __always_inline void
shk_path_write(struct shk_bpf_account *acc, const struct shk_event *path, __u64 now_ns)
{
	__u32 n = shk_path_events(path);
	struct shk_event *record = shk_rings_reserve(acc, now_ns, n);

	if (!record)
		return;
	__builtin_memcpy(record, path, sizeof(*record));
	shk_rings_submit(acc, record, n);
}

/*
 * At LOCAL_OUT: a slot that is ours, to be filled and released to @packet; NULL if it cannot be had. Who was
 * in it is written as it stands: it may be on its way still, or nowhere any more.
 */
static __always_inline struct shk_path_slot *
shk_path_begin(struct shk_bpf_account *acc, __u64 packet, __u64 now_ns)
{
	struct shk_path_slot *slot = shk_path_slot_of(packet);
	__u64 owner;

	if (!slot)
		return NULL;
	owner = *(volatile __u64 *)&slot->owner;
	if (owner == SHK_PATH_BUSY || !shk_path_claim(slot, owner))
		return NULL;
	if (owner != SHK_PATH_FREE)
		shk_path_write(acc, &slot->ev, now_ns);
	return slot;
}

static __always_inline int shk_path_equal(const __u8 *a, const __u8 *b, int octets)
{
	__u32 x, y, differ = 0;

	for (int i = 0; i < octets; i += 4) {
		__builtin_memcpy(&x, a + i, 4);
		__builtin_memcpy(&y, b + i, 4);
		differ |= x ^ y;
	}
	return !differ;
}

/* Network address translation may have given the packet other ends since. */
static __always_inline int
shk_path_same_ends(const struct shk_event *path, const struct bpf_dynptr *p, __u8 pf)
{
	__u8 buffer[44];
	const __u8 *ip;

	if (pf == SHK_PF_INET) {
		ip = bpf_dynptr_slice(p, 0, buffer, 24);
		return ip && ip[0] == 0x45 && ip[9] == SHK_PROTO_TCP &&
		       shk_path_equal(ip + 12, path->saddr + 12, 4) &&
		       shk_path_equal(ip + 16, path->daddr + 12, 4) &&
		       shk_be16(ip + 20) == path->sport && shk_be16(ip + 22) == path->dport;
	}
	ip = bpf_dynptr_slice(p, 0, buffer, 44);
	return ip && ip[6] == SHK_PROTO_TCP && shk_path_equal(ip + 8, path->saddr, 16) &&
	       shk_path_equal(ip + 24, path->daddr, 16) && shk_be16(ip + 40) == path->sport &&
	       shk_be16(ip + 42) == path->dport;
}

/* The ACK that was let through at LOCAL_OUT is the first at this hook too; the next is not. */
static __always_inline void shk_path_meet(const struct shk_path_slot *slot, __u8 hook)
{
	struct shk_gate_bucket *bucket;

	if (!(slot->ev.seg.why & ~SHK_WHY_CONTROL))
		return;
	bucket = shk_gate_bucket_of(slot->hash);
	if (bucket)
		shk_gate_meet(bucket, shk_gate_tag(slot->hash), slot->dir, &slot->ev.seg, hook);
}

/*
 * At the later hooks: true if the packet has a record under way, which now has this stamp too. At the last
 * one it is written.
 */
static __always_inline int
shk_path_pass(struct shk_bpf_account *acc, struct bpf_nf_ctx *ctx, const struct bpf_dynptr *p)
{
	__u64 packet = shk_packet_hash(ctx), owner = shk_path_owner(packet), now_ns;
	struct shk_path_slot *slot = shk_path_slot_of(packet);
	__u8 hook = ctx->state->hook;
	__u32 delta;

	if (!slot || *(volatile __u64 *)&slot->owner != owner || !shk_path_claim(slot, owner))
		return 0;
	if (!shk_path_same_ends(&slot->ev, p, ctx->state->pf)) {
		shk_path_release(slot, owner);
		return 0;
	}
	now_ns = bpf_ktime_get_ns();
	delta = shk_path_delta(&slot->ev, now_ns);
	shk_path_meet(slot, hook);
	if (hook == SHK_HOOK_LOCAL_IN) {
		SHK_PATH_IN(&slot->ev) = delta;
		shk_path_write(acc, &slot->ev, now_ns);
		owner = SHK_PATH_FREE;
	} else if (hook == SHK_HOOK_POST_ROUTING) {
		SHK_PATH_POST(&slot->ev) = delta;
	} else {
		SHK_PATH_PRE(&slot->ev) = delta;
	}
	shk_path_release(slot, owner);
	return 1;
}

#endif /* SHK_BPF_PATH_SLOTS_H */
