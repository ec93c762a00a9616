/* SPDX-License-Identifier: GPL-2.0 */
/* All network namespaces that can be found: of this process, named ones, and those of any process. */
#ifndef SHK_NETNS_LIST_H
#define SHK_NETNS_LIST_H

#include <stdint.h>

/* Once or more for each namespace; @fd is open during the call. Not 0 ends the search and is returned. */
typedef int shk_netns_fn(void *arg, int fd, uint32_t inode);

int shk_netns_each(shk_netns_fn *fn, void *arg);

/* Calls @fn in the namespace of which @fd is, and comes back. What it returned, or -errno. */
int shk_netns_within(int fd, int (*fn)(void *arg), void *arg);

#endif /* SHK_NETNS_LIST_H */
