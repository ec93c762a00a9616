/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two halves of blaming share: blame.c for openings, blame_close.c for closes.
 */
#ifndef SHK_BLAME_H
#define SHK_BLAME_H

#include "flow.h"
#include "sentence.h"

struct shk_blamer {
	struct shk_conn		*conn;	/* all filled but for .blame */
	const struct shk_flow	*f;
	uint32_t		hooks;	/* SHK_HOOK_BIT()s at which the sources look; 0: not known */
	struct shk_sentence	*s;	/* the sentence so far */
};

void shk_blame_put(struct shk_blamer *b, enum shk_blame_where where);

/* Blames an end: @local if it is on this host, else the peer. */
void shk_blame_put_end(struct shk_blamer *b, enum shk_side side, enum shk_blame_where local);
bool shk_blame_is_local(const struct shk_blamer *b, enum shk_side side);
const char *shk_blame_end(enum shk_side side);		/* "client" */

void shk_blame_close(struct shk_blamer *b);

#endif /* SHK_BLAME_H */
