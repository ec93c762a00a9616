/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One run of the pipeline as a command makes it: from the options and a source to an exit status. What goes
 * wrong is said on standard error.
 */
#ifndef SHK_RUN_H
#define SHK_RUN_H

#include <stdio.h>
#include <sys/utsname.h>

#include "cgroups.h"
#include "pipeline.h"
#include "recorder.h"
#include "replay.h"
#include "watch_options.h"

struct shk_isn;

struct shk_run {
	const char *name;		/* what messages begin with */
	struct shk_watch_options options;
	struct shk_source *source;	/* opened by the command, closed by shk_run_release() */
	struct shk_source *captures;	/* what .source reads, if that is files */
	struct shk_source *sockets;	/* likewise; NULL: without the second witness */
	struct shk_replay *replay;	/* likewise, instead of a source */
	struct shk_cgroups *cgroups;	/* likewise; NULL: nobody learns any */
	struct shk_isn *audit;		/* likewise; not NULL: it is shown, and not the connections */
	uint64_t linger_ns;		/* of the engine; a replay has its own */
	bool numeric_netns;		/* records come from several network namespaces */
	bool capture;			/* they are somebody else's */
	bool silent;			/* nothing is shown: no sink */
	FILE *out;
	struct shk_sink *sink;
	struct shk_progress progress;	/* of files; .out is NULL if none is shown */
	struct shk_recorder *recorder;	/* NULL: nothing is recorded */
	struct utsname host;
	const char *sources[SHK_SOURCES_MAX + 1];	/* NULL terminated */
	int stop_fd;			/* -1 before shk_run_start() */
	struct shk_pipeline *pipeline;
};

/* Prints the error and returns @status. */
int shk_run_complain(const struct shk_run *run, const struct shk_error *err, int status);

/* All return enum shk_exit. The run starts after the first, and has ended after the second. */
int shk_run_start(struct shk_run *run);
int shk_run_to_end(struct shk_run *run);

/* From opening the source, live as "watch" does or the files that "read" is given, to the end. */
int shk_run_live(struct shk_run *run);
int shk_run_files(struct shk_run *run);

/* Also after a failure, and of a run that was only set to zero but for .stop_fd, which is -1. */
void shk_run_release(struct shk_run *run);

#endif /* SHK_RUN_H */
