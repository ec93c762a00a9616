// SPDX-License-Identifier: GPL-2.0
/*
 * The source "socket": the second witness. Its programs are in bpf/socket.bpf.c, one ring for each CPU;
 * one stream more carries the sockets that existed at the start, and the losses that belong to no CPU.
 *
 * Links and iterators live as long as their file descriptors: when this process ends, however it ends,
 * nothing stays behind.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf_rings.h"
#include "cgroups.h"
#include "netns_list.h"
#include "socket.skel.h"
#include "source_socket.h"

#define SNAPSHOT_EVENTS 512
#define EARLY_EVENTS    65536        /* 8 MB, for as long as it takes to hand them over */
#define MISSED_NS       500000000ULL /* how soon a loss that the programs cannot count is announced */

/* The sockets of one network namespace, waiting to be read. */
struct snapshot {
	uint32_t netns;
	int fd;
};

struct source_socket {
	struct shk_source base;
	struct shk_socket_programs programs;
	struct shk_bpf_rings *rings;
	uint32_t netns;      /* 0: all */
	uint32_t ring_slots; /* 0: the default */
	bool hooked;         /* the other witness sees what sockets of this host send */
	struct shk_cgroups *cgroups;
	shk_source_fn *fn; /* of the running drain */
	void *arg;
	struct bpf_link *iterator;
	struct snapshot *snapshots;
	unsigned int n_snapshots;
	unsigned int next_snapshot;
	struct shk_event *early; /* read at the start */
	unsigned int n_early;
	unsigned int next_early;
	uint64_t existed;
	uint64_t missed; /* as announced */
	int64_t missing; /* as found the last time */
	uint64_t missed_ns;
	bool running;
};

static struct source_socket *to_socket(const struct shk_source *s)
{
	return (struct source_socket *)s;
}

/*
 * ---- What exists at the start --------------------------------------------------------------------
 */

/* Runs over the descriptors of all tasks; the program keeps what it finds with the sockets. */
static void find_holders(struct source_socket *b)
{
	struct bpf_program *program = b->programs.skel->progs.shk_holders;
	struct bpf_link *link;
	char nothing[64];
	int fd;

	if (bpf_program__fd(program) < 0)
		return;
	link = bpf_program__attach_iter(program, NULL);
	if (!link)
		return;
	fd = bpf_iter_create(bpf_link__fd(link));
	while (fd >= 0 && read(fd, nothing, sizeof(nothing)) > 0)
		;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
}

/* An iterator shows the sockets of the namespace in which it was made. */
static int add_snapshot(void *arg)
{
	struct source_socket *b = arg;
	struct snapshot *bigger = realloc(b->snapshots, (b->n_snapshots + 1) * sizeof(*bigger));
	int fd;

	if (!bigger)
		return -ENOMEM;
	b->snapshots = bigger;
	fd = bpf_iter_create(bpf_link__fd(b->iterator));
	if (fd < 0)
		return -errno;
	b->snapshots[b->n_snapshots++].fd = fd;
	return 0;
}

static int snapshot_netns(void *arg, int fd, uint32_t inode)
{
	struct source_socket *b = arg;
	int rc;

	if (b->netns && b->netns != inode)
		return 0;
	for (unsigned int i = 0; i < b->n_snapshots; i++)
		if (b->snapshots[i].netns == inode)
			return 0;
	rc = shk_netns_within(fd, add_snapshot, b);
	if (!rc)
		b->snapshots[b->n_snapshots - 1].netns = inode;
	return rc;
}

static int open_snapshots(struct source_socket *b)
{
	struct bpf_program *program = b->programs.skel->progs.shk_existing;

	if (bpf_program__fd(program) < 0)
		return 0;
	find_holders(b);
	b->iterator = bpf_program__attach_iter(program, NULL);
	return b->iterator ? shk_netns_each(snapshot_netns, b) : -errno;
}

/* Some of what existed: the iterator is held back by how much is read. How many, or -errno. */
static int read_snapshot(struct source_socket *b, struct shk_event *events)
{
	struct snapshot *snapshot = &b->snapshots[b->next_snapshot];
	ssize_t size = read(snapshot->fd, events, SNAPSHOT_EVENTS * sizeof(*events));

	if (size < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (!size) {
		close(snapshot->fd);
		b->next_snapshot++;
	}
	return size / sizeof(*events);
}

/*
 * Before anybody is told that sockets are observed: one that is there now, and closes at once, should be
 * known. On a host with more of them the rest comes as fast as it is read.
 */
static int read_early(struct source_socket *b)
{
	int n;

	b->early = malloc(EARLY_EVENTS * sizeof(*b->early));
	if (!b->early)
		return -ENOMEM;
	while (b->next_snapshot < b->n_snapshots && b->n_early + SNAPSHOT_EVENTS <= EARLY_EVENTS) {
		n = read_snapshot(b, b->early + b->n_early);
		if (n < 0)
			return n;
		b->n_early += n;
	}
	return 0;
}

static void hand_over(struct source_socket *b, const struct shk_event *events, int n, shk_source_fn *fn,
		      void *arg)
{
	for (int i = 0; i < n; i++)
		fn(arg, b->base.streams - 1, &events[i]);
	b->existed += n;
}

/* Some of what existed. Their number, or -errno. */
static int drain_snapshot(struct source_socket *b, shk_source_fn *fn, void *arg)
{
	static struct shk_event events[SNAPSHOT_EVENTS];
	unsigned int n_early = b->n_early - b->next_early;
	int n;

	if (n_early) {
		n = n_early < SNAPSHOT_EVENTS ? n_early : SNAPSHOT_EVENTS;
		hand_over(b, b->early + b->next_early, n, fn, arg);
		b->next_early += n;
		return n;
	}
	free(b->early);
	b->early = NULL;
	if (b->next_snapshot == b->n_snapshots)
		return 0;
	n = read_snapshot(b, events);
	if (n > 0)
		hand_over(b, events, n, fn, arg);
	return n;
}

/*
 * ---- The vtable ----------------------------------------------------------------------------------
 */

static int socket_start(struct shk_source *s, struct shk_error *err)
{
	struct source_socket *b = to_socket(s);
	int rc;

	rc = shk_socket_programs_attach(&b->programs, err);
	if (rc)
		return rc;
	b->running = true;
	rc = open_snapshots(b);
	if (!rc)
		rc = read_early(b);
	if (rc)
		return shk_error_set(err, rc, "cannot list the sockets that exist: %s", strerror(-rc));
	return 0;
}

static int socket_stop(struct shk_source *s, struct shk_error *err)
{
	struct source_socket *b = to_socket(s);

	(void)err;
	b->running = false;
	shk_socket_programs_detach(&b->programs);
	return 0;
}

/*
 * The kernel does not run a program that interrupts itself; it counts that. Most of these calls are made
 * up for by a second instance (bpf/second.bpf.h); one that is on its way to it is not lost, so only what
 * is missing twice in a row is. Such a call might have made a record, or none: the loss is at most so
 * many.
 */
static int announce_missed(struct source_socket *b, shk_source_fn *fn, void *arg, struct shk_error *err)
{
	struct shk_event ev = {.kind = SHK_EV_LOST, .ts_ns = shk_bpf_now_ns()};
	int64_t missing, before = b->missing;
	uint64_t made_up;
	int rc;

	if (b->running && ev.ts_ns < b->missed_ns)
		return 0;
	b->missed_ns = ev.ts_ns + MISSED_NS;
	missing = shk_socket_programs_missed(&b->programs);
	rc = shk_bpf_rings_made_up(b->rings, &made_up, err);
	if (rc)
		return rc;
	missing -= made_up;
	b->missing = missing;
	if (b->running && missing > before)
		missing = before;
	if (missing <= (int64_t)b->missed)
		return 0;
	ev.lost.count = missing - b->missed;
	b->missed = missing;
	fn(arg, b->base.streams - 1, &ev);
	return 1;
}

/* Now, not when the record is written: a short-lived container is gone by then. */
static void deliver(void *arg, unsigned int stream, const struct shk_event *ev)
{
	struct source_socket *b = arg;

	if (ev->kind == SHK_EV_SOCKET)
		shk_cgroups_learn(b->cgroups, ev->sock.cgroup);
	b->fn(b->arg, stream, ev);
}

static int socket_drain(struct shk_source *s, shk_source_fn *fn, void *arg, struct shk_error *err)
{
	struct source_socket *b = to_socket(s);
	int existed, drained, announced;

	existed = drain_snapshot(b, fn, arg);
	if (existed < 0)
		return shk_error_set(err, existed, "cannot list the sockets that exist: %s",
				     strerror(-existed));
	b->fn = fn;
	b->arg = arg;
	drained = shk_bpf_rings_drain(b->rings, deliver, b, err);
	if (drained < 0)
		return drained;
	announced = announce_missed(b, fn, arg, err);
	return announced < 0 ? announced : existed + drained + announced;
}

static int socket_account(struct shk_source *s, unsigned int stream, struct shk_account *account,
			  struct shk_error *err)
{
	struct source_socket *b = to_socket(s);

	memset(account, 0, sizeof(*account));
	if (stream < s->streams - 1)
		return shk_bpf_rings_account(b->rings, stream, account, err);
	account->lost = b->missed;
	account->delivered = account->read = b->existed;
	account->seen = account->delivered + account->lost;
	return 0;
}

static void socket_facts(const struct shk_source *s, struct shk_facts *facts)
{
	shk_socket_programs_facts(&to_socket(s)->programs, facts);
}

static void socket_close(struct shk_source *s)
{
	struct source_socket *b;

	if (!s)
		return;
	b = to_socket(s);
	for (unsigned int i = b->next_snapshot; i < b->n_snapshots; i++)
		close(b->snapshots[i].fd);
	free(b->snapshots);
	free(b->early);
	bpf_link__destroy(b->iterator);
	shk_bpf_rings_free(b->rings);
	shk_socket_programs_release(&b->programs);
	free(b);
}

static const struct shk_source_ops socket_ops = {
	.name = "socket",
	.start = socket_start,
	.stop = socket_stop,
	.drain = socket_drain,
	.account = socket_account,
	.facts = socket_facts,
	.close = socket_close,
};

const struct shk_socket_programs *shk_source_socket_programs(const struct shk_source *s)
{
	return &to_socket(s)->programs;
}

/*
 * ---- Opening -------------------------------------------------------------------------------------
 */

static int prepare(void *arg, struct socket_bpf *skel)
{
	struct source_socket *b = arg;

	skel->rodata->shk_netns = b->netns;
	skel->rodata->shk_rings_wake_mask = shk_bpf_rings_wake_mask(b->ring_slots);
	shk_bpf_rings_free(b->rings);
	b->rings = shk_bpf_rings_new(skel->maps.rings, skel->maps.account, b->base.streams - 1, NULL, NULL);
	return b->rings ? 0 : -ENOMEM;
}

static int load(struct source_socket *b, struct shk_error *err)
{
	int rc;

	rc = shk_socket_programs_load(&b->programs, b->hooked, prepare, b, err);
	if (rc)
		return rc;
	rc = shk_bpf_rings_open(b->rings, b->ring_slots);
	if (rc)
		return shk_error_set(err, rc, "cannot make the BPF rings: %s; ask for less with --ring-slots",
				     strerror(-rc));
	b->base.poll_fd = shk_bpf_rings_poll_fd(b->rings);
	return 0;
}

struct shk_source *shk_source_socket_open(const struct shk_source_config *config, struct shk_error *err)
{
	int cpus = shk_bpf_rings_cpus(config->ring_slots, err);
	struct source_socket *b;

	if (cpus < 0)
		return NULL;
	b = calloc(1, sizeof(*b));
	if (!b) {
		shk_error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	b->base.ops = &socket_ops;
	b->base.streams = cpus + 1;
	b->base.witness = SHK_WITNESS_SOCKET;
	b->netns = config->netns;
	b->ring_slots = config->ring_slots;
	b->hooked = config->hooks & SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT);
	b->cgroups = config->cgroups;
	if (load(b, err)) {
		socket_close(&b->base);
		return NULL;
	}
	snprintf(b->base.about, sizeof(b->base.about), "bpf sockets, %d CPU%s, %u slots each", cpus,
		 cpus == 1 ? "" : "s", shk_bpf_rings_slots(b->rings));
	return &b->base;
}
