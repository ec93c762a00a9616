// SPDX-License-Identifier: GPL-2.0
#include "minisock.h"

#include "before.h"
#include "handshake.h"
#include "verdict.h"

enum { SOCK_LISTEN = 10 }; /* as in <linux/tcp.h> */

bool shk_minisock_speaks(const struct shk_event *ev)
{
	return ev->where == SHK_SOCK_TIME_WAIT_ENDED || ev->where == SHK_SOCK_TIME_WAIT_BROKEN ||
	       ev->where == SHK_SOCK_TIME_WAIT_RESTARTED;
}

/* Its snd_nxt lies just behind our FIN. */
static bool is_of(const struct shk_flow *f, const struct shk_event *ev, unsigned int self)
{
	const struct shk_flow_end *end = &f->end[self];
	uint32_t snd_nxt = ev->sock.value >> 32;

	return end->has & SHK_HAS_FIN && end->end_seq + 1 == snd_nxt;
}

/* A SYN may have the tuple: it passed our hooks before it came to the minisock. */
static bool is_given_up_for(const struct shk_flow *f, const struct shk_event *ev, unsigned int self)
{
	return ev->where == SHK_SOCK_TIME_WAIT_BROKEN && ev->sock.new_state == SOCK_LISTEN &&
	       self == shk_flow_server(f) && !((f->end[0].has | f->end[1].has) & SHK_HAS_FIN) &&
	       (f->phase == SHK_PHASE_SYN || f->phase == SHK_PHASE_SYNACK || f->phase == SHK_PHASE_OPEN);
}

bool shk_minisock_matches(const struct shk_flow *f, const struct shk_event *ev, unsigned int self)
{
	return is_of(f, ev, self) || is_given_up_for(f, ev, self);
}

/* What is answered by a reset gets it from no socket, of which not every kernel tells. */
static void observe_broken(struct shk_flow *f, const struct shk_event *ev, unsigned int self)
{
	if (is_of(f, ev, self)) {
		if (ev->sock.new_state != SOCK_LISTEN)
			f->socket[self].reason = SHK_REASON_TIMEWAIT_SOCKET;
		return;
	}
	shk_before_told(f, self, ev->sock.value >> 32, ev->sock.value);
}

void shk_minisock_observe(struct shk_flow *f, const struct shk_event *ev, unsigned int self)
{
	switch (ev->where) {
	case SHK_SOCK_TIME_WAIT_BROKEN:
		observe_broken(f, ev, self);
		break;
	case SHK_SOCK_TIME_WAIT_RESTARTED:
		/* The FIN that an orphan waited for begins the wait, and looks the same. */
		if (!f->orphan)
			f->close_flags |= SHK_CF_TIME_WAIT_RESTARTED;
		f->orphan = 0;
		break;
	case SHK_SOCK_TIME_WAIT_ENDED:
		if (!(f->end[self ^ 1].has & SHK_HAS_FIN))
			f->close_flags |= SHK_CF_MINISOCK_GONE;
		break;
	}
}

uint64_t shk_minisock_age_ns(const struct shk_flow *f, unsigned int self, uint64_t now_ns)
{
	uint64_t fin_ns = f->fin_ns[self ^ 1], acked_ns = shk_flow_finack_ns(f, self);
	uint64_t begin_ns = f->end[self ^ 1].has & SHK_HAS_FIN && fin_ns > acked_ns ? fin_ns : acked_ns;

	return begin_ns && begin_ns <= now_ns ? now_ns - begin_ns : SHK_UNKNOWN_NS;
}
