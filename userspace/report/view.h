/* SPDX-License-Identifier: GPL-2.0 */
/* What there is to draw of one host: its ISNs, measured once for all pictures. */
#ifndef SHK_REPORT_VIEW_H
#define SHK_REPORT_VIEW_H

#include "isn/audit.h"

#define SHK_VIEW_LINES 3U /* tuples with a colour of their own */

/* Samples of one tuple, or of all where one clock serves all. */
struct shk_run {
	uint32_t first, n;
};

struct shk_view {
	const struct shk_isn_host *host;
	const struct shk_isn_sample *sample; /* whole tuples, if there are such */
	uint32_t n;
	uint32_t stride;
	int64_t begin_ns;
	double span_s;
	double turn_s; /* of the clock; 0: there is none */
	bool folded;
	struct shk_run line[SHK_VIEW_LINES];
	unsigned int n_lines;
	double *residual_us; /* of each sample; NAN: its tuple was used once */
	double limit_us;
};

/* 0, or -ENOMEM. End with shk_view_close(), also after a failure. @host must live as long. */
int shk_view_open(struct shk_view *v, const struct shk_isn_host *host);
void shk_view_close(struct shk_view *v);

/* The samples from @first on that are of its tuple. */
struct shk_run shk_view_tuple_at(const struct shk_view *v, uint32_t first);

#endif /* SHK_REPORT_VIEW_H */
