// SPDX-License-Identifier: GPL-2.0
/*
 * What the device delivers, to the event: hooks, namespaces, filters. Runs in a network namespace where
 * nothing else talks; prints TAP.
 */
#include <linux/filter.h>
#include <sys/stat.h>

#include "device_rig.h"
#include "tap.h"
#include "traffic.h"

#define BIT(hook)    SHK_HOOK_BIT(SHK_HOOK_##hook)
#define NEW_SYN_RECV 12 /* <linux/tcp.h>; not in <netinet/tcp.h> */

/*
 * ---- Hooks ----------------------------------------------------------------------------------------
 */

struct tally {
	struct {
		uint64_t all, syn, synack, fin, acks_synack, acks_fin;
	} at[SHK_HOOK_COUNT];
	uint64_t ipv6;
	uint64_t requests; /* SYN+ACKs at LOCAL_OUT with a request socket */
	uint64_t other_netns;
	uint32_t netns;
	/* ISNs that a SYN (a SYN+ACK) tells, less those that the answer acknowledges: their sum */
	uint32_t of_syn, of_synack;
};

static bool is_ipv6(const struct shk_event *ev)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(ev->saddr, mapped, sizeof(mapped)) != 0;
}

static void tally_add(const struct shk_event *ev, void *arg)
{
	bool syn = ev->seg.tcp_flags & SHK_TCP_SYN, ack = ev->seg.tcp_flags & SHK_TCP_ACK;
	struct tally *t = arg;

	t->at[ev->where].all++;
	t->at[ev->where].syn += syn && !ack;
	t->at[ev->where].synack += syn && ack;
	t->at[ev->where].fin += (ev->seg.tcp_flags & SHK_TCP_FIN) != 0;
	t->at[ev->where].acks_synack += (ev->seg.why & SHK_WHY_ACKS_SYNACK) != 0;
	t->at[ev->where].acks_fin += (ev->seg.why & SHK_WHY_ACKS_FIN) != 0;
	t->ipv6 += is_ipv6(ev);
	t->requests += syn && ack && ev->where == SHK_HOOK_LOCAL_OUT && ev->seg.sock_state == NEW_SYN_RECV;
	t->other_netns += ev->netns != t->netns;
	if (syn && !ack)
		t->of_syn += ev->seg.seq;
	if (syn && ack) {
		t->of_syn -= ev->seg.ack - 1;
		t->of_synack += ev->seg.seq;
	}
	if (ev->seg.why & SHK_WHY_ACKS_SYNACK)
		t->of_synack -= ev->seg.ack - 1;
}

static uint32_t own_netns(void)
{
	struct stat st;

	if (stat("/proc/self/ns/net", &st))
		err(2, "/proc/self/ns/net");
	return st.st_ino;
}

/* Each of @connections connections, no more and no less. */
static bool hook_is_complete(const struct tally *t, uint32_t hook, uint64_t connections)
{
	return t->at[hook].syn == connections && t->at[hook].synack == connections &&
	       t->at[hook].acks_synack == connections && t->at[hook].fin == 2 * connections &&
	       t->at[hook].acks_fin == 2 * connections;
}

static void check_hook(const struct tally *t, uint32_t hook, uint64_t connections, const char *claim)
{
	if (ok(hook_is_complete(t, hook, connections), "%s", claim))
		return;
	printf("#   hook %u: SYN %lu SYN+ACK %lu FIN %lu, ACKs of SYN+ACK %lu, of FIN %lu\n", hook,
	       t->at[hook].syn, t->at[hook].synack, t->at[hook].fin, t->at[hook].acks_synack,
	       t->at[hook].acks_fin);
}

static void test_every_hook(void)
{
	struct tally t = {.netns = own_netns()};
	struct shk_stats total;
	struct rig rig;

	rig_open(&rig, (struct shk_setup){0});
	rig_start(&rig);
	traffic(AF_INET, 7001, 100);
	traffic(AF_INET6, 7002, 100);
	rig_stop(&rig);
	rig_drain(&rig, tally_add, &t);
	total = rig_total(&rig);
	check_hook(&t, SHK_HOOK_LOCAL_OUT, 200, "200 connections: all of them at LOCAL_OUT");
	check_hook(&t, SHK_HOOK_POST_ROUTING, 200, "all of them at POST_ROUTING");
	check_hook(&t, SHK_HOOK_PRE_ROUTING, 200, "all of them at PRE_ROUTING");
	check_hook(&t, SHK_HOOK_LOCAL_IN, 200, "all of them at LOCAL_IN");
	is(t.at[SHK_HOOK_FORWARD].all, 0, "nothing at FORWARD");
	is(t.at[SHK_HOOK_LOCAL_OUT].all * 4, total.delivered, "each segment four times");
	is(t.ipv6 * 2, total.delivered, "half of them are IPv6");
	is(t.requests, 200, "every SYN+ACK at LOCAL_OUT tells of its request socket");
	is(t.of_syn, 0, "the SYN+ACKs acknowledge the ISNs of the SYNs");
	is(t.of_synack, 0, "and ACKs those of the SYN+ACKs");
	is(t.other_netns, 0, "every event names this namespace");
	is(total.lost, 0, "the default ring lost nothing");
	ok(rig_accounts_hold(&rig), "the accounts of every CPU are exact");
	rig_close(&rig);
}

static const struct {
	const char *claim;
	uint32_t mask;
} masks[] = {
	{"PRE_ROUTING alone", BIT(PRE_ROUTING)},
	{"LOCAL_IN alone", BIT(LOCAL_IN)},
	{"FORWARD alone", BIT(FORWARD)},
	{"LOCAL_OUT alone", BIT(LOCAL_OUT)},
	{"POST_ROUTING alone", BIT(POST_ROUTING)},
	{"both edges of the wire", BIT(PRE_ROUTING) | BIT(POST_ROUTING)},
	{"0, which means all", 0},
};

/* Everything at the hooks of @mask, ACKs and all, and nothing at the others. */
static bool mask_is_obeyed(const struct tally *t, uint32_t mask, uint64_t connections)
{
	bool obeyed = true;

	for (uint32_t hook = 0; hook < SHK_HOOK_COUNT; hook++) {
		if ((mask ? mask : SHK_HOOKS_NETFILTER) & SHK_HOOK_BIT(hook) & ~BIT(FORWARD))
			obeyed &= hook_is_complete(t, hook, connections);
		else
			obeyed &= t->at[hook].all == 0;
	}
	return obeyed;
}

/* The first half with the mask given to SETUP, the second with one put in its place while it runs. */
static void check_masks(size_t first, size_t second)
{
	struct tally before = {0}, after = {0};
	struct rig rig;

	rig_open(&rig, (struct shk_setup){.hooks = masks[first].mask});
	rig_start(&rig);
	traffic(AF_INET, 7003, 10);
	rig_drain(&rig, tally_add, &before);
	rig_set_hooks(&rig, masks[second].mask);
	traffic(AF_INET, 7003, 10);
	rig_stop(&rig);
	rig_drain(&rig, tally_add, &after);
	ok(mask_is_obeyed(&before, masks[first].mask, 10), "SETUP's mask is obeyed: %s", masks[first].claim);
	ok(mask_is_obeyed(&after, masks[second].mask, 10), "then that of HOOKS: %s", masks[second].claim);
	rig_close(&rig);
}

/* Alone, when the hooks that nobody wants look away, and beside a session that wants them all. */
static void test_masks(void)
{
	struct rig all;

	for (size_t i = 0; i < COUNT_OF(masks); i++)
		check_masks(i, (i + 1) % COUNT_OF(masks));
	rig_open(&all, (struct shk_setup){0});
	rig_start(&all);
	for (size_t i = 0; i < COUNT_OF(masks); i++)
		check_masks(i, (i + 1) % COUNT_OF(masks));
	rig_close(&all);
}

static void test_netns(void)
{
	struct rig here, elsewhere;

	rig_open(&here, (struct shk_setup){.netns = own_netns()});
	rig_open(&elsewhere, (struct shk_setup){.netns = own_netns() + 1});
	rig_start(&here);
	rig_start(&elsewhere);
	traffic_refused();
	rig_stop(&elsewhere);
	rig_stop(&here);
	is(rig_total(&here).seen, 8, "a session for this namespace sees SYN and RST at four hooks");
	is(rig_total(&elsewhere).seen, 0, "one for another namespace sees nothing");
	rig_close(&elsewhere);
	rig_close(&here);
}

static void test_restart(void)
{
	struct rig rig;

	rig_open(&rig, (struct shk_setup){0});
	rig_start(&rig);
	traffic_refused();
	rig_stop(&rig);
	traffic_refused();
	is(rig_total(&rig).seen, 8, "a stopped session sees nothing");
	rig_start(&rig);
	traffic_refused();
	rig_stop(&rig);
	rig_drain(&rig, NULL, NULL);
	is(rig_total(&rig).seen, 16, "START after STOP goes on with the same counts");
	ok(rig_accounts_hold(&rig), "and the same rings");
	rig_close(&rig);
}

/*
 * ---- Filters --------------------------------------------------------------------------------------
 */

static void set_filter(struct rig *rig, const struct sock_filter *program, uint32_t len)
{
	struct shk_filter filter = {.len = len, .insns = (uintptr_t)program};

	if (ioctl(rig->fd, SHK_IOC_FILTER, &filter))
		err(2, "FILTER");
}

/* IPv4 without options, and port 7005 at either end. */
static const struct sock_filter port_7005[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x45, 0, 5),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7005, 2, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 22), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7005, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 1),           BPF_STMT(BPF_RET | BPF_K, 0),
};

static void count_port_7005(const struct shk_event *ev, void *arg)
{
	uint64_t *count = arg;

	*count += ev->sport == 7005 || ev->dport == 7005;
}

/* Two sessions, one stream: what the filter took from the one is what the other has more. */
static void test_filter(void)
{
	uint64_t passed = 0, wanted = 0;
	struct shk_stats some, every;
	struct rig filtered, plain;

	rig_open(&filtered, (struct shk_setup){0});
	rig_open(&plain, (struct shk_setup){0});
	set_filter(&filtered, port_7005, COUNT_OF(port_7005));
	rig_start(&filtered);
	rig_start(&plain);
	traffic(AF_INET, 7004, 20);
	traffic(AF_INET, 7005, 20);
	traffic(AF_INET6, 7005, 20);
	rig_stop(&plain);
	rig_stop(&filtered);
	rig_drain(&filtered, count_port_7005, &passed);
	rig_drain(&plain, count_port_7005, &wanted);
	some = rig_total(&filtered);
	every = rig_total(&plain);
	ok(passed > 0 && some.filtered > 0, "the filter took some and left some");
	is(passed, some.delivered, "what passed is what it lets pass");
	is(some.seen + some.filtered, every.seen, "seen and filtered are all that the other session saw");
	ok(wanted > passed && every.filtered == 0, "which has no filter");
	ok(rig_accounts_hold(&filtered) && rig_accounts_hold(&plain), "the accounts of both are exact");
	rig_close(&plain);
	rig_close(&filtered);
}

static void test_filter_replaced(void)
{
	const struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	struct rig rig;

	rig_open(&rig, (struct shk_setup){0});
	set_filter(&rig, nothing, 1);
	rig_start(&rig);
	traffic_refused();
	is(rig_total(&rig).filtered, 8, "a filter that takes nothing rejects SYN and RST at four hooks");
	is(rig_total(&rig).seen, 0, "and none of them is in \"seen\"");
	set_filter(&rig, NULL, 0);
	traffic_refused();
	rig_stop(&rig);
	is(rig_total(&rig).seen, 8, "removed while events flow, it lets the next ones pass");
	is(rig_total(&rig).filtered, 8, "and the rejected stay counted");
	rig_close(&rig);
}

int main(void)
{
	test_every_hook();
	test_masks();
	test_netns();
	test_restart();
	test_filter();
	test_filter_replaced();
	return done_testing();
}
