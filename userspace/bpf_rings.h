/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reader's side of bpf/rings.bpf.h: one BPF ring buffer for each CPU, and the account of each.
 */
#ifndef SHK_BPF_RINGS_READER_H
#define SHK_BPF_RINGS_READER_H

#include <bpf/libbpf.h>

#include "source.h"

/* 0: the record passes. Else the events for which it stands, all filtered: it is handed to nobody. */
typedef unsigned int shk_bpf_rejects_fn(void *arg, const struct shk_event *ev);

struct shk_bpf_rings;

/* A number of possible CPUs, or -errno and *err; both also if @slots is no size of a ring. */
int shk_bpf_rings_cpus(uint32_t slots, struct shk_error *err);

/* Before the object is loaded. @rejects: NULL: all pass. NULL if memory is short. */
struct shk_bpf_rings *shk_bpf_rings_new(struct bpf_map *rings, struct bpf_map *account, unsigned int cpus,
					shk_bpf_rejects_fn *rejects, void *arg);

/* What the programs' shk_rings_wake_mask is to be: a quarter of a large ring of @slots wakes the reader. */
uint32_t shk_bpf_rings_wake_mask(uint32_t slots);

/* After it: makes the rings, of @slots records each, 0 meaning the default. */
int shk_bpf_rings_open(struct shk_bpf_rings *r, uint32_t slots);

/* To be called before the object is destroyed. Accepts NULL. */
void shk_bpf_rings_free(struct shk_bpf_rings *r);

uint32_t shk_bpf_rings_slots(const struct shk_bpf_rings *r);
int shk_bpf_rings_poll_fd(const struct shk_bpf_rings *r);

/* As in struct shk_source_ops; CPU i is stream i. */
int shk_bpf_rings_drain(struct shk_bpf_rings *r, shk_source_fn *fn, void *arg, struct shk_error *err);
int shk_bpf_rings_account(const struct shk_bpf_rings *r, unsigned int cpu, struct shk_account *account,
			  struct shk_error *err);

/* Calls for which a program's second instance made up, of all CPUs. 0, or -errno and *err. */
int shk_bpf_rings_made_up(const struct shk_bpf_rings *r, uint64_t *made_up, struct shk_error *err);

/*
 * Puts into words why @what could not be loaded, which takes Linux @since or newer. Returns @rc, the negative
 * errno that libbpf gave.
 */
int shk_bpf_load_failed(int rc, const char *what, const char *since, struct shk_error *err);

/* The clock of bpf_ktime_get_ns(). */
uint64_t shk_bpf_now_ns(void);

/* A program may be running still when its link is gone. When this returns, none is. */
void shk_bpf_synchronize(void);

/* From now on libbpf says nothing on stderr: errors are put into words here. */
void shk_bpf_silence(void);

#endif /* SHK_BPF_RINGS_READER_H */
