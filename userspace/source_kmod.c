// SPDX-License-Identifier: GPL-2.0
/*
 * The source "kmod": one session with the module, one stream for each CPU. The device's manual is in
 * uapi/tcpshake.h, the ring in ring_core.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "filter.h"
#include "layout.h"
#include "ring_core.h"
#include "source.h"
#include "version.h"

/* Records of one CPU in a row: then it is the next one's turn, and the writers get their slots back. */
#define DRAIN_BATCH 256

struct cpu_ring {
	struct shk_ring ring; /* .slots NULL: the CPU is impossible */
	size_t data_size;
	uint64_t tail;
	uint64_t until; /* of the running drain */
	uint64_t read;
};

struct source_kmod {
	struct shk_source base;
	int fd;
	size_t page_size;
	struct cpu_ring rings[];
};

static struct source_kmod *to_kmod(struct shk_source *s)
{
	return (struct source_kmod *)s;
}

static int kmod_start(struct shk_source *s, struct shk_error *err)
{
	if (ioctl(to_kmod(s)->fd, SHK_IOC_START) < 0)
		return shk_error_set(err, -errno, SHK_DEVICE ": cannot start: %s", strerror(errno));
	return 0;
}

static int kmod_stop(struct shk_source *s, struct shk_error *err)
{
	if (ioctl(to_kmod(s)->fd, SHK_IOC_STOP) < 0 && errno != EALREADY)
		return shk_error_set(err, -errno, SHK_DEVICE ": cannot stop: %s", strerror(errno));
	return 0;
}

/* At most DRAIN_BATCH records, none beyond r->until. */
static unsigned int drain_batch(struct cpu_ring *r, unsigned int stream, shk_source_fn *fn, void *arg)
{
	const struct shk_event *ev;
	unsigned int count = 0;

	while (count < DRAIN_BATCH && r->tail != r->until) {
		ev = shk_ring_peek(&r->ring, r->tail);
		if (!ev) {
			/* A hook is still writing this one: the rest has to wait for the next drain. */
			r->until = r->tail;
			break;
		}
		if (ev->kind != SHK_EV_LOST)
			r->read++;
		fn(arg, stream, ev);
		r->tail++;
		count++;
	}
	if (count)
		shk_ring_release(&r->ring, r->tail);
	return count;
}

/*
 * What was there when the call began, and no more: so it ends however fast events come, and the caller
 * may take it that everything older than the call was handed over.
 */
static int kmod_drain(struct shk_source *s, shk_source_fn *fn, void *arg, struct shk_error *err)
{
	struct source_kmod *k = to_kmod(s);
	unsigned int i, batch;
	int total = 0;

	(void)err;
	for (i = 0; i < s->streams; i++)
		if (k->rings[i].ring.slots)
			k->rings[i].until = shk_ring_load(&k->rings[i].ring.meta->head);
	do {
		batch = 0;
		for (i = 0; i < s->streams; i++)
			batch += drain_batch(&k->rings[i], i, fn, arg);
		total += batch;
	} while (batch);
	return total;
}

static int kmod_account(struct shk_source *s, unsigned int stream, struct shk_account *account,
			struct shk_error *err)
{
	struct source_kmod *k = to_kmod(s);
	struct shk_stats stats = {.cpu = stream};

	memset(account, 0, sizeof(*account));
	if (!k->rings[stream].ring.slots)
		return 0;
	if (ioctl(k->fd, SHK_IOC_STATS, &stats) < 0)
		return shk_error_set(err, -errno, SHK_DEVICE ": no statistics of CPU %u: %s", stream,
				     strerror(errno));
	account->seen = stats.seen;
	account->delivered = stats.delivered;
	account->lost = stats.lost;
	account->filtered = stats.filtered;
	account->read = k->rings[stream].read;
	return 0;
}

static void ring_unmap(struct cpu_ring *r, size_t page_size)
{
	if (r->ring.slots)
		munmap(r->ring.slots, r->data_size);
	if (r->ring.control)
		munmap(r->ring.control, page_size);
	if (r->ring.meta)
		munmap(r->ring.meta, page_size);
	memset(r, 0, sizeof(*r));
}

static void kmod_facts(const struct shk_source *s, struct shk_facts *facts)
{
	struct shk_fact *fact = shk_facts_add(facts);

	(void)s;
	fact->witness = "wire";
	fact->shows = shk_shows_wire;
	snprintf(fact->through, sizeof(fact->through), "the module tcpshake");
}

/*
 * What has nowhere to be kept is no failure of this run: a module of the same ABI from before this call, a
 * namespace that is gone, a counter that somebody has filled.
 */
static int kmod_tell_conflicts(struct shk_source *s, const struct shk_conflicts *conflicts,
			       struct shk_error *err)
{
	if (!ioctl(to_kmod(s)->fd, SHK_IOC_CONFLICTS, conflicts))
		return 0;
	if (errno == ENOTTY || errno == ENOENT || errno == EOVERFLOW)
		return 0;
	return shk_error_set(err, -errno, SHK_DEVICE ": cannot report conflicts: %s", strerror(errno));
}

static void kmod_close(struct shk_source *s)
{
	struct source_kmod *k;
	unsigned int i;

	if (!s)
		return;
	k = to_kmod(s);
	for (i = 0; i < s->streams; i++)
		ring_unmap(&k->rings[i], k->page_size);
	close(k->fd);
	free(k);
}

static const struct shk_source_ops kmod_ops = {
	.name = "kmod",
	.start = kmod_start,
	.stop = kmod_stop,
	.drain = kmod_drain,
	.account = kmod_account,
	.facts = kmod_facts,
	.tell_conflicts = kmod_tell_conflicts,
	.close = kmod_close,
};

/*
 * ---- Opening -------------------------------------------------------------------------------------
 */

/* NULL and errno on failure. */
static void *map_part(const struct source_kmod *k, unsigned int cpu, unsigned int part, size_t size)
{
	int prot = part == SHK_MMAP_CONTROL ? PROT_READ | PROT_WRITE : PROT_READ;
	void *at;

	at = mmap(NULL, size, prot, MAP_SHARED, k->fd, (off_t)SHK_MMAP_OFFSET(cpu, part));
	return at == MAP_FAILED ? NULL : at;
}

/* 0 also for an impossible CPU, which has no ring. */
static int ring_map(struct source_kmod *k, unsigned int cpu, struct shk_error *err)
{
	struct cpu_ring *r = &k->rings[cpu];
	const struct shk_ring_meta *meta;

	r->ring.meta = map_part(k, cpu, SHK_MMAP_META, k->page_size);
	if (!r->ring.meta && errno == ENODEV)
		return 0;
	if (!r->ring.meta)
		goto err_map;
	meta = r->ring.meta;
	if (meta->slot_size != sizeof(struct shk_slot) || meta->meta_size < sizeof(*meta) || !meta->slots ||
	    meta->slots & (meta->slots - 1))
		return shk_error_set(err, -EPROTO,
				     SHK_DEVICE ": the ring of CPU %u is not laid out as ABI %d says", cpu,
				     SHK_ABI);
	r->ring.mask = meta->slots - 1;
	r->data_size = meta->slots * sizeof(struct shk_slot);
	r->ring.control = map_part(k, cpu, SHK_MMAP_CONTROL, k->page_size);
	if (!r->ring.control)
		goto err_map;
	r->ring.slots = map_part(k, cpu, SHK_MMAP_DATA, r->data_size);
	if (!r->ring.slots)
		goto err_map;
	return 0;

err_map:
	return shk_error_set(err, -errno, SHK_DEVICE ": cannot map the ring of CPU %u: %s", cpu,
			     strerror(errno));
}

static int check_abi(const struct shk_info *info, struct shk_error *err)
{
	if (info->abi == SHK_ABI && info->event_size == sizeof(struct shk_event))
		return 0;
	return shk_error_set(err, -EPROTO,
			     "tool and module do not fit: tcpshake " SHK_VERSION
			     " speaks ABI %d, the loaded module "
			     "%s speaks ABI %u.\n"
			     "  Load the module that was built with this tool:  sudo rmmod tcpshake && "
			     "sudo insmod path/to/tcpshake.ko",
			     SHK_ABI, info->version, info->abi);
}

static int check_slots(const struct shk_info *info, uint32_t slots, struct shk_error *err)
{
	if (!slots || (slots >= info->min_slots && slots <= info->max_slots && !(slots & (slots - 1))))
		return 0;
	return shk_error_set(err, -EINVAL, "--ring-slots %u: it takes a power of two from %u to %u", slots,
			     info->min_slots, info->max_slots);
}

static int setup_failed(const struct shk_info *info, uint32_t slots, int code, struct shk_error *err)
{
	double mib = (double)info->nr_cpus * slots * sizeof(struct shk_slot) / (1 << 20);

	if (code != -ENOMEM)
		return shk_error_set(err, code, SHK_DEVICE ": the module refused the session: %s",
				     strerror(-code));
	return shk_error_set(
		err, code,
		"no memory for the rings: up to %u CPUs x %u slots x %zu octets = %.1f MiB were asked "
		"for.\n"
		"  Ask for less with --ring-slots (at least %u), or raise the memory limit of this "
		"cgroup.",
		info->nr_cpus, slots, sizeof(struct shk_slot), mib, info->min_slots);
}

static int session_setup(const struct source_kmod *k, const struct shk_info *info,
			 const struct shk_source_config *config, struct shk_error *err)
{
	struct shk_setup setup = {
		.abi = SHK_ABI,
		.slots = config->ring_slots ? config->ring_slots : info->default_slots,
		.hooks = config->hooks,
		.netns = config->netns,
	};
	int rc;

	rc = check_slots(info, config->ring_slots, err);
	if (rc)
		return rc;
	if (ioctl(k->fd, SHK_IOC_SETUP, &setup) < 0)
		return setup_failed(info, setup.slots, -errno, err);
	return 0;
}

static int session_filter(const struct source_kmod *k, const char *expression,
			  const struct shk_filter_program *program, struct shk_error *err)
{
	struct shk_filter filter = {.len = program->len, .insns = (uintptr_t)program->insns};

	if (!program->len)
		return 0;
	if (ioctl(k->fd, SHK_IOC_FILTER, &filter) < 0)
		return shk_error_set(err, -errno, "filter \"%s\": the kernel refused its %u instructions: %s",
				     expression, program->len, strerror(errno));
	return 0;
}

static void describe(struct source_kmod *k, const struct shk_info *info)
{
	uint64_t slots = 0;
	unsigned int i, n = 0;

	for (i = 0; i < k->base.streams; i++) {
		if (!k->rings[i].ring.slots)
			continue;
		slots = k->rings[i].ring.mask + 1;
		n++;
	}
	snprintf(k->base.about, sizeof(k->base.about), "kmod %s, %u CPU%s, %llu slots each", info->version, n,
		 n == 1 ? "" : "s", (unsigned long long)slots);
}

/* Takes over @fd, also on failure. */
static struct source_kmod *session_new(int fd, const struct shk_info *info, struct shk_error *err)
{
	struct source_kmod *k;

	k = calloc(1, sizeof(*k) + info->nr_cpus * sizeof(k->rings[0]));
	if (!k) {
		shk_error_set(err, -ENOMEM, "out of memory");
		close(fd);
		return NULL;
	}
	k->base.ops = &kmod_ops;
	k->base.poll_fd = fd;
	k->base.streams = info->nr_cpus;
	k->fd = fd;
	k->page_size = sysconf(_SC_PAGESIZE);
	return k;
}

static struct source_kmod *session_open(struct shk_info *info, struct shk_error *err)
{
	int fd;

	fd = shk_device_open(info, err);
	if (fd < 0)
		return NULL;
	if (check_abi(info, err)) {
		close(fd);
		return NULL;
	}
	return session_new(fd, info, err);
}

struct shk_source *shk_source_kmod_open(const struct shk_source_config *config, struct shk_error *err)
{
	struct shk_filter_program program = {0};
	struct source_kmod *k = NULL;
	struct shk_info info;
	unsigned int cpu;

	/* The filter first: a wrong one is told even where the module is missing. */
	if (config->filter && shk_filter_compile(config->filter, &program, err))
		return NULL;
	k = session_open(&info, err);
	if (!k)
		goto err_filter;
	if (session_setup(k, &info, config, err) || session_filter(k, config->filter, &program, err))
		goto err_session;
	for (cpu = 0; cpu < info.nr_cpus; cpu++)
		if (ring_map(k, cpu, err))
			goto err_session;
	k->base.hooks = config->hooks ? config->hooks : info.hooks;
	describe(k, &info);
	shk_filter_release(&program);
	return &k->base;

err_session:
	kmod_close(&k->base);
err_filter:
	shk_filter_release(&program);
	return NULL;
}
