/* SPDX-License-Identifier: GPL-2.0 */
/* The ten netfilter hooks of a network namespace: five places, IPv4 and IPv6. */
#ifndef SHK_HOOK_H
#define SHK_HOOK_H

#include "netns.h"

int shk_hook_register(struct net *net, struct shk_netns *ns);
void shk_hook_unregister(struct net *net, struct shk_netns *ns);

#endif /* SHK_HOOK_H */
