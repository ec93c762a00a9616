/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * tcpshake ABI: the event record, the rings it travels in, and the device that hands them out.
 *
 * This header is the whole contract between tcpshake.ko, the BPF programs and any reader. It needs
 * nothing but <linux/types.h> and compiles in the kernel, for BPF, in C and in C++.
 *
 *
 * READING EVENTS
 *
 *	fd = open("/dev/tcpshake", O_RDWR)		CAP_NET_ADMIN in the initial user namespace
 *	ioctl(fd, SHK_IOC_INFO, &info)			refuse if info.abi differs from SHK_ABI
 *	ioctl(fd, SHK_IOC_SETUP, &setup)		allocates one ring for each possible CPU
 *	ioctl(fd, SHK_IOC_FILTER, &filter)		optional
 *	mmap(fd, SHK_MMAP_OFFSET(cpu, part)) x 3	for each CPU i with 0 <= i < info.nr_cpus
 *	ioctl(fd, SHK_IOC_START)			events flow
 *	... read rings, poll(fd) when they are empty ...
 *	ioctl(fd, SHK_IOC_STOP)				when it returns, no event is in flight any more
 *	ioctl(fd, SHK_IOC_STATS, &stats)		per CPU: seen == delivered + lost, exactly
 *	ioctl(fd, SHK_IOC_CONFLICTS, &conflicts)	at any time after SETUP; optional
 *	close(fd)
 *
 * Every open file is a session of its own, with its own rings, filter and hook mask. Sessions do not
 * see each other. A mapping keeps its session alive; the last munmap() or close() ends it.
 *
 *
 * ONE RING
 *
 * A ring belongs to one CPU and consists of three mappings:
 *
 *	SHK_MMAP_META		struct shk_ring_meta, one page, read only
 *	SHK_MMAP_CONTROL	struct shk_ring_control, one page, read and write: the reader's position
 *	SHK_MMAP_DATA		struct shk_slot[meta->slots], read only
 *
 * Positions are 64-bit counts of slots since START and never wrap; position p lives in slot
 * p & (slots - 1). The reader at position t owns the slot when
 *
 *	load_acquire(slots[t & (slots - 1)].stamp) == t + 1
 *
 * and hands it back with store_release(control->tail, t + 1). A reader may hand back many at once.
 * While a hook is between reserving and publishing a slot the stamp is not yet there: stop, and come
 * back. Records of one ring are in the order of reservation, which is the order of ts_ns but for
 * hooks that interrupted one another.
 *
 * If a ring is full the newest event is dropped and counted. As soon as there is room again, a record
 * of kind SHK_EV_LOST that carries the count precedes the next event.
 *
 * The kernel never trusts control->tail: any value is safe for the host. A wrong one costs the reader
 * its own events, nothing else.
 */
#ifndef _UAPI_TCPSHAKE_H
#define _UAPI_TCPSHAKE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Changes with every incompatible change of this header. Both ends refuse a mismatch. */
#define SHK_ABI			1

#define SHK_DEVICE		"/dev/tcpshake"
#define SHK_PROC		"/proc/net/tcpshake"	/* per network namespace; "name value" lines */
#define SHK_DEBUGFS		"/sys/kernel/debug/tcpshake"

/*
 * ---- The event ---------------------------------------------------------------------------------
 */

/* shk_event.kind: which member of the union is valid. */
enum shk_kind {
	SHK_EV_NONE	= 0,	/* never published */
	SHK_EV_SEGMENT	= 1,	/* a TCP segment at a hook: .seg */
	SHK_EV_SOCKET	= 2,	/* something a socket did or suffered: .sock */
	SHK_EV_LOST	= 3,	/* events dropped at this place since the last such record: .lost */
	SHK_EV_CLOCK	= 4,	/* CLOCK_REALTIME at ts_ns: .clock; at the start and once a second */
};

/* shk_event.where for SHK_EV_SEGMENT. The first five equal NF_INET_* of <linux/netfilter.h>. */
enum shk_hook {
	SHK_HOOK_PRE_ROUTING	= 0,	/* as received, before conntrack and NAT */
	SHK_HOOK_LOCAL_IN	= 1,	/* about to enter the TCP stack, after every filter */
	SHK_HOOK_FORWARD	= 2,	/* routed through this host */
	SHK_HOOK_LOCAL_OUT	= 3,	/* just left the TCP stack, before every filter */
	SHK_HOOK_POST_ROUTING	= 4,	/* about to leave the host, after every filter and NAT */
	SHK_HOOK_CAPTURE	= 5,	/* a packet capture: a tap somewhere on the way */
	SHK_HOOK_COUNT		= 6,
};

#define SHK_HOOK_BIT(hook)	(1U << (hook))
#define SHK_HOOKS_NETFILTER	0x1fU	/* the five that the module has */

/* shk_segment.tcp_flags: the twelve bits of RFC 9293 3.1 and its successors, in header order. */
#define SHK_TCP_FIN		0x001
#define SHK_TCP_SYN		0x002
#define SHK_TCP_RST		0x004
#define SHK_TCP_PSH		0x008
#define SHK_TCP_ACK		0x010
#define SHK_TCP_URG		0x020
#define SHK_TCP_ECE		0x040	/* RFC 3168 */
#define SHK_TCP_CWR		0x080	/* RFC 3168 */
#define SHK_TCP_AE		0x100	/* accurate ECN, formerly NS */
#define SHK_TCP_RESERVED	0xe00

/* shk_segment.options: which options the header carried. */
#define SHK_OPT_MSS		0x00000001U	/* kind 2; .mss */
#define SHK_OPT_WSCALE		0x00000002U	/* kind 3; .wscale, as sent, not clamped to 14 */
#define SHK_OPT_SACK_PERMITTED	0x00000004U	/* kind 4 */
#define SHK_OPT_SACK		0x00000008U	/* kind 5; .sack_blocks */
#define SHK_OPT_TIMESTAMPS	0x00000010U	/* kind 8; .tsval, .tsecr */
#define SHK_OPT_MD5		0x00000020U	/* kind 19, RFC 2385 */
#define SHK_OPT_AO		0x00000040U	/* kind 29, RFC 5925 */
#define SHK_OPT_MPTCP		0x00000080U	/* kind 30, RFC 8684; .mptcp_subtype */
#define SHK_OPT_TFO		0x00000100U	/* kind 34, RFC 7413; .tfo_len, .tfo_cookie */
#define SHK_OPT_TFO_EXPERIMENT	0x00000200U	/* kind 254 magic 0xf989: as above, in its older form */
#define SHK_OPT_USER_TIMEOUT	0x00000400U	/* kind 28, RFC 5482 */
#define SHK_OPT_ACCECN		0x00000800U	/* kinds 172 and 174, RFC 9768 */
#define SHK_OPT_UNKNOWN		0x10000000U	/* some kind that is not in this list */
#define SHK_OPT_DUPLICATE	0x20000000U	/* a kind came twice; the last one counts, as in Linux */
#define SHK_OPT_TRUNCATED	0x40000000U	/* the capture or packet ended inside the options */
#define SHK_OPT_MALFORMED	0x80000000U	/* a length was impossible; what came before it is valid */

/* shk_segment.why: what made the gate let this segment through. */
#define SHK_WHY_CONTROL		0x01	/* SYN, FIN or RST */
#define SHK_WHY_ACKS_SYNACK	0x02	/* first ACK at this hook since the SYN+ACK it answers */
#define SHK_WHY_ACKS_FIN	0x04	/* first ACK at this hook that covers the FIN */
#define SHK_WHY_ANSWERS		0x08	/* plain ACK right after a SYN or RST of the other end */
#define SHK_WHY_FIRST_DATA	0x10	/* first segment with data since its end's SYN, if not control */
#define SHK_WHY_FIRST_ACK	0x20	/* first ACK since then with neither data nor control */

/**
 * struct shk_segment - a TCP segment as the hook saw it
 * @seq:		sequence number of the first octet (of the SYN, if there is one)
 * @ack:		acknowledgment number; meaningless without SHK_TCP_ACK
 * @payload_len:	octets of payload, from the IP length; a GSO or GRO packet counts as one segment
 * @window:		window field as sent, not scaled
 * @tcp_flags:		SHK_TCP_*
 * @options:		SHK_OPT_*
 * @tsval:		TSval of the timestamps option
 * @tsecr:		TSecr of the timestamps option
 * @mss:		maximum segment size option
 * @wscale:		window scale option
 * @sack_blocks:	number of SACK blocks, 0 to 4
 * @skb_id:		keyed hash of the packet's address in memory: equal at successive hooks of one
 *			host, reused soon after; 0 where there is none
 * @mark:		skb->mark (fwmark)
 * @ip_id:		IPv4 identification, 0 for IPv6
 * @ttl:		IPv4 TTL or IPv6 hop limit
 * @dsfield:		IPv4 TOS or IPv6 traffic class: DSCP and ECN
 * @gso_segs:		wire segments this packet stands for, at least 1
 * @why:		SHK_WHY_*
 * @sock_state:		at LOCAL_OUT: state of the sender's socket, as in <linux/tcp.h>; 0 if none.
 *			On a SYN+ACK at LOCAL_OUT 12 (NEW_SYN_RECV) says that a request socket waits for
 *			the ACK, and 0 that a SYN cookie was sent
 * @tfo_len:		length of the Fast Open cookie, 0 for a cookie request
 * @mptcp_subtype:	MPTCP subtype (0 MP_CAPABLE, 1 MP_JOIN, ...)
 * @synack_timeouts:	with @sock_state 12, how often the SYN+ACK timer has fired for this request
 * @reserved8:		0
 * @tfo_cookie:		first four octets of the Fast Open cookie, in network byte order
 * @reserved:		0
 *
 * All in host byte order but for @tfo_cookie. A field whose option is absent is 0.
 */
struct shk_segment {
	__u32	seq;
	__u32	ack;
	__u32	payload_len;
	__u16	window;
	__u16	tcp_flags;
	__u32	options;
	__u32	tsval;
	__u32	tsecr;
	__u16	mss;
	__u8	wscale;
	__u8	sack_blocks;
	__u32	skb_id;
	__u32	mark;
	__u16	ip_id;
	__u8	ttl;
	__u8	dsfield;
	__u16	gso_segs;
	__u8	why;
	__u8	sock_state;
	__u8	tfo_len;
	__u8	mptcp_subtype;
	__u8	synack_timeouts;
	__u8	reserved8;
	__u32	tfo_cookie;
	__u32	reserved[2];
};

/*
 * shk_event.where for SHK_EV_SOCKET. A connection opened and closed on this host costs two records for
 * each end: CONNECTED or ACCEPTED, and CLOSED. An opening that failed costs one, CLOSED. The others are
 * rare, or need an attach point that not every kernel has.
 */
enum shk_sock_where {
	SHK_SOCK_CONNECTED	= 1,	/* who called connect() is ESTABLISHED; value: ns since that call */
	SHK_SOCK_ACCEPTED	= 2,	/* accept() returned it; value: ns it waited in the accept queue */
	SHK_SOCK_CLOSED		= 3,	/* the socket is done; value: snd_nxt << 32 | rcv_nxt */
	SHK_SOCK_EXISTED	= 4,	/* it was there at the start, in new_state; value: as CLOSED */
	SHK_SOCK_RESET_SENT	= 5,	/* why: reason; without a socket only the tuple and ISNs of 0 */
	SHK_SOCK_RESET_RECEIVED	= 6,	/* and accepted as valid, in old_state */
	SHK_SOCK_SYNACK_RETRANSMIT = 7,	/* of a request; value: how often before this */
	SHK_SOCK_ERROR		= 8,	/* reported to the application while the connection lives: sk_err */
	SHK_SOCK_SYN_REFUSED	= 9,	/* a listener dropped a SYN: reason; value: length of that queue */
	SHK_SOCK_REQUEST_EXPIRED = 10,	/* no ACK came for the SYN+ACK; value: how often it was sent again */
	SHK_SOCK_TIME_WAIT_ENDED = 11,	/* its minisock is gone; value: as in its CLOSED */
	SHK_SOCK_ACK_REFUSED	= 12,	/* no room for the connection of a third ACK; value: accept queue's
					 * length; new_state 7: it was reset, 12: the request stays,
					 * 10: there was none, the ACK brought a SYN cookie */
	SHK_SOCK_TIME_WAIT_BROKEN = 13,	/* into new_state: 10, a SYN may have the tuple; 7, a segment for
					 * who is gone is answered by a reset; value: as in its CLOSED */
	SHK_SOCK_COOKIE_SENT	= 14,	/* the SYN+ACK carries a SYN cookie: iss */
	SHK_SOCK_COOKIE_VALIDATED = 15,	/* an ACK brought it back and made a socket; value: SHK_COOKIE_* */
	SHK_SOCK_REQUEST_DROPPED = 16,	/* it ended before the third ACK, and not by its timer */
	SHK_SOCK_TIME_WAIT_RESTARTED = 17, /* by a segment that came into it; value: as in its CLOSED */
	SHK_SOCK_TIME_WAIT_REFUSED = 18, /* tcp_max_tw_buckets is reached, so there is none */
	SHK_SOCK_REQUEST_MADE	= 19,	/* for a SYN; only told where no hook sees its SYN+ACK */
	SHK_SOCK_WHERE_COUNT	= 20,
};

/* shk_socket.owner: how pid, tgid, comm and cgroup are known.  */
enum shk_owner {
	SHK_OWNER_UNKNOWN	= 0,	/* they are 0 */
	SHK_OWNER_CONNECT	= 1,	/* the thread that called connect() */
	SHK_OWNER_ACCEPT	= 2,	/* the thread to which accept() returned it */
	SHK_OWNER_CLOSE		= 3,	/* the thread that closed or shut it down, perhaps another process */
	SHK_OWNER_HOLDS		= 4,	/* a process that had a descriptor of it at the start */
	SHK_OWNER_COUNT		= 5,
};

/* shk_socket.flags */
#define SHK_SOCK_ACTIVE		0x01	/* it called connect() */
#define SHK_SOCK_PASSIVE	0x02	/* a listener made it */
#define SHK_SOCK_PREEXISTING	0x04	/* it was there at the start; ACTIVE or PASSIVE is inferred */
#define SHK_SOCK_UNREAD		0x08	/* CLOSED: octets had arrived that the application never read */
#define SHK_SOCK_DEFERRED	0x10	/* ACCEPTED: by a listener with TCP_DEFER_ACCEPT */

/* shk_socket.reason: the kernel's own words, in numbers that are the same on every kernel. */
enum shk_reason {
	SHK_REASON_NONE			= 0,	/* it gave none */
	SHK_REASON_OTHER		= 1,	/* it gave one that is not in this list */
	SHK_REASON_NO_SOCKET		= 2,	/* this and the following: SK_RST_REASON_* of the kernel */
	SHK_REASON_INVALID_ACK		= 3,
	SHK_REASON_PAWS			= 4,
	SHK_REASON_TOO_OLD_ACK		= 5,
	SHK_REASON_ACK_UNSENT_DATA	= 6,
	SHK_REASON_FLAGS		= 7,
	SHK_REASON_OLD_ACK		= 8,
	SHK_REASON_ABORT_ON_DATA	= 9,
	SHK_REASON_TIMEWAIT_SOCKET	= 10,
	SHK_REASON_INVALID_SYN		= 11,
	SHK_REASON_ABORT_ON_CLOSE	= 12,
	SHK_REASON_ABORT_ON_LINGER	= 13,
	SHK_REASON_ABORT_ON_MEMORY	= 14,
	SHK_REASON_STATE		= 15,
	SHK_REASON_KEEPALIVE_TIMEOUT	= 16,
	SHK_REASON_DISCONNECT_WITH_DATA	= 17,
	SHK_REASON_MPTCP		= 18,
	SHK_REASON_ACCEPT_QUEUE_FULL	= 19,
	SHK_REASON_SYN_QUEUE_FULL	= 20,	/* and SYN cookies are off */
	SHK_REASON_INVALID_COOKIE	= 21,	/* an ACK without one, for a listener that has sent some */
	SHK_REASON_LISTENER_CLOSED	= 22,	/* REQUEST_EXPIRED: nobody listens any more */
	SHK_REASON_COUNT		= 23,
};

/*
 * shk_socket.value of COOKIE_VALIDATED: in its upper half what the host adds to its timestamps for this peer,
 * below what it would have forgotten of the SYN, as the low six bits of the SYN+ACK's TSval hold it before
 * that addition (net/ipv4/syncookies.c). Without timestamps it is forgotten.
 */
#define SHK_COOKIE_WSCALE	0x0f	/* the client's window scale; 15: it has none */
#define SHK_COOKIE_SACK		0x10
#define SHK_COOKIE_ECN		0x20
#define SHK_COOKIE_TIMESTAMPS	0x40	/* there are timestamps, so the other bits are valid */

/**
 * struct shk_socket - what the second witness, a BPF program, saw a socket do
 * @cookie:	socket cookie, 0 if it has none
 * @cgroup:	cgroup v2 id of the owner
 * @iss:	initial send sequence number (RFC 9293 3.3.1)
 * @irs:	initial receive sequence number; 0 if nothing was received, that is if old_state is SYN_SENT
 * @pid:	thread of the owner; 0 if not known, never a bystander
 * @tgid:	its process
 * @comm:	its name, NUL padded
 * @old_state:	state before, as in <linux/tcp.h>
 * @new_state:	state after. For CLOSED what becomes of the connection without the socket: 6 (TIME-WAIT)
 *		or 5 (FIN-WAIT-2) if the kernel keeps a minisock for it, else 7
 * @sk_err:	sk->sk_err, an errno
 * @reason:	enum shk_reason
 * @owner:	enum shk_owner
 * @flags:	SHK_SOCK_*
 * @value:	see enum shk_sock_where
 */
struct shk_socket {
	__u64	cookie;
	__u64	cgroup;
	__u32	iss;
	__u32	irs;
	__u32	pid;
	__u32	tgid;
	char	comm[16];
	__u8	old_state;
	__u8	new_state;
	__u16	sk_err;
	__u16	reason;
	__u8	owner;
	__u8	flags;
	__u64	value;
};

/* shk_event.where for SHK_EV_LOST: which kind of events is missing. */
enum shk_witness {
	SHK_WITNESS_WIRE	= 0,	/* SHK_EV_SEGMENT */
	SHK_WITNESS_SOCKET	= 1,	/* SHK_EV_SOCKET */
};

/**
 * struct shk_lost - events dropped because the ring was full
 * @count:	how many since the previous record of this kind; may be 0
 * @reserved:	0
 */
struct shk_lost {
	__u64	count;
	__u64	reserved[7];
};

/**
 * struct shk_clock - ties the two clocks together
 * @real_ns:	CLOCK_REALTIME at shk_event.ts_ns, in ns since the epoch
 * @reserved:	0
 */
struct shk_clock {
	__u64	real_ns;
	__u64	reserved[7];
};

/**
 * struct shk_event - the one record of this project, 120 octets
 * @ts_ns:	CLOCK_MONOTONIC in ns, taken when the hook or program was entered
 * @netns:	inode number of the network namespace, as in /proc/PID/ns/net
 * @ifindex:	interface: of arrival at PRE_ROUTING, LOCAL_IN and FORWARD, of departure at the others;
 *		0 if not known yet
 * @saddr:	sender's address as IPv6, network byte order; IPv4 as ::ffff:a.b.c.d
 * @daddr:	receiver's address, likewise. For SHK_EV_SOCKET "sender" is the socket's own end
 * @sport:	sender's port, host byte order
 * @dport:	receiver's port, host byte order
 * @kind:	enum shk_kind
 * @where:	for SHK_EV_SEGMENT enum shk_hook, for SHK_EV_SOCKET enum shk_sock_where, for SHK_EV_LOST
 *		enum shk_witness
 * @cpu:	CPU that recorded it
 * @seg:	see struct shk_segment
 * @sock:	see struct shk_socket
 * @lost:	see struct shk_lost
 * @clock:	see struct shk_clock
 */
struct shk_event {
	__u64	ts_ns;
	__u32	netns;
	__u32	ifindex;
	__u8	saddr[16];
	__u8	daddr[16];
	__u16	sport;
	__u16	dport;
	__u8	kind;
	__u8	where;
	__u16	cpu;
	union {
		struct shk_segment	seg;
		struct shk_socket	sock;
		struct shk_lost		lost;
		struct shk_clock	clock;
	};
};

/*
 * ---- The ring ----------------------------------------------------------------------------------
 */

/**
 * struct shk_slot - a place in the ring, 128 octets
 * @stamp:	position + 1 once @ev is complete; see "ONE RING" above. Written by the kernel
 * @ev:		the record
 */
struct shk_slot {
	__u64			stamp;
	struct shk_event	ev;
};

/**
 * struct shk_ring_meta - what a ring is and how it fares; written by the kernel only
 * @abi:	SHK_ABI of the module
 * @meta_size:	sizeof(struct shk_ring_meta) of the module: members may be added at the end
 * @slot_size:	sizeof(struct shk_slot) of the module
 * @cpu:	CPU this ring belongs to
 * @slots:	number of slots, a power of two
 * @reserved:	0
 * @head:	next position to be reserved
 * @seen:	events offered to this ring: those that passed the session's filter
 * @lost:	events dropped because the ring was full
 * @notes:	SHK_EV_LOST records written; they are not events
 * @unannounced: part of @lost that no SHK_EV_LOST record has reported yet
 *
 * At rest, that is after SHK_IOC_STOP: head == seen - lost + notes.
 */
struct shk_ring_meta {
	__u32	abi;
	__u32	meta_size;
	__u32	slot_size;
	__u32	cpu;
	__u64	slots;
	__u64	reserved[5];
	__u64	head;
	__u64	seen;
	__u64	lost;
	__u64	notes;
	__u64	unannounced;
	__u64	reserved2[3];
};

/**
 * struct shk_ring_control - the reader's page
 * @tail:	next position the reader will read: everything before it may be overwritten
 * @reserved:	not looked at
 */
struct shk_ring_control {
	__u64	tail;
	__u64	reserved[7];
};

#define SHK_MMAP_META		0U
#define SHK_MMAP_CONTROL	1U
#define SHK_MMAP_DATA		2U

/* Offset for mmap(). Map exactly one page for META and CONTROL, slots * slot_size for DATA. */
#define SHK_MMAP_OFFSET(cpu, part)	((((__u64)(cpu) << 2) | (part)) << 32)

/*
 * ---- The device --------------------------------------------------------------------------------
 */

/**
 * struct shk_info - SHK_IOC_INFO, the first call. This struct and its number never change.
 * @abi:	out: SHK_ABI of the module
 * @event_size:	out: sizeof(struct shk_event)
 * @nr_cpus:	out: rings are numbered 0 to nr_cpus - 1; numbers of impossible CPUs have no ring
 * @default_slots: out: slots of each ring if SETUP asks for 0
 * @min_slots:	out: smallest ring
 * @max_slots:	out: largest ring
 * @hooks:	out: SHK_HOOK_BIT()s that the module can deliver
 * @reserved:	out: 0
 * @version:	out: the module's version, NUL terminated
 */
struct shk_info {
	__u32	abi;
	__u32	event_size;
	__u32	nr_cpus;
	__u32	default_slots;
	__u32	min_slots;
	__u32	max_slots;
	__u32	hooks;
	__u32	reserved;
	char	version[32];
};

/**
 * struct shk_setup - SHK_IOC_SETUP, once for a session
 * @abi:	SHK_ABI of the reader
 * @slots:	slots of each ring: a power of two, or 0 for the default
 * @hooks:	SHK_HOOK_BIT()s to deliver, or 0 for all
 * @netns:	inode number of the only namespace to deliver, or 0 for all
 * @watermark:	poll() reports POLLIN at once when a ring holds this many records; 0 means slots / 4
 * @poll_ms:	poll() reports POLLIN for any record after at most this many ms, 1 to 1000; 0 means 10
 * @reserved:	must be 0
 */
struct shk_setup {
	__u32	abi;
	__u32	slots;
	__u32	hooks;
	__u32	netns;
	__u32	watermark;
	__u32	poll_ms;
	__u32	reserved[2];
};

/**
 * struct shk_filter - SHK_IOC_FILTER, a classic BPF program run on every segment before the ring
 * @len:	number of instructions; 0 removes the filter
 * @reserved:	must be 0
 * @insns:	user address of struct sock_filter[@len]
 *
 * The program sees the packet from its IP header on (libpcap: DLT_RAW). A segment passes if it
 * returns non-zero. Replacing a filter takes effect for the next segment.
 */
struct shk_filter {
	__u32	len;
	__u32	reserved;
	__u64	insns;
};

/**
 * struct shk_stats - SHK_IOC_STATS, the account of one ring
 * @cpu:	in: which
 * @reserved:	in: must be 0
 * @seen:	out: events that passed the filter
 * @delivered:	out: events written into the ring
 * @lost:	out: events dropped because it was full
 * @filtered:	out: events the filter rejected; they are not in @seen
 * @notes:	out: SHK_EV_LOST records written
 * @unannounced: out: part of @lost that no SHK_EV_LOST record has reported
 *
 * After SHK_IOC_STOP: seen == delivered + lost.
 */
struct shk_stats {
	__u32	cpu;
	__u32	reserved;
	__u64	seen;
	__u64	delivered;
	__u64	lost;
	__u64	filtered;
	__u64	notes;
	__u64	unannounced;
};

/*
 * Where two witnesses of a connection do not agree: bits of a set, and by the number of the bit the places of
 * shk_conflicts.count. The module sees segments alone; whoever reads its events and those of the sockets
 * can tell it.
 */
#define SHK_CONFLICT_ISN	0x0001U	/* a socket's ISN is not the one on the wire */
#define SHK_CONFLICT_BYTES	0x0002U	/* snd_nxt or rcv_nxt at the end is not what the wire shows */
#define SHK_CONFLICT_OPEN	0x0004U	/* one was established, the other was not */
#define SHK_CONFLICT_CLOSE	0x0008U	/* one saw a clean close, the other an abort */
#define SHK_CONFLICT_GAP	0x0010U	/* a socket closed by FINs that the wire did not see */
#define SHK_CONFLICT_COUNT	5

/**
 * struct shk_conflicts - SHK_IOC_CONFLICTS: what the reader has found since it last told
 * @netns:	inode number of the network namespace; if SETUP named one, that
 * @reserved:	must be 0
 * @count:	connections with a conflict of each kind, to be added; 0 from SHK_CONFLICT_COUNT on
 *
 * They are added to the counters reported_conflict_* of that namespace's SHK_PROC: all of them, or on failure
 * none. The module believes what it is told. Readers do not see each other, so what two of them find is
 * counted twice.
 */
struct shk_conflicts {
	__u32	netns;
	__u32	reserved;
	__u64	count[8];
};

/*
 * Errors of all calls: ENOTTY unknown call, EFAULT bad pointer, EINVAL a value out of range or a
 * reserved field that is not 0. Those of one call:
 *
 *	open()		EPERM no CAP_NET_ADMIN in the initial user namespace, EBUSY too many sessions
 *	SETUP		EPROTO @abi differs, EBUSY done already, ENOMEM rings do not fit (or in the cgroup)
 *	FILTER		EINVAL the kernel's checker refused the program
 *	START		ENODATA no SETUP yet, EALREADY running
 *	STOP		EALREADY not running
 *	HOOKS, STATS	ENODATA no SETUP yet; STATS: ENODEV no such CPU
 *	CONFLICTS	ENODATA no SETUP yet, EPERM not the namespace that SETUP named, ENOENT there is
 *			none such, EOVERFLOW a counter would pass 2^64 - 1; ENOTTY: an older module
 *	mmap()		ENODATA no SETUP yet, EINVAL wrong offset or length, ENODEV no such CPU,
 *			EPERM private or executable mapping, or a writable one of a read-only part
 *
 * START after STOP goes on with the same rings and counts. poll() before SETUP reports POLLERR, and
 * after STOP POLLIN as long as there is any record. A child of fork() inherits no mapping.
 */
#ifndef __bpf__
#include <linux/ioctl.h>

#define SHK_IOC_MAGIC	0xb9
#define SHK_IOC_INFO	_IOR(SHK_IOC_MAGIC, 0, struct shk_info)
#define SHK_IOC_SETUP	_IOW(SHK_IOC_MAGIC, 1, struct shk_setup)
#define SHK_IOC_FILTER	_IOW(SHK_IOC_MAGIC, 2, struct shk_filter)
#define SHK_IOC_START	_IO(SHK_IOC_MAGIC, 3)
#define SHK_IOC_STOP	_IO(SHK_IOC_MAGIC, 4)
#define SHK_IOC_HOOKS	_IOW(SHK_IOC_MAGIC, 5, __u32)	/* replaces shk_setup.hooks; 0 means all */
#define SHK_IOC_STATS	_IOWR(SHK_IOC_MAGIC, 6, struct shk_stats)
#define SHK_IOC_CONFLICTS _IOW(SHK_IOC_MAGIC, 7, struct shk_conflicts)
#endif

#endif /* _UAPI_TCPSHAKE_H */
