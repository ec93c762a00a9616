/* SPDX-License-Identifier: GPL-2.0 */
/* The samples of one host, within bounds: the latest of all tuples, and the histories of some. */
#ifndef SHK_ISN_STORE_H
#define SHK_ISN_STORE_H

#include "isn/audit.h"

/* So many uses of one tuple tell as much of its clock as more would. */
#define SHK_ISN_USES_MAX 64U

struct shk_isn_store {
	struct shk_isn_sample *recent;	/* a ring once it has grown to its limit */
	struct shk_isn_sample *kept;
	uint32_t recent_size, n_recent, recent_at;
	uint32_t kept_size, n_kept;
	uint32_t selectivity;		/* of the tuples, one in 2^selectivity is kept */
};

/* 0, or -ENOMEM: not taken. */
int shk_isn_store_add(struct shk_isn_store *s, const struct shk_isn_sample *sample);
void shk_isn_store_release(struct shk_isn_store *s);

/* Copies the latest into @out, of SHK_ISN_RECENT_MAX, in order of time; returns their number. */
uint32_t shk_isn_store_recent(const struct shk_isn_store *s, struct shk_isn_sample *out);

/* Puts those kept in order of tuple and time. */
void shk_isn_store_sort(struct shk_isn_store *s);

#endif /* SHK_ISN_STORE_H */
