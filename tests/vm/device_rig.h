/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the device share: a session with all its rings mapped, read as any reader would, and
 * the account of what was read, to be held against the kernel's.
 *
 * A rig that cannot be set up ends the program: there would be nothing to test.
 */
#ifndef TEST_DEVICE_RIG_H
#define TEST_DEVICE_RIG_H

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uapi/tcpshake.h"
#include "ring_core.h"

#define RIG_CPUS_MAX	64U

/* What came out of one ring. */
struct rig_account {
	uint64_t events;
	uint64_t notes;
	uint64_t announced;	/* losses, as the notes tell them */
	uint64_t strange;	/* records of another CPU, or of a kind that the module does not write */
};

struct rig {
	int			fd;
	uint32_t		cpus;
	uint32_t		slots;
	struct shk_ring		ring[RIG_CPUS_MAX];	/* .meta is NULL if there is no such CPU */
	uint64_t		tail[RIG_CPUS_MAX];
	struct rig_account	account[RIG_CPUS_MAX];
};

typedef void rig_event_fn(const struct shk_event *ev, void *arg);

static inline size_t rig_page(void)
{
	return sysconf(_SC_PAGESIZE);
}

static inline size_t rig_data_size(const struct rig *rig)
{
	return rig->slots * sizeof(struct shk_slot);
}

static inline void *rig_map(const struct rig *rig, uint32_t cpu, uint32_t part, size_t size, int prot)
{
	void *map = mmap(NULL, size, prot, MAP_SHARED, rig->fd, (off_t)SHK_MMAP_OFFSET(cpu, part));

	if (map == MAP_FAILED)
		err(2, "mapping part %u of the ring of CPU %u", part, cpu);
	return map;
}

/* Returns false if there is no such CPU. */
static inline bool rig_has_cpu(const struct rig *rig, uint32_t cpu)
{
	struct shk_stats stats = { .cpu = cpu };

	return !ioctl(rig->fd, SHK_IOC_STATS, &stats) || errno != ENODEV;
}

static inline void rig_map_rings(struct rig *rig)
{
	struct shk_ring *ring;
	uint32_t cpu;

	for (cpu = 0; cpu < rig->cpus; cpu++) {
		if (!rig_has_cpu(rig, cpu))
			continue;
		ring = &rig->ring[cpu];
		ring->meta = rig_map(rig, cpu, SHK_MMAP_META, rig_page(), PROT_READ);
		ring->control = rig_map(rig, cpu, SHK_MMAP_CONTROL, rig_page(), PROT_READ | PROT_WRITE);
		ring->slots = rig_map(rig, cpu, SHK_MMAP_DATA, rig_data_size(rig), PROT_READ);
		ring->mask = rig->slots - 1;
	}
}

/* The inode number of the network namespace that we are in. */
static inline uint32_t rig_netns(void)
{
	struct stat netns;

	if (stat("/proc/self/ns/net", &netns))
		err(2, "/proc/self/ns/net");
	return netns.st_ino;
}

/* @setup but for .abi: 0 everywhere is the default. */
static inline void rig_open(struct rig *rig, struct shk_setup setup)
{
	struct shk_info info;

	memset(rig, 0, sizeof(*rig));
	setup.abi = SHK_ABI;
	rig->fd = open(SHK_DEVICE, O_RDWR | O_CLOEXEC);
	if (rig->fd < 0)
		err(2, "%s", SHK_DEVICE);
	if (ioctl(rig->fd, SHK_IOC_INFO, &info) || ioctl(rig->fd, SHK_IOC_SETUP, &setup))
		err(2, "setting up a session with %u slots", setup.slots);
	rig->slots = setup.slots ? setup.slots : info.default_slots;
	rig->cpus = info.nr_cpus < RIG_CPUS_MAX ? info.nr_cpus : RIG_CPUS_MAX;
	rig_map_rings(rig);
}

static inline void rig_unmap(struct rig *rig)
{
	uint32_t cpu;

	for (cpu = 0; cpu < rig->cpus; cpu++) {
		if (!rig->ring[cpu].meta)
			continue;
		munmap(rig->ring[cpu].meta, rig_page());
		munmap(rig->ring[cpu].control, rig_page());
		munmap(rig->ring[cpu].slots, rig_data_size(rig));
		rig->ring[cpu].meta = NULL;
	}
}

static inline void rig_close(struct rig *rig)
{
	rig_unmap(rig);
	close(rig->fd);
}

static inline void rig_start(struct rig *rig)
{
	if (ioctl(rig->fd, SHK_IOC_START))
		err(2, "START");
}

static inline void rig_stop(struct rig *rig)
{
	if (ioctl(rig->fd, SHK_IOC_STOP))
		err(2, "STOP");
}

static inline void rig_set_hooks(struct rig *rig, uint32_t hooks)
{
	if (ioctl(rig->fd, SHK_IOC_HOOKS, &hooks))
		err(2, "HOOKS");
}

static inline void rig_count(struct rig_account *account, const struct shk_event *ev, uint32_t cpu)
{
	account->strange += ev->cpu != cpu;
	if (ev->kind == SHK_EV_LOST) {
		account->notes++;
		account->announced += ev->lost.count;
		return;
	}
	account->strange += ev->kind != SHK_EV_SEGMENT;
	account->events++;
}

/* Reads all there is, hands each segment to @fn if there is one, then hands the slots back. */
static inline void rig_drain(struct rig *rig, rig_event_fn *fn, void *arg)
{
	const struct shk_event *ev;
	uint32_t cpu;

	for (cpu = 0; cpu < rig->cpus; cpu++) {
		if (!rig->ring[cpu].meta)
			continue;
		while ((ev = shk_ring_peek(&rig->ring[cpu], rig->tail[cpu]))) {
			rig_count(&rig->account[cpu], ev, cpu);
			if (fn && ev->kind == SHK_EV_SEGMENT)
				fn(ev, arg);
			rig->tail[cpu]++;
		}
		shk_ring_release(&rig->ring[cpu], rig->tail[cpu]);
	}
}

static inline struct shk_stats rig_stats(const struct rig *rig, uint32_t cpu)
{
	struct shk_stats stats = { .cpu = cpu };

	if (ioctl(rig->fd, SHK_IOC_STATS, &stats))
		err(2, "STATS of CPU %u", cpu);
	return stats;
}

/* Of all CPUs together. */
static inline struct shk_stats rig_total(const struct rig *rig)
{
	struct shk_stats sum = { 0 }, one;
	uint32_t cpu;

	for (cpu = 0; cpu < rig->cpus; cpu++) {
		if (!rig->ring[cpu].meta)
			continue;
		one = rig_stats(rig, cpu);
		sum.seen += one.seen;
		sum.delivered += one.delivered;
		sum.lost += one.lost;
		sum.filtered += one.filtered;
		sum.notes += one.notes;
		sum.unannounced += one.unannounced;
	}
	return sum;
}

static inline bool rig_equal(uint32_t cpu, const char *what, uint64_t got, uint64_t wanted)
{
	if (got != wanted)
		printf("#   CPU %u: %s: %llu and %llu\n", cpu, what, (unsigned long long)got,
		       (unsigned long long)wanted);
	return got == wanted;
}

/* STATS holds whatever the reader did. */
static inline bool rig_stats_hold(const struct rig *rig)
{
	struct shk_stats stats;
	bool holds = true;
	uint32_t cpu;

	for (cpu = 0; cpu < rig->cpus; cpu++) {
		if (!rig->ring[cpu].meta)
			continue;
		stats = rig_stats(rig, cpu);
		holds &= rig_equal(cpu, "seen, delivered + lost", stats.seen, stats.delivered + stats.lost);
	}
	return holds;
}

/* And what was read is what was delivered, and what was told as lost is what was lost. */
static inline bool rig_account_holds(const struct rig *rig, uint32_t cpu)
{
	const struct rig_account *mine = &rig->account[cpu];
	const struct shk_ring_meta *meta = rig->ring[cpu].meta;
	struct shk_stats stats = rig_stats(rig, cpu);
	bool holds = true;

	holds &= rig_equal(cpu, "delivered, events read", stats.delivered, mine->events);
	holds &= rig_equal(cpu, "notes written, notes read", stats.notes, mine->notes);
	holds &= rig_equal(cpu, "lost, announced + unannounced", stats.lost,
			   mine->announced + stats.unannounced);
	holds &= rig_equal(cpu, "strange records", mine->strange, 0);
	holds &= rig_equal(cpu, "head, tail", meta->head, rig->tail[cpu]);
	holds &= rig_equal(cpu, "head, seen - lost + notes", meta->head,
			   meta->seen - meta->lost + meta->notes);
	holds &= rig_equal(cpu, "seen in STATS, in META", stats.seen, meta->seen);
	return holds;
}

/* At rest and drained: every CPU's account is exact. */
static inline bool rig_accounts_hold(const struct rig *rig)
{
	bool hold = rig_stats_hold(rig);
	uint32_t cpu;

	for (cpu = 0; cpu < rig->cpus; cpu++)
		if (rig->ring[cpu].meta)
			hold &= rig_account_holds(rig, cpu);
	return hold;
}

/* What @test returns in a child process, 0 or an errno; -1 if it was killed. */
static inline int rig_in_child(int (*test)(void *arg), void *arg)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(test(arg));
	if (child < 0 || waitpid(child, &status, 0) != child)
		err(2, "fork");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif /* TEST_DEVICE_RIG_H */
