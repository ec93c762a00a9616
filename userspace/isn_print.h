/* SPDX-License-Identifier: GPL-2.0 */
/* The judgments of an audit of ISNs: as text for people, and as lines of JSON. */
#ifndef SHK_ISN_PRINT_H
#define SHK_ISN_PRINT_H

#include "isn/audit.h"
#include "sink.h"

/* All of it; 0 or -errno. @every: also the hosts of which too little was seen to judge. */
int shk_isn_print_text(struct shk_isn *audit, const struct shk_sink_config *config, bool every);
int shk_isn_print_json(struct shk_isn *audit, FILE *out);

#endif /* SHK_ISN_PRINT_H */
