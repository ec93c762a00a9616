/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The recorder: a tap that writes down what it hears, in the format of recording.h.
 *
 * A block goes to the file when it is full or a second old. Where writing fails, what had been written of
 * that block is taken back, so that the file ends behind a whole one.
 */
#ifndef SHK_RECORDER_H
#define SHK_RECORDER_H

#include "cgroups.h"
#include "tap.h"

struct shk_recorder_config {
	const char *path;		/* "-": standard output */
	uint64_t rotate_size;		/* begin another file beyond so many octets; 0: never */
	uint64_t rotate_ns;		/* or after so much time; 0: never */
	uint64_t rotate_keep;		/* remove all but that many files; 0: none */
	const struct shk_cgroups *cgroups; /* names those of the events; NULL: none is known */
	bool all_netns;			/* of struct shk_sink_config, which a replay has to know */
	bool capture;
};

struct shk_recorder;

struct shk_recorder_totals {
	uint64_t events;		/* without SHK_EV_LOST and SHK_EV_CLOCK */
	uint64_t files;
	uint64_t octets;		/* of all files, removed ones included */
};

/*
 * With rotation, the files of "a.shk" are "a-00000.shk", "a-00001.shk", ... The first one is made by the
 * tap's begin(). NULL and *err on failure. @config is copied, but not what .cgroups points to.
 */
struct shk_recorder *shk_recorder_new(const struct shk_recorder_config *config, struct shk_error *err);
void shk_recorder_free(struct shk_recorder *r);	/* accepts NULL */

struct shk_tap *shk_recorder_tap(struct shk_recorder *r);

void shk_recorder_totals(const struct shk_recorder *r, struct shk_recorder_totals *totals);

#endif /* SHK_RECORDER_H */
