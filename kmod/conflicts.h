/* SPDX-License-Identifier: GPL-2.0 */
/* What readers who know the sockets too tell of a namespace: where the two witnesses do not agree. */
#ifndef SHK_CONFLICTS_H
#define SHK_CONFLICTS_H

#include "uapi/tcpshake.h"

/* 0 or the error that the manual names. Process context. */
int shk_conflicts_check(const struct shk_conflicts *conflicts);
int shk_conflicts_add(const struct shk_conflicts *conflicts);

#endif /* SHK_CONFLICTS_H */
