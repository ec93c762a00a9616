// SPDX-License-Identifier: GPL-2.0
/*
 * The source "bpf": the wire without a module, one BPF netfilter link for each hook, address family and
 * network namespace, one ring for each CPU. The program is bpf/wire.bpf.c.
 *
 * Links live as long as their file descriptors: when this process ends, however it ends, nothing stays
 * behind.
 */
#include <errno.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "bpf_paths.h"
#include "bpf_rings.h"
#include "filter.h"
#include "gate.h"
#include "headers.h"
#include "netns_list.h"
#include "source.h"
#include "version.h"
#include "wire.skel.h"

#define READERS_MAX  64 /* on one host, at one time */
#define GATE_BUCKETS 16384U
#define PATH_HOOKS   (SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT) | SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN))
#define RESCAN_NS    500000000ULL /* how soon a new namespace is found */

struct linked_netns {
	uint32_t inode;
	unsigned int n;
	struct bpf_link *links[2 * SHK_HOOK_CAPTURE];
};

struct source_bpf {
	struct shk_source base;
	struct wire_bpf *skel;
	struct shk_bpf_rings *rings;
	struct shk_bpf_paths *paths;
	shk_source_fn *fn; /* of the running drain */
	void *arg;
	struct shk_filter_program filter;
	uint32_t hooks;
	uint32_t netns; /* 0: all */
	bool running;
	uint64_t rescan_ns;
	struct linked_netns *linked;
	unsigned int n_linked;
};

static struct source_bpf *to_bpf(struct shk_source *s)
{
	return (struct source_bpf *)s;
}

/*
 * ---- Links ---------------------------------------------------------------------------------------
 */

/*
 * First and last of all are reserved (net/netfilter/nf_bpf_link.c), and each priority takes one BPF program:
 * the @nth reader stands @nth places from the edge.
 */
static int hook_priority(unsigned int hook, int nth)
{
	return hook == SHK_HOOK_PRE_ROUTING || hook == SHK_HOOK_LOCAL_OUT ? INT_MIN + nth : INT_MAX - nth;
}

static int link_hook(struct source_bpf *b, struct linked_netns *ns, int pf, unsigned int hook)
{
	LIBBPF_OPTS(bpf_netfilter_opts, opts, .pf = pf, .hooknum = hook);
	struct bpf_link *link = NULL;

	for (int nth = 1; !link && nth <= READERS_MAX; nth++) {
		opts.priority = hook_priority(hook, nth);
		link = bpf_program__attach_netfilter(b->skel->progs.shk_wire, &opts);
		if (!link && errno != EBUSY)
			break;
	}
	if (!link)
		return -errno;
	ns->links[ns->n++] = link;
	return 0;
}

static void unlink_netns(struct linked_netns *ns)
{
	while (ns->n)
		bpf_link__destroy(ns->links[--ns->n]);
}

struct linking {
	struct source_bpf *b;
	struct linked_netns ns;
};

/* A link belongs to the namespace its maker is in. */
static int link_hooks(void *arg)
{
	struct linking *linking = arg;
	struct source_bpf *b = linking->b;
	struct linked_netns *ns = &linking->ns;
	unsigned int hook;
	int rc = 0;

	for (hook = 0; !rc && hook < SHK_HOOK_CAPTURE; hook++) {
		if (!(b->hooks & SHK_HOOK_BIT(hook)))
			continue;
		rc = link_hook(b, ns, NFPROTO_IPV4, hook);
		if (!rc)
			rc = link_hook(b, ns, NFPROTO_IPV6, hook);
		if (rc == -EAFNOSUPPORT) /* a kernel without IPv6 */
			rc = 0;
	}
	if (rc)
		unlink_netns(ns);
	return rc;
}

static bool is_linked(const struct source_bpf *b, uint32_t inode)
{
	for (unsigned int i = 0; i < b->n_linked; i++)
		if (b->linked[i].inode == inode)
			return true;
	return false;
}

static int link_netns(void *arg, int fd, uint32_t inode)
{
	struct source_bpf *b = arg;
	struct linking linking = {.b = b, .ns.inode = inode};
	struct linked_netns *bigger;
	int rc;

	if ((b->netns && b->netns != inode) || is_linked(b, inode))
		return 0;
	bigger = realloc(b->linked, (b->n_linked + 1) * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	b->linked = bigger;
	rc = shk_netns_within(fd, link_hooks, &linking);
	if (!rc)
		b->linked[b->n_linked++] = linking.ns;
	return rc;
}

static int bpf_start(struct shk_source *s, struct shk_error *err)
{
	struct source_bpf *b = to_bpf(s);
	int rc = shk_netns_each(link_netns, b);

	if (rc)
		return shk_error_set(err, rc, "cannot link BPF programs to netfilter: %s", strerror(-rc));
	if (!b->n_linked)
		return shk_error_set(err, -ENOENT, "network namespace %u is gone", b->netns);
	b->running = true;
	b->rescan_ns = shk_bpf_now_ns() + RESCAN_NS;
	return 0;
}

static int bpf_stop(struct shk_source *s, struct shk_error *err)
{
	struct source_bpf *b = to_bpf(s);

	(void)err;
	b->running = false;
	for (unsigned int i = 0; i < b->n_linked; i++)
		unlink_netns(&b->linked[i]);
	b->n_linked = 0;
	shk_bpf_synchronize();
	return 0;
}

/*
 * ---- Reading -------------------------------------------------------------------------------------
 */

/* The module runs the filter in the kernel; a BPF program cannot, so it runs here. */
static bool passes(void *arg, const struct shk_event *ev)
{
	const struct source_bpf *b = arg;
	struct shk_headers h;

	if (!b->filter.len || (ev->kind != SHK_EV_SEGMENT && ev->kind != SHK_EV_PATH))
		return true;
	shk_headers_make(&h, ev);
	return shk_filter_passes(&b->filter, h.octets, h.wire_len, h.len);
}

static unsigned int rejects(void *arg, const struct shk_event *ev)
{
	if (passes(arg, ev))
		return 0;
	return ev->kind == SHK_EV_PATH ? shk_path_events(ev) : 1;
}

static void deliver(void *arg, unsigned int stream, const struct shk_event *ev)
{
	struct source_bpf *b = arg;

	shk_bpf_paths_deliver(b->paths, stream, ev, b->fn, b->arg);
}

/* Once nothing runs any more, nobody is on his way. */
static int bpf_drain(struct shk_source *s, shk_source_fn *fn, void *arg, struct shk_error *err)
{
	struct source_bpf *b = to_bpf(s);
	uint64_t now = shk_bpf_now_ns();
	int drained, fetched;

	if (b->running && !b->netns && now >= b->rescan_ns) {
		shk_netns_each(link_netns, b);
		b->rescan_ns = now + RESCAN_NS;
	}
	b->fn = fn;
	b->arg = arg;
	drained = shk_bpf_rings_drain(b->rings, deliver, b, err);
	if (drained < 0)
		return drained;
	fetched = shk_bpf_paths_flush(b->paths, b->running ? now - SHK_PATHS_PATIENCE_NS : UINT64_MAX, passes,
				      b, fn, arg);
	return drained + fetched;
}

static int bpf_account(struct shk_source *s, unsigned int stream, struct shk_account *account,
		       struct shk_error *err)
{
	struct source_bpf *b = to_bpf(s);
	int rc = shk_bpf_rings_account(b->rings, stream, account, err);

	if (!rc)
		shk_bpf_paths_account(b->paths, stream, account);
	return rc;
}

static void bpf_facts(const struct shk_source *s, struct shk_facts *facts)
{
	struct shk_fact *fact = shk_facts_add(facts);

	(void)s;
	fact->witness = "wire";
	fact->shows = shk_shows_wire;
	snprintf(fact->through, sizeof(fact->through), "BPF netfilter programs");
}

static void bpf_close(struct shk_source *s)
{
	struct source_bpf *b;

	if (!s)
		return;
	b = to_bpf(s);
	for (unsigned int i = 0; i < b->n_linked; i++)
		unlink_netns(&b->linked[i]);
	free(b->linked);
	shk_bpf_paths_free(b->paths);
	shk_bpf_rings_free(b->rings);
	wire_bpf__destroy(b->skel);
	shk_filter_release(&b->filter);
	free(b);
}

static const struct shk_source_ops bpf_ops = {
	.name = "bpf",
	.start = bpf_start,
	.stop = bpf_stop,
	.drain = bpf_drain,
	.account = bpf_account,
	.facts = bpf_facts,
	.close = bpf_close,
};

/*
 * ---- Opening -------------------------------------------------------------------------------------
 */

static int prepare(struct source_bpf *b, uint32_t slots)
{
	struct wire_bpf *skel = b->skel;
	uint64_t secret[3];

	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		return -EIO;
	skel->rodata->shk_key[0] = secret[0];
	skel->rodata->shk_key[1] = secret[1];
	skel->rodata->shk_skb_secret = secret[2];
	skel->rodata->shk_gate_mask = GATE_BUCKETS - 1;
	skel->rodata->shk_rings_wake_mask = shk_bpf_rings_wake_mask(slots);
	skel->rodata->shk_paths = (b->hooks & PATH_HOOKS) == PATH_HOOKS;
	bpf_map__set_max_entries(skel->maps.gate, GATE_BUCKETS);
	b->rings = shk_bpf_rings_new(skel->maps.rings, skel->maps.account, b->base.streams, rejects, b);
	return b->rings ? 0 : -ENOMEM;
}

static int load(struct source_bpf *b, uint32_t slots, struct shk_error *err)
{
	int rc;

	shk_bpf_silence();
	b->skel = wire_bpf__open();
	if (!b->skel)
		return shk_bpf_load_failed(-errno, "BPF netfilter programs", "6.4", err);
	rc = prepare(b, slots);
	if (!rc)
		rc = wire_bpf__load(b->skel);
	if (!rc)
		rc = shk_bpf_rings_open(b->rings, slots);
	if (!rc) {
		b->paths = shk_bpf_paths_new(bpf_map__fd(b->skel->maps.paths), b->base.streams);
		rc = b->paths ? 0 : -errno;
	}
	if (rc)
		return shk_bpf_load_failed(rc, "BPF netfilter programs", "6.4", err);
	b->base.poll_fd = shk_bpf_rings_poll_fd(b->rings);
	return 0;
}

struct shk_source *shk_source_bpf_open(const struct shk_source_config *config, struct shk_error *err)
{
	int cpus = shk_bpf_rings_cpus(config->ring_slots, err);
	struct source_bpf *b;

	if (cpus < 0)
		return NULL;
	b = calloc(1, sizeof(*b));
	if (!b) {
		shk_error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	b->base.ops = &bpf_ops;
	b->base.streams = cpus;
	b->hooks = config->hooks ? config->hooks : SHK_HOOKS_NETFILTER;
	b->base.hooks = b->hooks;
	b->netns = config->netns;
	if ((config->filter && shk_filter_compile(config->filter, &b->filter, err)) ||
	    load(b, config->ring_slots, err)) {
		bpf_close(&b->base);
		return NULL;
	}
	snprintf(b->base.about, sizeof(b->base.about), "bpf netfilter, %d CPU%s, %u slots each", cpus,
		 cpus == 1 ? "" : "s", shk_bpf_rings_slots(b->rings));
	return &b->base;
}
