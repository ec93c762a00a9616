/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Proof that every world lays out the ABI alike. Included once by the module, the BPF object, the
 * tool and a C++ test: if a compiler disagrees about an offset or a size, it stops here.
 */
#ifndef SHK_LAYOUT_H
#define SHK_LAYOUT_H

#include "uapi/tcpshake.h"

#ifdef __cplusplus
#define SHK_PROVE(cond, text)	static_assert(cond, text)
#else
#define SHK_PROVE(cond, text)	_Static_assert(cond, text)
#endif

#define SHK_AT(type, member, offset, size)						\
	SHK_PROVE(__builtin_offsetof(struct type, member) == (offset) &&		\
		  sizeof(((struct type *)0)->member) == (size), #type "." #member)

#define SHK_SIZE(type, size)	SHK_PROVE(sizeof(struct type) == (size), #type " has the wrong size")

SHK_AT(shk_segment, seq, 0, 4);
SHK_AT(shk_segment, ack, 4, 4);
SHK_AT(shk_segment, payload_len, 8, 4);
SHK_AT(shk_segment, window, 12, 2);
SHK_AT(shk_segment, tcp_flags, 14, 2);
SHK_AT(shk_segment, options, 16, 4);
SHK_AT(shk_segment, tsval, 20, 4);
SHK_AT(shk_segment, tsecr, 24, 4);
SHK_AT(shk_segment, mss, 28, 2);
SHK_AT(shk_segment, wscale, 30, 1);
SHK_AT(shk_segment, sack_blocks, 31, 1);
SHK_AT(shk_segment, skb_id, 32, 4);
SHK_AT(shk_segment, mark, 36, 4);
SHK_AT(shk_segment, ip_id, 40, 2);
SHK_AT(shk_segment, ttl, 42, 1);
SHK_AT(shk_segment, dsfield, 43, 1);
SHK_AT(shk_segment, gso_segs, 44, 2);
SHK_AT(shk_segment, why, 46, 1);
SHK_AT(shk_segment, sock_state, 47, 1);
SHK_AT(shk_segment, tfo_len, 48, 1);
SHK_AT(shk_segment, mptcp_subtype, 49, 1);
SHK_AT(shk_segment, synack_timeouts, 50, 1);
SHK_AT(shk_segment, reserved8, 51, 1);
SHK_AT(shk_segment, tfo_cookie, 52, 4);
SHK_AT(shk_segment, reserved, 56, 8);
SHK_SIZE(shk_segment, 64);

SHK_AT(shk_socket, cookie, 0, 8);
SHK_AT(shk_socket, cgroup, 8, 8);
SHK_AT(shk_socket, iss, 16, 4);
SHK_AT(shk_socket, irs, 20, 4);
SHK_AT(shk_socket, pid, 24, 4);
SHK_AT(shk_socket, tgid, 28, 4);
SHK_AT(shk_socket, comm, 32, 16);
SHK_AT(shk_socket, old_state, 48, 1);
SHK_AT(shk_socket, new_state, 49, 1);
SHK_AT(shk_socket, sk_err, 50, 2);
SHK_AT(shk_socket, reason, 52, 2);
SHK_AT(shk_socket, owner, 54, 1);
SHK_AT(shk_socket, flags, 55, 1);
SHK_AT(shk_socket, value, 56, 8);
SHK_SIZE(shk_socket, 64);

SHK_AT(shk_lost, count, 0, 8);
SHK_SIZE(shk_lost, 64);
SHK_AT(shk_clock, real_ns, 0, 8);
SHK_SIZE(shk_clock, 64);

SHK_AT(shk_event, ts_ns, 0, 8);
SHK_AT(shk_event, netns, 8, 4);
SHK_AT(shk_event, ifindex, 12, 4);
SHK_AT(shk_event, saddr, 16, 16);
SHK_AT(shk_event, daddr, 32, 16);
SHK_AT(shk_event, sport, 48, 2);
SHK_AT(shk_event, dport, 50, 2);
SHK_AT(shk_event, kind, 52, 1);
SHK_AT(shk_event, where, 53, 1);
SHK_AT(shk_event, cpu, 54, 2);
SHK_AT(shk_event, seg, 56, 64);
SHK_SIZE(shk_event, 120);

SHK_AT(shk_slot, stamp, 0, 8);
SHK_AT(shk_slot, ev, 8, 120);
SHK_SIZE(shk_slot, 128);

SHK_AT(shk_ring_meta, abi, 0, 4);
SHK_AT(shk_ring_meta, meta_size, 4, 4);
SHK_AT(shk_ring_meta, slot_size, 8, 4);
SHK_AT(shk_ring_meta, cpu, 12, 4);
SHK_AT(shk_ring_meta, slots, 16, 8);
SHK_AT(shk_ring_meta, head, 64, 8);	/* a cache line of its own: written by every event */
SHK_AT(shk_ring_meta, seen, 72, 8);
SHK_AT(shk_ring_meta, lost, 80, 8);
SHK_AT(shk_ring_meta, notes, 88, 8);
SHK_AT(shk_ring_meta, unannounced, 96, 8);
SHK_SIZE(shk_ring_meta, 128);
SHK_AT(shk_ring_control, tail, 0, 8);
SHK_SIZE(shk_ring_control, 64);

SHK_AT(shk_info, abi, 0, 4);
SHK_AT(shk_info, event_size, 4, 4);
SHK_AT(shk_info, nr_cpus, 8, 4);
SHK_AT(shk_info, default_slots, 12, 4);
SHK_AT(shk_info, min_slots, 16, 4);
SHK_AT(shk_info, max_slots, 20, 4);
SHK_AT(shk_info, hooks, 24, 4);
SHK_AT(shk_info, version, 32, 32);
SHK_SIZE(shk_info, 64);
SHK_AT(shk_setup, abi, 0, 4);
SHK_AT(shk_setup, slots, 4, 4);
SHK_AT(shk_setup, hooks, 8, 4);
SHK_AT(shk_setup, netns, 12, 4);
SHK_AT(shk_setup, watermark, 16, 4);
SHK_AT(shk_setup, poll_ms, 20, 4);
SHK_SIZE(shk_setup, 32);
SHK_AT(shk_filter, len, 0, 4);
SHK_AT(shk_filter, insns, 8, 8);
SHK_SIZE(shk_filter, 16);
SHK_AT(shk_stats, cpu, 0, 4);
SHK_AT(shk_stats, seen, 8, 8);
SHK_AT(shk_stats, delivered, 16, 8);
SHK_AT(shk_stats, lost, 24, 8);
SHK_AT(shk_stats, filtered, 32, 8);
SHK_AT(shk_stats, notes, 40, 8);
SHK_AT(shk_stats, unannounced, 48, 8);
SHK_SIZE(shk_stats, 56);
SHK_AT(shk_conflicts, netns, 0, 4);
SHK_AT(shk_conflicts, count, 8, 64);
SHK_SIZE(shk_conflicts, 72);

#endif /* SHK_LAYOUT_H */
