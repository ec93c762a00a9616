/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reader's side of bpf/path.h: a record that stands for a segment at up to four hooks becomes as many
 * events, and one whose packet never came to the last hook is fetched.
 */
#ifndef SHK_BPF_PATHS_H
#define SHK_BPF_PATHS_H

#include <stdbool.h>

#include "path.h"
#include "source.h"

/* Longer than any packet takes over loopback, and shorter than the merge waits. */
#define SHK_PATHS_PATIENCE_NS 5000000ULL

struct shk_bpf_paths;

/* @map_fd: of the slots, after the object was loaded. NULL and errno if they cannot be mapped. */
struct shk_bpf_paths *shk_bpf_paths_new(int map_fd, unsigned int streams);
void shk_bpf_paths_free(struct shk_bpf_paths *p);	/* accepts NULL */

/* Writes the 1 to 4 events that @path stands for, in order of time; returns how many. */
unsigned int shk_bpf_path_expand(const struct shk_event *path, struct shk_event events[4]);

/* Hands over the events of one record of the ring, or of any other event that event itself. */
void shk_bpf_paths_deliver(struct shk_bpf_paths *p, unsigned int stream, const struct shk_event *ev,
			   shk_source_fn *fn, void *arg);

/*
 * Hands over what waits since before @until_ns and @passes, if it is not NULL, lets through. Returns the
 * number of records.
 */
typedef bool shk_paths_passes_fn(void *arg, const struct shk_event *ev);
int shk_bpf_paths_flush(struct shk_bpf_paths *p, uint64_t until_ns, shk_paths_passes_fn *passes,
			void *passes_arg, shk_source_fn *fn, void *arg);

/* Corrects the account of the rings, where each record counted as one event, by what they stood for. */
void shk_bpf_paths_account(const struct shk_bpf_paths *p, unsigned int stream, struct shk_account *account);

#endif /* SHK_BPF_PATHS_H */
