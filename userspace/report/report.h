/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The audit as one page of HTML: pictures are SVG within it, nothing is fetched, no script runs. It is
 * well-formed XML at the same time. Judgments in, octets out: nothing is judged here.
 *
 * Its size is bounded: SHK_REPORT_HOSTS hosts are described and SHK_REPORT_FIGURES drawn, with at most
 * SHK_REPORT_POINTS points in a picture. What is left out is counted on the page.
 */
#ifndef SHK_REPORT_H
#define SHK_REPORT_H

#include <stdio.h>

#include "isn/audit.h"
#include "sink.h"

#define SHK_REPORT_HOSTS	24U
#define SHK_REPORT_FIGURES	4U
#define SHK_REPORT_POINTS	1500U
#define SHK_REPORT_RISKS	20U

/* As shk_isn_judge(). */
typedef int shk_report_host_fn(void *arg, uint32_t index, struct shk_isn_host *host);

struct shk_report {
	const struct shk_header *header;	/* of the tool and where it ran; .sources: what it read */
	int64_t		made_ns;		/* since the epoch */
	uint32_t	n_hosts;
	shk_report_host_fn *host;
	void		*arg;
	const struct shk_isn_risk *risks;
	uint32_t	n_risks;
	const int32_t	*margins;
	uint32_t	n_margins;
	const struct shk_counterfactual *counterfactual;
	const struct shk_isn_totals *totals;
};

/* 0; -errno of .host, or of writing; -ENOMEM. */
int shk_report_write(FILE *out, const struct shk_report *report);

/* The same of a whole audit. */
int shk_report_audit(FILE *out, struct shk_isn *audit, const struct shk_header *header, int64_t made_ns);

/*
 * ---- Its parts -----------------------------------------------------------------------------------
 */

void shk_report_style(FILE *out);						/* style.c */
void shk_report_card(FILE *out, const struct shk_isn_host *host);		/* words.c */
void shk_report_lead(FILE *out, const struct shk_report *report, uint32_t predictable, uint32_t judged);
void shk_report_host_name(FILE *out, const struct shk_isn_host *host);
int shk_report_figures(FILE *out, const struct shk_isn_host *host, unsigned int number); /* host.c */
void shk_report_steps(FILE *out, const struct shk_isn_host *host, const char *id);	/* steps.c */
void shk_report_counterfactual(FILE *out, const struct shk_report *report);	/* reuse.c */
void shk_report_reuse(FILE *out, const struct shk_report *report);

#endif /* SHK_REPORT_H */
