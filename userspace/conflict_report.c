// SPDX-License-Identifier: GPL-2.0
#include "conflict_report.h"

#include <stdbool.h>

static bool is_empty(const struct shk_conflicts *conflicts)
{
	uint64_t any = 0;

	for (unsigned int kind = 0; kind < SHK_CONFLICT_COUNT; kind++)
		any |= conflicts->count[kind];
	return !any;
}

void shk_conflict_report_send(struct shk_conflict_report *r)
{
	if (!is_empty(&r->untold) && r->to && !r->err.code)
		r->to->ops->tell_conflicts(r->to, &r->untold, &r->err);
	r->untold = (struct shk_conflicts){0};
}

void shk_conflict_report_add(struct shk_conflict_report *r, uint32_t netns, uint32_t conflicts)
{
	if (!conflicts)
		return;
	if (r->untold.netns != netns)
		shk_conflict_report_send(r);
	r->untold.netns = netns;
	for (unsigned int kind = 0; kind < SHK_CONFLICT_COUNT; kind++)
		r->untold.count[kind] += conflicts >> kind & 1;
}

int shk_conflict_report_failed(const struct shk_conflict_report *r, struct shk_error *err)
{
	if (r->err.code)
		*err = r->err;
	return r->err.code;
}
