// SPDX-License-Identifier: GPL-2.0
#include "outlet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "isn/tuples.h"

struct shk_outlet {
	struct shk_outlet_config config;
	struct shk_engine *engine;
	struct shk_tuples *tuples;
	uint64_t by_reuse[SHK_REUSE_COUNT];
	int64_t real_offset_ns;
	uint64_t fed;
	uint64_t closed; /* connections reported */
	bool unflushed;
	int sink_rc; /* first failure of each */
	struct shk_error tap_err;
};

/*
 * ---- Engine to sink ------------------------------------------------------------------------------
 */

static void sink_done(struct shk_outlet *o, int rc)
{
	o->unflushed = true;
	if (rc && !o->sink_rc)
		o->sink_rc = rc;
}

/* The engine knows connections one by one; what an earlier use of the tuple means to them comes in here. */
static void on_opened(void *arg, const struct shk_conn *conn)
{
	struct shk_outlet *o = arg;
	struct shk_conn known = *conn;

	shk_tuples_look(o->tuples, conn, &known.reuse);
	if (!o->sink_rc)
		sink_done(o, o->config.sink->ops->opened(o->config.sink, &known));
}

static void on_closed(void *arg, const struct shk_conn *conn)
{
	struct shk_outlet *o = arg;
	struct shk_conn known = *conn;

	o->closed++;
	if (o->config.conflicts)
		shk_conflict_report_add(o->config.conflicts, conn->netns, conn->conflicts);
	shk_tuples_look(o->tuples, conn, &known.reuse);
	if (known.reuse.known)
		o->by_reuse[known.reuse.verdict]++;
	if (!o->sink_rc)
		sink_done(o, o->config.sink->ops->closed(o->config.sink, &known));
	shk_tuples_learn(o->tuples, conn);
}

static void report_loss(struct shk_outlet *o, unsigned int source, const struct shk_event *ev)
{
	const struct shk_loss loss = {
		.source = o->config.header.sources[source],
		.cpu = ev->cpu,
		.count = ev->lost.count,
		.ts_ns = ev->ts_ns,
		.real_offset_ns = o->real_offset_ns,
	};

	if (o->config.sink && loss.count && !o->sink_rc)
		sink_done(o, o->config.sink->ops->lost(o->config.sink, &loss));
}

void shk_outlet_flush(struct shk_outlet *o)
{
	o->unflushed = false;
	if (o->config.sink && !o->sink_rc)
		o->sink_rc = o->config.sink->ops->flush(o->config.sink);
}

/*
 * ---- What it is told -----------------------------------------------------------------------------
 */

int shk_outlet_start(struct shk_outlet *o, int64_t real_offset_ns, struct shk_error *err)
{
	const struct shk_outlet_config *config = &o->config;

	o->real_offset_ns = real_offset_ns;
	o->config.header.real_offset_ns = real_offset_ns;
	if (config->sink)
		o->sink_rc = config->sink->ops->header(config->sink, &config->header);
	shk_outlet_flush(o);
	if (config->tap)
		config->tap->ops->begin(config->tap, &config->header, &config->engine, &o->tap_err);
	return shk_outlet_failed(o, err);
}

void shk_outlet_feed(struct shk_outlet *o, unsigned int source, const struct shk_event *ev, bool late)
{
	struct shk_tap *tap = o->config.tap;

	if (ev->kind == SHK_EV_LOST)
		report_loss(o, source, ev);
	else if (ev->kind == SHK_EV_CLOCK)
		o->real_offset_ns = (int64_t)(ev->clock.real_ns - ev->ts_ns);
	else
		o->fed++;
	if (o->engine)
		shk_engine_feed(o->engine, ev, late);
	if (tap && !o->tap_err.code)
		tap->ops->event(tap, source, ev, late, &o->tap_err);
}

void shk_outlet_expect(struct shk_outlet *o, const struct shk_event *const events[], unsigned int n)
{
	if (o->engine)
		shk_engine_expect(o->engine, events, n);
}

void shk_outlet_advance(struct shk_outlet *o, uint64_t now_ns)
{
	struct shk_tap *tap = o->config.tap;

	if (o->engine)
		shk_engine_advance(o->engine, now_ns);
	if (tap && !o->tap_err.code)
		tap->ops->advance(tap, now_ns, &o->tap_err);
}

static void write_summary(struct shk_outlet *o, const struct shk_summary *counts)
{
	struct shk_summary sum = *counts;
	struct shk_engine_stats stats;

	shk_engine_stats(o->engine, &stats);
	sum.evicted = stats.evicted;
	sum.connections = o->closed;
	memcpy(sum.by_open, stats.by_open, sizeof(sum.by_open));
	memcpy(sum.by_close, stats.by_close, sizeof(sum.by_close));
	memcpy(sum.by_conflict, stats.by_conflict, sizeof(sum.by_conflict));
	sum.unmatched = stats.unmatched;
	memcpy(sum.by_reuse, o->by_reuse, sizeof(sum.by_reuse));
	sum.tuples_forgotten = shk_tuples_forgotten(o->tuples);
	if (!o->sink_rc)
		o->sink_rc = o->config.sink->ops->summary(o->config.sink, &sum);
	shk_outlet_flush(o);
}

int shk_outlet_finish(struct shk_outlet *o, uint64_t now_ns, const struct shk_summary *counts,
		      struct shk_error *err)
{
	struct shk_tap *tap = o->config.tap;
	struct shk_error end_err = {0};

	if (o->engine) {
		shk_engine_advance(o->engine, now_ns);
		shk_engine_finish(o->engine);
		write_summary(o, counts);
	}
	/* Also after a failure: it has something to close. */
	if (tap && tap->ops->end(tap, now_ns, counts, &end_err) && !o->tap_err.code)
		o->tap_err = end_err;
	return shk_outlet_failed(o, err);
}

/*
 * ---- How it fares --------------------------------------------------------------------------------
 */

bool shk_outlet_unflushed(const struct shk_outlet *o)
{
	return o->unflushed;
}

bool shk_outlet_ended(const struct shk_outlet *o)
{
	bool enough = o->config.count && o->closed >= o->config.count;

	return enough || o->sink_rc || o->tap_err.code;
}

uint64_t shk_outlet_fed(const struct shk_outlet *o)
{
	return o->fed;
}

int shk_outlet_failed(const struct shk_outlet *o, struct shk_error *err)
{
	if (o->tap_err.code) {
		*err = o->tap_err;
		return err->code;
	}
	if (!o->sink_rc)
		return 0;
	return shk_error_set(err, o->sink_rc, "cannot write the output: %s", strerror(-o->sink_rc));
}

void shk_outlet_hang_up(struct shk_outlet *o)
{
	if (!o->sink_rc)
		o->sink_rc = -EPIPE;
}

/* Who has memory for few connections has it for no more that were. */
static uint32_t tuples_max(const struct shk_engine_config *engine)
{
	bool few = engine->flows_max && engine->flows_max < SHK_TUPLES_MAX_DEFAULT;

	return few ? engine->flows_max : SHK_TUPLES_MAX_DEFAULT;
}

struct shk_outlet *shk_outlet_new(const struct shk_outlet_config *config)
{
	struct shk_engine_out out = {.opened = on_opened, .closed = on_closed};
	struct shk_outlet *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->config = *config;
	out.arg = o;
	if (!config->sink)
		return o;
	o->engine = shk_engine_new(&config->engine, &out);
	o->tuples = shk_tuples_new(tuples_max(&config->engine), config->engine.hash_key);
	if (!o->engine || !o->tuples) {
		shk_outlet_free(o);
		return NULL;
	}
	return o;
}

void shk_outlet_free(struct shk_outlet *o)
{
	if (!o)
		return;
	shk_engine_free(o->engine);
	shk_tuples_free(o->tuples);
	free(o);
}
