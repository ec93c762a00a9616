/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sink that writes into memory, for the tests of the sinks. Include after cmocka.h.
 */
#ifndef SINK_RIG_H
#define SINK_RIG_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sample_conn.h"
#include "sink.h"

typedef struct shk_sink *sink_new_fn(const struct shk_sink_config *config);

struct sink_rig {
	struct shk_sink_config config;
	struct shk_sink *sink;
	char *text;
	size_t size;
};

static inline int sink_rig_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	return 0;
}

/* @flags of .config: .colour, .utf8, .numeric_netns */
static inline void sink_rig_open(struct sink_rig *rig, sink_new_fn *new, struct shk_sink_config flags)
{
	rig->config = flags;
	rig->text = NULL;
	rig->config.out = open_memstream(&rig->text, &rig->size);
	assert_non_null(rig->config.out);
	rig->sink = new(&rig->config);
	assert_non_null(rig->sink);
}

/* All that was written since open. */
static inline const char *sink_rig_text(struct sink_rig *rig)
{
	assert_int_equal(rig->sink->ops->flush(rig->sink), 0);
	return rig->text;
}

static inline void sink_rig_close(struct sink_rig *rig)
{
	rig->sink->ops->free(rig->sink);
	fclose(rig->config.out);
	free(rig->text);
}

static inline void sink_rig_opened(struct sink_rig *rig, const struct shk_conn *conn)
{
	assert_int_equal(rig->sink->ops->opened(rig->sink, conn), 0);
}

static inline void sink_rig_closed(struct sink_rig *rig, const struct shk_conn *conn)
{
	assert_int_equal(rig->sink->ops->closed(rig->sink, conn), 0);
}

static inline void sink_rig_header(struct sink_rig *rig)
{
	static const char *const sources[] = { "kmod", "bpf", NULL };
	const struct shk_header header = {
		.version = "0.1.0",
		.host = "web1",
		.kernel = "6.1.0-49-amd64",
		.sources = sources,
		.real_offset_ns = SAMPLE_OFFSET_NS,
	};

	assert_int_equal(rig->sink->ops->header(rig->sink, &header), 0);
}

static inline void sink_rig_lost(struct sink_rig *rig, uint64_t count)
{
	const struct shk_loss loss = {
		.source = "kmod",
		.cpu = 1,
		.count = count,
		.ts_ns = SAMPLE_START_NS + 5 * SAMPLE_MS,
		.real_offset_ns = SAMPLE_OFFSET_NS,
	};

	assert_int_equal(rig->sink->ops->lost(rig->sink, &loss), 0);
}

/* What every sink must do when nobody can take its output: say which error, at once or at the flush. */
static inline void sink_rig_check_errors(sink_new_fn *new)
{
	struct shk_conn conn = sample_closed();
	struct shk_sink_config config = { 0 };
	struct shk_sink *sink;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	config.out = fdopen(ends[1], "w");
	sink = new(&config);
	assert_int_equal(sink->ops->closed(sink, &conn), 0);	/* still in the buffer */
	assert_int_equal(sink->ops->flush(sink), -EPIPE);
	setvbuf(config.out, NULL, _IONBF, 0);
	assert_int_equal(sink->ops->closed(sink, &conn), -EPIPE);
	sink->ops->free(sink);
	fclose(config.out);

	config.out = fopen("/dev/full", "w");
	assert_non_null(config.out);
	setvbuf(config.out, NULL, _IONBF, 0);
	sink = new(&config);
	assert_int_equal(sink->ops->closed(sink, &conn), -ENOSPC);
	sink->ops->free(NULL);
	sink->ops->free(sink);
	fclose(config.out);
}

#endif /* SINK_RIG_H */
