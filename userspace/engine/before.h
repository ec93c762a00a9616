/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tuple's earlier use tells of a new connection: did it come out of a TIME-WAIT, or with a SYN
 * cookie?
 */
#ifndef SHK_BEFORE_H
#define SHK_BEFORE_H

#include "flow.h"

/* @f begins with @ev, a SYN of end @client; @old is the tuple's earlier use, which is over. */
void shk_before_remember(struct shk_flow *f, const struct shk_flow *old, const struct shk_event *ev,
			 unsigned int client);

/* @ev is a SYN+ACK of end @server that acknowledges the SYN; its number is not learnt yet. */
void shk_before_compare(struct shk_flow *f, unsigned int server, const struct shk_event *ev);

#endif /* SHK_BEFORE_H */
