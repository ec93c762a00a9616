/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sockets that exist when the programs start: iterators, a part of socket.bpf.c.
 */
#ifndef SHK_BPF_EXISTING_H
#define SHK_BPF_EXISTING_H

#include "describe.bpf.h"

/* Ports that were being listened on when the programs started: they tell the two ends apart. */
struct shk_listening {
	__u32 netns;
	__u32 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct shk_listening);
	__type(value, __u8);
} listening SEC(".maps");

/* Run first: gives each TCP socket a process that has a descriptor of it. */
SEC("iter/task_file")
int shk_holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct shk_kept *k;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || sk->sk_protocol != SHK_PROTO_TCP || sk->__sk_common.skc_state == SHK_TCP_LISTEN ||
	    sk->__sk_common.skc_state == SHK_TCP_CLOSE)
		return 0;
	k = bpf_sk_storage_get(&kept, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!k || k->owner)
		return 0;
	k->owner = SHK_OWNER_HOLDS;
	k->flags = SHK_SOCK_PREEXISTING;
	k->pid = task->pid;
	k->tgid = task->tgid;
	BPF_CORE_READ_INTO(&k->comm, task, comm);
	return 0;
}

/*
 * Listeners come before all others (net/ipv4/tcp_ipv4.c), so that by the time a connection is shown its port
 * tells which end made it.
 */
static __always_inline __u8 shk_end_of(const struct tcp_sock *tp, __u32 netns)
{
	struct shk_listening key = { netns, tp->inet_conn.icsk_inet.inet_sport };
	__u8 state = tp->inet_conn.icsk_inet.sk.__sk_common.skc_state, one = 1;

	if (state == SHK_TCP_LISTEN)
		bpf_map_update_elem(&listening, &key, &one, BPF_ANY);
	else if (state != SHK_TCP_SYN_SENT && bpf_map_lookup_elem(&listening, &key))
		return SHK_SOCK_PASSIVE | SHK_SOCK_PREEXISTING;
	return SHK_SOCK_ACTIVE | SHK_SOCK_PREEXISTING;
}

static __always_inline int shk_put_existing(struct shk_event *ev, struct tcp_sock *tp)
{
	struct sock *sk = &tp->inet_conn.icsk_inet.sk;
	__u8 state = sk->__sk_common.skc_state, flags = shk_end_of(tp, ev->netns);
	struct shk_kept *k;

	if (state == SHK_TCP_LISTEN || state == SHK_TCP_CLOSE)
		return 0;
	k = bpf_sk_storage_get(&kept, (void *)tp, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!k || k->owner == SHK_OWNER_CONNECT)
		return 0; /* opened since, and seen */
	k->flags = flags;
	shk_put_socket(ev, 1, tp, k, flags);
	ev->sock.new_state = state;
	ev->sock.old_state = state;
	ev->sock.value = shk_seq_pair(tp->snd_nxt, tp->rcv_nxt);
	return 1;
}

/* Run in each network namespace. Writes events into the iterator's file, which holds it back when full. */
SEC("iter/tcp")
int shk_existing(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct shk_event ev = { .kind = SHK_EV_SOCKET, .where = SHK_SOCK_EXISTED };
	struct tcp_timewait_sock *tw;
	struct tcp_sock *tp;

	if (!skc)
		return 0;
	ev.ts_ns = bpf_ktime_get_ns();
	ev.netns = shk_netns_of(1, skc);
	tp = bpf_skc_to_tcp_sock(skc);
	tw = tp ? NULL : bpf_skc_to_tcp_timewait_sock(skc);
	if (tp && !shk_put_existing(&ev, tp))
		return 0;
	if (!tp && !tw)
		return 0;
	if (tw) {
		shk_put_timewait(&ev, (const struct inet_timewait_sock *)tw);
		ev.sock.new_state = ev.sock.old_state;
		ev.sock.flags = SHK_SOCK_PREEXISTING;
	}
	bpf_seq_write(ctx->meta->seq, &ev, sizeof(ev));
	return 0;
}

#endif /* SHK_BPF_EXISTING_H */
