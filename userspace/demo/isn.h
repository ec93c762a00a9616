/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "tcpshake demo isn": why a connection does not begin at sequence number 0, shown on two hosts of this
 * process. A tuple is used twice, and a segment of its first use arrives late, in the second one. Three
 * acts: what the application reads if both ends always begin at the same number; with the numbers that the
 * kernel chooses; and again with the same number, but with timestamps.
 */
#ifndef SHK_DEMO_ISN_H
#define SHK_DEMO_ISN_H

#include <stdbool.h>

#include "demo/wire.h"

#define SHK_DEMO_ACTS	3
#define SHK_DEMO_FORCED	1U	/* stands for 0, by which Linux means "choose one" */
#define SHK_DEMO_SIZE	4U	/* octets of what is sent: SHK_DEMO_OLD, SHK_DEMO_NEW */
#define SHK_DEMO_OLD	"OLD!"
#define SHK_DEMO_NEW	"NEW!"

struct shk_demo_act {
	bool	constant;	/* both ends begin at SHK_DEMO_FORCED */
	bool	timestamps;
	bool	stale;		/* what is to be expected: the application reads SHK_DEMO_OLD */
};

extern const struct shk_demo_act shk_demo_acts[SHK_DEMO_ACTS];

/* What came of an act. */
struct shk_demo_result {
	const struct shk_demo_act *act;
	struct shk_event old;		/* the segment that came late, as it was sent first */
	uint64_t	late_ns;	/* so much later */
	uint32_t	new_isn;	/* of the client, when it came */
	uint32_t	new_tsval;
	uint64_t	paws;		/* segments that the server's kernel refused for their timestamp */
	bool		acknowledged;	/* the server acknowledged all that the client had sent */
	char		read[SHK_DEMO_SIZE + 1];	/* by the server's application */
};

bool shk_demo_as_expected(const struct shk_demo_result *result);

/*
 * Plays all acts and writes what happens to config->out. 0; 1 if an act did not end as expected; or -errno
 * and *err.
 */
int shk_demo_isn(const struct shk_sink_config *config, struct shk_error *err);

/*
 * ---- The words, in isn_story.c -------------------------------------------------------------------
 */

struct shk_demo_story;

struct shk_demo_story *shk_demo_story_new(const struct shk_sink_config *config);	/* NULL: no memory */
void shk_demo_story_free(struct shk_demo_story *story);	/* accepts NULL */

void shk_demo_story_begin(struct shk_demo_story *story);
void shk_demo_story_act(struct shk_demo_story *story, unsigned int number);

/* Draws the ladder of one use of the tuple; @again: it is the second. 0, or -errno and *err. */
int shk_demo_story_draw(struct shk_demo_story *story, struct shk_wire *wire,
			const struct shk_demo_result *result, bool again, struct shk_error *err);
void shk_demo_story_verdict(struct shk_demo_story *story, const struct shk_demo_result *result);
void shk_demo_story_end(struct shk_demo_story *story, const struct shk_demo_result results[SHK_DEMO_ACTS]);

#endif /* SHK_DEMO_ISN_H */
