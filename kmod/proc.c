// SPDX-License-Identifier: GPL-2.0
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "netns.h"
#include "proc.h"

#define SHK_PROC_NAME "tcpshake"

static int shk_proc_show(struct seq_file *m, void *v)
{
	struct shk_netns *ns = shk_netns(seq_file_single_net(m));
	unsigned int i;

	for (i = 0; i < SHK_STAT_COUNT; i++)
		seq_printf(m, "%s %llu\n", shk_stats_name(i), shk_stats_sum(ns->counters, i));
	return 0;
}

int shk_proc_create(struct net *net)
{
	if (!proc_create_net_single(SHK_PROC_NAME, 0444, net->proc_net, shk_proc_show, NULL))
		return -ENOMEM;
	return 0;
}

void shk_proc_remove(struct net *net)
{
	remove_proc_entry(SHK_PROC_NAME, net->proc_net);
}
