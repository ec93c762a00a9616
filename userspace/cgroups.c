// SPDX-License-Identifier: GPL-2.0
/*
 * A table of fixed size with chains. Places are reused by a hand that goes round and passes over, once, who
 * was heard of since it last came by.
 *
 * The id of a cgroup is that of its node in the kernel's tree, which open_by_handle_at(2) opens directly and
 * /proc/self/fd names. Without the right to do so (CAP_DAC_READ_SEARCH) the tree is searched: the id is the
 * inode number too.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroups.h"

#define HANDLE_KERNFS 0xfe /* FILEID_KERNFS, include/linux/exportfs.h */
#define NOBODY        UINT32_MAX

/* An id that the kernel knows no path of is kept too, without one, so that it is not asked again. */
struct place {
	struct shk_cgroup cgroup;
	uint32_t next; /* in its chain */
	bool heard;    /* again, since it came or the hand passed */
};

struct shk_cgroups {
	int mount_fd; /* -1: no cgroup v2, or not looked for yet */
	bool looked;
	bool search; /* open_by_handle_at() is not for us */
	char mount[PATH_MAX];
	uint32_t max, n;
	uint32_t hand;
	uint32_t *chains;
	struct place *places;
};

struct shk_cgroups *shk_cgroups_new(uint32_t max)
{
	struct shk_cgroups *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->max = max ? max : SHK_CGROUPS_MAX_DEFAULT;
	c->mount_fd = -1;
	c->chains = malloc(c->max * sizeof(*c->chains));
	c->places = calloc(c->max, sizeof(*c->places));
	if (!c->chains || !c->places) {
		shk_cgroups_free(c);
		return NULL;
	}
	memset(c->chains, 0xff, c->max * sizeof(*c->chains));
	return c;
}

void shk_cgroups_free(struct shk_cgroups *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->n; i++)
		free(c->places[i].cgroup.path);
	if (c->mount_fd >= 0)
		close(c->mount_fd);
	free(c->chains);
	free(c->places);
	free(c);
}

/*
 * ---- The table -----------------------------------------------------------------------------------
 */

/* The lower half counts up, the upper is the generation (fs/kernfs): both of little use as they are. */
static uint32_t *chain_of(const struct shk_cgroups *c, uint64_t id)
{
	return &c->chains[(id * 0x9e3779b97f4a7c15ULL >> 32) % c->max];
}

static struct place *find_place(const struct shk_cgroups *c, uint64_t id)
{
	uint32_t i;

	for (i = *chain_of(c, id); i != NOBODY; i = c->places[i].next)
		if (c->places[i].cgroup.id == id)
			return &c->places[i];
	return NULL;
}

static void forget(struct shk_cgroups *c, uint32_t at)
{
	uint32_t *link = chain_of(c, c->places[at].cgroup.id);

	while (*link != at)
		link = &c->places[*link].next;
	*link = c->places[at].next;
	free(c->places[at].cgroup.path);
}

static uint32_t free_place(struct shk_cgroups *c)
{
	uint32_t at;

	if (c->n < c->max)
		return c->n++;
	while (c->places[c->hand].heard) {
		c->places[c->hand].heard = false;
		c->hand = (c->hand + 1) % c->max;
	}
	at = c->hand;
	c->hand = (c->hand + 1) % c->max;
	forget(c, at);
	return at;
}

/* Takes @path over, which may be NULL. */
static void keep(struct shk_cgroups *c, uint64_t id, char *path)
{
	struct place *p = find_place(c, id);
	uint32_t *chain = chain_of(c, id), at;

	if (p) {
		free(p->cgroup.path);
	} else {
		at = free_place(c);
		p = &c->places[at];
		p->heard = false;
		p->next = *chain;
		*chain = at;
	}
	p->cgroup.id = id;
	p->cgroup.path = path;
	shk_container_of(path ? path : "", p->cgroup.container);
}

/*
 * ---- The kernel ----------------------------------------------------------------------------------
 */

/* Where the hierarchy is mounted: beside those of v1 it has another place. */
static void look_for_mount(struct shk_cgroups *c)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	c->looked = true;
	if (!mounts)
		return;
	while (c->mount_fd < 0 && (m = getmntent(mounts))) {
		if (strcmp(m->mnt_type, "cgroup2") || strlen(m->mnt_dir) >= sizeof(c->mount))
			continue;
		strcpy(c->mount, m->mnt_dir);
		c->mount_fd = open(m->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	endmntent(mounts);
}

/* @path without the mount's; NULL if it is not below. Allocated. */
static char *below_mount(const struct shk_cgroups *c, const char *path)
{
	size_t len = strlen(c->mount);

	if (strncmp(path, c->mount, len) || (path[len] && path[len] != '/'))
		return NULL;
	return strdup(path[len] ? path + len : "/");
}

static int open_by_id(const struct shk_cgroups *c, uint64_t id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} u = {.handle = {.handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS}};

	memcpy(u.handle.f_handle, &id, sizeof(id));
	return open_by_handle_at(c->mount_fd, &u.handle, O_PATH | O_CLOEXEC);
}

/* A cgroup removed since it was opened is named with " (deleted)" behind its path, which it had. */
static char *path_of(const struct shk_cgroups *c, int fd)
{
	static const char deleted[] = " (deleted)";
	char proc[32], path[PATH_MAX];
	ssize_t len;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	len = readlink(proc, path, sizeof(path) - 1);
	if (len < 0)
		return NULL;
	path[len] = '\0';
	if ((size_t)len > strlen(deleted) && !strcmp(path + len - strlen(deleted), deleted) &&
	    access(path, F_OK))
		path[len - strlen(deleted)] = '\0';
	return below_mount(c, path);
}

static char *search_path(const struct shk_cgroups *c, uint64_t id)
{
	char *const roots[] = {(char *)c->mount, NULL};
	char *path = NULL;
	FTSENT *entry;
	FTS *tree;

	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	if (!tree)
		return NULL;
	while (!path && (entry = fts_read(tree)))
		if (entry->fts_info == FTS_D && entry->fts_statp->st_ino == id)
			path = below_mount(c, entry->fts_path);
	fts_close(tree);
	return path;
}

static char *ask(struct shk_cgroups *c, uint64_t id)
{
	char *path = NULL;
	int fd;

	if (!c->looked)
		look_for_mount(c);
	if (c->mount_fd < 0)
		return NULL;
	if (c->search)
		return search_path(c, id);
	fd = open_by_id(c, id);
	if (fd >= 0) {
		path = path_of(c, fd);
		close(fd);
	} else if (errno != ESTALE && errno != ENOENT) {
		c->search = true;
		path = search_path(c, id);
	}
	return path;
}

/*
 * ---- The interface -------------------------------------------------------------------------------
 */

void shk_cgroups_learn(struct shk_cgroups *c, uint64_t id)
{
	struct place *p;

	if (!c || !id)
		return;
	p = find_place(c, id);
	if (p)
		p->heard = true;
	else
		keep(c, id, ask(c, id));
}

int shk_cgroups_add(struct shk_cgroups *c, uint64_t id, const char *path)
{
	char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	keep(c, id, copy);
	return 0;
}

const struct shk_cgroup *shk_cgroups_find(const struct shk_cgroups *c, uint64_t id)
{
	const struct place *p = c && id ? find_place(c, id) : NULL;

	return p && p->cgroup.path ? &p->cgroup : NULL;
}

const char *shk_cgroups_path(const struct shk_cgroups *c, uint64_t id)
{
	const struct shk_cgroup *cgroup = shk_cgroups_find(c, id);

	return cgroup ? cgroup->path : NULL;
}
