// SPDX-License-Identifier: GPL-2.0
#include "clues.h"

#define MP_JOIN 1 /* RFC 8684 3.2 */

uint16_t shk_clue_marks(const struct shk_segment *seg)
{
	uint16_t marks = 0;

	if (seg->options & SHK_OPT_MPTCP && seg->mptcp_subtype == MP_JOIN)
		marks |= SHK_END_MP_JOIN;
	if (seg->options & (SHK_OPT_TFO | SHK_OPT_TFO_EXPERIMENT) && seg->tfo_len)
		marks |= SHK_END_TFO_COOKIE;
	if (!(seg->tcp_flags & SHK_TCP_ACK) && seg->options & SHK_OPT_TIMESTAMPS && seg->tsecr)
		marks |= SHK_END_TSECR;
	return marks;
}

/* The shapes of Linux, whose answers of no socket have no window and no options but to authenticate. */
enum shk_rst_shape shk_clue_rst_shape(const struct shk_segment *seg)
{
	bool bare = !seg->window && !(seg->options & ~(SHK_OPT_MD5 | SHK_OPT_AO | SHK_OPT_MPTCP));

	if (!(seg->tcp_flags & SHK_TCP_ACK))
		return bare ? SHK_RST_ANSWERS_ACK : SHK_RST_UNKNOWN;
	if (seg->seq == 0)
		return bare ? SHK_RST_ANSWERS_NO_ACK : SHK_RST_UNKNOWN;
	return SHK_RST_DELIBERATE;
}
