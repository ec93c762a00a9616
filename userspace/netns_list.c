// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "netns_list.h"
#include "netns_name.h"

/* Plain files are left behind where a namespace once was: they are none. */
static int visit(const char *path, shk_netns_fn *fn, void *arg)
{
	struct statfs fs;
	struct stat st;
	int fd, rc = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (!fstatfs(fd, &fs) && fs.f_type == NSFS_MAGIC && !fstat(fd, &st))
		rc = fn(arg, fd, st.st_ino);
	close(fd);
	return rc;
}

static int visit_dir(const char *dir, const char *below, shk_netns_fn *fn, void *arg)
{
	struct dirent *entry;
	char path[512];
	int rc = 0;
	DIR *d;

	d = opendir(dir);
	if (!d)
		return 0;
	while (!rc && (entry = readdir(d)))
		if (snprintf(path, sizeof(path), "%s/%s%s", dir, entry->d_name, below) < (int)sizeof(path))
			rc = visit(path, fn, arg);
	closedir(d);
	return rc;
}

int shk_netns_each(shk_netns_fn *fn, void *arg)
{
	int rc = visit("/proc/self/ns/net", fn, arg);

	if (!rc)
		rc = visit_dir(SHK_NETNS_DIR, "", fn, arg);
	return rc ? rc : visit_dir("/proc", "/ns/net", fn, arg);
}

int shk_netns_within(int fd, int (*fn)(void *arg), void *arg)
{
	int self = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), rc;

	if (self < 0)
		return -errno;
	rc = setns(fd, CLONE_NEWNET) < 0 ? -errno : fn(arg);
	if (setns(self, CLONE_NEWNET) < 0 && !rc)
		rc = -errno;
	close(self);
	return rc;
}
