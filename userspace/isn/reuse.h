/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When a tuple is used again: could an old segment be taken for a new one?
 *
 * What stands in its way, in this order: it is dead (RFC 9293: MSL 120 s; Linux reckons with 30 s), its
 * timestamp is old (RFC 7323 5, PAWS), its sequence number is outside the receiver's window, its
 * acknowledgment number is outside what the receiver may have sent (RFC 5961 5). An old RST is not looked
 * at by PAWS and needs no acknowledgment; it ends a connection if its number is exactly the next one
 * expected.
 *
 * Control segments tell the sequence numbers exactly. They do not tell the receiver's window, so the largest
 * it can have is taken. Timestamps help a direction only if its sender is known to have begun the later use
 * beyond the last TSval of the earlier: one whose clock does not go on from use to use, or of whose last
 * segments nothing is known, is judged by its numbers.
 */
#ifndef SHK_REUSE_H
#define SHK_REUSE_H

#include "engine/conn.h"

#define SHK_MSL_RFC_NS		120000000000ULL
#define SHK_MSL_LINUX_NS	30000000000ULL
#define SHK_PAWS_WINDOW		1 /* TCP_PAWS_WINDOW of Linux: so much older a TSval may be */

/**
 * struct shk_tuple_use - one use of a tuple, as far as it concerns the next. Ends by enum shk_side
 * @first_ns:	its first segment; monotonic
 * @last_ns:	its last
 * @isn_ns:	when each end's ISN was first seen
 * @number:	connections seen closed before it
 * @isn:	initial sequence numbers
 * @end:	the number after the last one sent, FIN included
 * @window:	the most that end can offer the other to send
 * @rst:	it sent an RST, with number @end
 * @timestamps:	both ends agreed on them
 * @last_known:	of an end that is known to have sent no later TSval than @tsval_last
 * @tsval:	the first TSval of each end
 * @tsval_last:	see @last_known
 */
struct shk_tuple_use {
	uint64_t	first_ns, last_ns;
	uint64_t	isn_ns[2];
	uint64_t	number;
	uint32_t	isn[2];
	uint32_t	end[2];
	uint32_t	window[2];
	bool		rst[2];
	bool		timestamps;
	bool		last_known[2];
	uint32_t	tsval[2], tsval_last[2];
};

/* False if a connection did not come about or one of its ISNs is not known. Of an open one, what is known. */
bool shk_use_from_conn(struct shk_tuple_use *use, const struct shk_conn *conn);

/* What stands between the two: everything but @reuse->earlier and .known. */
void shk_reuse_judge(const struct shk_tuple_use *old, const struct shk_tuple_use *new,
		     struct shk_tuple_reuse *reuse);

/* The same with one MSL, with or without what timestamps do, and no margin. */
enum shk_reuse shk_reuse_verdict(const struct shk_tuple_use *old, const struct shk_tuple_use *new,
				 uint64_t msl_ns, bool timestamps);
bool shk_reuse_at_risk(enum shk_reuse verdict);

/* The probability that the two were at risk, had their ISNs been random; likewise. */
double shk_reuse_random_risk(const struct shk_tuple_use *old, const struct shk_tuple_use *new,
			     bool timestamps);

#endif /* SHK_REUSE_H */
