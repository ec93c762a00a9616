/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between kernels that the socket programs meet, and nowhere else. Each is settled by
 * what the BTF of the running kernel says, not by its version: stable kernels take changes over.
 */
#ifndef SHK_BPF_CORE_FIXES_H
#define SHK_BPF_CORE_FIXES_H

#include "kernel.h"

/*
 * tcp_send_reset got a third argument, why, in 6.10, and since then fires without a socket too. The loader
 * counts the arguments in BTF: that the kernel has an enum of reasons does not prove it.
 */
const volatile __u8 shk_reset_has_reason = 0;

static __always_inline __u32 shk_reset_reason(unsigned long long *ctx)
{
	return shk_reset_has_reason ? (__u32)ctx[2] : 0;
}

/*
 * inet_csk_accept() took (sk, flags, err, kern) until 6.10 brought struct proto_accept_arg ("net: change
 * proto and proto_ops accept type"). What it returns follows the arguments.
 */
struct proto_accept_arg___new {
	int flags;
} SHK_BTF;

/* The verifier wants a constant offset into ctx; left alone, the compiler chooses among two at run time. */
#define SHK_CTX(ctx, n)									\
	({										\
		void *arg;								\
		asm volatile("%0 = *(u64 *)(%1 + %2)"					\
			     : "=r"(arg) : "r"(ctx), "i"((n) * 8));			\
		arg;									\
	})

static __always_inline struct sock *shk_accept_returned(unsigned long long *ctx)
{
	if (bpf_core_type_exists(struct proto_accept_arg___new))
		return SHK_CTX(ctx, 2);
	return SHK_CTX(ctx, 4);
}

/* The number of the system call, where each architecture keeps it; -1 if this one is not known. */
struct pt_regs___x86 {
	unsigned long orig_ax;
	unsigned long di;
} SHK_BTF;

struct pt_regs___arm64 {
	__s32 syscallno;
	__u64 orig_x0;
} SHK_BTF;

/*
 * x86 runs 32-bit programs whose calls have other numbers; TS_COMPAT says so
 * (arch/x86/include/asm/thread_info.h).
 */
struct thread_info___x86 {
	__u32 status;
} SHK_BTF;

struct task_struct___x86 {
	struct thread_info___x86 thread_info;
} SHK_BTF;

#define SHK_X86_TS_COMPAT 2

/* @regs are known to the verifier, so they are read as they are. */
static __always_inline long shk_syscall_number(const void *regs)
{
	if (bpf_core_field_exists(struct pt_regs___x86, orig_ax))
		return ((const struct pt_regs___x86 *)regs)->orig_ax;
	if (bpf_core_field_exists(struct pt_regs___arm64, syscallno))
		return ((const struct pt_regs___arm64 *)regs)->syscallno;
	return -1;
}

/* Its first argument; @regs as before. */
static __always_inline unsigned long shk_syscall_argument(const void *regs)
{
	if (bpf_core_field_exists(struct pt_regs___x86, di))
		return ((const struct pt_regs___x86 *)regs)->di;
	if (bpf_core_field_exists(struct pt_regs___arm64, orig_x0))
		return ((const struct pt_regs___arm64 *)regs)->orig_x0;
	return -1;
}

static __always_inline int shk_syscall_is_foreign(const struct task_struct *task)
{
	const struct task_struct___x86 *t = (const void *)task;

	return bpf_core_field_exists(t->thread_info.status) && t->thread_info.status & SHK_X86_TS_COMPAT;
}

/*
 * A pointer found in memory becomes one that is read as it is (bpf_rdonly_cast(), 6.2). Without that it has
 * to be read by bpf_probe_read_kernel(), which costs a call for each member.
 */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

static __always_inline int shk_can_cast(void)
{
	return bpf_ksym_exists(bpf_rdonly_cast);
}

static __always_inline const struct tcp_sock *shk_cast_to_tcp_sock(const struct sock *sk)
{
	return bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct tcp_sock));
}

/*
 * Of an MPTCP connection accept() returns the socket that stands above its subflows. What came in through
 * the listener is the first of these; NULL if it is gone already. Not every kernel has MPTCP.
 */
static __always_inline const struct sock *shk_subflow_of(const struct sock *sk)
{
	if (bpf_core_type_exists(struct mptcp_sock) && BPF_CORE_READ(sk, sk_protocol) == SHK_PROTO_MPTCP)
		return BPF_CORE_READ((const struct mptcp_sock *)sk, first);
	return sk;
}

/* A kernel without CONFIG_IPV6 has no room for such addresses. */
static __always_inline int shk_has_ipv6(void)
{
	return bpf_core_field_exists(struct sock_common, skc_v6_daddr);
}

#endif /* SHK_BPF_CORE_FIXES_H */
