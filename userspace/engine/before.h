/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One use of a tuple after another: where the new one begins, and what the earlier one tells of it. Did it
 * come out of a TIME-WAIT, or with a SYN cookie?
 */
#ifndef SHK_BEFORE_H
#define SHK_BEFORE_H

#include "flow.h"

/*
 * Does @ev, a segment of end @from, begin another connection than the one @f remembers? @over: that one has
 * ended. @hooks: where the sources look.
 */
bool shk_before_is_left(const struct shk_flow *f, const struct shk_event *ev, unsigned int from, bool over,
			uint32_t hooks);

/* @f begins with @ev, a SYN of end @client; @old is the tuple's earlier use, which is over. */
void shk_before_remember(struct shk_flow *f, const struct shk_flow *old, const struct shk_event *ev,
			 unsigned int client);

/* @ev is a SYN+ACK of end @server that acknowledges the SYN; its number is not learnt yet. */
void shk_before_compare(struct shk_flow *f, unsigned int server, const struct shk_event *ev);

/* The end @server was in TIME-WAIT, with these numbers, when the SYN of @f came and ended that. */
void shk_before_told(struct shk_flow *f, unsigned int server, uint32_t snd_nxt, uint32_t rcv_nxt);

#endif /* SHK_BEFORE_H */
