/* SPDX-License-Identifier: GPL-2.0 */
/* What the module keeps for each network namespace: its counters, its hooks, its /proc file. */
#ifndef SHK_NETNS_H
#define SHK_NETNS_H

#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "stats.h"

struct nf_hook_ops;

struct shk_netns {
	struct shk_counters __percpu	*counters;
	struct nf_hook_ops		*hooks;		/* with this as their priv */
};

extern unsigned int shk_netns_id;

static inline struct shk_netns *shk_netns(const struct net *net)
{
	return net_generic(net, shk_netns_id);
}

int shk_netns_init(void);
void shk_netns_exit(void);

#endif /* SHK_NETNS_H */
