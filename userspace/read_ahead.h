/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A source that reads another one ahead, on a thread of its own: while what was read is worked upon here, the
 * next is read and dissected there. Two processors then take little more than half of the time.
 *
 * For sources of files. What one drain() of the other gave is what one drain() of this gives, be it events or
 * an error, so that nobody can tell the difference by what comes out.
 */
#ifndef SHK_READ_AHEAD_H
#define SHK_READ_AHEAD_H

#include "source.h"

/*
 * @from belongs to the new source from then on, and may be looked at by others before start() and after
 * stop(). NULL if there is no memory: then @from stays the caller's.
 */
struct shk_source *shk_read_ahead_new(struct shk_source *from);

#endif /* SHK_READ_AHEAD_H */
