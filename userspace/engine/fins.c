// SPDX-License-Identifier: GPL-2.0
#include "fins.h"

unsigned int shk_fins_first(const struct shk_flow *f)
{
	if (!(f->end[0].has & f->end[1].has & SHK_HAS_FIN))
		return f->end[0].has & SHK_HAS_FIN ? 0 : 1;
	if (f->fin_ns[0] != f->fin_ns[1])
		return f->fin_ns[0] < f->fin_ns[1] ? 0 : 1;
	return f->fin_last ^ 1;
}

enum shk_close shk_fins_shape(const struct shk_flow *f)
{
	unsigned int first = shk_fins_first(f);
	uint64_t finack_ns = shk_flow_finack_ns(f, first), second_ns = f->fin_ns[first ^ 1];

	if (!(f->end[0].has & f->end[1].has & SHK_HAS_FIN))
		return SHK_C_NONE;
	if (f->fins == SHK_FINS_CROSSED || !(f->end[first].has & SHK_HAS_FIN_ACKED))
		return SHK_C_SIMULTANEOUS;
	if (finack_ns != second_ns)
		return finack_ns < second_ns ? SHK_C_4SEG : SHK_C_SIMULTANEOUS;
	/* Two segments in a microsecond, which is all that a capture may have, or one and the same. */
	return f->fins == SHK_FINS_ACKS ? SHK_C_3SEG : SHK_C_4SEG;
}
