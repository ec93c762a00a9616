// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf_paths.h"

#define SLOTS_SIZE (SHK_PATH_SLOTS * sizeof(struct shk_path_slot))

struct counts {
	uint64_t more;    /* events of records of the ring beyond the one that each counted as */
	uint64_t fetched; /* events of records that were fetched */
};

struct shk_bpf_paths {
	struct shk_path_slot *slots; /* shared with the programs */
	unsigned int streams;
	struct counts counts[];
};

struct shk_bpf_paths *shk_bpf_paths_new(int map_fd, unsigned int streams)
{
	struct shk_bpf_paths *p = calloc(1, sizeof(*p) + streams * sizeof(p->counts[0]));

	if (!p)
		return NULL;
	p->streams = streams;
	p->slots = mmap(NULL, SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (p->slots == MAP_FAILED) {
		free(p);
		return NULL;
	}
	return p;
}

void shk_bpf_paths_free(struct shk_bpf_paths *p)
{
	if (!p)
		return;
	munmap(p->slots, SLOTS_SIZE);
	free(p);
}

static struct shk_event *add_later(struct shk_event *events, unsigned int *n, enum shk_hook hook,
				   uint32_t delta)
{
	struct shk_event *ev = &events[*n];

	if (!delta)
		return NULL;
	*ev = events[0];
	ev->where = hook;
	ev->ts_ns += delta - 1;
	/* Told at LOCAL_OUT only. */
	ev->seg.sock_state = 0;
	ev->seg.synack_timeouts = 0;
	++*n;
	return ev;
}

unsigned int shk_bpf_path_expand(const struct shk_event *path, struct shk_event events[4])
{
	unsigned int n = 1;

	events[0] = *path;
	events[0].kind = SHK_EV_SEGMENT;
	events[0].where = SHK_HOOK_LOCAL_OUT;
	events[0].ifindex = SHK_PATH_IFINDEX;
	memset(events[0].seg.reserved, 0, sizeof(events[0].seg.reserved));
	add_later(events, &n, SHK_HOOK_POST_ROUTING, SHK_PATH_POST(path));
	add_later(events, &n, SHK_HOOK_PRE_ROUTING, SHK_PATH_PRE(path));
	add_later(events, &n, SHK_HOOK_LOCAL_IN, SHK_PATH_IN(path));
	return n;
}

static unsigned int deliver(const struct shk_event *path, unsigned int stream, shk_source_fn *fn, void *arg)
{
	struct shk_event events[4];
	unsigned int n = shk_bpf_path_expand(path, events);

	for (unsigned int i = 0; i < n; i++)
		fn(arg, stream, &events[i]);
	return n;
}

void shk_bpf_paths_deliver(struct shk_bpf_paths *p, unsigned int stream, const struct shk_event *ev,
			   shk_source_fn *fn, void *arg)
{
	if (ev->kind == SHK_EV_PATH)
		p->counts[stream].more += deliver(ev, stream, fn, arg) - 1;
	else
		fn(arg, stream, ev);
}

/* Takes the record out of its slot, if it still is what it was when the time was looked at. */
static bool fetch(struct shk_path_slot *slot, uint64_t until_ns, struct shk_event *path)
{
	uint64_t owner = *(volatile __u64 *)&slot->owner;
	bool taken;

	if (owner == SHK_PATH_FREE || owner == SHK_PATH_BUSY || slot->ev.ts_ns >= until_ns ||
	    !__sync_bool_compare_and_swap(&slot->owner, owner, SHK_PATH_BUSY))
		return false;
	/* Another packet may have come to the same address and the same slot meanwhile. */
	taken = slot->ev.ts_ns < until_ns;
	if (taken)
		*path = slot->ev;
	__sync_synchronize();
	*(volatile __u64 *)&slot->owner = taken ? SHK_PATH_FREE : owner;
	return taken;
}

int shk_bpf_paths_flush(struct shk_bpf_paths *p, uint64_t until_ns, shk_paths_passes_fn *passes,
			void *passes_arg, shk_source_fn *fn, void *arg)
{
	struct shk_event path;
	int n = 0;

	for (unsigned int i = 0; i < SHK_PATH_SLOTS; i++) {
		if (!fetch(&p->slots[i], until_ns, &path) || (passes && !passes(passes_arg, &path)))
			continue;
		if (path.cpu < p->streams)
			p->counts[path.cpu].fetched += deliver(&path, path.cpu, fn, arg);
		n++;
	}
	return n;
}

void shk_bpf_paths_account(const struct shk_bpf_paths *p, unsigned int stream, struct shk_account *account)
{
	const struct counts *c = &p->counts[stream];

	account->seen += c->fetched;
	account->delivered += c->more + c->fetched;
	account->read += c->more + c->fetched;
}
