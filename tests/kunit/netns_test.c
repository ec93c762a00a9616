// SPDX-License-Identifier: GPL-2.0
/* Network namespaces come, have connections that are counted and told, and go. */
#include <linux/completion.h>
#include <linux/in.h>
#include <linux/net.h>
#include <linux/rtnetlink.h>
#include <net/sock.h>

#include <kunit/test.h>

#include "netns.h"
#include "ring.h"
#include "session.h"

/* Told when a namespace of these tests has gone: removed last, so its exit comes first. */
static DECLARE_COMPLETION(netns_gone);

static void __net_exit netns_note_exit(struct net *net)
{
	complete(&netns_gone);
}

static struct pernet_operations netns_watch = {.exit = netns_note_exit};

static int netns_suite_init(struct kunit_suite *suite)
{
	return register_pernet_subsys(&netns_watch);
}

static void netns_suite_exit(struct kunit_suite *suite)
{
	unregister_pernet_subsys(&netns_watch);
}

static struct net *netns_new(struct kunit *test)
{
	struct net *net = copy_net_ns(CLONE_NEWNET, &init_user_ns, &init_net);
	int err;

	KUNIT_ASSERT_FALSE(test, IS_ERR(net));
	rtnl_lock();
	err = dev_open(net->loopback_dev, NULL);
	rtnl_unlock();
	KUNIT_ASSERT_EQ(test, err, 0);
	return net;
}

/* Returns when nothing of it is left. */
static void netns_end(struct kunit *test, struct net *net)
{
	reinit_completion(&netns_gone);
	put_net(net);
	KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&netns_gone, 60 * HZ), 0);
	net_ns_barrier(); /* the exits that come after ours */
}

struct netns_conn {
	struct socket *listener, *client, *server;
};

static void netns_connect(struct kunit *test, struct net *net, struct netns_conn *conn)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	KUNIT_ASSERT_EQ(test, sock_create_kern(net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &conn->listener), 0);
	KUNIT_ASSERT_EQ(test, sock_create_kern(net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &conn->client), 0);
	KUNIT_ASSERT_EQ(test, kernel_bind(conn->listener, (struct sockaddr_unsized *)&addr, sizeof(addr)), 0);
	KUNIT_ASSERT_EQ(test, kernel_listen(conn->listener, 1), 0);
	KUNIT_ASSERT_GT(test, kernel_getsockname(conn->listener, (struct sockaddr *)&addr), 0);
	KUNIT_ASSERT_EQ(test, kernel_connect(conn->client, (struct sockaddr_unsized *)&addr, sizeof(addr), 0),
			0);
	KUNIT_ASSERT_EQ(test, kernel_accept(conn->listener, &conn->server, 0), 0);
}

static void netns_disconnect(struct netns_conn *conn)
{
	sock_release(conn->client);
	sock_release(conn->server);
	sock_release(conn->listener);
}

static u64 netns_counter(const struct net *net, enum shk_stat stat)
{
	return shk_stats_sum(shk_netns(net)->counters, stat);
}

static void netns_starts_with_zeroes(struct kunit *test)
{
	struct net *net = netns_new(test);
	int i;

	KUNIT_EXPECT_PTR_NE(test, shk_netns(net)->counters, shk_netns(&init_net)->counters);
	for (i = 0; i < SHK_STAT_COUNT; i++)
		KUNIT_EXPECT_EQ_MSG(test, netns_counter(net, i), 0, "%s", shk_stats_name(i));
	netns_end(test, net);
}

static void netns_counts_its_own_connections(struct kunit *test)
{
	static const struct {
		enum shk_stat stat;
		/* expected */
		u64 value;
	} cases[] = {
		{SHK_STAT_syn_out, 1},
		{SHK_STAT_syn_in, 1},
		{SHK_STAT_synack_out, 1},
		{SHK_STAT_synack_in, 1},
		{SHK_STAT_fin_out, 2},
		{SHK_STAT_fin_in, 2},
		{SHK_STAT_rst_out, 0},
		{SHK_STAT_rst_in, 0},
		{SHK_STAT_syn_forwarded, 0},
		{SHK_STAT_truncated, 0},
		{SHK_STAT_malformed, 0},
		/* No session runs. */
		{SHK_STAT_events, 0},
	};
	struct net *net = netns_new(test), *other = netns_new(test);
	struct netns_conn conn;
	size_t i;

	netns_connect(test, net, &conn);
	netns_disconnect(&conn);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_EXPECT_EQ_MSG(test, netns_counter(net, cases[i].stat), cases[i].value, "%s",
				    shk_stats_name(cases[i].stat));
		KUNIT_EXPECT_EQ_MSG(test, netns_counter(other, cases[i].stat), 0, "%s of the other",
				    shk_stats_name(cases[i].stat));
	}
	KUNIT_EXPECT_EQ(test, netns_counter(net, SHK_STAT_segments_out),
			netns_counter(net, SHK_STAT_segments_in));
	netns_end(test, other);
	netns_end(test, net);
}

struct netns_told {
	u32 events;
	u32 foreign;                                 /* of another namespace */
	u32 syn, synack, fin, acks_synack, acks_fin; /* at LOCAL_IN */
};

static void netns_read(const struct shk_rings *rings, u32 inum, struct netns_told *told)
{
	const struct shk_event *ev;
	int cpu;
	u64 tail;

	for_each_possible_cpu(cpu) {
		for (tail = 0; (ev = shk_ring_peek(&per_cpu_ptr(rings->cpu, cpu)->ring, tail)); tail++) {
			told->events++;
			told->foreign += ev->netns != inum;
			if (ev->where != SHK_HOOK_LOCAL_IN)
				continue;
			told->syn += (ev->seg.tcp_flags & (SHK_TCP_SYN | SHK_TCP_ACK)) == SHK_TCP_SYN;
			told->synack += (ev->seg.tcp_flags & (SHK_TCP_SYN | SHK_TCP_ACK)) ==
					(SHK_TCP_SYN | SHK_TCP_ACK);
			told->fin += !!(ev->seg.tcp_flags & SHK_TCP_FIN);
			told->acks_synack += !!(ev->seg.why & SHK_WHY_ACKS_SYNACK);
			told->acks_fin += !!(ev->seg.why & SHK_WHY_ACKS_FIN);
		}
	}
}

static void netns_tells_its_session_alone(struct kunit *test)
{
	struct net *net = netns_new(test), *other = netns_new(test);
	const struct shk_setup setup = {.abi = SHK_ABI, .slots = SHK_RING_SLOTS_MIN, .netns = net->ns.inum};
	struct shk_session *session = shk_session_open();
	struct netns_told told = {};
	struct netns_conn conn;
	u64 seen = 0;
	int cpu;

	KUNIT_ASSERT_FALSE(test, IS_ERR(session));
	KUNIT_ASSERT_EQ(test, shk_session_setup(session, &setup), 0);
	KUNIT_ASSERT_EQ(test, shk_session_start(session), 0);
	netns_connect(test, other, &conn);
	netns_disconnect(&conn);
	netns_connect(test, net, &conn);
	netns_disconnect(&conn);
	KUNIT_ASSERT_EQ(test, shk_session_stop(session), 0);
	netns_read(shk_session_rings(session), net->ns.inum, &told);
	for_each_possible_cpu(cpu) {
		struct shk_stats stats = {.cpu = cpu};

		KUNIT_ASSERT_EQ(test, shk_rings_account(shk_session_rings(session), &stats), 0);
		KUNIT_EXPECT_EQ(test, stats.seen, stats.delivered + stats.lost);
		seen += stats.seen;
	}
	shk_session_close(session);
	KUNIT_EXPECT_EQ(test, told.foreign, 0);
	KUNIT_EXPECT_EQ(test, told.events, seen);
	KUNIT_EXPECT_EQ(test, told.events, netns_counter(net, SHK_STAT_events));
	KUNIT_EXPECT_GT(test, netns_counter(other, SHK_STAT_events), 0);
	KUNIT_EXPECT_EQ(test, told.syn, 1);
	KUNIT_EXPECT_EQ(test, told.synack, 1);
	KUNIT_EXPECT_EQ(test, told.fin, 2);
	KUNIT_EXPECT_EQ(test, told.acks_synack, 1);
	KUNIT_EXPECT_EQ(test, told.acks_fin, 2);
	netns_end(test, other);
	netns_end(test, net);
}

static void netns_counts_what_readers_report(struct kunit *test)
{
	struct net *net = netns_new(test), *other = netns_new(test);
	const struct shk_setup setup = {.abi = SHK_ABI, .slots = SHK_RING_SLOTS_MIN, .netns = net->ns.inum};
	struct shk_conflicts conflicts = {.netns = net->ns.inum, .count = {1, 2, 3, 4, U64_MAX - 1}};
	struct shk_session *session = shk_session_open();

	KUNIT_ASSERT_FALSE(test, IS_ERR(session));
	KUNIT_EXPECT_EQ(test, shk_session_add_conflicts(session, &conflicts), -ENODATA);
	KUNIT_ASSERT_EQ(test, shk_session_setup(session, &setup), 0);
	KUNIT_EXPECT_EQ(test, shk_session_add_conflicts(session, &conflicts), 0);
	KUNIT_EXPECT_EQ(test, shk_session_add_conflicts(session, &conflicts), -EOVERFLOW);
	conflicts.count[SHK_CONFLICT_COUNT] = 1;
	KUNIT_EXPECT_EQ(test, shk_session_add_conflicts(session, &conflicts), -EINVAL);
	conflicts.count[SHK_CONFLICT_COUNT] = 0;
	conflicts.netns = other->ns.inum;
	KUNIT_EXPECT_EQ(test, shk_session_add_conflicts(session, &conflicts), -EPERM);
	shk_session_close(session);
	KUNIT_EXPECT_EQ(test, netns_counter(net, SHK_STAT_reported_conflict_isn), 1);
	KUNIT_EXPECT_EQ(test, netns_counter(net, SHK_STAT_reported_conflict_close), 4);
	KUNIT_EXPECT_EQ(test, netns_counter(net, SHK_STAT_reported_conflict_gap), U64_MAX - 1);
	KUNIT_EXPECT_EQ(test, netns_counter(other, SHK_STAT_reported_conflict_isn), 0);
	netns_end(test, other);
	netns_end(test, net);
}

static void netns_leaves_no_memory_behind(struct kunit *test)
{
	unsigned long pages = 0;
	struct net *net;
	u32 i;

	for (i = 0; i < 200; i++) {
		net = copy_net_ns(CLONE_NEWNET, &init_user_ns, &init_net);
		KUNIT_ASSERT_FALSE(test, IS_ERR(net));
		netns_end(test, net);
		/* The first ones fill caches that stay. */
		if (i == 20)
			pages = pcpu_nr_pages();
	}
	KUNIT_EXPECT_EQ(test, pcpu_nr_pages(), pages);
}

static struct kunit_case netns_cases[] = {
	KUNIT_CASE(netns_starts_with_zeroes),      KUNIT_CASE(netns_counts_its_own_connections),
	KUNIT_CASE(netns_tells_its_session_alone), KUNIT_CASE(netns_counts_what_readers_report),
	KUNIT_CASE(netns_leaves_no_memory_behind), {}};

static struct kunit_suite netns_suite = {
	.name = "tcpshake_netns",
	.suite_init = netns_suite_init,
	.suite_exit = netns_suite_exit,
	.test_cases = netns_cases,
};

kunit_test_suite(netns_suite);
