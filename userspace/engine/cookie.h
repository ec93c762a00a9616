/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SYN cookies (RFC 4987): a SYN+ACK whose number the host needs not remember, for it can compute it again.
 * What it would forget of the SYN, it keeps in the low bits of its timestamp, if the client uses timestamps.
 */
#ifndef SHK_COOKIE_H
#define SHK_COOKIE_H

#include "flow.h"

/* Takes in what @sock, of an event that speaks of a cookie, says. */
void shk_cookie_observe(struct shk_flow *f, uint8_t where, const struct shk_socket *sock);

/* Fills conn->cookie; the opening, the ends and the witnesses in @conn are there already. */
void shk_cookie_fill(struct shk_conn *conn, const struct shk_flow *f);

#endif /* SHK_COOKIE_H */
