/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control groups: from the id that an event carries to the path that people know.
 *
 * The path is asked of the kernel when an event arrives, for a short-lived container is gone by the time its
 * connection is reported. What was learned is kept, up to a limit; then whoever was not heard of for longest
 * goes. Only cgroup v2 has such ids: where a host keeps its containers in v1, every id is that of the root.
 */
#ifndef SHK_CGROUPS_H
#define SHK_CGROUPS_H

#include <stdint.h>

#include "container.h"

struct shk_cgroups;

/* As a path from the root of the hierarchy: "/system.slice/nginx.service", "/" for the root itself. */
struct shk_cgroup {
	uint64_t	id;
	char		*path;
	char		container[SHK_CONTAINER_SIZE];	/* "" if it belongs to none */
};

#define SHK_CGROUPS_MAX_DEFAULT 8192U
/* A recording has each name once: what a replay forgets it cannot ask for again. 25 MB at the most. */
#define SHK_CGROUPS_MAX_REPLAY 262144U

/* @max: how many are kept, 0 meaning the default. NULL if memory is short. */
struct shk_cgroups *shk_cgroups_new(uint32_t max);
void shk_cgroups_free(struct shk_cgroups *c);	/* accepts NULL */

/* Asks the kernel for @id, unless that was done before. Reads the file system. @c may be NULL, @id 0. */
void shk_cgroups_learn(struct shk_cgroups *c, uint64_t id);

/* What a recording says of @id. 0 or -ENOMEM. */
int shk_cgroups_add(struct shk_cgroups *c, uint64_t id, const char *path);

/*
 * No input or output. NULL if it is not known; @c may be NULL. What they return is valid until the next call
 * of one of the functions above.
 */
const struct shk_cgroup *shk_cgroups_find(const struct shk_cgroups *c, uint64_t id);
const char *shk_cgroups_path(const struct shk_cgroups *c, uint64_t id);

#endif /* SHK_CGROUPS_H */
