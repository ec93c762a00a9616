/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A segment on its way through this host over loopback, from LOCAL_OUT to LOCAL_IN: one record instead of
 * four. What it says is the same at all hooks but for the time, so the record is that of LOCAL_OUT with the
 * time to each later hook.
 *
 * Until it has come to LOCAL_IN it waits in a slot, by the packet. One that never comes, because a firewall
 * took it, is fetched from there by the reader; one whose slot is wanted for another packet is written as
 * far as it had come. So no stamp is lost: what is missing did not happen.
 *
 * Shared with the reader, who has the slots mapped.
 */
#ifndef SHK_BPF_PATH_H
#define SHK_BPF_PATH_H

#include "uapi/tcpshake.h"

#define SHK_PATH_SLOTS	256		/* packets in flight on loopback at one time; a power of two */
#define SHK_PATH_IFINDEX 1		/* of the loopback interface, in each network namespace */

/* shk_event.kind of such a record: only between the programs and the reader. */
#define SHK_EV_PATH	0x80

/* shk_path_slot.owner, if it is not the packet */
#define SHK_PATH_FREE	0ULL
#define SHK_PATH_BUSY	1ULL		/* somebody is at work on it, and nobody waits for that */

/**
 * struct shk_path_slot - where a record waits for its packet
 * @owner:	the packet, as a hash of its address; changed by atomic instructions only
 * @hash:	of its tuple
 * @dir:	struct shk_tuple's
 * @reserved:	0
 * @ev:		the record. It and the others belong to whoever has set @owner to BUSY
 */
struct shk_path_slot {
	__u64			owner;
	__u64			hash;
	__u32			dir;
	__u32			reserved;
	struct shk_event	ev;
};

/*
 * Where in a record of this kind the time to POST_ROUTING, PRE_ROUTING and LOCAL_IN is, in ns and one more;
 * 0: it was not there. More than four seconds are told as so many.
 */
#define SHK_PATH_POST(path)	((path)->seg.reserved[0])
#define SHK_PATH_PRE(path)	((path)->seg.reserved[1])
#define SHK_PATH_IN(path)	((path)->ifindex)

static inline __attribute__((always_inline)) __u32 shk_path_delta(const struct shk_event *path, __u64 now_ns)
{
	__u64 delta = now_ns - path->ts_ns + 1;

	return delta < 0xffffffffU ? (__u32)delta : 0xffffffffU;
}

/* How many events the record stands for. */
static inline __attribute__((always_inline)) __u32 shk_path_events(const struct shk_event *path)
{
	return 1 + !!SHK_PATH_POST(path) + !!SHK_PATH_PRE(path) + !!SHK_PATH_IN(path);
}

#endif /* SHK_BPF_PATH_H */
