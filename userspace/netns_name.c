// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "netns_name.h"

#define SELF "/proc/self/ns/net"

/* An open namespace, or -errno: ip-netns(8) leaves plain files behind for namespaces that are gone. */
static int netns_open(const char *path)
{
	struct statfs fs;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

static uint32_t netns_inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

static bool parse_inode(const char *name, uint32_t *inode)
{
	unsigned long long value;
	char *end;

	if (*name < '0' || *name > '9')
		return false;
	errno = 0;
	value = strtoull(name, &end, 10);
	if (*end || errno || !value || value > UINT32_MAX)
		return false;
	*inode = value;
	return true;
}

/* "self" and names; a name goes before a number, for somebody chose it. */
static int netns_open_name(const char *name)
{
	char path[512];

	if (!strcmp(name, "self"))
		return netns_open(SELF);
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -ENOENT;
	if (snprintf(path, sizeof(path), SHK_NETNS_DIR "/%s", name) >= (int)sizeof(path))
		return -ENOENT;
	return netns_open(path);
}

static int netns_unknown(const char *name, int code, struct shk_error *err)
{
	if (code == -EACCES || code == -EPERM)
		return shk_error_set(err, -EACCES, "network namespace \"%s\": %s; this needs root", name,
				     strerror(-code));
	return shk_error_set(err, -EINVAL,
			     "no network namespace \"%s\": give a name from `ip netns list`, an inode number "
			     "(from `lsns -t net`), \"self\" or \"all\"",
			     name);
}

int shk_netns_inode(const char *name, uint32_t *inode, struct shk_error *err)
{
	int fd;

	if (!strcmp(name, "all")) {
		*inode = 0;
		return 0;
	}
	fd = netns_open_name(name);
	if (fd >= 0) {
		*inode = netns_inode_of(fd);
		close(fd);
		return 0;
	}
	if (parse_inode(name, inode))
		return 0;
	return netns_unknown(name, fd, err);
}

/* Looks through DIR/ENTRY/@below for the namespace with this number. */
static int netns_search(const char *dir, const char *below, uint32_t inode)
{
	struct dirent *entry;
	char path[512];
	DIR *d;
	int fd = -ENOENT;

	d = opendir(dir);
	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		if (snprintf(path, sizeof(path), "%s/%s%s", dir, entry->d_name, below) >= (int)sizeof(path))
			continue;
		fd = netns_open(path);
		if (fd >= 0 && netns_inode_of(fd) == inode)
			break;
		if (fd >= 0)
			close(fd);
		fd = -ENOENT;
	}
	closedir(d);
	return fd;
}

int shk_netns_enter(const char *name, struct shk_error *err)
{
	uint32_t inode;
	int fd, rc = 0;

	fd = netns_open_name(name);
	if (fd < 0 && parse_inode(name, &inode)) {
		fd = netns_search(SHK_NETNS_DIR, "", inode);
		if (fd < 0)
			fd = netns_search("/proc", "/ns/net", inode);
	}
	if (fd < 0)
		return netns_unknown(name, fd, err);
	if (setns(fd, CLONE_NEWNET) < 0)
		rc = netns_unknown(name, -errno, err);
	close(fd);
	return rc;
}
