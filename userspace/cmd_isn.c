// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "command.h"
#include "isn/audit.h"
#include "report/report.h"
#include "run.h"
#include "version.h"

#define NS_PER_SECOND 1000000000LL

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

/*
 * ---- The page --------------------------------------------------------------------------------------
 */

static int report_failed(const struct shk_run *run, int code)
{
	struct shk_error err;

	shk_error_set(&err, code, "%s: %s", run->options.report, strerror(-code));
	return shk_run_complain(run, &err, SHK_EXIT_UNABLE);
}

/* At once: who names a file that cannot be written is to know before the audit, not after. */
static int open_report(const struct shk_run *run, FILE **report)
{
	if (!run->options.report)
		return 0;
	*report = fopen(run->options.report, "we");
	return *report ? 0 : report_failed(run, -errno);
}

/* What was read: the files by name, or the sources. */
static int write_report(const struct shk_run *run, FILE *report)
{
	const struct shk_watch_options *o = &run->options;
	const char **names = calloc(o->n_files + 1, sizeof(*names));
	struct shk_header header = {
		.version = SHK_VERSION,
		.host = run->host.nodename,
		.kernel = run->host.release,
		.sources = o->n_files ? names : run->sources,
	};
	struct timespec now;
	int rc;

	if (!names)
		return report_failed(run, -ENOMEM);
	if (o->n_files)
		memcpy(names, o->files, o->n_files * sizeof(*names));
	clock_gettime(CLOCK_REALTIME, &now);
	rc = shk_report_audit(report, run->audit, &header, now.tv_sec * NS_PER_SECOND + now.tv_nsec);
	free(names);
	return rc ? report_failed(run, rc) : 0;
}

/* What sockets know adds nothing to an ISN but a conflict where somebody translates it on the way. */
int shk_cmd_isn(int argc, char **argv)
{
	struct shk_run run = {.name = argv[0], .stop_fd = -1};
	int status = SHK_EXIT_USAGE, report_status = 0;
	FILE *report = NULL;

	if (!shk_isn_options_parse(argc, argv, 0, &run.options))
		status = check_options(&run);
	if (!status)
		status = open_audit(&run);
	if (!status)
		status = open_report(&run, &report);
	if (!status)
		status = run.options.n_files ? shk_run_files(&run) : shk_run_live(&run);
	if (report && run.pipeline)
		report_status = write_report(&run, report);
	if (report)
		fclose(report);
	shk_run_release(&run);
	shk_isn_free(run.audit);
	return status ? status : report_status;
}
