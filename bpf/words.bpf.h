/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory to which no typed pointer leads, read in place: a part of wire.bpf.c.
 *
 * bpf_rdonly_cast() (6.2, so wherever there are netfilter programs) costs nothing, and the loads that follow
 * it little: if there is nothing at the address, they yield 0. bpf_probe_read_kernel() costs a call for each
 * member, which is a lot where returning from a call is made slow on purpose (Spectre, SRSO).
 */
#ifndef SHK_BPF_WORDS_H
#define SHK_BPF_WORDS_H

#include "kernel.h"

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;

#define SHK_CAST(p, type) ((const type *)bpf_rdonly_cast((p), bpf_core_type_id_kernel(type)))

/* Sixteen octets of anything, as the kernel's type of sixteen octets. */
#define SHK_WORD(words, i)	((words)->in6_u.u6_addr32[i])
#define SHK_OCTET(words, i)	((words)->in6_u.u6_addr8[i])

static __always_inline const struct in6_addr *shk_words_at(__u64 address)
{
	return SHK_CAST((const void *)address, struct in6_addr);
}

#endif /* SHK_BPF_WORDS_H */
