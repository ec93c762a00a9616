/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sink that remembers what is to be said of single segments: of the first of each connection how it opened,
 * of the last how it closed. Takes memory for every connection.
 */
#ifndef SHK_SINK_NOTES_H
#define SHK_SINK_NOTES_H

#include "sink.h"

struct shk_sink *shk_sink_notes_new(void);	/* NULL: no memory */

/* Everything has been reported, and notes are going to be asked for. */
void shk_sink_notes_sort(struct shk_sink *s);

/*
 * What is said of the segment @ev, which must be as it was first seen: at most @max texts, NULL behind the
 * last. Returns how many there are. They live as long as the sink.
 */
unsigned int shk_sink_notes_find(struct shk_sink *s, const struct shk_event *ev, const char **texts,
				 unsigned int max);

#endif /* SHK_SINK_NOTES_H */
