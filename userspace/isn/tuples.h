/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The last use of each tuple, to tell what stands between it and the next one.
 *
 * A fixed number of tuples, found by a keyed hash; the one that was used longest ago makes room for another.
 * If that is too early, that is while a segment of it may still live, it is counted: then a reuse may go
 * unnoticed.
 */
#ifndef SHK_TUPLES_H
#define SHK_TUPLES_H

#include "isn/reuse.h"

#define SHK_TUPLES_MAX_DEFAULT	262144U

struct shk_tuples;

struct shk_tuples *shk_tuples_new(uint32_t max, const uint64_t hash_key[2]);	/* NULL: no memory */
void shk_tuples_free(struct shk_tuples *t);	/* accepts NULL */

/*
 * What is known of an earlier use of the tuple of @conn: fills @reuse, whose .earlier is valid until the next
 * call. A second look, when the connection has closed, is better informed.
 */
void shk_tuples_look(struct shk_tuples *t, const struct shk_conn *conn, struct shk_tuple_reuse *reuse);

/* @conn has closed: from now on it is the last use. */
void shk_tuples_learn(struct shk_tuples *t, const struct shk_conn *conn);

uint64_t shk_tuples_forgotten(const struct shk_tuples *t);	/* given up too early */
uint32_t shk_tuples_count(const struct shk_tuples *t);

#endif /* SHK_TUPLES_H */
