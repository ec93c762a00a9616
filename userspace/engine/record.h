/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the evidence in a flow to the record that sinks see.
 */
#ifndef SHK_RECORD_H
#define SHK_RECORD_H

#include "flow.h"

/* @lost: the engine's count of lost events by now. @conn borrows @arrows, which may be NULL. */
void shk_record_fill(struct shk_conn *conn, const struct shk_flow *f, const struct shk_arrows *arrows,
		     int64_t real_offset_ns, uint64_t lost);

/* Which legs of the opening were this host's work; after conn->local is known. */
void shk_record_split_legs(struct shk_conn *conn);

/* The verdict on the opening as far as it is decided; O_NONE while it is not. */
enum shk_open shk_record_open(const struct shk_flow *f);

#endif /* SHK_RECORD_H */
