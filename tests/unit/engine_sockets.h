/* SPDX-License-Identifier: GPL-2.0 */
/* What sockets tell the engine, in the scenes of engine_dsl.h. */
#ifndef ENGINE_SOCKETS_H
#define ENGINE_SOCKETS_H

#include "engine_dsl.h"

/* What the socket at @end says now: blank but for its place and numbers. */
static inline struct shk_event socket_event(const struct scene *s, unsigned int end, uint8_t where)
{
	struct shk_event ev = s->ends[end];

	ev.kind = SHK_EV_SOCKET;
	ev.where = where;
	ev.ts_ns = s->now_ns;
	ev.sock = (struct shk_socket){
		.iss = s->isn[end],
		.irs = s->isn[!end],
		.flags = end == CLIENT ? SHK_SOCK_ACTIVE : SHK_SOCK_PASSIVE,
	};
	return ev;
}

static inline void feed(struct scene *s, struct shk_event *ev)
{
	ev->ts_ns = s->now_ns;
	scene_feed(s, ev);
	s->now_ns += US;
}

#endif /* ENGINE_SOCKETS_H */
