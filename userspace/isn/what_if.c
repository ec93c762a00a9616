// SPDX-License-Identifier: GPL-2.0
#include "isn/what_if.h"

#define NS_PER_SECOND 1000000000ULL
#define HALF_SECOND   (NS_PER_SECOND / 2)

/* The number that would have been chosen at @ns for the connection @number. */
static uint32_t chosen(enum shk_what_if g, uint64_t ns, uint64_t number)
{
	switch (g) {
	case SHK_G42:
		/* The timer of the BSDs runs twice a second, and adds half of what a second is worth. */
		return (ns / HALF_SECOND + number) * 64;
	case SHK_G44:
		return (ns / HALF_SECOND + number) * 64000;
	case SHK_G793:
		return ns / 4000; /* RFC 793 3.3: every 4 microseconds */
	default:
		return 0;
	}
}

/* The same use, had its ISNs been chosen by @g. */
static struct shk_tuple_use choose(const struct shk_tuple_use *use, enum shk_what_if g)
{
	struct shk_tuple_use other = *use;
	unsigned int i;

	for (i = 0; g != SHK_GL && i < 2; i++) {
		other.isn[i] = chosen(g, use->isn_ns[i], use->number);
		other.end[i] = use->end[i] - use->isn[i] + other.isn[i];
	}
	return other;
}

static bool at_risk(const struct shk_tuple_use *old, const struct shk_tuple_use *new, bool timestamps)
{
	return shk_reuse_at_risk(shk_reuse_verdict(old, new, SHK_MSL_RFC_NS, timestamps));
}

void shk_what_if_add(struct shk_counterfactual *sum, const struct shk_tuple_use *old,
		     const struct shk_tuple_use *new)
{
	struct shk_tuple_use a, b;
	int g;

	sum->reuses++;
	if (shk_reuse_verdict(old, new, SHK_MSL_RFC_NS, false) == SHK_SAFE_QUIET) {
		sum->quiet++;
		return;
	}
	for (g = 0; g < SHK_GR; g++) {
		a = choose(old, g);
		b = choose(new, g);
		sum->at_risk[g] += at_risk(&a, &b, false);
		sum->at_risk_ts[g] += at_risk(&a, &b, true);
	}
	sum->at_risk[SHK_GR] += shk_reuse_random_risk(old, new, false);
	sum->at_risk_ts[SHK_GR] += shk_reuse_random_risk(old, new, true);
}
