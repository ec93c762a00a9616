/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the evidence in a flow to the record that sinks see.
 */
#ifndef SHK_RECORD_H
#define SHK_RECORD_H

#include "flow.h"

/* What is known beside the flow. */
struct shk_record_context {
	const struct shk_arrows	*arrows;	/* borrowed by the record; may be NULL */
	int64_t			real_offset_ns;
	uint64_t		lost;		/* the engine's count of lost events by now */
};

void shk_record_fill(struct shk_conn *conn, const struct shk_flow *f,
		     const struct shk_record_context *context);

/* Which legs of the opening were this host's work; after conn->local is known. */
void shk_record_split_legs(struct shk_conn *conn);

#endif /* SHK_RECORD_H */
