/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the evidence in a flow to the verdicts on its opening and its close, and to who is to blame.
 *
 * The wire speaks first, then the sockets, which know causes. A verdict that neither can tell from another
 * is not guessed: then the general one stands.
 */
#ifndef SHK_VERDICT_H
#define SHK_VERDICT_H

#include "flow.h"

/* @hooks in what follows: SHK_HOOK_BIT()s at which the sources look; 0: not known. */

/* The verdict on the opening as far as it is decided; O_NONE while it is not. */
enum shk_open shk_open_verdict(const struct shk_flow *f, uint32_t hooks);

/* Is what was taken for a segment after the third leg perhaps a wrong ACK? Then nothing is told yet. */
bool shk_open_is_doubtful(const struct shk_flow *f);

/*
 * At the end, when more is known than when the opening was told: an ACK that was taken for the third leg may
 * have been refused. Changes what @f says of it, and returns true, if so.
 */
bool shk_open_revise(struct shk_flow *f);

/* Fills what @conn says of the opening. */
void shk_open_fill(struct shk_conn *conn, const struct shk_flow *f);

/* Likewise of the close; @conn has its opening already. */
void shk_close_fill(struct shk_conn *conn, const struct shk_flow *f);

/* Is it a verdict that rests on what did not happen, or on what is only likely? */
bool shk_open_is_inferred(const struct shk_conn *conn, const struct shk_flow *f);
bool shk_close_is_inferred(const struct shk_conn *conn, const struct shk_flow *f);

/* Fills conn->blame; everything else in @conn is there already. */
void shk_blame_fill(struct shk_conn *conn, const struct shk_flow *f, uint32_t hooks);

/* How far the segments of one end came on this host. */
enum shk_way {
	SHK_WAY_UNKNOWN,	/* none was seen, or too few hooks are observed to tell */
	SHK_WAY_STUCK_OUT,	/* at LOCAL_OUT, but not at POST_ROUTING */
	SHK_WAY_STUCK_FORWARD,	/* at FORWARD, but not at POST_ROUTING */
	SHK_WAY_STUCK_IN,	/* at PRE_ROUTING, but neither at LOCAL_IN nor at FORWARD */
	SHK_WAY_LEFT,		/* at POST_ROUTING */
	SHK_WAY_DELIVERED,	/* at LOCAL_IN */
};

/* Is the server's TCP between hooks that see what it gets and what it answers? */
bool shk_is_server_watched(const struct shk_flow *f);

enum shk_way shk_way_of(const struct shk_flow *f, unsigned int end, uint32_t hooks);

static inline unsigned int shk_flow_server(const struct shk_flow *f)
{
	return f->flags & SHK_FLOW_SELF ? f->client : f->client ^ 1;
}

/* SHK_UNKNOWN_NS if one of the two is not known, or they are not in order. */
static inline uint64_t shk_flow_span(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns && to_ns >= from_ns ? to_ns - from_ns : SHK_UNKNOWN_NS;
}

#endif /* SHK_VERDICT_H */
