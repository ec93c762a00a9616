// SPDX-License-Identifier: GPL-2.0
/*
 * The source "live": the wire through a packet socket, where neither the module nor BPF netfilter programs
 * can be had. It sees what passes an interface: not the hooks, so not what a firewall does, and of one
 * network namespace only.
 *
 * The kernel's filter lets through what has no payload, or a SYN, FIN or RST: handshakes are made of these,
 * but for an ACK that comes with data. What is left over of it the gate sorts out here.
 */
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture_gate.h"
#include "dissect/dissect.h"
#include "netns_list.h"
#include "source.h"

#define NS_PER_SECOND 1000000000ULL
#define SNAPLEN       192 /* link, two IP headers and TCP with all its options */
#define SLOT_OCTETS   256 /* what a packet of that length takes in the ring */
#define SLOTS_DEFAULT 65536U
#define BLOCK_MS      10 /* a packet waits no longer for others to be shown with */
#define DRAIN_BATCH   8192
#define STOP_TRIES    20

/* Without a payload, by the lengths in both headers; and what only a full parser can tell. */
#define IPV4_CONTROL                                          \
	"(tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0 or " \
	"ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2) = 0)"
#define IPV6_CONTROL                            \
	"(ip6[6] = 6 and (ip6[53] & 7 != 0 or " \
	"ip6[4:2] - ((ip6[52] & 0xf0) >> 2) = 0))"
#define IPV6_EXTENDED "(ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 60)"
#define FRAGMENT      "(ip proto 6 and ip[6:2] & 0x3fff != 0)"
#define WANTED                                                                               \
	"((ip and tcp and " IPV4_CONTROL ") or (ip6 and (" IPV6_CONTROL " or " IPV6_EXTENDED \
	")) or " FRAGMENT ")"

/* What goes out on the loopback interface comes in on it at once, and would be seen twice. */
#define NOT_TWICE "not (ifindex 1 and outbound)"

struct source_live {
	struct shk_source base;
	pcap_t *pcap;
	struct shk_dissector *dissector;
	struct shk_capture_gate gate;
	int layer;
	uint32_t netns;
	bool stopped;
	int64_t real_offset_ns; /* of this drain */
	shk_source_fn *fn;      /* likewise */
	void *arg;
	uint64_t packets; /* read */
	uint64_t events;
	uint64_t lost; /* as announced */
};

static struct source_live *to_live(const struct shk_source *s)
{
	return (struct source_live *)s;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_SECOND + ts.tv_nsec;
}

/*
 * ---- Reading -------------------------------------------------------------------------------------
 */

/* Packets carry the time of day. */
static void on_packet(u_char *arg, const struct pcap_pkthdr *header, const u_char *octets)
{
	struct source_live *l = (struct source_live *)arg;
	struct shk_packet packet = {.octets = octets, .have = header->caplen, .len = header->len};
	struct shk_tcp_place at;
	struct shk_event ev;

	l->packets++;
	packet.ts_ns = header->ts.tv_sec * NS_PER_SECOND + header->ts.tv_usec - l->real_offset_ns;
	if (shk_dissect(l->dissector, l->layer, &packet, &ev, &at) != SHK_FOUND_SEGMENT)
		return;
	ev.netns = l->netns;
	if (!shk_capture_gate_judge(&l->gate, &ev))
		return;
	shk_dissect_options(&ev, &at);
	l->events++;
	l->fn(l->arg, 0, &ev);
}

static int announce_lost(struct source_live *l, shk_source_fn *fn, void *arg)
{
	struct shk_event ev = {.kind = SHK_EV_LOST, .ts_ns = clock_ns(CLOCK_MONOTONIC)};
	struct pcap_stat stat;

	if (pcap_stats(l->pcap, &stat) || stat.ps_drop <= l->lost)
		return 0;
	ev.lost.count = stat.ps_drop - l->lost;
	l->lost = stat.ps_drop;
	fn(arg, 0, &ev);
	return 1;
}

/* Packets of the kernel's count that are neither read nor lost. It counts in 32 bits, and so do we here. */
static uint32_t unread(const struct source_live *l, const struct pcap_stat *stat)
{
	return stat->ps_recv - stat->ps_drop - (uint32_t)l->packets;
}

static bool has_unread(struct source_live *l)
{
	struct pcap_stat stat;

	return !pcap_stats(l->pcap, &stat) && unread(l, &stat);
}

/* Once stopped, what the kernel has counted is on its way: a block is handed over when its time is up. */
static int dispatch(struct source_live *l)
{
	struct pollfd fd = {.fd = l->base.poll_fd, .events = POLLIN};
	int n = pcap_dispatch(l->pcap, DRAIN_BATCH, on_packet, (u_char *)l);

	for (int tries = 0; l->stopped && !n && tries < STOP_TRIES && has_unread(l); tries++) {
		poll(&fd, 1, BLOCK_MS);
		n = pcap_dispatch(l->pcap, DRAIN_BATCH, on_packet, (u_char *)l);
	}
	return n;
}

static int live_drain(struct shk_source *s, shk_source_fn *fn, void *arg, struct shk_error *err)
{
	struct source_live *l = to_live(s);
	int n;

	l->fn = fn;
	l->arg = arg;
	l->real_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	n = dispatch(l);
	if (n < 0)
		return shk_error_set(err, -EIO, "live capture: %s", pcap_geterr(l->pcap));
	return n + announce_lost(l, fn, arg);
}

/*
 * ---- Starting and stopping -----------------------------------------------------------------------
 */

static int live_start(struct shk_source *s, struct shk_error *err)
{
	(void)s;
	(void)err;
	return 0; /* since it was opened; nobody has looked */
}

/* No packet comes any more; those that are there can still be read. */
static int live_stop(struct shk_source *s, struct shk_error *err)
{
	struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
	const struct sock_fprog program = {.len = 1, .filter = &nothing};
	struct source_live *l = to_live(s);

	if (setsockopt(pcap_fileno(l->pcap), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		return shk_error_set(err, -errno, "live capture: cannot stop: %s", strerror(errno));
	l->stopped = true;
	return 0;
}

/*
 * The kernel counts packets, and drops packets; which of those would have become events nobody knows. So what
 * was read and came to nothing counts neither as seen nor as delivered, and what was lost counts as events.
 */
static int live_account(struct shk_source *s, unsigned int stream, struct shk_account *account,
			struct shk_error *err)
{
	struct source_live *l = to_live(s);
	struct pcap_stat stat;

	(void)stream;
	if (pcap_stats(l->pcap, &stat))
		return shk_error_set(err, -EIO, "live capture: %s", pcap_geterr(l->pcap));
	*account = (struct shk_account){
		.seen = l->events + unread(l, &stat) + stat.ps_drop,
		.delivered = l->events,
		.lost = stat.ps_drop,
		.read = l->events,
	};
	return 0;
}

static void live_facts(const struct shk_source *s, struct shk_facts *facts)
{
	struct shk_fact *fact = shk_facts_add(facts);

	(void)s;
	fact->witness = "wire";
	fact->shows = shk_shows_wire;
	snprintf(fact->through, sizeof(fact->through), "live capture");
	fact = shk_facts_add(facts);
	fact->witness = "wire";
	fact->shows = "segments at each netfilter hook";
	fact->without = "what a firewall of this host dropped, and handshake ACKs that carry data";
	fact->why = "a packet socket is no hook";
	snprintf(fact->through, sizeof(fact->through), "netfilter");
}

static void live_close(struct shk_source *s)
{
	struct source_live *l;

	if (!s)
		return;
	l = to_live(s);
	if (l->pcap)
		pcap_close(l->pcap);
	shk_dissector_free(l->dissector);
	shk_capture_gate_release(&l->gate);
	free(l);
}

static const struct shk_source_ops live_ops = {
	.name = "live",
	.start = live_start,
	.stop = live_stop,
	.drain = live_drain,
	.account = live_account,
	.facts = live_facts,
	.close = live_close,
};

/*
 * ---- Opening -------------------------------------------------------------------------------------
 */

static int failed(struct source_live *l, int rc, struct shk_error *err)
{
	if (rc == PCAP_ERROR_PERM_DENIED)
		return shk_error_set(err, -EPERM,
				     "live capture: not permitted.\n  Run it as root (CAP_NET_RAW)");
	return shk_error_set(err, -EIO, "live capture: %s", pcap_geterr(l->pcap));
}

static int set_filter(struct source_live *l, unsigned int ifindex, const char *filter, struct shk_error *err)
{
	struct bpf_program program;
	char *text;
	int rc;

	if (asprintf(&text, WANTED " and " NOT_TWICE " and (ifindex %u or %u = 0)%s%s%s", ifindex, ifindex,
		     filter ? " and (" : "", filter ? filter : "", filter ? ")" : "") < 0)
		return shk_error_set(err, -ENOMEM, "out of memory");
	rc = pcap_compile(l->pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN);
	free(text);
	if (rc)
		return shk_error_set(err, -EINVAL, "filter \"%s\": %s (see pcap-filter(7))",
				     filter ? filter : "", pcap_geterr(l->pcap));
	rc = pcap_setfilter(l->pcap, &program);
	pcap_freecode(&program);
	return rc ? failed(l, rc, err) : 0;
}

/*
 * Always on the device that stands for all, whose packets say their interface and direction: libpcap would
 * take off others by itself, and then they were missing from the account.
 */
static int activate(struct source_live *l, uint32_t slots, struct shk_error *err)
{
	char reason[PCAP_ERRBUF_SIZE];
	int rc;

	l->pcap = pcap_create("any", reason);
	if (!l->pcap)
		return shk_error_set(err, -EIO, "live capture: %s", reason);
	pcap_set_snaplen(l->pcap, SNAPLEN);
	pcap_set_timeout(l->pcap, BLOCK_MS);
	pcap_set_buffer_size(l->pcap, slots * SLOT_OCTETS);
	pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO);
	rc = pcap_activate(l->pcap);
	if (rc < 0)
		return failed(l, rc, err);
	if (pcap_set_datalink(l->pcap, DLT_LINUX_SLL2) || pcap_setnonblock(l->pcap, 1, reason))
		return failed(l, PCAP_ERROR, err);
	l->layer = shk_dissect_link(DLT_LINUX_SLL2);
	l->base.poll_fd = pcap_get_selectable_fd(l->pcap);
	return 0;
}

/* In the namespace of the capture. */
static int open_capture(struct source_live *l, const struct shk_source_config *config, const char *interface,
			struct shk_error *err)
{
	unsigned int ifindex = interface ? if_nametoindex(interface) : 0;
	int rc;

	if (interface && !ifindex)
		return shk_error_set(err, -EINVAL,
				     "no interface \"%s\" in this network namespace; see `ip link`",
				     interface);
	rc = activate(l, config->ring_slots ? config->ring_slots : SLOTS_DEFAULT, err);
	return rc ? rc : set_filter(l, ifindex, config->filter, err);
}

struct opening {
	struct source_live *l;
	const struct shk_source_config *config;
	const char *interface;
	struct shk_error *err;
	bool done;
	int rc;
};

/* A packet socket belongs to the namespace its maker is in. */
static int open_within(void *arg)
{
	struct opening *o = arg;

	o->done = true;
	o->rc = open_capture(o->l, o->config, o->interface, o->err);
	return 0;
}

static int open_in(void *arg, int fd, uint32_t inode)
{
	struct opening *o = arg;
	int rc;

	if (o->config->netns != inode)
		return 0;
	o->l->netns = inode;
	rc = shk_netns_within(fd, open_within, o);
	if (rc && o->done && !o->rc)
		o->rc = shk_error_set(o->err, rc, "cannot return to the own network namespace: %s",
				      strerror(-rc));
	return o->done ? 1 : rc;
}

static int prepare(struct source_live *l, struct shk_error *err)
{
	struct shk_hash_key key;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return shk_error_set(err, -EIO, "getrandom: %s", strerror(errno));
	l->dissector = shk_dissector_new();
	if (shk_capture_gate_init(&l->gate, &key) || !l->dissector)
		return shk_error_set(err, -ENOMEM, "out of memory");
	return 0;
}

static int open_here(struct opening *o)
{
	struct stat st;

	if (!stat("/proc/self/ns/net", &st))
		o->l->netns = st.st_ino;
	return open_capture(o->l, o->config, o->interface, o->err);
}

static int open_elsewhere(struct opening *o)
{
	int rc = shk_netns_each(open_in, o);

	if (o->done)
		return o->rc;
	return shk_error_set(o->err, rc < 0 ? rc : -ENOENT,
			     "cannot enter network namespace %u for a live capture", o->config->netns);
}

struct shk_source *shk_source_live_open(const struct shk_source_config *config, const char *interface,
					struct shk_error *err)
{
	struct source_live *l = calloc(1, sizeof(*l));
	struct opening o = {.l = l, .config = config, .interface = interface, .err = err};
	int rc;

	if (!l) {
		shk_error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	l->base.ops = &live_ops;
	l->base.streams = 1;
	rc = prepare(l, err);
	if (!rc)
		rc = config->netns ? open_elsewhere(&o) : open_here(&o);
	if (rc) {
		live_close(&l->base);
		return NULL;
	}
	snprintf(l->base.about, sizeof(l->base.about), "live capture%s%.16s%s, no hooks",
		 interface ? " on " : "", interface ? interface : "",
		 config->netns ? "" : " in this network namespace only");
	return &l->base;
}
