// SPDX-License-Identifier: GPL-2.0
#include "socket.h"

#include <errno.h>
#include <string.h>

#include "cookie.h"
#include "handshake.h"
#include "minisock.h"

#define CHILD_LATE_NS 10000000LL /* softirq and clocks in microseconds take less */
#define CLOCK_NS      1000LL     /* the wait is told in microseconds */

/* States of sockets, as in <linux/tcp.h>. */
enum {
	SOCK_ESTABLISHED = 1,
	SOCK_SYN_SENT = 2,
	SOCK_SYN_RECV = 3,
	SOCK_FIN_WAIT1 = 4,
	SOCK_FIN_WAIT2 = 5,
	SOCK_TIME_WAIT = 6,
	SOCK_CLOSE = 7,
	SOCK_CLOSE_WAIT = 8,
	SOCK_LAST_ACK = 9,
	SOCK_CLOSING = 11,
};

static unsigned int other_end(const struct shk_flow *f, unsigned int self)
{
	return f->flags & SHK_FLOW_SELF ? self : self ^ 1;
}

/*
 * ---- Which connection? ---------------------------------------------------------------------------
 */

/* 1 equal, 0 different, -1 one of them is not known. Of a @guess it is enough if it is at most one off. */
static int compare_isn(const struct shk_flow_end *end, uint32_t isn, bool guess)
{
	if (!isn || !(end->has & SHK_HAS_ISN))
		return -1;
	if (guess || end->has & SHK_HAS_ISN_GUESS)
		return isn - end->isn + 1 <= 2;
	return end->isn == isn;
}

/*
 * What answers without a socket has no number of its own: 0. For a socket that was there at the start, which
 * end opened is a guess.
 */
static int compare_own(const struct shk_flow_end *end, const struct shk_socket *sock)
{
	return compare_isn(end, sock->iss, sock->flags & SHK_SOCK_PREEXISTING);
}

bool shk_socket_matches(const struct shk_flow *f, const struct shk_event *ev, unsigned int self)
{
	const struct shk_socket *sock = &ev->sock;
	int own, peer;

	if (shk_minisock_speaks(ev))
		return shk_minisock_matches(f, ev, self);
	own = compare_own(&f->end[self], sock);
	peer = compare_isn(&f->end[other_end(f, self)], sock->irs, false);
	if (own == 1 || peer == 1)
		return true;
	/* Nothing to compare: the opening was not seen, or no socket answers a stray segment. */
	return own < 0 && peer < 0 && (f->phase == SHK_PHASE_MIDSTREAM || !(sock->iss || sock->irs));
}

/*
 * ---- A record that begins with a socket ----------------------------------------------------------
 */

static bool is_synchronised(uint8_t state)
{
	switch (state) {
	case SOCK_ESTABLISHED:
	case SOCK_FIN_WAIT1:
	case SOCK_FIN_WAIT2:
	case SOCK_CLOSE_WAIT:
	case SOCK_LAST_ACK:
	case SOCK_CLOSING:
		return true;
	default:
		return false;
	}
}

/* Not CLOSED: it may be the last word on a connection that was reported long ago. */
bool shk_socket_begins(const struct shk_event *ev)
{
	if (ev->where == SHK_SOCK_EXISTED)
		return is_synchronised(ev->sock.new_state) && ev->sock.irs;
	return ev->where == SHK_SOCK_CONNECTED || ev->where == SHK_SOCK_ACCEPTED;
}

static enum shk_state state_of(uint8_t state)
{
	switch (state) {
	case SOCK_FIN_WAIT1:
		return SHK_FIN_WAIT_1;
	case SOCK_FIN_WAIT2:
		return SHK_FIN_WAIT_2;
	case SOCK_CLOSE_WAIT:
		return SHK_CLOSE_WAIT;
	case SOCK_LAST_ACK:
		return SHK_LAST_ACK;
	case SOCK_CLOSING:
		return SHK_CLOSING;
	default:
		return SHK_ESTABLISHED;
	}
}

static void learn_isn(struct shk_flow_end *end, uint32_t isn, bool guess)
{
	if (!isn || (end->has & SHK_HAS_ISN && (guess || !(end->has & SHK_HAS_ISN_GUESS))))
		return;
	end->isn = isn;
	end->has |= SHK_HAS_ISN;
	if (guess)
		end->has |= SHK_HAS_ISN_GUESS;
	else
		end->has &= ~SHK_HAS_ISN_GUESS;
}

/* What it received tells the other end's number exactly; its own may be a guess, see compare_own(). */
static void learn_isns(struct shk_flow *f, const struct shk_socket *sock, unsigned int self)
{
	learn_isn(&f->end[self], sock->iss, sock->flags & SHK_SOCK_PREEXISTING);
	learn_isn(&f->end[other_end(f, self)], sock->irs, false);
}

/* Of a connection whose opening was not seen, who sent a segment first was taken for the client. */
bool shk_socket_turns(const struct shk_flow *f, const struct shk_event *ev, unsigned int self)
{
	uint8_t role = ev->sock.flags & (SHK_SOCK_ACTIVE | SHK_SOCK_PASSIVE);

	if (f->phase != SHK_PHASE_MIDSTREAM || ev->where != SHK_SOCK_EXISTED || !role)
		return false;
	return f->client != (role & SHK_SOCK_ACTIVE ? self : other_end(f, self));
}

void shk_socket_begin(struct shk_flow *f, const struct shk_event *ev, unsigned int self)
{
	uint64_t age_ns = ev->where == SHK_SOCK_EXISTED ? 0 : ev->sock.value;

	f->phase = ev->where == SHK_SOCK_EXISTED ? SHK_PHASE_MIDSTREAM : SHK_PHASE_OPEN;
	f->client = ev->sock.flags & SHK_SOCK_ACTIVE ? self : other_end(f, self);
	f->first_ns = age_ns < ev->ts_ns ? ev->ts_ns - age_ns : ev->ts_ns;
	f->end[other_end(f, self)].state = SHK_ESTABLISHED;
	f->end[self].state = state_of(ev->sock.new_state);
}

/*
 * ---- What it says --------------------------------------------------------------------------------
 */

/* Who connected or accepted is the better witness of who owns it than who happened to hold or close it. */
static bool is_better_owner(const struct shk_process *known, const struct shk_socket *sock)
{
	bool opener = sock->owner == SHK_OWNER_CONNECT || sock->owner == SHK_OWNER_ACCEPT;

	return !known->pid || (opener && known->owner != sock->owner);
}

static void take_owner(struct shk_flow *f, const struct shk_socket *sock, unsigned int self,
		       struct shk_processes *processes)
{
	struct shk_process process = {
		.pid = sock->tgid,
		.owner = sock->owner < SHK_OWNER_COUNT ? sock->owner : SHK_OWNER_UNKNOWN,
		.cgroup = sock->cgroup,
	};
	uint32_t known = shk_flow_process(f, self);

	if (!sock->tgid || !is_better_owner(shk_processes_at(processes, known), sock))
		return;
	memcpy(process.comm, sock->comm, sizeof(process.comm));
	process.comm[sizeof(process.comm) - 1] = '\0';
	/* The same process has the same bytes: nothing may stand behind the NUL. */
	memset(process.comm + strlen(process.comm), 0, sizeof(process.comm) - strlen(process.comm));
	shk_processes_put(processes, known);
	shk_flow_set_process(f, self, shk_processes_get(processes, &process));
}

/* The end of the sequence space that one side used, as its FIN says: the FIN takes a number itself. */
static bool differs(const struct shk_flow_end *end, uint32_t next)
{
	return end->has & SHK_HAS_FIN && end->end_seq + 1 != next;
}

/* On the wire, so that the wire should have seen the rest too. */
static bool was_opening_seen(const struct shk_flow *f)
{
	return f->synack_low && f->phase == SHK_PHASE_OPEN;
}

static void observe_closed(struct shk_flow *f, const struct shk_event *ev, unsigned int self)
{
	const struct shk_socket *sock = &ev->sock;
	struct shk_flow_socket *own = &f->socket[self];
	uint32_t snd_nxt = sock->value >> 32, rcv_nxt = sock->value;
	bool got_fin = sock->new_state == SOCK_TIME_WAIT || sock->old_state == SOCK_LAST_ACK;

	/* There is a socket: so it got in after all, although the queue had been full. */
	if (own->reason == SHK_REASON_ACCEPT_QUEUE_FULL)
		own->reason = SHK_REASON_NONE;
	own->closed = sock->new_state == SOCK_CLOSE;
	f->orphan = sock->new_state == SOCK_FIN_WAIT2;
	own->unread = !!(sock->flags & SHK_SOCK_UNREAD);
	own->sk_err = sock->sk_err > UINT8_MAX ? UINT8_MAX : sock->sk_err;
	/* It was connected: then its opening is still to come to us, or is lost. */
	if ((f->phase == SHK_PHASE_SYN || f->phase == SHK_PHASE_SYNACK) && sock->old_state != SOCK_SYN_SENT &&
	    sock->old_state != SOCK_SYN_RECV)
		f->flags |= SHK_FLOW_DISORDER;
	/* A FIN may wait behind data when the socket is torn down: only what went out in order compares. */
	if (sock->sk_err || !got_fin || !was_opening_seen(f))
		return;
	if (!(f->end[0].has & f->end[1].has & SHK_HAS_FIN) && !(f->flags & SHK_FLOW_SELF))
		f->conflicts |= SHK_CONFLICT_GAP;
	if (differs(&f->end[self], snd_nxt) || differs(&f->end[other_end(f, self)], rcv_nxt))
		f->conflicts |= SHK_CONFLICT_BYTES;
}

static void observe_accepted(struct shk_flow *f, const struct shk_event *ev)
{
	uint64_t wait_ns = ev->sock.value, made_ns = ev->ts_ns - wait_ns, data_ns = shk_flow_data_ns(f);

	if (ev->sock.flags & SHK_SOCK_DEFERRED)
		f->open_flags |= SHK_OF_DEFERRED;
	/*
	 * The ACK alone did not do, it took data: a connection is queued when its socket is made. A host that
	 * stands still for a while makes a socket late, too, but before the data comes.
	 */
	if (f->ack_low && (int64_t)(made_ns - shk_flow_ack_ns(f)) > CHILD_LATE_NS && data_ns &&
	    (int64_t)(made_ns - data_ns) >= -CLOCK_NS)
		f->open_flags |= SHK_OF_CHILD_LATE;
	f->accepted = 1;
	f->wait_or_data = wait_ns < SHK_ACCEPT_WAIT_MAX ? wait_ns : SHK_ACCEPT_WAIT_MAX;
}

static void learn_fin(struct shk_flow_end *end, uint32_t number)
{
	if (end->has & SHK_HAS_FIN)
		return;
	end->end_seq = number;
	end->has |= SHK_HAS_FIN | SHK_HAS_FIN_ACKED;
}

/* Its state tells of FINs that were acknowledged before anybody watched; when, is not known. */
static void observe_existing(struct shk_flow *f, const struct shk_socket *sock, unsigned int self)
{
	uint32_t snd_nxt = sock->value >> 32, rcv_nxt = sock->value;

	switch (sock->new_state) {
	case SOCK_FIN_WAIT2:
		learn_fin(&f->end[self], snd_nxt - 1);
		break;
	case SOCK_CLOSE_WAIT:
	case SOCK_LAST_ACK:
	case SOCK_CLOSING:
		learn_fin(&f->end[other_end(f, self)], rcv_nxt - 1);
		break;
	}
}

/* By a reset or by another SYN, as the wire shows; else by an error that came in an ICMP message. */
static void observe_dropped(const struct shk_flow *f, struct shk_flow_socket *own)
{
	if (f->phase != SHK_PHASE_SYNACK)
		return;
	own->closed = 1;
	own->reason = SHK_REASON_DROPPED;
}

static void note_conflict_of_isns(struct shk_flow *f, const struct shk_socket *sock, unsigned int self)
{
	int own = compare_own(&f->end[self], sock);
	int peer = compare_isn(&f->end[other_end(f, self)], sock->irs, false);

	if (own == 0 || peer == 0)
		f->conflicts |= SHK_CONFLICT_ISN;
}

void shk_socket_observe(struct shk_flow *f, const struct shk_event *ev, unsigned int self,
			struct shk_processes *processes)
{
	const struct shk_socket *sock = &ev->sock;
	struct shk_flow_socket *own = &f->socket[self];

	own->seen = 1;
	take_owner(f, sock, self, processes);
	/* A new request has another number than the SYN+ACK of the one before. */
	if (ev->where != SHK_SOCK_REQUEST_MADE)
		note_conflict_of_isns(f, sock, self);
	if (f->phase == SHK_PHASE_MIDSTREAM || ev->where == SHK_SOCK_CONNECTED ||
	    ev->where == SHK_SOCK_ACCEPTED)
		learn_isns(f, sock, self);

	switch (ev->where) {
	case SHK_SOCK_ACCEPTED:
		observe_accepted(f, ev);
		f->established |= 1U << self;
		break;
	case SHK_SOCK_EXISTED:
		observe_existing(f, sock, self);
		f->established |= 1U << self;
		break;
	case SHK_SOCK_CONNECTED:
		f->established |= 1U << self;
		break;
	case SHK_SOCK_CLOSED:
		observe_closed(f, ev, self);
		break;
	case SHK_SOCK_REQUEST_MADE:
		f->requested = 1;
		f->clues &= ~SHK_CLUE_COOKIE;
		break;
	case SHK_SOCK_REQUEST_EXPIRED:
		f->requested = 1;
		own->closed = 1;
		if (sock->reason)
			own->reason = sock->reason;
		break;
	case SHK_SOCK_REQUEST_DROPPED:
		observe_dropped(f, own);
		break;
	case SHK_SOCK_ERROR:
		own->sk_err = sock->sk_err > UINT8_MAX ? UINT8_MAX : sock->sk_err;
		break;
	case SHK_SOCK_SYN_REFUSED:
		if (!(f->end[self].has & SHK_HAS_ACK))
			f->end[self].queued = sock->value > UINT32_MAX ? UINT32_MAX : sock->value;
		own->reason = sock->reason;
		break;
	case SHK_SOCK_ACK_REFUSED:
		own->reason = SHK_REASON_ACCEPT_QUEUE_FULL;
		break;
	case SHK_SOCK_RESET_SENT:
		own->reason = sock->reason;
		shk_cookie_observe(f, ev->where, sock);
		break;
	case SHK_SOCK_COOKIE_SENT:
	case SHK_SOCK_COOKIE_VALIDATED:
		shk_cookie_observe(f, ev->where, sock);
		break;
	case SHK_SOCK_TIME_WAIT_REFUSED:
		f->close_flags |= SHK_CLOSE_NO_TIME_WAIT;
		break;
	case SHK_SOCK_TIME_WAIT_ENDED:
	case SHK_SOCK_TIME_WAIT_BROKEN:
	case SHK_SOCK_TIME_WAIT_RESTARTED:
		shk_minisock_observe(f, ev, self);
		break;
	}
}

bool shk_socket_established(const struct shk_flow *f)
{
	return f->established;
}

bool shk_socket_is_over(const struct shk_flow *f)
{
	return f->socket[0].closed || f->socket[1].closed;
}

/*
 * ---- The record ----------------------------------------------------------------------------------
 */

/* Errors that end an established connection against somebody's will. */
static bool is_abort(uint8_t sk_err)
{
	return sk_err == ECONNRESET || sk_err == EPIPE || sk_err == ETIMEDOUT || sk_err == ECONNABORTED;
}

static uint32_t conflicts_of(const struct shk_conn *conn, const struct shk_flow *f)
{
	bool clean =
		conn->close == SHK_C_4SEG || conn->close == SHK_C_3SEG || conn->close == SHK_C_SIMULTANEOUS;
	uint32_t conflicts = f->conflicts;

	/* Loss explains whatever does not fit. */
	if (conn->lost || conn->late || !conn->witness_wire)
		return f->conflicts & SHK_CONFLICT_ISN;
	/* The FINs came after the socket's word, out of the other stream. */
	if (f->end[0].has & f->end[1].has & SHK_HAS_FIN)
		conflicts &= ~SHK_CONFLICT_GAP;
	/* A client whose ACK was refused had been established. */
	if (shk_open_failed(conn->open) && conn->ack_acks_synack != 1 && f->established & (1U << f->client))
		conflicts |= SHK_CONFLICT_OPEN;
	if (clean && (is_abort(f->socket[0].sk_err) || is_abort(f->socket[1].sk_err)))
		conflicts |= SHK_CONFLICT_CLOSE;
	return conflicts;
}

/* A socket is on this host, whatever the hooks have seen. */
static enum shk_side local_side(const struct shk_conn *conn, const struct shk_flow *f)
{
	bool client = conn->local == SHK_CLIENT || conn->local == SHK_BOTH || f->socket[f->client].seen;
	bool server = conn->local == SHK_SERVER || conn->local == SHK_BOTH ||
		      f->socket[other_end(f, f->client)].seen;

	return client && server ? SHK_BOTH : client ? SHK_CLIENT : server ? SHK_SERVER : SHK_NEITHER;
}

static void fill_end(struct shk_end *out, const struct shk_flow *f, unsigned int end,
		     const struct shk_processes *processes)
{
	out->sk_err = f->socket[end].sk_err;
	out->process = *shk_processes_at(processes, shk_flow_process(f, end));
}

void shk_socket_fill(struct shk_conn *conn, const struct shk_flow *f, const struct shk_processes *processes)
{
	conn->witness_socket = f->socket[0].seen || f->socket[1].seen;
	if (!conn->witness_socket)
		return;
	conn->local = local_side(conn, f);
	fill_end(&conn->end[SHK_CLIENT], f, f->client, processes);
	fill_end(&conn->end[SHK_SERVER], f, other_end(f, f->client), processes);
	if (f->accepted)
		conn->accept_wait_ns = f->wait_or_data;
	conn->conflicts = conflicts_of(conn, f);
	/* One of them is wrong, or its loss is still to be announced: which one, nobody can say. */
	if (conn->conflicts && conn->confidence == SHK_CERTAIN)
		conn->confidence = SHK_PARTIAL;
}
