// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>

#include "hook.h"
#include "netns.h"
#include "proc.h"

unsigned int shk_netns_id __read_mostly;

static int __net_init shk_netns_enter(struct net *net)
{
	struct shk_netns *ns = shk_netns(net);
	int err;

	ns->counters = alloc_percpu_gfp(struct shk_counters, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!ns->counters)
		return -ENOMEM;
	err = shk_proc_create(net);
	if (err)
		goto free_counters;
	/* From here on packets come in. */
	err = shk_hook_register(net, ns);
	if (err)
		goto remove_proc;
	return 0;

remove_proc:
	shk_proc_remove(net);
free_counters:
	free_percpu(ns->counters);
	return err;
}

/*
 * Unregistering a hook does not wait for those who are inside. The core does: after all pre_exit() and
 * before any exit() it lets a grace period pass, when a namespace dies and when the module is unloaded.
 */
static void __net_exit shk_netns_close(struct net *net)
{
	shk_hook_unregister(net, shk_netns(net));
}

/* No packet of this namespace is in our hands any more. */
static void __net_exit shk_netns_leave(struct net *net)
{
	struct shk_netns *ns = shk_netns(net);

	kfree(ns->hooks);
	shk_proc_remove(net);
	free_percpu(ns->counters);
}

static struct pernet_operations shk_netns_ops = {
	.init = shk_netns_enter,
	.pre_exit = shk_netns_close,
	.exit = shk_netns_leave,
	.id = &shk_netns_id,
	.size = sizeof(struct shk_netns),
};

int __init shk_netns_init(void)
{
	return register_pernet_subsys(&shk_netns_ops);
}

void shk_netns_exit(void)
{
	unregister_pernet_subsys(&shk_netns_ops);
}
