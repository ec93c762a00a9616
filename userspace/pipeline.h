/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The straight line: sources, merge, outlet (engine and sink). The only place that reads the clock.
 *
 *	new		nothing flows yet
 *	start		events flow, the sink has its header
 *	run		until something ends it
 *	finish		the sources stop, everything that was held is passed on, accounts are compared
 *	free
 *
 * A source with a poll_fd is live: time is the clock's. One without is a file: time is what its
 * events say, so that the same file gives the same records.
 */
#ifndef SHK_PIPELINE_H
#define SHK_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "merge.h"
#include "outlet.h"
#include "progress.h"
#include "source.h"

#define SHK_SOURCES_MAX	2

struct shk_pipeline_config {
	/* They stay the caller's. All are live, or the only one is a file; each has a witness of its own. */
	struct shk_source *sources[SHK_SOURCES_MAX];
	unsigned int n_sources;
	struct shk_outlet_config outlet; /* header.real_offset_ns and .facts are filled in by start */
	uint64_t window_ns;		/* of the merge */
	uint64_t duration_ns;		/* live: end after that time; 0: no limit */
	struct shk_progress *progress;	/* files: shown now and again; NULL: none */
	int stop_fd;			/* end when it becomes readable; -1: none */
	int out_fd;			/* end when nobody reads it any more; -1: not looked at */
};

struct shk_pipeline;

struct shk_pipeline *shk_pipeline_new(const struct shk_pipeline_config *config);	/* NULL: no memory */
void shk_pipeline_free(struct shk_pipeline *p);	/* accepts NULL */

/* Each returns 0, or -errno and *err. -EPIPE: nobody reads the output any more. */
int shk_pipeline_start(struct shk_pipeline *p, struct shk_error *err);
int shk_pipeline_run(struct shk_pipeline *p, struct shk_error *err);

/* Also after a failed run. -EBADE: an event is neither in the output nor in the losses. */
int shk_pipeline_finish(struct shk_pipeline *p, struct shk_error *err);

#endif /* SHK_PIPELINE_H */
