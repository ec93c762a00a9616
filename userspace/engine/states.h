/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of one end, as RFC 9293 3.3.2 has it and as far as segments tell.
 */
#ifndef SHK_STATES_H
#define SHK_STATES_H

#include "conn.h"

/* What a segment means to one end. One segment may mean several things; ACKs come before FINs. */
enum shk_signal {
	SHK_SENT_SYN,
	SHK_SENT_SYNACK,
	SHK_SENT_FIN,
	SHK_SENT_RST,
	SHK_GOT_SYN,
	SHK_GOT_SYNACK,		/* with the right acknowledgment */
	SHK_GOT_ACK_OF_SYN,	/* acknowledgment of our SYN+ACK */
	SHK_GOT_ACK_OF_FIN,
	SHK_GOT_FIN,
	SHK_GOT_RST,
	SHK_SIGNAL_COUNT
};

enum shk_state shk_state_next(enum shk_state state, enum shk_signal signal);

#endif /* SHK_STATES_H */
