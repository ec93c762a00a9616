// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64U /* a power of two, like every size */

struct entry {
	struct shk_process process;
	uint32_t next; /* in its chain, or of the free ones; SHK_NO_PROCESS ends both */
	uint32_t users;
};

/* Entry 0 is SHK_NO_PROCESS. There are as many chains as entries. */
struct shk_processes {
	struct entry *entries;
	uint32_t *chains;
	uint32_t size;
	uint32_t used; /* entries ever handed out, the first included */
	uint32_t free;
	uint32_t count;
};

/* Not keyed: who can choose process numbers at will on this host has other means to slow us down. */
static uint32_t chain_of(const struct shk_processes *t, const struct shk_process *process)
{
	uint64_t x = process->pid * 0x9e3779b97f4a7c15ULL ^ process->cgroup;

	return (x * 0xd6e8feb86659fd93ULL >> 32) & (t->size - 1);
}

static bool is_same(const struct shk_process *a, const struct shk_process *b)
{
	return a->pid == b->pid && a->owner == b->owner && a->cgroup == b->cgroup &&
	       !strcmp(a->comm, b->comm);
}

struct shk_processes *shk_processes_new(void)
{
	struct shk_processes *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->size = FIRST_SIZE;
	t->used = 1;
	t->entries = calloc(t->size, sizeof(*t->entries));
	t->chains = calloc(t->size, sizeof(*t->chains));
	if (!t->entries || !t->chains) {
		shk_processes_free(t);
		return NULL;
	}
	return t;
}

void shk_processes_free(struct shk_processes *t)
{
	if (!t)
		return;
	free(t->entries);
	free(t->chains);
	free(t);
}

static bool grow(struct shk_processes *t)
{
	uint32_t *chains = calloc(t->size * 2, sizeof(*chains)), i, chain;
	struct entry *entries = realloc(t->entries, t->size * 2 * sizeof(*entries));

	if (entries)
		t->entries = entries;
	if (!entries || !chains || t->size > SHK_PROCESSES_MAX / 2) {
		free(chains);
		return false;
	}
	memset(entries + t->size, 0, t->size * sizeof(*entries));
	free(t->chains);
	t->chains = chains;
	t->size *= 2;
	/* It grows when none is free: so every entry is in use. */
	for (i = 1; i < t->used; i++) {
		chain = chain_of(t, &entries[i].process);
		entries[i].next = chains[chain];
		chains[chain] = i;
	}
	return true;
}

/* An entry that nobody uses, or SHK_NO_PROCESS. */
static uint32_t take_entry(struct shk_processes *t)
{
	uint32_t i = t->free;

	if (i != SHK_NO_PROCESS) {
		t->free = t->entries[i].next;
		return i;
	}
	if (t->used == t->size && !grow(t))
		return SHK_NO_PROCESS;
	return t->used++;
}

uint32_t shk_processes_get(struct shk_processes *t, const struct shk_process *process)
{
	uint32_t i, *chain;

	for (i = t->chains[chain_of(t, process)]; i != SHK_NO_PROCESS; i = t->entries[i].next) {
		if (is_same(&t->entries[i].process, process)) {
			t->entries[i].users++;
			return i;
		}
	}
	i = take_entry(t);
	if (i == SHK_NO_PROCESS)
		return i;
	chain = &t->chains[chain_of(t, process)];
	t->entries[i] = (struct entry){.process = *process, .next = *chain, .users = 1};
	*chain = i;
	t->count++;
	return i;
}

void shk_processes_put(struct shk_processes *t, uint32_t number)
{
	uint32_t *link;

	if (number == SHK_NO_PROCESS || --t->entries[number].users)
		return;
	link = &t->chains[chain_of(t, &t->entries[number].process)];
	while (*link != number)
		link = &t->entries[*link].next;
	*link = t->entries[number].next;
	t->entries[number].next = t->free;
	t->free = number;
	t->count--;
}

const struct shk_process *shk_processes_at(const struct shk_processes *t, uint32_t number)
{
	return &t->entries[number].process;
}

uint32_t shk_processes_count(const struct shk_processes *t)
{
	return t->count;
}
