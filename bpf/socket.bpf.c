// SPDX-License-Identifier: GPL-2.0
/*
 * The second witness: what the sockets know and no segment tells. Who called connect() and accept(), how
 * long a connection waited to be accepted, what error it ended with, whether octets were left unread.
 *
 * Few records: what connect() knows is kept in socket storage and written with the ISNs when the connection
 * is established; of the transitions only the first and the last of a life make a record. What lies between
 * them is on the wire.
 *
 * The owner is taken only where the running task is the caller: at connect(), accept(), close() and
 * shutdown(). Everything else may run in softirq, on top of a bystander.
 */
#include "describe.bpf.h"
#include "second.bpf.h"

#define SHK_KERNEL_REASONS 64

/* Set by the loader before the programs are loaded. */
const volatile long shk_nr_accept = -1;
const volatile long shk_nr_accept4 = -1;
/* SHK_REASON_* for each SK_RST_REASON_* of this kernel. */
const volatile __u16 shk_reasons[SHK_KERNEL_REASONS] = {};

/* Set when it is known how accept() can be seen. If not always, the closer is better than nobody. */
volatile __u8 shk_keep_closer = 0;

/*
 * ---- A life: CONNECTED or ACCEPTED, CLOSED -------------------------------------------------------
 */

/* 7 to 2 runs in connect(). The port may not be chosen yet, nor the ISN: no record, but a note. */
static __always_inline void shk_on_connect(const struct sock *sk)
{
	struct shk_kept *k;

	k = bpf_sk_storage_get(&kept, (void *)sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!k)
		return; /* no memory: its records come without an owner */
	k->since_ns = bpf_ktime_get_ns();
	k->flags = SHK_SOCK_ACTIVE;
	shk_take_owner(k, SHK_OWNER_CONNECT);
}

static __always_inline void shk_on_connected(struct shk_bpf_account *acc, const struct sock *sk,
					     const struct tcp_sock *tp, int old)
{
	int connecting = old == SHK_TCP_SYN_SENT;
	struct shk_kept *k = bpf_sk_storage_get(&kept, (void *)sk, 0,
						connecting ? BPF_SK_STORAGE_GET_F_CREATE : 0);
	struct shk_event *ev;

	/* Who called connect() is not always known: this program may have been passed over then. */
	if (k && connecting)
		k->flags |= SHK_SOCK_ACTIVE;
	if (!connecting && (!k || !(k->flags & SHK_SOCK_ACTIVE)))
		return; /* accept() makes the record of the other end */
	ev = shk_event_new(acc, shk_netns_of(1, &sk->__sk_common), SHK_SOCK_CONNECTED);
	if (!ev)
		return;
	shk_put_socket(ev, 1, tp, k, SHK_SOCK_ACTIVE);
	ev->sock.old_state = old;
	ev->sock.new_state = SHK_TCP_ESTABLISHED;
	ev->sock.value = k && k->since_ns ? ev->ts_ns - k->since_ns : 0;
	shk_rings_submit(acc, ev, 1);
}

/*
 * What the kernel keeps of a connection whose socket is done. It tells the tracepoint CLOSE in any case. A
 * FIN received in a state that waits for one leads to TIME-WAIT, and sets SOCK_DONE; without it an orphan,
 * SOCK_DEAD, goes on waiting as a minisock in FIN-WAIT-2.
 */
static __always_inline __u8 shk_after_close(const struct sock *sk, int old)
{
	unsigned long flags = sk->__sk_common.skc_flags;

	if ((old != SHK_TCP_FIN_WAIT2 && old != SHK_TCP_CLOSING) || sk->sk_err)
		return SHK_TCP_CLOSE;
	if (flags & SHK_SOCK_DONE)
		return SHK_TCP_TIME_WAIT;
	return flags & SHK_SOCK_DEAD ? SHK_TCP_FIN_WAIT2 : SHK_TCP_CLOSE;
}

/* A FIN takes a sequence number, which is read only by an application that reads to the end. */
static __always_inline int shk_unread(const struct tcp_sock *tp)
{
	__u32 fin = tp->inet_conn.icsk_inet.sk.__sk_common.skc_flags & SHK_SOCK_DONE ? 1 : 0;

	return tp->rcv_nxt - tp->copied_seq > fin;
}

static __always_inline void shk_on_closed(struct shk_bpf_account *acc, const struct sock *sk,
					  const struct tcp_sock *tp, int old)
{
	struct shk_kept *k = bpf_sk_storage_get(&kept, (void *)sk, 0, 0);
	struct shk_event *ev;

	if (!tp->inet_conn.icsk_inet.inet_sport)
		return; /* connect() failed before there was a connection */
	ev = shk_event_new(acc, shk_netns_of(1, &sk->__sk_common), SHK_SOCK_CLOSED);
	if (!ev)
		return;
	shk_put_socket(ev, 1, tp, k, old == SHK_TCP_SYN_SENT ? SHK_SOCK_ACTIVE : SHK_SOCK_PASSIVE);
	ev->sock.old_state = old;
	ev->sock.new_state = shk_after_close(sk, old);
	ev->sock.value = shk_seq_pair(tp->snd_nxt, tp->rcv_nxt);
	if (old != SHK_TCP_SYN_SENT && shk_unread(tp))
		ev->sock.flags |= SHK_SOCK_UNREAD;
	shk_rings_submit(acc, ev, 1);
}

/* To 4 and to 9 lead only close() and shutdown(), in the task that calls them. */
static __always_inline void shk_on_closing(const struct sock *sk)
{
	struct shk_kept *k = bpf_sk_storage_get(&kept, (void *)sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (!k || k->owner)
		return;
	if (!k->flags)
		k->flags = SHK_SOCK_PASSIVE;
	shk_take_owner(k, SHK_OWNER_CLOSE);
}

static __always_inline void shk_on_state(struct shk_bpf_account *acc, const struct sock *sk, int old, int new)
{
	const struct tcp_sock *tp;

	if (!shk_wanted(shk_netns_of(1, &sk->__sk_common)) || sk->sk_protocol != SHK_PROTO_TCP)
		return;
	switch (new) {
	case SHK_TCP_SYN_SENT:
		shk_on_connect(sk);
		break;
	case SHK_TCP_ESTABLISHED:
		tp = bpf_skc_to_tcp_sock((void *)sk);
		if (tp)
			shk_on_connected(acc, sk, tp, old);
		break;
	case SHK_TCP_CLOSE:
		tp = old == SHK_TCP_LISTEN || old == SHK_TCP_CLOSE ? NULL : bpf_skc_to_tcp_sock((void *)sk);
		if (tp)
			shk_on_closed(acc, sk, tp, old);
		break;
	case SHK_TCP_FIN_WAIT1:
	case SHK_TCP_LAST_ACK:
		if (shk_keep_closer)
			shk_on_closing(sk);
		break;
	}
}

/* Twice at one tracepoint: see second.bpf.h. */
SEC("tp_btf/inet_sock_set_state")
int shk_set_state(unsigned long long *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	int old = (int)ctx[1], new = (int)ctx[2];
	struct shk_bpf_account *acc = shk_account();

	if (!acc)
		return 0;
	shk_first_comes(acc, bpf_get_socket_cookie((void *)sk), new);
	shk_on_state(acc, sk, old, new);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int shk_set_state_second(unsigned long long *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	int old = (int)ctx[1], new = (int)ctx[2];
	struct shk_bpf_account *acc = shk_account();

	if (!acc)
		return 0;
	*(volatile __u64 *)&acc->in_second = 1;
	if (!shk_first_came(sk->__sk_common.skc_cookie.counter, new)) {
		shk_count(acc->made_up, 1);
		bpf_get_socket_cookie((void *)sk);
		shk_on_state(acc, sk, old, new);
	}
	*(volatile __u64 *)&acc->in_second = 0;
	return 0;
}

/* The socket behind a descriptor of the running task, or NULL. */
static __always_inline const struct sock *shk_socket_of(const struct task_struct *task, __u32 fd)
{
	const struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	const struct socket *socket;
	struct file **files, *file;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	files = BPF_CORE_READ(table, fd);
	if (bpf_probe_read_kernel(&file, sizeof(file), &files[fd]) || !file)
		return NULL;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & 0170000) != 0140000) /* S_ISSOCK */
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

static __always_inline int shk_is_accept(long nr)
{
	return nr == shk_nr_accept || nr == shk_nr_accept4;
}

/*
 * Does the listener of the accept() that runs wait for data? It is looked up by its descriptor: the new
 * socket keeps nothing of it. Of accept() by io_uring nobody can tell.
 */
static __always_inline int shk_is_deferred(void)
{
	const struct task_struct *task = bpf_get_current_task_btf();
	const void *regs = (const void *)bpf_task_pt_regs((void *)task);
	const struct sock *listener;

	if (!shk_is_accept(shk_syscall_number(regs)) || shk_syscall_is_foreign(task))
		return 0;
	listener = shk_socket_of(task, shk_syscall_argument(regs));
	return listener && BPF_CORE_READ((const struct inet_connection_sock *)listener,
					 icsk_accept_queue.rskq_defer_accept);
}

/*
 * accept() has @sk to return. It was queued when its receive window was first measured, in the same clock as
 * ours, and nobody can have read from it since.
 */
static __always_inline void shk_on_accepted(struct shk_bpf_account *acc, int trusted,
					    const struct tcp_sock *tp)
{
	const struct sock *sk = &tp->inet_conn.icsk_inet.sk;
	__u32 netns = shk_netns_of(trusted, &sk->__sk_common);
	struct shk_kept k = {.flags = SHK_SOCK_PASSIVE};
	struct shk_event *ev;
	__u64 queued_ns;

	if (!shk_wanted(netns) || SHK_READ(trusted, sk, sk_protocol) != SHK_PROTO_TCP)
		return;
	ev = shk_event_new(acc, netns, SHK_SOCK_ACCEPTED);
	if (!ev)
		return;
	shk_take_owner(&k, SHK_OWNER_ACCEPT);
	shk_put_socket(ev, trusted, tp, &k, SHK_SOCK_PASSIVE);
	ev->sock.new_state = SHK_READ(trusted, sk, __sk_common.skc_state);
	ev->sock.old_state = ev->sock.new_state;
	if (shk_is_deferred())
		ev->sock.flags |= SHK_SOCK_DEFERRED;
	queued_ns = SHK_READ(trusted, tp, rcvq_space.time) * 1000;
	ev->sock.value = ev->ts_ns > queued_ns ? ev->ts_ns - queued_ns : 0;
	shk_rings_submit(acc, ev, 1);
}

/* @sk was found in memory: the verifier knows nothing of it. */
static __always_inline void shk_on_accepted_unknown(struct shk_bpf_account *acc, const struct sock *sk)
{
	sk = shk_subflow_of(sk);
	if (!sk)
		return;
	if (shk_can_cast())
		shk_on_accepted(acc, 1, shk_cast_to_tcp_sock(sk));
	else
		shk_on_accepted(acc, 0, (const struct tcp_sock *)sk);
}

/*
 * Three ways to see accept(), of which the loader takes the first that this kernel allows. The first sees
 * also those calls that were waiting already when it was attached, the second does not; the third costs every
 * system call of the host a little.
 */
SEC("fentry/security_sock_graft")
int shk_accept_graft(unsigned long long *ctx)
{
	struct shk_bpf_account *acc = shk_account();
	const struct sock *sk = (const struct sock *)ctx[0];
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);

	/* Sockets of other protocols come here too. */
	if (acc && tp)
		shk_on_accepted(acc, 1, tp);
	else if (acc && sk->sk_protocol == SHK_PROTO_MPTCP)
		shk_on_accepted_unknown(acc, sk);
	return 0;
}

SEC("fexit/inet_csk_accept")
int shk_accept_return(unsigned long long *ctx)
{
	struct shk_bpf_account *acc = shk_account();
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock(shk_accept_returned(ctx));

	if (acc && tp)
		shk_on_accepted(acc, 1, tp);
	return 0;
}

SEC("tp_btf/sys_exit")
int shk_accept_syscall(unsigned long long *ctx)
{
	long ret = (long)ctx[1];
	const struct task_struct *task;
	struct shk_bpf_account *acc;
	const struct sock *sk;

	if (ret < 0 || !shk_is_accept(shk_syscall_number((const void *)ctx[0])))
		return 0;
	task = bpf_get_current_task_btf();
	if (shk_syscall_is_foreign(task))
		return 0;
	acc = shk_account();
	if (!acc)
		return 0;
	sk = shk_socket_of(task, ret);
	if (sk)
		shk_on_accepted_unknown(acc, sk);
	return 0;
}

/*
 * ---- What befalls a connection -------------------------------------------------------------------
 */

SEC("tp_btf/tcp_receive_reset")
int shk_receive_reset(unsigned long long *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	struct shk_bpf_account *acc = shk_account();
	struct shk_event *ev;

	if (!acc || !tp)
		return 0;
	ev = shk_socket_event(acc, sk, tp, SHK_SOCK_RESET_RECEIVED);
	if (ev)
		shk_rings_submit(acc, ev, 1);
	return 0;
}

/* Errors that end a connection are in its CLOSED record: here only those it survives. */
SEC("tp_btf/inet_sk_error_report")
int shk_error_report(unsigned long long *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	struct shk_bpf_account *acc = shk_account();
	struct shk_event *ev;

	if (!acc || !tp || sk->__sk_common.skc_state == SHK_TCP_CLOSE)
		return 0;
	ev = shk_socket_event(acc, sk, tp, SHK_SOCK_ERROR);
	if (ev)
		shk_rings_submit(acc, ev, 1);
	return 0;
}

/*
 * A reset that no connection sends answers @skb, which came from the other end. A packet that a listener has
 * taken belongs to no device any more.
 */
static __always_inline struct shk_event *
shk_answer_event(struct shk_bpf_account *acc, const struct sock *listener, const struct sk_buff *skb)
{
	__u32 netns = listener ? shk_netns_of(1, &listener->__sk_common)
			       : BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	struct shk_event *ev;

	if (!shk_wanted(netns))
		return NULL;
	ev = shk_event_new(acc, netns, SHK_SOCK_RESET_SENT);
	if (ev)
		shk_put_packet(ev, skb);
	return ev;
}

/* A listener that has sent cookies, if only once, takes an ACK from nowhere for one that brings a cookie. */
static __always_inline int shk_has_sent_cookies(const struct sock *listener, const struct tcp_sock *tp)
{
	return tp->rx_opt.ts_recent_stamp || BPF_CORE_READ(listener, sk_reuseport_cb, synq_overflow_ts);
}

SEC("tp_btf/tcp_send_reset")
int shk_send_reset(unsigned long long *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	const struct sk_buff *skb = (const struct sk_buff *)ctx[1];
	__u32 reason = shk_reset_reason(ctx);
	struct shk_bpf_account *acc = shk_account();
	const struct tcp_sock *tp = NULL;
	struct shk_event *ev = NULL;

	if (!acc)
		return 0;
	if (sk)
		tp = bpf_skc_to_tcp_sock((void *)sk);
	if (tp && sk->__sk_common.skc_state != SHK_TCP_LISTEN)
		ev = shk_socket_event(acc, sk, tp, SHK_SOCK_RESET_SENT);
	else if (skb)
		ev = shk_answer_event(acc, sk, skb);
	if (!ev)
		return 0;
	ev->sock.reason = reason < SHK_KERNEL_REASONS ? shk_reasons[reason] : SHK_REASON_OTHER;
	if (tp && skb && sk->__sk_common.skc_state == SHK_TCP_LISTEN) {
		ev->sock.old_state = SHK_TCP_LISTEN;
		ev->sock.new_state = SHK_TCP_LISTEN;
		if (shk_is_plain_ack(skb) && shk_has_sent_cookies(sk, tp))
			ev->sock.reason = SHK_REASON_INVALID_COOKIE;
	}
	shk_rings_submit(acc, ev, 1);
	return 0;
}

#include "requests.bpf.h"
#include "cookies.bpf.h"
#include "time_wait.bpf.h"
#include "existing.bpf.h"

char shk_license[] SEC("license") = "GPL";
