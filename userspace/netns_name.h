/* SPDX-License-Identifier: GPL-2.0 */
/* Network namespaces as people name them: for ip-netns(8), by inode number, or "self". */
#ifndef SHK_NETNS_NAME_H
#define SHK_NETNS_NAME_H

#include <stdint.h>

#include "error.h"

#define SHK_NETNS_DIR	"/run/netns"

/*
 * Sets *inode to the namespace's number as the module tells it; 0 for "all". 0, or -EINVAL and *err.
 * A number is taken as it is: it may name a namespace that only a process holds open.
 */
int shk_netns_inode(const char *name, uint32_t *inode, struct shk_error *err);

/* Moves the calling thread into the namespace; not for "all". 0 or -errno and *err. */
int shk_netns_enter(const char *name, struct shk_error *err);

#endif /* SHK_NETNS_NAME_H */
