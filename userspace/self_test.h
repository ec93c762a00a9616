/* SPDX-License-Identifier: GPL-2.0 */
/* A little traffic of our own, by which an observer can be seen to observe. */
#ifndef SHK_SELF_TEST_H
#define SHK_SELF_TEST_H

#include <stdint.h>

#include "error.h"

/* Moves this process into a new network namespace with lo up. 0, or -errno and *err. */
int shk_self_test_namespace(uint32_t *inode, struct shk_error *err);

/*
 * Over loopback: a connection opened, accepted, used and closed by both ends, one that nobody listens for,
 * and one that is reset. 0, or -errno and *err.
 */
int shk_self_test_traffic(struct shk_error *err);

#endif /* SHK_SELF_TEST_H */
