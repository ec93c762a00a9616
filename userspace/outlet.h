/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The second half of the straight line, behind the merge: engine and sink, and a tap that listens in.
 *
 * Who drives it is the pipeline, or the replay of what the pipeline once told it. What the sink writes
 * follows from these calls alone, so the same calls give the same bytes.
 */
#ifndef SHK_OUTLET_H
#define SHK_OUTLET_H

#include "conflict_report.h"
#include "tap.h"

struct shk_outlet_config {
	struct shk_sink *sink;		/* the caller's; NULL: nothing is shown, and there is no engine */
	struct shk_tap *tap;		/* likewise; NULL: nobody listens */
	struct shk_header header;	/* what it points to must outlive the outlet */
	struct shk_engine_config engine;
	struct shk_conflict_report *conflicts;	/* learns of those that records have; or NULL */
	uint64_t count;			/* has ended after that many connections; 0: no limit */
};

struct shk_outlet;

struct shk_outlet *shk_outlet_new(const struct shk_outlet_config *config);	/* NULL: no memory */
void shk_outlet_free(struct shk_outlet *o);	/* accepts NULL */

/* The header goes out, with this offset. 0, or -errno and *err. */
int shk_outlet_start(struct shk_outlet *o, int64_t real_offset_ns, struct shk_error *err);

/* As shk_engine_feed(), _expect() and _advance(); @source is its place in header.sources. */
void shk_outlet_feed(struct shk_outlet *o, unsigned int source, const struct shk_event *ev, bool late);
void shk_outlet_expect(struct shk_outlet *o, const struct shk_event *const events[], unsigned int n);
void shk_outlet_advance(struct shk_outlet *o, uint64_t now_ns);

/* What was told so far becomes visible. */
void shk_outlet_flush(struct shk_outlet *o);

/*
 * Time has come to @now_ns and the input has ended: everything that is left goes out, and the summary. Of
 * @counts those of the sources and the merge are given. 0, or -errno and *err.
 */
int shk_outlet_finish(struct shk_outlet *o, uint64_t now_ns, const struct shk_summary *counts,
		      struct shk_error *err);

bool shk_outlet_unflushed(const struct shk_outlet *o);
bool shk_outlet_ended(const struct shk_outlet *o);	/* the count is reached, or somebody failed */
uint64_t shk_outlet_fed(const struct shk_outlet *o);	/* events, without SHK_EV_LOST and SHK_EV_CLOCK */

/* 0, or why a sink or tap failed: -errno and *err. -EPIPE: nobody reads the output any more. */
int shk_outlet_failed(const struct shk_outlet *o, struct shk_error *err);

/* The output has no reader, as somebody else found out. */
void shk_outlet_hang_up(struct shk_outlet *o);

#endif /* SHK_OUTLET_H */
