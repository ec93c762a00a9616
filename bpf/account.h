/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs count, for each CPU. Read by the loader, so it is all of fixed width.
 */
#ifndef SHK_BPF_ACCOUNT_H
#define SHK_BPF_ACCOUNT_H

#include "uapi/tcpshake.h"

/**
 * struct shk_bpf_account - one CPU's account
 * @seen:	events offered to the ring
 * @lost:	events dropped because it was full; seen - lost were delivered
 * @notes:	SHK_EV_LOST records written
 * @unannounced: part of @lost that no SHK_EV_LOST record has reported
 * @unparsed:	packets that could not be read as TCP: truncated, or with an impossible header
 * @fragments:	TCP fragments other than the first: they have no TCP header
 * @gate_displaced: expectations thrown out before they were met
 * @gate_first_displaced: likewise of a connection's first data or first pure ACK
 * @made_up:	calls for which the kernel passed over a program, and ran its second instance
 * @in_second:	not 0 while the second runs
 */
struct shk_bpf_account {
	__u64	seen;
	__u64	lost;
	__u64	notes;
	__u64	unannounced;
	__u64	unparsed;
	__u64	fragments;
	__u64	gate_displaced;
	__u64	gate_first_displaced;
	__u64	made_up;
	__u64	in_second;
};

#endif /* SHK_BPF_ACCOUNT_H */
