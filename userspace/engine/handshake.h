/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How far the opening of a connection has come, seen from the middle: segments pass us, but they may
 * get lost after we saw them, and we may miss some.
 */
#ifndef SHK_HANDSHAKE_H
#define SHK_HANDSHAKE_H

#include "flow.h"

enum shk_phase {
	SHK_PHASE_NEW,		/* nothing seen */
	SHK_PHASE_SYN,		/* one end sent SYN */
	SHK_PHASE_SYN_BOTH,	/* both did: simultaneous open */
	SHK_PHASE_SYNACK,	/* SYN+ACK seen */
	SHK_PHASE_OPEN,		/* acknowledged: both ends are synchronised */
	SHK_PHASE_REFUSED,	/* the SYN was answered by RST */
	SHK_PHASE_RESET,	/* RST after SYN+ACK, before the ACK */
	SHK_PHASE_MIDSTREAM,	/* the opening was not seen */
	SHK_PHASE_COUNT
};

/* The alphabet: who (the client, who sent the first SYN, or the server) sent what. */
enum shk_step {
	SHK_STEP_C_SYN,
	SHK_STEP_S_SYN,
	SHK_STEP_C_SYNACK,	/* only in a simultaneous open */
	SHK_STEP_S_SYNACK,	/* acknowledges the client's ISN, or that is not known */
	SHK_STEP_S_SYNACK_BAD,	/* acknowledges something else */
	SHK_STEP_C_ACK,		/* covers the SYN+ACK */
	SHK_STEP_C_ACK_BAD,		/* does not */
	SHK_STEP_S_ACK,		/* a plain ACK from the server */
	SHK_STEP_FIN,		/* from either; an ACK in it has been a step of its own */
	SHK_STEP_TRAFFIC,	/* what only an end sends that is synchronised, and no step above */
	SHK_STEP_C_RST,
	SHK_STEP_S_RST,		/* ends the attempt; in answer to the SYN it must acknowledge it */
	SHK_STEP_RST_BAD,	/* answers something else: a stray segment, a bad ACK */
	SHK_STEP_COUNT
};

enum shk_phase shk_phase_next(enum shk_phase phase, enum shk_step step);

#endif /* SHK_HANDSHAKE_H */
