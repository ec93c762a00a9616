/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two hosts on one cable, each a network namespace of this process:
 *
 *	      client              veth              server
 *	┌────────────────┐                    ┌────────────────┐
 *	│  192.0.2.1/24  │────────────────────│  192.0.2.2/24  │
 *	└────────────────┘                    └────────────────┘
 *
 * They have no name: nothing but this process and its sockets holds them, so that however it ends, the
 * kernel takes them away.
 */
#ifndef SHK_DEMO_HOSTS_H
#define SHK_DEMO_HOSTS_H

#include <stdint.h>

#include "engine/conn.h"
#include "error.h"

#define SHK_HOSTS_DEVICE "veth0"		/* on both */

struct shk_hosts {
	int home;		/* the namespace this process was in; -1: none of this exists */
	int ns[2];		/* SHK_CLIENT, SHK_SERVER */
	int ifindex[2];
};

/* Takes CAP_SYS_ADMIN and CAP_NET_ADMIN. 0, or -errno and *err; ends with shk_hosts_down() in either case. */
int shk_hosts_up(struct shk_hosts *hosts, struct shk_error *err);
void shk_hosts_down(struct shk_hosts *hosts);

/* What this thread opens from now on belongs to that host. 0, or -errno and *err. */
int shk_hosts_enter(const struct shk_hosts *hosts, enum shk_side host, struct shk_error *err);

/* In network byte order. */
uint32_t shk_hosts_address(enum shk_side host);

/* A switch of /proc/sys/net/ipv4, on both hosts. 0, or -errno and *err. */
int shk_hosts_sysctl(const struct shk_hosts *hosts, const char *name, int value, struct shk_error *err);

/* A counter of TcpExt, as nstat(8) shows it. 0, or -errno and *err. */
int shk_hosts_counter(const struct shk_hosts *hosts, enum shk_side host, const char *name, uint64_t *value,
		      struct shk_error *err);

#endif /* SHK_DEMO_HOSTS_H */
