/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a socket says about its connection: the second witness, joined to the first.
 *
 * A socket and the segments belong together if they are of one namespace and tuple and agree on the initial
 * sequence numbers: these tell the uses of a tuple apart. If only one of the two agrees they belong
 * together all the same, and that is a conflict: somebody in between rewrites numbers.
 */
#ifndef SHK_SOCKET_H
#define SHK_SOCKET_H

#include "flow.h"
#include "process.h"

/* Is this the connection that @ev, of the socket at end @self, speaks of? */
bool shk_socket_matches(const struct shk_flow *f, const struct shk_event *ev, unsigned int self);

/* May this event begin a record if no segment did? */
bool shk_socket_begins(const struct shk_event *ev);

/* Makes the blank flow @f what @ev, which may begin a record, says. */
void shk_socket_begin(struct shk_flow *f, const struct shk_event *ev, unsigned int self);

/* Does @ev know that the end opened which was not taken for the client? */
bool shk_socket_turns(const struct shk_flow *f, const struct shk_event *ev, unsigned int self);

/* Takes in what @ev, which matches, says. */
void shk_socket_observe(struct shk_flow *f, const struct shk_event *ev, unsigned int self,
			struct shk_processes *processes);

/* Is the connection over for an end whose socket was witnessed, and does the kernel keep nothing of it? */
bool shk_socket_is_over(const struct shk_flow *f);

/* Was the connection established according to the socket of either end? */
bool shk_socket_established(const struct shk_flow *f);

/* The socket's part of the record, after all other parts are filled. */
void shk_socket_fill(struct shk_conn *conn, const struct shk_flow *f, const struct shk_processes *processes);

#endif /* SHK_SOCKET_H */
