/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own types, as far as the programs look into them.
 *
 * Only the members that are used, in any order: preserve_access_index makes libbpf find each one in the
 * BTF of the running kernel (CO-RE), so the object neither depends on the kernel it was built on nor
 * needs a generated vmlinux.h. What differs between kernels is in core_fixes.bpf.h.
 */
#ifndef SHK_BPF_KERNEL_H
#define SHK_BPF_KERNEL_H

#include <linux/types.h>
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define SHK_BTF __attribute__((preserve_access_index))

enum {
	SHK_NF_ACCEPT	= 1,	/* include/uapi/linux/netfilter.h */
	SHK_PF_INET	= 2,	/* NFPROTO_IPV4 */
	SHK_PF_INET6	= 10,	/* NFPROTO_IPV6 */
	SHK_PROTO_TCP	= 6,
	SHK_PROTO_MPTCP	= 262,

	SHK_AF_INET	= 2,
	SHK_AF_INET6	= 10,

	SHK_TCP_ESTABLISHED	= 1,	/* include/net/tcp_states.h */
	SHK_TCP_SYN_SENT	= 2,
	SHK_TCP_SYN_RECV	= 3,
	SHK_TCP_FIN_WAIT1	= 4,
	SHK_TCP_FIN_WAIT2	= 5,
	SHK_TCP_TIME_WAIT	= 6,
	SHK_TCP_CLOSE		= 7,
	SHK_TCP_LAST_ACK	= 9,
	SHK_TCP_LISTEN		= 10,
	SHK_TCP_CLOSING		= 11,
	SHK_TCP_NEW_SYN_RECV	= 12,

	SHK_SOCK_DEAD		= 1 << 0,	/* enum sock_flags: no file is left */
	SHK_SOCK_DONE		= 1 << 1,	/* a FIN was received */
};

struct ns_common {
	unsigned int inum;
} SHK_BTF;

struct netns_ipv4 {
	__u8 sysctl_tcp_abort_on_overflow;
	__u8 sysctl_tcp_syncookies;
} SHK_BTF;

struct net {
	struct ns_common ns;
	struct netns_ipv4 ipv4;
} SHK_BTF;

typedef struct {
	struct net *net;
} SHK_BTF possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} SHK_BTF;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__u32 u6_addr32[4];
	} in6_u;
} SHK_BTF;

typedef struct {
	int counter;
} SHK_BTF atomic_t;

typedef struct {
	__s64 counter;
} SHK_BTF atomic64_t;

struct sock_common {
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
	__u32 skc_tw_rcv_nxt;
	__u32 skc_tw_snd_nxt;
} SHK_BTF;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
	int sk_err;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	struct sock_reuseport *sk_reuseport_cb;
} SHK_BTF;

struct sock_reuseport {
	unsigned int synq_overflow_ts;
} SHK_BTF;

struct inet_sock {
	struct sock sk;
	__u16 inet_sport;
} SHK_BTF;

struct request_sock_queue {
	__u8 rskq_defer_accept;
	atomic_t qlen;
} SHK_BTF;

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct request_sock_queue icsk_accept_queue;
} SHK_BTF;

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 copied_seq;
	__u32 rcv_nxt;
	__u32 snd_nxt;
	__u32 snd_una;
	__u64 bytes_received;
	__u64 bytes_acked;
	__u32 tsoffset;
	__u8 ecn_flags;
	struct {
		__u64 time;
	} rcvq_space;
	struct {
		int ts_recent_stamp;
		__u16 tstamp_ok : 1;
		__u16 wscale_ok : 1;
		__u16 sack_ok : 3;
		__u16 snd_wscale : 4;
	} rx_opt;
} SHK_BTF;

struct mptcp_sock {
	struct sock *first;
} SHK_BTF;

struct request_sock {
	struct sock_common __req_common;
	__u16 mss;
	__u8 num_retrans;
	__u8 num_timeout : 7;
} SHK_BTF;

struct tcp_request_sock {
	__u32 rcv_isn;
	__u32 snt_isn;
} SHK_BTF;

struct inet_timewait_sock {
	struct sock_common __tw_common;
	unsigned char tw_substate;
	__u16 tw_sport;
} SHK_BTF;

struct inode {
	unsigned short i_mode;
} SHK_BTF;

struct file {
	struct inode *f_inode;
	void *private_data;
} SHK_BTF;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} SHK_BTF;

struct files_struct {
	struct fdtable *fdt;
} SHK_BTF;

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	char comm[16];
	struct files_struct *files;
} SHK_BTF;

struct socket {
	struct sock *sk;
} SHK_BTF;

struct bpf_iter_meta {
	struct seq_file *seq;
} SHK_BTF;

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
} SHK_BTF;

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
} SHK_BTF;

struct sk_buff {
	unsigned int len;
	unsigned int data_len;
	__u32 mark;
	unsigned char *head;
	unsigned char *data;
	__u32 end;		/* sk_buff_data_t: an offset on 64-bit kernels */
	struct sock *sk;
	struct net_device *dev;
	__u16 transport_header;
	__u16 network_header;
} SHK_BTF;

struct skb_shared_info {
	unsigned short gso_segs;
} SHK_BTF;

struct nf_hook_state {
	__u8 hook;
	__u8 pf;
	struct net_device *in;
	struct net_device *out;
	struct sock *sk;
	struct net *net;
} SHK_BTF;

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
} SHK_BTF;

/* kernel/bpf/helpers.c; since 6.4, as are the netfilter programs that use them. */
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer,
			      __u32 buffer__szk) __ksym;

#endif /* SHK_BPF_KERNEL_H */
