// SPDX-License-Identifier: GPL-2.0
/*
 * RFC 9293 figure 5, seen from outside. An end whose past was not seen is UNKNOWN until it gives itself
 * away. LISTEN cannot be seen, so it does not occur: a SYN may arrive where nobody listens.
 */
#include "states.h"

/* clang-format off */
#define sIG SHK_STATE_COUNT	/* ignored: the state stays */
#define sCL SHK_CLOSED
#define sSS SHK_SYN_SENT
#define sSR SHK_SYN_RECEIVED
#define sES SHK_ESTABLISHED
#define sF1 SHK_FIN_WAIT_1
#define sF2 SHK_FIN_WAIT_2
#define sCW SHK_CLOSE_WAIT
#define sCG SHK_CLOSING
#define sLA SHK_LAST_ACK
#define sTW SHK_TIME_WAIT

/*
 * Columns: sent SYN, SYN+ACK, FIN, RST; got SYN, SYN+ACK, ACK of SYN+ACK, ACK of FIN, FIN, RST.
 *
 * The same in every row: what an end sends twice changes nothing the second time. An RST sent or
 * received ends everything (3.10.7), but for TIME-WAIT's own answer to an old SYN, which is an ACK.
 */
static const uint8_t next_state[SHK_STATE_COUNT][SHK_SIGNAL_COUNT] = {
/*			sSYN sS+A sFIN sRST gSYN gS+A gACK gAoF gFIN gRST */
[SHK_CLOSED] =	      { sSS, sSR, sIG, sIG, sIG, sIG, sIG, sIG, sIG, sIG },
/*
 *	sent SYN	active open; after an RST also the next attempt of the same client
 *	sent SYN+ACK	a listener took the SYN that was thought refused
 */
[SHK_LISTEN] =	      { sSS, sSR, sIG, sCL, sIG, sIG, sIG, sIG, sIG, sIG },
[SHK_SYN_SENT] =      { sIG, sSR, sF1, sCL, sSR, sES, sES, sIG, sIG, sCL },
/*
 *	sent SYN+ACK	simultaneous open: it had got a SYN (3.5, figure 7)
 *	sent FIN	its SYN+ACK and ACK were not seen; a FIN from SYN-SENT does not exist
 *	got SYN		simultaneous open
 *	got ACK		the SYN+ACK itself was not seen
 *	got FIN		not in order before the SYN was: ignored, 3.10.7.3
 */
[SHK_SYN_RECEIVED] =  { sIG, sIG, sF1, sCL, sIG, sES, sES, sIG, sCW, sCL },
/*
 *	sent FIN	close() in SYN-RECEIVED is legal (3.10.4), Fast Open servers do it
 *	got SYN+ACK	end of a simultaneous open
 *	got FIN		the ACK came with it or was not seen
 */
[SHK_ESTABLISHED] =   { sIG, sIG, sF1, sCL, sIG, sIG, sIG, sIG, sCW, sCL },
/*
 *	got SYN		challenge ACK, RFC 5961 4.2: the state stays
 */
[SHK_FIN_WAIT_1] =    { sIG, sIG, sIG, sCL, sIG, sIG, sIG, sF2, sCG, sCL },
/*
 *	got FIN		without an ACK of our own: both closed at once (3.6, figure 13)
 */
[SHK_FIN_WAIT_2] =    { sIG, sIG, sIG, sCL, sIG, sIG, sIG, sIG, sTW, sCL },
[SHK_CLOSE_WAIT] =    { sIG, sIG, sLA, sCL, sIG, sIG, sIG, sIG, sIG, sCL },
[SHK_CLOSING] =	      { sIG, sIG, sIG, sCL, sIG, sIG, sIG, sTW, sIG, sCL },
[SHK_LAST_ACK] =      { sIG, sIG, sIG, sCL, sIG, sIG, sIG, sCL, sIG, sCL },
[SHK_TIME_WAIT] =     { sSS, sSR, sIG, sIG, sIG, sIG, sIG, sIG, sIG, sCL },
/*
 *	sent SYN	active reuse of the tuple (RFC 6191)
 *	sent SYN+ACK	passive reuse
 *	got RST		TIME-WAIT assassination, RFC 1337
 */
[SHK_STATE_UNKNOWN] = { sSS, sSR, sF1, sCL, sIG, sES, sES, sF2, sCW, sCL },
/*
 *	got SYN		whether anybody listens shows in the answer
 */
};
/* clang-format on */

enum shk_state shk_state_next(enum shk_state state, enum shk_signal signal)
{
	enum shk_state next = next_state[state][signal];

	return next == SHK_STATE_COUNT ? state : next;
}
