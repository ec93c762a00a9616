/* SPDX-License-Identifier: GPL-2.0 */
/* How far the reading of long files has come, on a line of the terminal that is gone afterwards. */
#ifndef SHK_PROGRESS_H
#define SHK_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

struct shk_progress {
	FILE *out;			/* a terminal; NULL: nothing is shown */
	const char *name;		/* what the line begins with */
	uint64_t total;			/* octets; 0: not known, as of a pipe */
	uint64_t (*position)(void *arg); /* of them, those that were read */
	void *arg;
	uint64_t began_ns, shown_ns;	/* CLOCK_MONOTONIC; 0: not yet */
};

/* The size of all that can be told: 0 if one of them is no file. */
uint64_t shk_progress_total(const char *const *paths, unsigned int n_paths);

/* Called often: shows something after a while, and then now and again. Accepts NULL. */
void shk_progress_show(struct shk_progress *p);

/* Takes the line away. Accepts NULL. */
void shk_progress_end(struct shk_progress *p);

#endif /* SHK_PROGRESS_H */
