/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The slots of path.h, as the hooks use them: a part of wire.bpf.c.
 */
#ifndef SHK_BPF_PATH_SLOTS_H
#define SHK_BPF_PATH_SLOTS_H

#include "gate_map.bpf.h"
#include "path.h"
#include "rings.bpf.h"
#include "words.bpf.h"

const volatile __u64 shk_skb_secret = 0;
const volatile __u8 shk_paths = 0;	/* the first and the last hook are watched */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SHK_PATH_SLOTS);
	__type(key, __u32);
	__type(value, struct shk_path_slot);
} paths SEC(".maps");

/* All that the verifier lets be calculated with pointers: how far one is from another, here a fixed one. */
static __always_inline __u64 shk_packet_hash(struct bpf_nf_ctx *ctx)
{
	__u64 distance = (__u64)ctx->skb - (__u64)&shk_skb_secret;

	return (distance ^ shk_skb_secret) * 0x9e3779b97f4a7c15ULL;
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

/*
 * The address of the IP header, if it and the ports are in one piece; else 0. Read from there by
 * shk_words_at(), they cost a tenth of what they cost through a dynptr.
 */
static __always_inline __u64 shk_path_header(const struct sk_buff *skb, __u32 octets)
{
	return skb->len - skb->data_len >= octets ? (__u64)skb->data : 0;
}

static __always_inline __u32 shk_path_ports(const struct shk_event *path)
{
	return (__u32)__builtin_bswap16(path->dport) << 16 | __builtin_bswap16(path->sport);
}

/* Without options, so that the ports follow the addresses. */
static __always_inline int shk_path_same_ends_ipv4(const struct shk_event *path, __u64 header)
{
	const struct in6_addr *first = shk_words_at(header), *second = shk_words_at(header + 16);
	__u32 saddr, daddr;

	__builtin_memcpy(&saddr, path->saddr + 12, 4);
	__builtin_memcpy(&daddr, path->daddr + 12, 4);
	return SHK_OCTET(first, 0) == 0x45 && SHK_OCTET(first, 9) == SHK_PROTO_TCP &&
	       SHK_WORD(first, 3) == saddr && SHK_WORD(second, 0) == daddr &&
	       SHK_WORD(second, 1) == shk_path_ports(path);
}

static __always_inline int shk_path_equal(const __u8 *address, const struct in6_addr *words)
{
	__u32 word, differ = 0;

	for (int i = 0; i < 4; i++) {
		__builtin_memcpy(&word, address + 4 * i, 4);
		differ |= word ^ SHK_WORD(words, i);
	}
	return !differ;
}

static __always_inline int shk_path_same_ends_ipv6(const struct shk_event *path, __u64 header)
{
	return SHK_OCTET(shk_words_at(header), 6) == SHK_PROTO_TCP &&
	       shk_path_equal(path->saddr, shk_words_at(header + 8)) &&
	       shk_path_equal(path->daddr, shk_words_at(header + 24)) &&
	       SHK_WORD(shk_words_at(header + 40), 0) == shk_path_ports(path);
}

/* Network address translation may have given the packet other ends since. */
static __always_inline int shk_path_same_ends(const struct shk_event *path, struct bpf_nf_ctx *ctx)
{
	__u8 ipv4 = ctx->state->pf == SHK_PF_INET;
	__u64 header = shk_path_header(ctx->skb, ipv4 ? 24 : 44);

	if (!header)
		return 0;
	return ipv4 ? shk_path_same_ends_ipv4(path, header) : shk_path_same_ends_ipv6(path, header);
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
static __always_inline int shk_path_pass(struct shk_bpf_account *acc, struct bpf_nf_ctx *ctx)
{
	__u64 packet = shk_packet_hash(ctx), owner = shk_path_owner(packet), now_ns;
	struct shk_path_slot *slot = shk_path_slot_of(packet);
	__u8 hook = ctx->state->hook;
	__u32 delta;

	if (!slot || *(volatile __u64 *)&slot->owner != owner || !shk_path_claim(slot, owner))
		return 0;
	if (!shk_path_same_ends(&slot->ev, ctx)) {
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
