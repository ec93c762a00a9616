// SPDX-License-Identifier: GPL-2.0
/*
 * From a netfilter hook to the straight line. The verdict is always NF_ACCEPT.
 *
 *	hook		position	so that
 *	PRE_ROUTING	first		we see what the wire brought, before anybody changed or dropped it
 *	LOCAL_IN	last		what we see, TCP sees
 *	FORWARD		last		what we see, no filter for routed packets dropped
 *	LOCAL_OUT	first		we see what TCP sent, before anybody changed or dropped it
 *	POST_ROUTING	last		what we see leaves, after every filter and NAT
 *
 * Of several hooks with equal priority the one registered last comes first: a hook that was there at
 * INT_MAX before us comes after us. For conntrack's confirmation that is right, it drops nothing but
 * clashes.
 *
 * Netfilter calls us in softirq or process context, inside rcu_read_lock(). Nothing here waits,
 * allocates, wakes anybody or takes a lock.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "gate_table.h"
#include "hook.h"
#include "netns.h"
#include "segment.h"
#include "session.h"

#define SHK_TCP_CONTROL (SHK_TCP_SYN | SHK_TCP_FIN | SHK_TCP_RST)

/* The class of a segment, as the offset of its counter from that of all segments of its direction. */
enum shk_class {
	SHK_CLASS_PLAIN = 1,
	SHK_CLASS_SYN,
	SHK_CLASS_SYNACK,
	SHK_CLASS_FIN,
	SHK_CLASS_RST,
};

static_assert(SHK_STAT_plain_in == SHK_STAT_segments_in + SHK_CLASS_PLAIN);
static_assert(SHK_STAT_rst_in == SHK_STAT_segments_in + SHK_CLASS_RST);
static_assert(SHK_STAT_plain_out == SHK_STAT_segments_out + SHK_CLASS_PLAIN);
static_assert(SHK_STAT_rst_out == SHK_STAT_segments_out + SHK_CLASS_RST);
static_assert(SHK_STAT_plain_forwarded == SHK_STAT_segments_forwarded + SHK_CLASS_PLAIN);
static_assert(SHK_STAT_rst_forwarded == SHK_STAT_segments_forwarded + SHK_CLASS_RST);

static_assert((int)SHK_HOOK_PRE_ROUTING == NF_INET_PRE_ROUTING);
static_assert((int)SHK_HOOK_LOCAL_IN == NF_INET_LOCAL_IN);
static_assert((int)SHK_HOOK_FORWARD == NF_INET_FORWARD);
static_assert((int)SHK_HOOK_LOCAL_OUT == NF_INET_LOCAL_OUT);
static_assert((int)SHK_HOOK_POST_ROUTING == NF_INET_POST_ROUTING);

static unsigned int shk_classify(u8 flags)
{
	if (flags & SHK_TCP_RST)
		return SHK_CLASS_RST;
	if (flags & SHK_TCP_SYN)
		return flags & SHK_TCP_ACK ? SHK_CLASS_SYNACK : SHK_CLASS_SYN;
	return SHK_CLASS_FIN;
}

/* Of the segments that a packet stands for only one can be the SYN, FIN or RST; the rest is its data. */
static void shk_count_class(struct shk_counters __percpu *counters, enum shk_stat all, u8 flags, u32 segments)
{
	if (unlikely(flags & SHK_TCP_CONTROL)) {
		shk_stats_inc(counters, all + shk_classify(flags));
		segments--;
	}
	if (segments)
		shk_stats_add(counters, all + SHK_CLASS_PLAIN, segments);
}

/* A packet that is no whole segment, at any hook. */
static void shk_count_odd(struct shk_counters __percpu *counters, enum shk_found found)
{
	switch (found) {
	case SHK_FOUND_FRAGMENT:
		shk_stats_inc(counters, SHK_STAT_fragments);
		break;
	case SHK_FOUND_TRUNCATED:
		shk_stats_inc(counters, SHK_STAT_truncated);
		break;
	case SHK_FOUND_MALFORMED:
		shk_stats_inc(counters, SHK_STAT_malformed);
		break;
	case SHK_FOUND_UNFINISHED:
		shk_stats_inc(counters, SHK_STAT_ipv6_unfinished);
		break;
	case SHK_FOUND_SEGMENT:
	case SHK_FOUND_OTHER:
		break;
	}
}

/*
 * While a session runs. A SYN, FIN or RST has to pass the gate at a hook that nobody wants, too: it may be
 * the only time that it is seen, and its ACK is awaited at the hooks that somebody does want.
 */
static noinline void shk_hook_watch(struct sk_buff *skb, const struct nf_hook_state *state,
				    const struct shk_place *at, struct shk_counters __percpu *counters)
{
	bool wanted = shk_session_wants(state->hook);
	bool control = shk_place_flags(at) & SHK_TCP_CONTROL;
	struct shk_event ev;

	if (!wanted && !control)
		return;
	memset(&ev, 0, sizeof(ev));
	shk_segment_identify(&ev, at, state);
	/* Most plain segments go no further, and the gate needs no time for them: do not read the clock. */
	if (control)
		ev.ts_ns = ktime_get_ns();
	if (!shk_gate_table_judge(&ev, counters) || !wanted)
		return;
	if (!control)
		ev.ts_ns = ktime_get_ns();
	shk_stats_inc(counters, SHK_STAT_events);
	shk_segment_describe(&ev, at, skb, state);
	shk_session_deliver(&ev, skb, counters);
}

/* What the three counting hooks share. @all: the counter of every segment of this direction. */
static __always_inline void shk_hook_count(struct sk_buff *skb, const struct nf_hook_state *state,
					   const struct shk_place *at, enum shk_found found,
					   struct shk_counters __percpu *counters, enum shk_stat all,
					   u32 segments)
{
	/* The kernel's own counters take what is truncated or malformed before they look at it. */
	if (likely(found != SHK_FOUND_FRAGMENT && found != SHK_FOUND_UNFINISHED))
		shk_stats_add(counters, all, segments);
	if (unlikely(found != SHK_FOUND_SEGMENT)) {
		shk_count_odd(counters, found);
		return;
	}
	shk_count_class(counters, all, shk_place_flags(at), segments);
	if (static_branch_unlikely(&shk_session_key))
		shk_hook_watch(skb, state, at, counters);
}

static u32 shk_wire_segments(const struct sk_buff *skb)
{
	return max_t(u32, skb_shinfo(skb)->gso_segs, 1);
}

/* What a hook gets as @priv: finding it through state->net would cost as much as the counting. */
static struct shk_counters __percpu *shk_hook_counters(void *priv)
{
	return ((const struct shk_netns *)priv)->counters;
}

static unsigned int shk_hook_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct shk_counters __percpu *counters = shk_hook_counters(priv);
	struct shk_place at __uninitialized;
	enum shk_found found = shk_segment_find(&at, skb, state->pf);

	if (found == SHK_FOUND_OTHER)
		return NF_ACCEPT;
	if (unlikely(skb->pkt_type != PACKET_HOST))
		shk_stats_inc(counters, SHK_STAT_not_for_us);
	else
		shk_hook_count(skb, state, &at, found, counters, SHK_STAT_segments_in, 1);
	return NF_ACCEPT;
}

static unsigned int shk_hook_out(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct shk_counters __percpu *counters = shk_hook_counters(priv);
	struct shk_place at __uninitialized;
	enum shk_found found = shk_segment_find(&at, skb, state->pf);

	if (found != SHK_FOUND_OTHER)
		shk_hook_count(skb, state, &at, found, counters, SHK_STAT_segments_out,
			       shk_wire_segments(skb));
	return NF_ACCEPT;
}

static unsigned int shk_hook_forward(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct shk_counters __percpu *counters = shk_hook_counters(priv);
	struct shk_place at __uninitialized;
	enum shk_found found = shk_segment_find(&at, skb, state->pf);

	if (found != SHK_FOUND_OTHER)
		shk_hook_count(skb, state, &at, found, counters, SHK_STAT_segments_forwarded,
			       shk_wire_segments(skb));
	return NF_ACCEPT;
}

static noinline void shk_edge_watch(struct sk_buff *skb, const struct nf_hook_state *state,
				    struct shk_counters __percpu *counters)
{
	struct shk_place at __uninitialized;
	enum shk_found found = shk_segment_find(&at, skb, state->pf);

	if (likely(found == SHK_FOUND_SEGMENT))
		shk_hook_watch(skb, state, &at, counters);
	else
		shk_count_odd(counters, found);
}

/* PRE_ROUTING and POST_ROUTING: nothing is counted that the other three do not count already. */
static unsigned int shk_hook_edge(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (static_branch_unlikely(&shk_session_key) && shk_session_wants(state->hook))
		shk_edge_watch(skb, state, shk_hook_counters(priv));
	return NF_ACCEPT;
}

static const struct nf_hook_ops shk_hook_ops[] = {
	{.hook = shk_hook_edge, .pf = NFPROTO_IPV4, .hooknum = NF_INET_PRE_ROUTING, .priority = INT_MIN},
	{.hook = shk_hook_in, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_IN, .priority = INT_MAX},
	{.hook = shk_hook_forward, .pf = NFPROTO_IPV4, .hooknum = NF_INET_FORWARD, .priority = INT_MAX},
	{.hook = shk_hook_out, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_OUT, .priority = INT_MIN},
	{.hook = shk_hook_edge, .pf = NFPROTO_IPV4, .hooknum = NF_INET_POST_ROUTING, .priority = INT_MAX},
	{.hook = shk_hook_edge, .pf = NFPROTO_IPV6, .hooknum = NF_INET_PRE_ROUTING, .priority = INT_MIN},
	{.hook = shk_hook_in, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_IN, .priority = INT_MAX},
	{.hook = shk_hook_forward, .pf = NFPROTO_IPV6, .hooknum = NF_INET_FORWARD, .priority = INT_MAX},
	{.hook = shk_hook_out, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_OUT, .priority = INT_MIN},
	{.hook = shk_hook_edge, .pf = NFPROTO_IPV6, .hooknum = NF_INET_POST_ROUTING, .priority = INT_MAX},
};

int shk_hook_register(struct net *net, struct shk_netns *ns)
{
	unsigned int i;
	int err;

	ns->hooks = kmemdup(shk_hook_ops, sizeof(shk_hook_ops), GFP_KERNEL_ACCOUNT);
	if (!ns->hooks)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(shk_hook_ops); i++)
		ns->hooks[i].priv = ns;
	err = nf_register_net_hooks(net, ns->hooks, ARRAY_SIZE(shk_hook_ops));
	if (err) {
		/* Those before the one that failed were called until now. The core frees @ns right away. */
		synchronize_rcu();
		kfree(ns->hooks);
	}
	return err;
}

/* Others may still be inside a hook when this returns: ns->hooks and ns have to stay for a grace period. */
void shk_hook_unregister(struct net *net, struct shk_netns *ns)
{
	nf_unregister_net_hooks(net, ns->hooks, ARRAY_SIZE(shk_hook_ops));
}
