/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one segment says about its connection.
 */
#ifndef SHK_OBSERVE_H
#define SHK_OBSERVE_H

#include "flow.h"

/* Where to draw the segment; @arrows NULL: nowhere. */
struct shk_ladder {
	struct shk_arrows **arrows;
	uint32_t max;
	bool all;	/* also segments that say nothing of the opening or the close */
};

/*
 * Takes in a segment sent by end @from. Knows a segment it has seen at another hook already, and then
 * only adds the stamp.
 */
void shk_flow_observe(struct shk_flow *f, const struct shk_event *ev, unsigned int from,
		      const struct shk_ladder *ladder);

/* It was the other end that opened: turns what was drawn. @arrows may be NULL. */
void shk_flow_turn(struct shk_flow *f, struct shk_arrows *arrows);

/* Is the connection over: closed both ways and acknowledged, reset, refused? */
bool shk_flow_is_over(const struct shk_flow *f);

#endif /* SHK_OBSERVE_H */
