// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "command.h"
#include "isn/audit.h"
#include "run.h"

static int check_options(const struct shk_run *run)
{
	struct shk_error err;

	if (run->options.format != SHK_FORMAT_LADDER)
		return 0;
	shk_error_set(&err, -EINVAL, "an audit has no ladder; tcpshake watch and tcpshake read have");
	return shk_run_complain(run, &err, SHK_EXIT_USAGE);
}

static int open_audit(struct shk_run *run)
{
	struct shk_isn_config config = {0};
	struct shk_error err;

	if (getrandom(config.hash_key, sizeof(config.hash_key), 0) < 0) {
		shk_error_set(&err, -errno, "getrandom: %s", strerror(errno));
		return shk_run_complain(run, &err, SHK_EXIT_UNABLE);
	}
	run->audit = shk_isn_new(&config);
	if (run->audit)
		return 0;
	shk_error_set(&err, -ENOMEM, "out of memory");
	return shk_run_complain(run, &err, SHK_EXIT_UNABLE);
}

/* What sockets know adds nothing to an ISN but a conflict where somebody translates it on the way. */
int shk_cmd_isn(int argc, char **argv)
{
	struct shk_run run = {.name = argv[0], .stop_fd = -1};
	int status = SHK_EXIT_USAGE;

	if (!shk_isn_options_parse(argc, argv, 0, &run.options))
		status = check_options(&run);
	if (!status)
		status = open_audit(&run);
	if (!status)
		status = run.options.n_files ? shk_run_files(&run) : shk_run_live(&run);
	shk_run_release(&run);
	shk_isn_free(run.audit);
	return status;
}
