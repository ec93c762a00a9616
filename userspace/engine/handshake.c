// SPDX-License-Identifier: GPL-2.0
#include "handshake.h"

/* clang-format off */
#define pNW SHK_PHASE_NEW
#define pSY SHK_PHASE_SYN
#define pSB SHK_PHASE_SYN_BOTH
#define pSA SHK_PHASE_SYNACK
#define pOP SHK_PHASE_OPEN
#define pRF SHK_PHASE_REFUSED
#define pRS SHK_PHASE_RESET
#define pMD SHK_PHASE_MIDSTREAM

/* A step leads to a phase; the reason stands below each row. "Same" means: no news about the opening. */
static const uint8_t next_phase[SHK_PHASE_COUNT][SHK_STEP_COUNT] = {
/*			  cSYN sSYN cS+A sS+A bS+A cACK bACK sACK FIN  TRAF cRST sRST bRST */
[SHK_PHASE_NEW] =	{ pSY, pSY, pSA, pSA, pSA, pMD, pMD, pMD, pMD, pMD, pMD, pMD, pMD },
/*
 *	SYN	-> SYN	the ordinary beginning
 *	SYN+ACK	-> SA	we missed the SYN; its number is ack - 1
 *	others	-> MD	an old connection goes on or ends
 */
[SHK_PHASE_SYN] =	{ pSY, pSB, pSB, pSA, pSY, pOP, pSY, pSY, pOP, pOP, pSY, pRF, pSY },
/*
 *	cSYN	-> same	retransmission, or the client tries again with another number
 *	sSYN	-> SB	both open at once, RFC 9293 3.5 figure 7
 *	cS+A	-> SB	it answers a SYN of the server that we missed: figure 7 again
 *	sS+A	-> SA
 *	bad S+A	-> same	the client answers by RST and stays in SYN-SENT, 3.10.7.3
 *	cACK	-> OP	the gate saw a SYN+ACK that we lost: else this ACK had not come through
 *	TRAF	-> OP	the client goes on, or the server sends data: so there was a SYN+ACK
 *	sACK	-> same	challenge ACK or TIME-WAIT: the server knows another connection, RFC 5961 4.2
 *	FIN	-> OP	nobody sends FIN before it is synchronised: we lost the rest
 *	cRST	-> same	the client's answer to such a sACK or bad S+A; it goes on with its SYN
 *	sRST	-> RF	refused, 3.10.7.3
 *	bad RST	-> same	not acceptable in SYN-SENT: the client ignores it
 */
[SHK_PHASE_SYN_BOTH] =	{ pSB, pSB, pOP, pOP, pSB, pOP, pSB, pOP, pOP, pOP, pRF, pRF, pSB },
/*
 *	S+A	-> OP	either one acknowledges the other's SYN: both know now
 *	ACK	-> OP	likewise
 *	RST	-> RF
 */
[SHK_PHASE_SYNACK] =	{ pSA, pSA, pOP, pSA, pSA, pOP, pSA, pSA, pOP, pSA, pRS, pRS, pSA },
/*
 *	SYN	-> same	retransmission, or a duplicate: the server sends its SYN+ACK again
 *	cS+A	-> OP	acknowledges the server's: simultaneous open, and we missed a SYN
 *	sS+A	-> same	retransmission by the server's timer
 *	cACK	-> OP	the third leg
 *	bad ACK	-> same	the server answers by RST and keeps its request, 3.10.7.4
 *	sACK	-> same	the answer to a duplicate of the client's SYN
 *	FIN	-> OP	carries the third leg or follows one we missed
 *	RST	-> RS	tentative: not every RST is heeded, see the next row but two
 *	bad RST	-> same	that answer to a bad ACK; or the client's with another number than is expected
 */
[SHK_PHASE_OPEN] =	{ pOP, pOP, pOP, pOP, pOP, pOP, pOP, pOP, pOP, pOP, pOP, pOP, pOP },
/*	what happens now belongs to the connection or its end */
[SHK_PHASE_REFUSED] =	{ pRF, pRF, pSA, pSA, pRF, pRF, pRF, pRF, pRF, pRF, pRF, pRF, pRF },
/*
 *	S+A	-> SA	it was not refused after all: two answers, the RST from somebody in between
 */
[SHK_PHASE_RESET] =	{ pRS, pRS, pSA, pSA, pRS, pOP, pRS, pRS, pRS, pRS, pRS, pRS, pRS },
/*
 *	S+A	-> SA	the request is still alive
 *	cACK	-> OP	the RST was not the server's or not acceptable to it
 */
[SHK_PHASE_MIDSTREAM] =	{ pMD, pMD, pMD, pMD, pMD, pMD, pMD, pMD, pMD, pMD, pMD, pMD, pMD },
};
/* clang-format on */

enum shk_phase shk_phase_next(enum shk_phase phase, enum shk_step step)
{
	return next_phase[phase][step];
}
