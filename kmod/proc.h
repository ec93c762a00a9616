/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/net/tcpshake: the counters of the reader's network namespace, "name value" lines. Stable. */
#ifndef SHK_PROC_H
#define SHK_PROC_H

#include <net/net_namespace.h>

int shk_proc_create(struct net *net);
void shk_proc_remove(struct net *net);

#endif /* SHK_PROC_H */
