/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The replay: tells the outlet what it was told when a recording was made, call by call.
 *
 *	open		the head of every file was read; they are one series, in its order
 *	start, run, finish, free	as those of the pipeline
 */
#ifndef SHK_REPLAY_H
#define SHK_REPLAY_H

#include "cgroups.h"
#include "outlet.h"
#include "progress.h"
#include "recording.h"

struct shk_replay_config {
	struct shk_sink *sink;		/* stays the caller's, like the tap; either may be NULL */
	struct shk_tap *tap;
	uint32_t flows_max;		/* 0: as it was */
	uint64_t count;			/* end after that many connections were reported; 0: no limit */
	int stop_fd;			/* end when it becomes readable; -1: none */
	int out_fd;			/* end when nobody reads it any more; -1: not looked at */
	struct shk_progress *progress;	/* shown now and again; NULL: none */
	struct shk_cgroups *cgroups;	/* told the names as they were learnt; NULL: nobody wants them */
};

struct shk_replay_totals {
	uint64_t events;		/* without SHK_EV_LOST and SHK_EV_CLOCK */
	uint64_t filtered;		/* of them, those that @filter did not let pass */
	unsigned int files;
};

struct shk_replay;

/*
 * @paths stay the caller's. @filter: only such events; NULL: all. NULL and *err on failure: -EINVAL if the
 * filter is wrong or the files do not belong together, -EBADMSG if one cannot be read at all.
 */
struct shk_replay *shk_replay_open(const char *const *paths, unsigned int n_paths, const char *filter,
				   struct shk_error *err);
void shk_replay_free(struct shk_replay *r);	/* accepts NULL */

const struct shk_recording_head *shk_replay_head(const struct shk_replay *r);

/* Each returns 0, or -errno and *err. -EPIPE: nobody reads the output any more. */
int shk_replay_start(struct shk_replay *r, const struct shk_replay_config *config, struct shk_error *err);
int shk_replay_run(struct shk_replay *r, struct shk_error *err);
int shk_replay_finish(struct shk_replay *r, struct shk_error *err);

/* What could not be read, in words; NULL: nothing is amiss. */
const char *shk_replay_damage(const struct shk_replay *r);

/* Octets of all files that were read, compressed as they are. */
uint64_t shk_replay_position(const struct shk_replay *r);

void shk_replay_totals(const struct shk_replay *r, struct shk_replay_totals *totals);

#endif /* SHK_REPLAY_H */
