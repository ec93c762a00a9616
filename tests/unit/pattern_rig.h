/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Patterns: how a connection is played, and what is told of it, at each vantage point that can tell. Include
 * after cmocka.h.
 */
#ifndef PATTERN_RIG_H
#define PATTERN_RIG_H

#include "engine_dsl.h"

#define EVERYWHERE 0xff
#define ONLY(v)    (1U << (v))

/* What is told of the last connection of a scene. */
struct pattern {
	const char *name;
	void (*play)(struct scene *s);
	uint8_t vantages;
	enum shk_open open;
	enum shk_close close;
	enum shk_confidence confidence;
	enum shk_blame_where where;
	const char *why; /* is part of the sentence; NULL: there is none */
};

static const struct shk_engine_config host_config = {
	.hash_key = {1, 2},
	.linger_ns = SHK_LINGER_LIVE_NS,
	.arrows_max = 64,
	.hooks = SHK_HOOKS_NETFILTER,
};

static const struct shk_engine_config tap_config = {
	.hash_key = {1, 2},
	.linger_ns = SHK_LINGER_LIVE_NS,
	.arrows_max = 64,
};

static inline struct scene *watch(unsigned int vantage)
{
	return scene_new_with(vantage, vantage == TAP ? &tap_config : &host_config);
}

static inline void option(struct scene *s, uint32_t options)
{
	s->with.options |= options;
}

static inline void check(const struct pattern *p, unsigned int vantage)
{
	struct scene *s = watch(vantage);
	const struct shk_conn *conn;

	p->play(s);
	pass_and_tell(s, 200 * SECOND);
	scene_finish(s);
	conn = closed_at(s, n_closed(s) - 1);
	if (conn->open != p->open || conn->close != p->close || conn->confidence != p->confidence ||
	    conn->blame.where != p->where || (p->why ? !strstr(conn->blame.why, p->why) : conn->blame.why[0]))
		fail_msg("%s, %s: %s %s, confidence %d, blamed %d: \"%s\"", p->name, vantages[vantage].name,
			 shk_open_code(conn->open), shk_close_code(conn->close), conn->confidence,
			 conn->blame.where, conn->blame.why);
	scene_free(s);
}

static inline void check_all(const struct pattern *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (unsigned int v = 0; v < VANTAGES; v++)
			if (patterns[i].vantages & ONLY(v))
				check(&patterns[i], v);
}

#define CHECK_ALL(patterns) check_all(patterns, sizeof(patterns) / sizeof((patterns)[0]))

#endif /* PATTERN_RIG_H */
