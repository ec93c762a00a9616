// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "device.h"
#include "version.h"

#define MODULE_VERSION_FILE "/sys/module/tcpshake/version"

static const char doc[] = "Shows the version of the tool and of the loaded module, and the ABI each speaks.";

/* What everybody may read; @version is as it was where there is nothing. */
static void module_version(char *version, size_t size)
{
	FILE *f = fopen(MODULE_VERSION_FILE, "re");

	if (!f)
		return;
	if (fgets(version, size, f))
		version[strcspn(version, "\n")] = '\0';
	fclose(f);
}

static void print_module(void)
{
	char version[64] = "(version unknown)";
	struct shk_error err;
	struct shk_info info;
	int fd;

	fd = shk_device_open(&info, &err);
	if (fd >= 0) {
		close(fd);
		printf("module %s, ABI %u%s\n", info.version, info.abi,
		       info.abi == SHK_ABI ? "" : ": does not fit this tool");
		return;
	}
	if (fd == -EPERM || fd == -EACCES || fd == -EBUSY) {
		module_version(version, sizeof(version));
		printf("module %s, ABI not known: %s\n", version, strerror(-fd));
		return;
	}
	printf("module not loaded\n");
}

int shk_cmd_version(int argc, char **argv)
{
	static const struct argp argp = {.doc = doc};

	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return SHK_EXIT_USAGE;
	printf("tcpshake %s, ABI %d\n", SHK_VERSION, SHK_ABI);
	print_module();
	return SHK_EXIT_OK;
}
