/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Initial sequence numbers of our choice, on a kernel that chooses its own: by TCP_REPAIR, which was made
 * to move connections between hosts, and takes CAP_NET_ADMIN.
 *
 * For connect() that is all it takes. For accept() there is no such means: so the server's socket is put
 * together, ESTABLISHED, before the client's SYN comes, with a filter that keeps that SYN from it, and the
 * SYN+ACK is sent by us. From then on the kernel alone does what it always does.
 */
#ifndef SHK_DEMO_FORCED_H
#define SHK_DEMO_FORCED_H

#include <netinet/in.h>
#include <stdbool.h>

#include "demo/wire.h"

/* The next connect() of @fd begins at @isn, which is not 0. 0, or -errno and *err. */
int shk_forced_isn(int fd, uint32_t isn, struct shk_error *err);

/* A socket as accept() would return it, both ends begun at @isn. A descriptor, or -errno and *err. */
int shk_forced_accepted(const struct sockaddr_in *local, const struct sockaddr_in *peer, uint32_t isn,
			bool timestamps, struct shk_error *err);

/* Answers the client's @syn for @fd, in the namespace of @fd, and lifts the filter. 0, or -errno and *err. */
int shk_forced_synack(int fd, const struct shk_wire_segment *syn, uint32_t isn, struct shk_error *err);

#endif /* SHK_DEMO_FORCED_H */
