/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct shk_conn: what the engine says about one connection. The only thing a sink ever sees.
 *
 * Flat, owned by the engine, valid during the callback. Times are CLOCK_MONOTONIC ns as in the events;
 * add real_offset_ns for the time of day. Spans that were not observed are SHK_UNKNOWN_NS.
 */
#ifndef SHK_CONN_H
#define SHK_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uapi/tcpshake.h"

#define SHK_UNKNOWN_NS	UINT64_MAX

enum shk_open {
#define SHK_OPEN(code, outcome, words) SHK_##code,
#include "verdicts.def"
	SHK_O_COUNT
};

enum shk_close {
#define SHK_CLOSE(code, broken, words) SHK_##code,
#include "verdicts.def"
	SHK_C_COUNT
};

/* "O_3WHS" and "three-way handshake"; never NULL for a value of the enum. */
const char *shk_open_code(enum shk_open verdict);
const char *shk_open_words(enum shk_open verdict);
bool shk_open_failed(enum shk_open verdict);	/* decided, and there will be no connection */
const char *shk_close_code(enum shk_close verdict);
const char *shk_close_words(enum shk_close verdict);
bool shk_close_broken(enum shk_close verdict);	/* by RST or by a timer, not by two FINs */

/* shk_conn.open_flags */
#define SHK_OF_SYN_RETRANSMIT		0x0001U
#define SHK_OF_SYNACK_RETRANSMIT	0x0002U
#define SHK_OF_COOKIE			0x0004U	/* the SYN+ACK carried a SYN cookie (RFC 4987) */
#define SHK_OF_DATA_ON_SYN		0x0008U
#define SHK_OF_DATA_ON_ACK		0x0010U
#define SHK_OF_BAD_SYNACK		0x0020U	/* a SYN+ACK whose ack was not client ISN + 1 */
#define SHK_OF_BAD_ACK			0x0040U	/* an ACK that did not cover the SYN+ACK */
#define SHK_OF_CHALLENGE		0x0080U	/* a SYN was answered by a plain ACK */
#define SHK_OF_STALE_ACK_RST		0x0100U	/* and the client answered that by RST */
#define SHK_OF_SYNACK_AFTER_ACK		0x0200U	/* a SYN+ACK was repeated although its ACK had been seen */
#define SHK_OF_ECN			0x0400U	/* agreed on, RFC 3168 */
#define SHK_OF_ACCECN			0x0800U	/* agreed on, RFC 9768 */
#define SHK_OF_MPTCP			0x1000U	/* both ends speak MPTCP, RFC 8684 */
#define SHK_OF_MP_JOIN			0x2000U	/* a further subflow of an MPTCP connection */
#define SHK_OF_CHILD_LATE		0x4000U	/* the listener made its socket long after the ACK */
#define SHK_OF_DEFERRED			0x8000U	/* the listener waits for data, TCP_DEFER_ACCEPT */
#define SHK_OF_COUNT			16
/* "SYN_RETRANSMIT", ...; @bit counts from 0 */
const char *shk_open_flag_name(unsigned int bit);

/* shk_conn.close_flags */
#define SHK_CF_FIN_RETRANSMIT		0x0001U
#define SHK_CF_RST_AFTER_FIN		0x0002U	/* reset although a FIN had been sent */
#define SHK_CF_DATA_AFTER_RST		0x0004U
#define SHK_CF_RST_IN_TIME_WAIT		0x0008U	/* after a clean close (RFC 1337) */
#define SHK_CF_MINISOCK_GONE		0x0010U	/* an end waited for the other FIN, in vain */
#define SHK_CF_RST_CHALLENGED		0x0020U	/* one of another number than expected was answered by ACK */
#define SHK_CF_TIME_WAIT_RESTARTED	0x0040U	/* by a segment that came into it: it lasts longer */
#define SHK_CF_COUNT			7
const char *shk_close_flag_name(unsigned int bit);

enum shk_confidence {
	SHK_CERTAIN,	/* every segment the verdict rests on was seen */
	SHK_INFERRED,	/* something did not happen in the time it would have taken, or is but likely */
	SHK_PARTIAL,	/* part of the evidence is missing: loss, late start, end of input */
};

enum shk_side { SHK_CLIENT = 0, SHK_SERVER = 1, SHK_BOTH = 2, SHK_NEITHER = 3 };

/* RFC 9293 3.3.2, as far as an observer can tell from the segments. */
enum shk_state {
	SHK_CLOSED, SHK_LISTEN, SHK_SYN_SENT, SHK_SYN_RECEIVED, SHK_ESTABLISHED, SHK_FIN_WAIT_1,
	SHK_FIN_WAIT_2, SHK_CLOSE_WAIT, SHK_CLOSING, SHK_LAST_ACK, SHK_TIME_WAIT,
	SHK_STATE_UNKNOWN,
	SHK_STATE_COUNT
};
/* "SYN-SENT", as the RFC spells them; "?" for unknown */
const char *shk_state_name(enum shk_state state);

/* enum shk_reuse: may an old segment of the tuple's earlier use be taken for one of this? */
enum shk_reuse {
#define SHK_REUSE(code, words) SHK_##code,
#include "verdicts.def"
	SHK_REUSE_COUNT
};
const char *shk_reuse_code(enum shk_reuse verdict);
const char *shk_reuse_words(enum shk_reuse verdict);

/* Where a connection broke. */
enum shk_blame_where {
	SHK_BLAME_NOTHING,		/* nothing failed */
	SHK_BLAME_LOCAL_FIREWALL,
	SHK_BLAME_LISTENER,
	SHK_BLAME_LOCAL_STACK,
	SHK_BLAME_APPLICATION,
	SHK_BLAME_NETWORK,
	SHK_BLAME_PEER,
	SHK_BLAME_NONE,			/* something failed, and the evidence names nobody */
	SHK_BLAME_COUNT
};
/* "local_firewall"; NULL for SHK_BLAME_NOTHING */
const char *shk_blame_name(enum shk_blame_where where);

#define SHK_BLAME_SIZE	256
struct shk_blame {
	enum shk_blame_where where;
	char why[SHK_BLAME_SIZE];		/* a sentence that a person can act on */
};

/* Of a bit of shk_conn.conflicts: "ISN", ... */
const char *shk_conflict_name(unsigned int bit);

/**
 * struct shk_process - who holds an end
 * @pid:	process (tgid); 0: not known, and the rest is empty
 * @owner:	how it is known
 * @comm:	name of the thread, NUL terminated
 * @cgroup:	cgroup v2 id; 0: not known
 */
struct shk_process {
	uint32_t	pid;
	enum shk_owner	owner;
	char		comm[16];
	uint64_t	cgroup;
};

enum shk_cookie_fate {
	SHK_COOKIE_NONE,	/* there was none, as far as is known */
	SHK_COOKIE_SENT,	/* and no more is known */
	SHK_COOKIE_VALID,	/* it came back, and has made a socket */
	SHK_COOKIE_INVALID,	/* an ACK brought something else, and nothing came of it later */
	SHK_COOKIE_FATE_COUNT
};
const char *shk_cookie_fate_name(enum shk_cookie_fate fate);	/* "sent", ...; NULL for none */

/**
 * struct shk_cookie - a SYN cookie in the SYN+ACK
 * @fate:	what became of it
 * @kept_known:	@kept is known
 * @kept:	SHK_COOKIE_* of the ABI: what its timestamp keeps of the SYN, 0 if there are no timestamps
 */
struct shk_cookie {
	enum shk_cookie_fate fate;
	bool		kept_known;
	uint8_t		kept;
};

/* The judgments of Wireshark and Zeek on the same connection. */
#define SHK_COMPLETE_SYN	1
#define SHK_COMPLETE_SYNACK	2
#define SHK_COMPLETE_ACK	4
#define SHK_COMPLETE_DATA	8
#define SHK_COMPLETE_FIN	16
#define SHK_COMPLETE_RST	32

#define SHK_HISTORY_SIZE	24
struct shk_compat {
	uint8_t	completeness;		/* SHK_COMPLETE_*, as Wireshark's tcp.completeness */
	char	conn_state[8];		/* Zeek's: "SF", "RSTO", ... */
	char	history[SHK_HISTORY_SIZE];
};

/* An earlier use of the same tuple, if there was one. At the opening, as far as it can be told by then. */
struct shk_tuple_use;			/* isn/reuse.h */
struct shk_tuple_reuse {
	bool		known;
	enum shk_reuse	verdict;	/* with the MSL of RFC 9293, 120 s */
	enum shk_reuse	verdict_30s;	/* with the one that Linux reckons with, half its TIME-WAIT */
	uint64_t	gap_ns;		/* end of the one to beginning of the other */
	int32_t		margin;		/* sequence numbers from old end to new beginning, at worst */
	bool		ts_margin_known; /* each end's last TSval before and first one now are known */
	int32_t		ts_margin;	/* from one to the other, at worst */
	const struct shk_tuple_use *earlier; /* ends as in this connection; valid during the callback */
};

/**
 * struct shk_end - one end of a connection
 * @addr:	as in struct shk_event
 * @port:	host byte order
 * @isn_known:	@isn was seen on a SYN or derived from the ack of a SYN+ACK
 * @isn:	initial sequence number it sent
 * @syn:	SYN segments it sent, without SYN+ACK
 * @synack:	SYN+ACK segments it sent
 * @fin:	segments with FIN it sent
 * @rst:	segments with RST it sent
 * @syn_retransmits: of @syn those that repeat the sequence number of an earlier one; likewise
 *		@synack_retransmits and @fin_retransmits
 * @fin_acked:	the other end acknowledged its FIN
 * @bytes_known: @bytes could be computed
 * @bytes:	octets of data it sent: FIN.seq - ISN - 1, or RST.seq - ISN - 1 after a handshake; modulo 2^32
 * @acked_known: the other end acknowledged something in a control segment
 * @acked:	octets of data it had acknowledged there, modulo 2^32: so many were sent at least
 * @options:	SHK_OPT_* of its SYN or SYN+ACK
 * @syn_flags:	tcp_flags of its SYN or SYN+ACK, for ECN
 * @mss:	if the option was there
 * @wscale:	likewise
 * @tsval_known: its SYN or SYN+ACK had timestamps
 * @tsval:	the first TSval
 * @tsval_last_known: so far as to give @tsval_last
 * @tsval_last:	no segment with data or FIN that it sent had a later TSval; it may be said a little too late
 * @process:	who connected or accepted, if the end is on this host and its socket was witnessed
 * @sk_err:	its socket's error when it was done, an errno; 0: none, or not witnessed
 */
struct shk_end {
	uint8_t		addr[16];
	uint16_t	port;
	bool		isn_known;
	bool		fin_acked;
	bool		bytes_known;
	bool		acked_known;
	uint32_t	isn;
	uint32_t	syn, synack, fin, rst;
	uint32_t	syn_retransmits, synack_retransmits, fin_retransmits;
	uint64_t	bytes;
	uint32_t	acked;
	uint32_t	options;
	uint16_t	syn_flags;
	uint16_t	mss;
	uint8_t		wscale;
	uint8_t		sk_err;
	bool		tsval_known, tsval_last_known;
	uint32_t	tsval, tsval_last;
	struct shk_process process;
};

/* What a segment of the ladder proves, shown with a tick: bits of shk_arrow.proves. */
#define SHK_PROVES_SYN_ACKED	0x01	/* SYN+ACK with ack == client ISN + 1 */
#define SHK_PROVES_SYNACK_ACKED	0x02	/* ACK with ack == server ISN + 1 (or beyond, with data) */
#define SHK_PROVES_FIN_ACKED	0x04	/* ack covers the other end's FIN */
#define SHK_ARROW_RETRANSMIT	0x10	/* not a proof: the same segment was sent before */
#define SHK_ARROW_WRONG_ACK	0x20	/* its ack covers nothing it should */

/**
 * struct shk_arrow - one segment of the ladder, however many hooks saw it
 * @ts_ns:	when each enum shk_hook saw it; 0: it did not
 * @first_ns:	the earliest of them
 * @seq, @ack, @payload_len, @tcp_flags: as in struct shk_segment
 * @from:	SHK_CLIENT or SHK_SERVER
 * @state:	state of client and server after it arrived
 * @proves:	SHK_PROVES_*, SHK_ARROW_*
 */
struct shk_arrow {
	uint64_t	ts_ns[SHK_HOOK_COUNT];
	uint64_t	first_ns;
	uint32_t	seq, ack, payload_len;
	uint16_t	tcp_flags;
	uint8_t		from;
	uint8_t		state[2];
	uint8_t		proves;
};

struct shk_conn {
	uint64_t	id;		/* same events, same id: also in a replay */
	uint32_t	netns;
	uint64_t	first_ns, last_ns;
	int64_t		real_offset_ns;	/* CLOCK_REALTIME - CLOCK_MONOTONIC */
	struct shk_end	end[2];		/* SHK_CLIENT, SHK_SERVER */
	enum shk_side	local;		/* which ends are on this host */

	enum shk_open	open;
	enum shk_open	open_told;	/* what opened() said of it; O_NONE: nothing */
	uint32_t	open_flags;
	uint64_t	syn_synack_ns;	/* first sight of the SYN to first sight of the SYN+ACK */
	uint64_t	synack_ack_ns;	/* first sight of the SYN+ACK to first sight of the ACK */
	uint64_t	open_total_ns;	/* first SYN to ACK, retransmissions included */
	uint64_t	network_ns;	/* of open_total_ns: on the way, and in the other stack */
	uint64_t	host_ns;	/* of open_total_ns: in this host's stack */
	uint64_t	accept_wait_ns;	/* in the accept queue, until accept() returned it */
	struct shk_cookie cookie;
	int8_t		synack_acks_syn;	/* 1 yes, 0 no, -1 not observed */
	int8_t		ack_acks_synack;

	enum shk_close	close;
	enum shk_close	fins;		/* how two FINs stand to each other, whatever decided; or C_NONE */
	enum shk_side	close_by;	/* who sent the first FIN, or the RST */
	uint32_t	close_flags;
	uint64_t	fin_ack_ns;	/* first FIN to the ACK that covers it */
	uint64_t	fin_fin_ns;	/* first FIN to the other end's FIN */
	uint64_t	time_wait_ns;	/* that the kernel kept the tuple in TIME-WAIT */
	bool		half_close;	/* data or time between the first FIN's ACK and the other FIN */
	uint64_t	half_close_ns;	/* first FIN to last FIN, or to the end of the input */
	uint64_t	half_close_bytes; /* data sent by the later closer after it had acked the first FIN */

	struct shk_tuple_reuse reuse;
	struct shk_blame blame;
	struct shk_compat compat;

	enum shk_confidence confidence;
	uint32_t	conflicts;	/* SHK_CONFLICT_* */
	bool		witness_wire, witness_socket;
	bool		evicted;	/* the table was full and this connection was the oldest */
	uint64_t	lost;		/* events lost anywhere while it lived */
	uint64_t	late;		/* its events that came after the merge window */

	const struct shk_arrow *arrows;	/* in order of first sight; NULL unless the engine was asked */
	uint32_t	n_arrows;
	uint32_t	arrows_dropped;	/* segments beyond the limit asked for */
};

#endif /* SHK_CONN_H */
