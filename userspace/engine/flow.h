/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The flow table: everything the engine remembers of a connection, and when to look at it again.
 *
 * A flow is found by its tuple and namespace through a keyed hash, and is always on one list. Each list
 * stands for one span of waiting and is ordered by the time of its flows' last event, so the next flow
 * to expire is at the head of some list, and so is the one that has been silent longest. Links are
 * 32-bit indices: half the size of pointers, and a flow stays within 256 octets.
 */
#ifndef SHK_FLOW_H
#define SHK_FLOW_H

#include "conn.h"
#include "tuple.h"

#define SHK_NO_FLOW	 UINT32_MAX
#define SHK_PROCESS_BITS 24

/* What a flow waits for. The spans are in flow.c. */
enum shk_list {
	SHK_LIST_LIVE,		/* nothing: an open or half-closed connection may be silent for ever */
	SHK_LIST_LINGER,	/* stragglers of a connection that has ended */
	SHK_LIST_TOMBSTONE,	/* reported; kept to recognise what still comes of it */
	SHK_LIST_CLOSING,	/* the acknowledgment of a FIN */
	SHK_LIST_EMBRYO,	/* the answer to a SYN or SYN+ACK; longer after each retransmission */
	SHK_LIST_EMBRYO_2,
	SHK_LIST_EMBRYO_3,
	SHK_LIST_EMBRYO_4,
	SHK_LIST_EMBRYO_5,
	SHK_LIST_EMBRYO_6,
	SHK_LIST_EMBRYO_7,
	SHK_LIST_COUNT,
	SHK_LIST_NONE = SHK_LIST_COUNT,
};

/* shk_flow_end.has */
#define SHK_HAS_ISN		0x01
#define SHK_HAS_FIN		0x02	/* end_seq is the FIN's number */
#define SHK_HAS_RST		0x04	/* it sent an RST that ended something: end_seq, if there is no FIN */
#define SHK_HAS_FIN_ACKED	0x08	/* the other end acknowledged the FIN */
#define SHK_HAS_ACK		0x10	/* ack is valid */
#define SHK_HAS_SYNACKED	0x20	/* the other end's acknowledgment of our SYN or SYN+ACK was seen */
#define SHK_HAS_SYN_DATA	0x40
#define SHK_HAS_ISN_GUESS	0x80	/* isn may be one off: its socket was there before us */

/* One end, by its place in the tuple: 0 the lower, 1 the higher. */
struct shk_flow_end {
	uint32_t isn;
	uint32_t end_seq;
	union {
		uint32_t ack;	 /* latest acknowledgment number seen from it */
		uint32_t queued; /* it never sent one: length of the queue that was full, 0 if none was */
	};
	uint32_t tsval;		/* of its SYN or SYN+ACK, if that had timestamps */
	uint16_t syn, synack, fin, rst;
	uint16_t mss;
	uint16_t syn_flags : 12;
	uint16_t state : 4;	/* enum shk_state */
	uint16_t options;	/* the low bits of SHK_OPT_*: those with a name */
	uint8_t syn_retransmits, synack_retransmits, fin_retransmits;
	uint8_t wscale;
	uint8_t hooks;		/* where its segments were seen: SHK_HOOK_BIT()s */
	uint8_t has;
};

/* Beside those of the kernel: a request ended without its timer, and nothing shows why. */
#define SHK_REASON_DROPPED	SHK_REASON_COUNT

/* What the socket of one end has told. */
struct shk_flow_socket {
	uint16_t seen : 1;
	uint16_t closed : 1;	/* it is done, and the kernel keeps nothing of it; below: how */
	uint16_t unread : 1;	/* octets had arrived that were never read */
	uint16_t reason : 5;	/* enum shk_reason of the RST it sent, or of what it dropped */
	uint16_t sk_err : 8;	/* an errno */
};

/* A segment seen lately, so that its next hook is recognised. */
struct shk_flow_recent {
	uint16_t hooks : 6;	/* SHK_HOOK_BIT()s; 0: no segment */
	uint16_t arrow : 10;	/* its place in the ladder */
};

#define SHK_RST_LOW_BITS 6
#define SHK_FLOW_RECENT 3
#define SHK_NO_ARROW	1023	/* so many segments has a ladder at most */

/* How the second FIN stands to the first, where their times do not tell. */
enum shk_fins {
	SHK_FINS_AFTER_ACK,	/* it came after the ACK of the first */
	SHK_FINS_ACKS,		/* it was that ACK */
	SHK_FINS_CROSSED,	/* it was sent before the first arrived */
};

struct shk_arrows {
	uint32_t n;
	uint32_t dropped;
	struct shk_arrow arrow[];
};

/*
 * What it takes to find a flow comes first and fills one cache line: with many flows, each further line is a
 * miss. Times are 0 until they happened. Those with 48 bits are the low bits of a time that lies within
 * 39 hours of another one, and shk_flow_*_ns() give them back whole.
 */
struct shk_flow {
	uint32_t hash_next;	/* also links free flows */
	uint32_t prev, next;
	uint32_t flags : 8;	/* SHK_FLOW_* */
	uint32_t list : 4;	/* enum shk_list */
	uint32_t phase : 4;	/* enum shk_phase, handshake.h */
	uint32_t client : 1;	/* which end opened */
	uint32_t accepted : 1;	/* tells what wait_or_data is */
	uint32_t cookie : 10;	/* SHK_FLOW_COOKIE_* */
	uint32_t requested : 1;	/* a listener had taken the SYN, by its own word */
	uint32_t orphan : 1;	/* a minisock waits for the other FIN */
	uint32_t met_time_wait : 1; /* a socket told that the SYN came into a TIME-WAIT and ended it */

	uint64_t addr[2][2];
	uint16_t port[2];
	uint32_t netns;
	uint64_t last_ns;

	struct shk_flow_end end[2];

	uint64_t first_ns;
	uint64_t syn_low : 48;
	uint64_t open_flags : 16;
	uint64_t synack_low : 48;
	uint64_t close_flags : 16;
	uint64_t ack_low : 48;	/* of the SYN+ACK */
	uint64_t late : 16;
	uint64_t fin_ns[2];	/* [whose FIN]; of an end that sent none its RST */
	uint64_t finack0_low : 48;
	uint64_t conflicts : 5;	/* SHK_CONFLICT_* */
	/* of compat.c: what Wireshark holds to be several streams, SHK_COMPLETE_* */
	uint64_t stream : 6;	/* the first, as it was when a SYN of another number began the next; or 0 */
	uint64_t stream_next : 5; /* of the next, but SYN; if this use is the next, what came before it */
	uint64_t finack1_low : 48;
	/* of compat.c, as the history below */
	uint64_t rst_low : 12;	/* low bits of the number of each end's last RST, SHK_RST_LOW_BITS each */
	uint64_t fin_rst : 2;	/* by end: its odd combination of flags was FIN and RST */
	uint64_t seen_fin : 1;	/* a segment with FIN and ACK */
	uint64_t several : 1;	/* more segments than one */
	/*
	 * Once accept() has returned it, how long it was queued; SHK_ACCEPT_WAIT_MAX: that or more. Until
	 * then the low bits of when the client's first data came.
	 */
	uint64_t wait_or_data : 48;

	uint64_t open : 8;	/* enum shk_open, O_NONE until decided */
	uint64_t rst_by : 1;	/* end that sent the first RST */
	uint64_t fin_last : 1;	/* end whose FIN we saw second */
	uint64_t fins : 2;	/* enum shk_fins */
	uint64_t seen_ack : 1;	/* a segment with ACK, without SYN and data */
	uint64_t seen_data : 1;	/* one with data, and either SYN or ACK */
	uint64_t established : 2; /* the sockets of end 0 and 1 were */

	uint64_t history;	/* Zeek's letters, four bits each, the first one lowest: compat.c */
	uint64_t process0 : SHK_PROCESS_BITS; /* of end 0 in the engine's table of processes; 0: not known */
	uint64_t process1 : SHK_PROCESS_BITS;
	uint64_t tsval_span : 16; /* of tsval.c: how far the TSvals of the faster end went on */
	struct shk_flow_socket socket[2];
	/* Of the segment that was first to acknowledge a FIN; in SYNACK of the SYN+ACK before the last. */
	uint32_t finack_seq;
	uint32_t lost_at;	/* the engine's count of lost events when the flow began */
	uint32_t recent_signature[SHK_FLOW_RECENT];
	struct shk_flow_recent recent[SHK_FLOW_RECENT]; /* newest first, like their signatures */
	uint16_t clues;		/* SHK_CLUE_* */
};

/* shk_flow_end.options, above those that sinks are told of. */
#define SHK_END_OPTIONS		0x0fff
#define SHK_END_MP_JOIN		0x1000	/* its SYN or SYN+ACK belongs to a further subflow */
#define SHK_END_TFO_COOKIE	0x2000	/* its Fast Open option held a cookie */
#define SHK_END_TSECR		0x4000	/* its SYN echoed a timestamp, though it had heard none yet */
#define SHK_END_TSVAL_LAST	0x8000	/* its FIN or RST had a timestamp: it sent no data with a later one */

/* shk_flow.clues: what tells one cause from another. "Before" is the tuple's earlier use. */
#define SHK_CLUE_TFO_ACKED	0x0001	/* the SYN+ACK acknowledged data of the SYN */
#define SHK_CLUE_RST_SHAPE_SHIFT 1	/* enum shk_rst_shape of the RST that ended it, two bits */
#define SHK_CLUE_SYN_INSIDE_0	0x0008	/* end 0 sent a SYN with another number into the connection */
#define SHK_CLUE_SYN_INSIDE_1	0x0010
#define SHK_CLUE_SYN_CHALLENGED	0x0020	/* which was answered by an ACK */
#define SHK_CLUE_HALF_OPEN	0x0040	/* and that by an RST: the end had forgotten it */
#define SHK_CLUE_BEFORE		0x0080	/* that use is known */
#define SHK_CLUE_TW_CLIENT	0x0100	/* it left the client's end in TIME-WAIT when this SYN was sent */
#define SHK_CLUE_TW_SERVER	0x0200	/* likewise the server's end */
#define SHK_CLUE_TW_BELOW	0x0400	/* the SYN's number does not lie above what that end had received */
#define SHK_CLUE_TW_ISN_CLIENT	0x0800	/* the client's ISN follows from its last number before */
#define SHK_CLUE_TW_ISN_SERVER	0x1000	/* likewise the server's ISN */
#define SHK_CLUE_COOKIE		0x2000	/* the server's ISN moved as the client's did: a SYN cookie */
#define SHK_CLUE_TRANSLATED	0x4000	/* the SYN was seen under another tuple too: NAT */
#define SHK_CLUE_OTHER_SYN	0x8000	/* the client tried again with another number */

/* shk_flow.cookie */
#define SHK_FLOW_COOKIE_KEPT	0x07f	/* SHK_COOKIE_* of the ABI */
#define SHK_FLOW_COOKIE_TOLD	0x080	/* a socket told what is kept */
#define SHK_FLOW_COOKIE_VALID	0x100	/* it came back */
#define SHK_FLOW_COOKIE_INVALID	0x200	/* something else came */

/* What answered what (net/ipv4/tcp_ipv4.c, tcp_v4_send_reset; tcp_output.c, tcp_send_active_reset). */
enum shk_rst_shape {
	SHK_RST_UNKNOWN,
	SHK_RST_ANSWERS_NO_ACK,	/* seq 0, ack behind the segment: that had no ACK, and met no socket */
	SHK_RST_ANSWERS_ACK,	/* seq of the segment's ack, no ACK: likewise */
	SHK_RST_DELIBERATE,	/* seq and ack of a connection: somebody aborted it */
};

/* shk_flow.close_flags, above those that sinks are told of. */
#define SHK_CLOSE_FLAGS		((1U << SHK_CF_COUNT) - 1)
#define SHK_CLOSE_NO_TIME_WAIT	0x0800	/* there was no room for the TIME-WAIT that it should have led to */
#define SHK_CLOSE_RST_EXACT	0x1000	/* the RST has the number that its receiver expects */
#define SHK_CLOSE_FINACK_DATA	0x2000	/* the first segment to acknowledge a FIN carried data */
#define SHK_CLOSE_RST_SOON	0x4000	/* the RST came within SHK_SOON_NS of the ACK of its sender's FIN */
#define SHK_CLOSE_RST_AT_ONCE	0x8000	/* likewise, with nothing in between */

#define SHK_SOON_NS	1000000000ULL	/* longer than most round trips */
#define SHK_AT_ONCE_NS	1000000ULL	/* a host's TCP answers a segment in that time, or not that segment */
#define SHK_SOFTIRQ_NS	100000ULL	/* and mostly in this */

static inline enum shk_rst_shape shk_flow_rst_shape(const struct shk_flow *f)
{
	return f->clues >> SHK_CLUE_RST_SHAPE_SHIFT & 3;
}

#define SHK_ACCEPT_WAIT_MAX	((1ULL << 48) - 1)

_Static_assert(SHK_STATE_COUNT <= 16, "a state has four bits");
_Static_assert(SHK_REASON_DROPPED < 32, "a reason has five bits");
_Static_assert(SHK_CONFLICT_COUNT <= 5, "a flow has room for five conflicts");
_Static_assert(sizeof(struct shk_flow) <= 256, "a live connection costs at most 256 octets");
_Static_assert(offsetof(struct shk_flow, end) == 64, "what find and touch need is the first cache line");

/* The time next to @near_ns whose low 48 bits are @low; 0 for 0. */
static inline uint64_t shk_flow_whole_ns(uint64_t low, uint64_t near_ns)
{
	int64_t distance = (int64_t)((low - near_ns) << 16) >> 16;

	return low ? near_ns + distance : 0;
}

/* A time's low 48 bits; never 0. */
static inline uint64_t shk_flow_low(uint64_t ns)
{
	ns &= (1ULL << 48) - 1;
	return ns ? ns : 1;
}

static inline uint64_t shk_flow_syn_ns(const struct shk_flow *f)
{
	return shk_flow_whole_ns(f->syn_low, f->first_ns);
}

static inline uint64_t shk_flow_synack_ns(const struct shk_flow *f)
{
	return shk_flow_whole_ns(f->synack_low, f->first_ns);
}

/* When the SYN+ACK was acknowledged. */
static inline uint64_t shk_flow_ack_ns(const struct shk_flow *f)
{
	return shk_flow_whole_ns(f->ack_low, f->first_ns);
}

/* When data of the client arrived, if accept() has not returned yet. */
static inline uint64_t shk_flow_data_ns(const struct shk_flow *f)
{
	return f->accepted ? 0 : shk_flow_whole_ns(f->wait_or_data, f->first_ns);
}

/* When the FIN of end @i was acknowledged. */
static inline uint64_t shk_flow_finack_ns(const struct shk_flow *f, unsigned int i)
{
	return shk_flow_whole_ns(i ? f->finack1_low : f->finack0_low, f->fin_ns[i]);
}

static inline void shk_flow_set_finack_ns(struct shk_flow *f, unsigned int i, uint64_t ns)
{
	if (i)
		f->finack1_low = shk_flow_low(ns);
	else
		f->finack0_low = shk_flow_low(ns);
}

static inline uint32_t shk_flow_process(const struct shk_flow *f, unsigned int i)
{
	return i ? f->process1 : f->process0;
}

static inline void shk_flow_set_process(struct shk_flow *f, unsigned int i, uint32_t process)
{
	if (i)
		f->process1 = process;
	else
		f->process0 = process;
}

#define SHK_FLOW_OPENED		0x01	/* opened() was called */
#define SHK_FLOW_REPORTED	0x02	/* closed() was called: a tombstone */
#define SHK_FLOW_EXPIRED	0x04	/* a wait ended without what it was for */
#define SHK_FLOW_DISORDER	0x08	/* an effect was seen without its cause, or before it */
#define SHK_FLOW_SELF		0x10	/* both ends are the same */
#define SHK_FLOW_SYNACK_OK	0x20	/* a SYN+ACK acknowledged the SYN correctly */
#define SHK_FLOW_SYNACK_BAD	0x40	/* one did not */
#define SHK_FLOW_EVICTED	0x80

/*
 * Is there an RST of which it is not known that it was heeded, while the socket that got it was seen open and
 * not closed? Then it was not: it is a matter of microseconds.
 */
static inline bool shk_flow_rst_is_doubtful(const struct shk_flow *f)
{
	unsigned int by = f->rst_by, to = by ^ 1;

	return f->end[by].has & SHK_HAS_RST && !(f->end[to].has & SHK_HAS_RST) &&
	       !(f->flags & SHK_FLOW_SELF || f->close_flags & SHK_CLOSE_RST_EXACT) &&
	       f->established >> to & 1 && !f->socket[0].closed && !f->socket[1].closed;
}

struct shk_flows;

/*
 * NULL if memory is short. @linger_ns is the span of SHK_LIST_LINGER, and what the others wait for stragglers
 * when their own span is over; @ladders: segments are kept too.
 */
struct shk_flows *shk_flows_new(uint32_t max, const uint64_t hash_key[2], uint64_t linger_ns, bool ladders);
void shk_flows_free(struct shk_flows *t);

/* The hash of a tuple under the table's key, to be passed to find and add. */
uint64_t shk_flows_hash(const struct shk_flows *t, const struct shk_tuple *tuple);

/*
 * Three steps towards what find and touch will need of memory, each to be taken when there was time for the
 * one before. They change nothing.
 */
void shk_flows_fetch_bucket(const struct shk_flows *t, uint64_t hash);
void shk_flows_fetch_flow(const struct shk_flows *t, uint64_t hash);
void shk_flows_fetch_links(const struct shk_flows *t, const struct shk_tuple *tuple, uint64_t hash);

struct shk_flow *shk_flows_find(struct shk_flows *t, const struct shk_tuple *tuple, uint64_t hash);

/* A new flow, all zero but for its key, on no list. NULL if the table is full or memory is short. */
struct shk_flow *shk_flows_add(struct shk_flows *t, const struct shk_tuple *tuple, uint64_t hash);
void shk_flows_remove(struct shk_flows *t, struct shk_flow *f);

/* Puts @f last on @list. @now_ns never goes back from call to call. */
void shk_flows_touch(struct shk_flows *t, struct shk_flow *f, enum shk_list list, uint64_t now_ns);

/* The span of a list, in ns, without the time for stragglers. */
uint64_t shk_list_span_ns(enum shk_list list);

/*
 * A flow whose wait was over at @now_ns, the one that was over first, and when that was; NULL if there
 * is none.
 */
struct shk_flow *shk_flows_expired(struct shk_flows *t, uint64_t now_ns, uint64_t *when_ns);

/*
 * The flow to give up: the oldest tombstone, else the oldest that lingers, else the one that has been
 * silent longest. NULL if empty.
 */
struct shk_flow *shk_flows_oldest(struct shk_flows *t);

uint32_t shk_flows_count(const struct shk_flows *t);

/* Where the ladder of @f is kept, NULL if none is: it holds NULL until there is a segment. */
struct shk_arrows **shk_flows_arrows(struct shk_flows *t, const struct shk_flow *f);

/* Room for one more segment of a ladder, or NULL: over @max (then counted as dropped), or no memory. */
struct shk_arrow *shk_arrows_add(struct shk_arrows **arrows, uint32_t max);

#endif /* SHK_FLOW_H */
