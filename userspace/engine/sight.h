/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A segment on its way into the flow: what it says of the opening, then what it says of the close.
 */
#ifndef SHK_SIGHT_H
#define SHK_SIGHT_H

#include "flow.h"
#include "states.h"

/* Ends are numbered as in the tuple. */
struct shk_sight {
	const struct shk_event *ev;
	const struct shk_segment *seg;
	unsigned int from, to;
	bool syn, ack, fin, rst;
	bool finack;	/* the first to acknowledge the other end's FIN */
	uint8_t proves;	/* SHK_PROVES_*, SHK_ARROW_* */
};

void shk_sight_open(struct shk_flow *f, struct shk_sight *s);
void shk_sight_close(struct shk_flow *f, struct shk_sight *s);

/* Does its ack cover the other end's SYN+ACK? */
bool shk_sight_covers_synack(const struct shk_flow *f, const struct shk_sight *s);

/* After a SYN and no SYN+ACK that we saw: does it show that there was one? */
bool shk_sight_goes_on(const struct shk_flow *f, const struct shk_sight *s);

static inline void shk_sight_count(uint16_t *count)
{
	if (*count < UINT16_MAX)
		++*count;
}

/* No timer retransmits more often: tcp_syn_retries is at most 127, tcp_synack_retries 255. */
static inline void shk_sight_count_again(uint8_t *count)
{
	if (*count < UINT8_MAX)
		++*count;
}

static inline void shk_sight_signal(struct shk_flow *f, unsigned int end, enum shk_signal signal)
{
	f->end[end].state = shk_state_next(f->end[end].state, signal);
}

static inline void shk_sight_note_ack(struct shk_flow *f, const struct shk_sight *s)
{
	f->end[s->from].ack = s->seg->ack;
	f->end[s->from].has |= SHK_HAS_ACK;
}

#endif /* SHK_SIGHT_H */
