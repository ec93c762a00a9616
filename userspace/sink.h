/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sink: where records go. One file per sink, behind this vtable. Sinks see struct shk_conn, never an
 * event. They write to the FILE they were given and to nothing else.
 */
#ifndef SHK_SINK_H
#define SHK_SINK_H

#include <stdio.h>

#include "engine/conn.h"
#include "facts.h"

/* Known before the first record. */
struct shk_header {
	const char *version;		/* of the tool */
	const char *host;
	const char *kernel;
	const char *const *sources;	/* NULL terminated */
	int64_t real_offset_ns;
	const struct shk_facts *facts;	/* NULL: nobody has told any */
};

/* Events were lost at a source; told when they were, besides the sums at the end. */
struct shk_loss {
	const char *source;
	unsigned int cpu;
	uint64_t count;
	uint64_t ts_ns;			/* monotonic */
	int64_t real_offset_ns;
};

struct shk_summary {
	uint64_t seen, delivered, lost;	/* all sources and streams together */
	uint64_t filtered;
	uint64_t late, evicted;
	uint64_t connections;
	uint64_t by_open[SHK_O_COUNT];
	uint64_t by_close[SHK_C_COUNT];
	uint64_t by_conflict[SHK_CONFLICT_COUNT];
	uint64_t unmatched;		/* socket events that belong to no connection reported */
	uint64_t by_reuse[SHK_REUSE_COUNT]; /* connections whose tuple was used before */
	uint64_t tuples_forgotten;	/* so early that a reuse may have gone unnoticed */
};

struct shk_sink;

/* Each returns 0 or a negative errno; -EPIPE ends the program quietly. */
struct shk_sink_ops {
	const char *name;
	int (*header)(struct shk_sink *s, const struct shk_header *header);
	int (*opened)(struct shk_sink *s, const struct shk_conn *conn);
	int (*closed)(struct shk_sink *s, const struct shk_conn *conn);
	int (*lost)(struct shk_sink *s, const struct shk_loss *loss);
	int (*summary)(struct shk_sink *s, const struct shk_summary *summary);
	int (*flush)(struct shk_sink *s);	/* what was said so far becomes visible */
	void (*free)(struct shk_sink *s);	/* accepts NULL */
};

struct shk_sink {
	const struct shk_sink_ops *ops;
	unsigned int arrows_wanted;	/* shk_engine_config.arrows_max this sink needs */
};

struct shk_cgroups;

/* What to say beside the segment conn->arrows[@arrow]; valid until the next call. */
typedef const char *shk_remark_fn(void *arg, const struct shk_conn *conn, uint32_t arrow);

struct shk_sink_config {
	FILE *out;
	bool colour;		/* the caller knows whether it is a terminal */
	bool utf8;		/* arrows and ticks may be used; else ASCII */
	bool numeric_netns;	/* show the namespace of each record */
	const struct shk_cgroups *cgroups; /* names those of processes; NULL: none is known */
	bool capture;		/* records are somebody else's: "this host" means nothing */
	shk_remark_fn *remark;	/* ladder: instead of the hooks that saw the segment; NULL: none */
	void *remark_arg;
};

/* NULL if memory is short. */
struct shk_sink *shk_sink_line_new(const struct shk_sink_config *config);
struct shk_sink *shk_sink_ladder_new(const struct shk_sink_config *config);
struct shk_sink *shk_sink_json_new(const struct shk_sink_config *config);

#endif /* SHK_SINK_H */
