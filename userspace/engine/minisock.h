/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Minisocks: what Linux keeps of a connection in TIME-WAIT, or in a FIN-WAIT-2 that no application waits for
 * any more. They tell no ISNs, but the last numbers, so what they say is matched by these.
 */
#ifndef SHK_MINISOCK_H
#define SHK_MINISOCK_H

#include "flow.h"

/* Does @ev, a socket event, come from a minisock? */
bool shk_minisock_speaks(const struct shk_event *ev);

/* Is this the connection whose minisock, at end @self, speaks? Or the next one, whose SYN has ended it? */
bool shk_minisock_matches(const struct shk_flow *f, const struct shk_event *ev, unsigned int self);

/* Takes in what @ev, which matches, says. */
void shk_minisock_observe(struct shk_flow *f, const struct shk_event *ev, unsigned int self);

/* How long the end @self was in TIME-WAIT, or waited for the other FIN in vain, if that ends at @now_ns. */
uint64_t shk_minisock_age_ns(const struct shk_flow *f, unsigned int self, uint64_t now_ns);

#endif /* SHK_MINISOCK_H */
