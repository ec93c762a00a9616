/* SPDX-License-Identifier: GPL-2.0 */
/* The module's device: opening it, and saying in words why that failed. */
#ifndef SHK_DEVICE_H
#define SHK_DEVICE_H

#include "error.h"
#include "uapi/tcpshake.h"

/* A file descriptor and what the module says of itself; or -errno and *err. Any ABI is accepted. */
int shk_device_open(struct shk_info *info, struct shk_error *err);

#endif /* SHK_DEVICE_H */
