// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "account.h"
#include "bpf_rings.h"

#define RING_SLOTS_DEFAULT 32768U
#define RING_SLOTS_MIN     64U
#define RING_SLOTS_MAX     1048576U
#define RECORD_OCTETS      128U   /* an event and the ring's own header, include/uapi/linux/bpf.h */
#define DRAIN_MAX          65536U /* records of one CPU in one drain */
#define WAKE_MIN           1024U  /* events; to be woken costs more than a small ring can make good */
#define CALLS_MAX          16

_Static_assert(sizeof(struct shk_event) + BPF_RINGBUF_HDR_SZ == RECORD_OCTETS, "one record, one slot");

struct cpu_stream {
	struct shk_bpf_rings *owner;
	struct ring *ring;
	unsigned int number;
	unsigned int budget;
	uint64_t read;
	uint64_t filtered; /* events */
	uint64_t rejected; /* records of them */
	uint64_t notes;
};

struct shk_bpf_rings {
	struct bpf_map *rings_map;
	struct bpf_map *account_map;
	struct ring_buffer *buffer;
	uint32_t slots;
	shk_bpf_rejects_fn *rejects;
	void *rejects_arg;
	shk_source_fn *fn; /* of the running drain */
	void *arg;
	unsigned int n;
	struct cpu_stream cpus[];
};

/*
 * ---- Opening -------------------------------------------------------------------------------------
 */

int shk_bpf_rings_cpus(uint32_t slots, struct shk_error *err)
{
	int cpus = libbpf_num_possible_cpus();

	if (slots && (slots < RING_SLOTS_MIN || slots > RING_SLOTS_MAX || slots & (slots - 1)))
		return shk_error_set(err, -EINVAL, "--ring-slots %u: it takes a power of two from %u to %u",
				     slots, RING_SLOTS_MIN, RING_SLOTS_MAX);
	if (cpus < 0)
		return shk_error_set(err, cpus, "cannot tell how many CPUs there are: %s", strerror(-cpus));
	return cpus;
}

struct shk_bpf_rings *shk_bpf_rings_new(struct bpf_map *rings, struct bpf_map *account, unsigned int cpus,
					shk_bpf_rejects_fn *rejects, void *arg)
{
	struct shk_bpf_rings *r = calloc(1, sizeof(*r) + cpus * sizeof(r->cpus[0]));

	if (!r)
		return NULL;
	r->rings_map = rings;
	r->account_map = account;
	r->rejects = rejects;
	r->rejects_arg = arg;
	r->n = cpus;
	bpf_map__set_max_entries(rings, cpus);
	return r;
}

static int on_record(void *arg, void *data, size_t size)
{
	struct cpu_stream *c = arg;
	struct shk_bpf_rings *r = c->owner;
	const struct shk_event *ev = data;
	bool note = ev->kind == SHK_EV_LOST;
	unsigned int rejected = !note && r->rejects ? r->rejects(r->rejects_arg, ev) : 0;

	(void)size;
	c->notes += note;
	c->read += !note && !rejected;
	c->filtered += rejected;
	c->rejected += rejected > 0;
	if (!rejected)
		r->fn(r->arg, c->number, ev);
	return --c->budget ? 0 : -ECANCELED;
}

uint32_t shk_bpf_rings_wake_mask(uint32_t slots)
{
	uint32_t quarter = (slots ? slots : RING_SLOTS_DEFAULT) / 4;

	return (quarter > WAKE_MIN ? quarter : WAKE_MIN) - 1;
}

/*
 * libbpf has a ring call for its reader as long as it is not empty: under load at once, again and again, for
 * a few records each time. Here it calls when a program says so.
 */
static int call_when_woken(struct shk_bpf_rings *r, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	return epoll_ctl(ring_buffer__epoll_fd(r->buffer), EPOLL_CTL_MOD, fd, &event) ? -errno : 0;
}

/* The ring of one CPU. ring_buffer__add() keeps a mapping of its own, so the descriptor can go. */
static int add_ring(struct shk_bpf_rings *r, uint32_t cpu)
{
	int fd, rc;

	fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "shk_ring", 0, 0, r->slots * RECORD_OCTETS, NULL);
	if (fd < 0)
		return fd;
	rc = bpf_map_update_elem(bpf_map__fd(r->rings_map), &cpu, &fd, BPF_ANY);
	if (!rc && !r->buffer) {
		r->buffer = ring_buffer__new(fd, on_record, &r->cpus[cpu], NULL);
		rc = r->buffer ? 0 : -errno;
	} else if (!rc) {
		rc = ring_buffer__add(r->buffer, fd, on_record, &r->cpus[cpu]);
	}
	if (!rc)
		rc = call_when_woken(r, fd);
	close(fd);
	return rc;
}

int shk_bpf_rings_open(struct shk_bpf_rings *r, uint32_t slots)
{
	unsigned int cpu;
	int rc;

	r->slots = slots ? slots : RING_SLOTS_DEFAULT;
	for (cpu = 0; cpu < r->n; cpu++) {
		r->cpus[cpu].owner = r;
		r->cpus[cpu].number = cpu;
		rc = add_ring(r, cpu);
		if (rc)
			return rc;
		r->cpus[cpu].ring = ring_buffer__ring(r->buffer, cpu);
	}
	return 0;
}

void shk_bpf_rings_free(struct shk_bpf_rings *r)
{
	if (!r)
		return;
	ring_buffer__free(r->buffer);
	free(r);
}

uint32_t shk_bpf_rings_slots(const struct shk_bpf_rings *r)
{
	return r->slots;
}

int shk_bpf_rings_poll_fd(const struct shk_bpf_rings *r)
{
	return ring_buffer__epoll_fd(r->buffer);
}

/*
 * ---- Reading -------------------------------------------------------------------------------------
 */

/* Who called has been heard. What is written from now on, he calls for anew. */
static void hear_calls(struct shk_bpf_rings *r)
{
	struct epoll_event events[CALLS_MAX];

	while (epoll_wait(ring_buffer__epoll_fd(r->buffer), events, CALLS_MAX, 0) == CALLS_MAX)
		;
}

static int drain_ring(struct cpu_stream *c)
{
	uint64_t before = c->read + c->notes;
	int rc;

	c->budget = DRAIN_MAX;
	rc = ring__consume(c->ring);
	if (rc < 0 && rc != -ECANCELED)
		return rc;
	return c->read + c->notes - before;
}

int shk_bpf_rings_drain(struct shk_bpf_rings *r, shk_source_fn *fn, void *arg, struct shk_error *err)
{
	int total = 0, n;

	r->fn = fn;
	r->arg = arg;
	hear_calls(r);
	for (unsigned int i = 0; i < r->n; i++) {
		n = drain_ring(&r->cpus[i]);
		if (n < 0)
			return shk_error_set(err, n, "cannot read the BPF ring of CPU %u: %s", i,
					     strerror(-n));
		total += n;
	}
	return total;
}

/* Of each CPU, to be freed; NULL with *err. */
static struct shk_bpf_account *read_accounts(const struct shk_bpf_rings *r, struct shk_error *err)
{
	struct shk_bpf_account *all = calloc(r->n, sizeof(*all));
	uint32_t zero = 0;
	int rc;

	if (!all) {
		shk_error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	rc = bpf_map__lookup_elem(r->account_map, &zero, sizeof(zero), all, r->n * sizeof(*all), 0);
	if (!rc)
		return all;
	free(all);
	shk_error_set(err, rc, "cannot read the BPF account: %s", strerror(-rc));
	return NULL;
}

/* What was delivered is counted by the ring's own position, apart from what the program counted. */
int shk_bpf_rings_account(const struct shk_bpf_rings *r, unsigned int cpu, struct shk_account *account,
			  struct shk_error *err)
{
	const struct cpu_stream *c = &r->cpus[cpu];
	struct shk_bpf_account *all = read_accounts(r, err);

	if (!all)
		return err->code;
	account->seen = all[cpu].seen - c->filtered;
	account->lost = all[cpu].lost;
	account->delivered = ring__producer_pos(c->ring) / RECORD_OCTETS - all[cpu].notes - c->rejected;
	account->filtered = c->filtered;
	account->read = c->read;
	free(all);
	return 0;
}

int shk_bpf_rings_made_up(const struct shk_bpf_rings *r, uint64_t *made_up, struct shk_error *err)
{
	struct shk_bpf_account *all = read_accounts(r, err);

	if (!all)
		return err->code;
	*made_up = 0;
	for (unsigned int i = 0; i < r->n; i++)
		*made_up += all[i].made_up;
	free(all);
	return 0;
}

/*
 * ---- libbpf --------------------------------------------------------------------------------------
 */

uint64_t shk_bpf_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void shk_bpf_synchronize(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); /* synchronize_rcu() */
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

void shk_bpf_silence(void)
{
	libbpf_set_print(silent);
}

int shk_bpf_load_failed(int rc, const char *what, const char *since, struct shk_error *err)
{
	if (rc == -EPERM || rc == -EACCES)
		return shk_error_set(err, rc,
				     "this user may not load BPF programs: %s.\n  Run it as root (CAP_BPF, "
				     "CAP_PERFMON and CAP_NET_ADMIN in the initial user namespace)",
				     strerror(-rc));
	if (rc == -ENOMEM)
		return shk_error_set(err, rc, "no memory for the rings; ask for less with --ring-slots");
	return shk_error_set(err, rc,
			     "this kernel refuses %s: %s.\n  They need Linux %s or newer with BTF "
			     "(/sys/kernel/btf/vmlinux)",
			     what, strerror(-rc), since);
}
