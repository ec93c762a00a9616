/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The processes that hold the ends of live connections. Many connections share one, so it is kept once and
 * a flow has its number; it goes when the last flow does.
 */
#ifndef SHK_PROCESS_H
#define SHK_PROCESS_H

#include "conn.h"

#define SHK_NO_PROCESS	  0U
#define SHK_PROCESSES_MAX (1U << 24) /* at a time; numbers lie below */

struct shk_processes;

struct shk_processes *shk_processes_new(void);		/* NULL: no memory */
void shk_processes_free(struct shk_processes *t);	/* accepts NULL */

/* The number of this process, with one more user; SHK_NO_PROCESS if memory is short or there are too many. */
uint32_t shk_processes_get(struct shk_processes *t, const struct shk_process *process);

/* One user less. Accepts SHK_NO_PROCESS. */
void shk_processes_put(struct shk_processes *t, uint32_t number);

/* Valid until the next get; all zero for SHK_NO_PROCESS. */
const struct shk_process *shk_processes_at(const struct shk_processes *t, uint32_t number);

uint32_t shk_processes_count(const struct shk_processes *t);

#endif /* SHK_PROCESS_H */
