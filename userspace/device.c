// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"

static int device_refused(int code, struct shk_error *err)
{
	switch (code) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return shk_error_set(
			err, code,
			SHK_DEVICE
			": %s: the module tcpshake is not loaded.\n"
			"  Load it:  sudo modprobe tcpshake   or   sudo insmod path/to/tcpshake.ko\n"
			"  Or see it at work in a virtual machine, in the source tree:  make run",
			strerror(-code));
	case -EACCES:
	case -EPERM:
		return shk_error_set(err, code,
				     SHK_DEVICE
				     ": %s: watching takes CAP_NET_ADMIN in the initial user "
				     "namespace.\n"
				     "  Run it as root (sudo tcpshake ...), outside of rootless containers.",
				     strerror(-code));
	case -EBUSY:
		return shk_error_set(err, code,
				     SHK_DEVICE ": too many sessions are open; end another tcpshake first "
						"(who: sudo fuser -v " SHK_DEVICE ")");
	}
	return shk_error_set(err, code, SHK_DEVICE ": %s", strerror(-code));
}

int shk_device_open(struct shk_info *info, struct shk_error *err)
{
	int fd, rc;

	fd = open(SHK_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return device_refused(-errno, err);
	memset(info, 0, sizeof(*info));
	if (ioctl(fd, SHK_IOC_INFO, info) < 0) {
		rc = shk_error_set(err, -errno, SHK_DEVICE ": %s: this is not the device of tcpshake",
				   strerror(errno));
		close(fd);
		return rc;
	}
	info->version[sizeof(info->version) - 1] = '\0';
	return fd;
}
