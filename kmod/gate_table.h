/* SPDX-License-Identifier: GPL-2.0 */
/* The module's one gate: the table of expectations that gate.h works on, and what became of them. */
#ifndef SHK_GATE_TABLE_H
#define SHK_GATE_TABLE_H

#include <linux/types.h>

#include "stats.h"
#include "uapi/tcpshake.h"

struct shk_gate_report {
	u32 buckets;
	u64 empty;
	u64 occupied[4];	/* entries of each enum shk_expect */
	u64 met_somewhere;	/* entries that were met at one hook at least */
	u64 inserted;		/* since the module was loaded, as the following */
	u64 met;
	u64 displaced;
	u64 first_displaced;
};

int shk_gate_table_init(void);
void shk_gate_table_exit(void);

void shk_gate_table_clear(void);
bool shk_gate_table_judge(struct shk_event *ev, struct shk_counters __percpu *counters);
void shk_gate_table_report(struct shk_gate_report *report);

#endif /* SHK_GATE_TABLE_H */
