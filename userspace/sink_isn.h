/* SPDX-License-Identifier: GPL-2.0 */
/* The sink that shows no connection but what an audit of all their ISNs finds. */
#ifndef SHK_SINK_ISN_H
#define SHK_SINK_ISN_H

#include "isn/audit.h"
#include "sink.h"

struct shk_sink_isn_config {
	struct shk_isn *audit;	/* the caller's */
	bool json;
	bool every;		/* also hosts of which too little was seen */
};

/* NULL if memory is short. */
struct shk_sink *shk_sink_isn_new(const struct shk_sink_config *config,
				  const struct shk_sink_isn_config *isn);

#endif /* SHK_SINK_ISN_H */
