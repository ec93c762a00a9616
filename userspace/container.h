/* SPDX-License-Identifier: GPL-2.0 */
/* Which container a cgroup belongs to, told from nothing but its path. */
#ifndef SHK_CONTAINER_H
#define SHK_CONTAINER_H

#include <stdbool.h>

#define SHK_CONTAINER_SIZE 72	/* an id of 64 hexadecimal digits, or the name of a machine */

/*
 * The innermost container on @path, as docker, podman, CRI-O, containerd and kubernetes (each by itself or
 * through systemd), systemd-nspawn, systemd-machined and LXC name their cgroups. False, and "": none.
 */
bool shk_container_of(const char *path, char id[SHK_CONTAINER_SIZE]);

#endif /* SHK_CONTAINER_H */
