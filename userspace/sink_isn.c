// SPDX-License-Identifier: GPL-2.0
/*
 * The sink of the audit: it feeds connections to it, and says at the end what it found. Header, losses and
 * summary it says in the words of the other sinks.
 */
#include <errno.h>
#include <stdlib.h>

#include "isn_print.h"
#include "sink_isn.h"
#include "words.h"

struct shk_sink_isn {
	struct shk_sink sink;
	struct shk_sink_config config;
	struct shk_sink_isn_config isn;
	struct shk_text text;
	struct shk_sink *json; /* NULL: it is text */
};

static struct shk_sink_isn *isn_of(struct shk_sink *s)
{
	return (struct shk_sink_isn *)((char *)s - offsetof(struct shk_sink_isn, sink));
}

static int isn_header(struct shk_sink *s, const struct shk_header *header)
{
	struct shk_sink_isn *i = isn_of(s);

	return i->json ? i->json->ops->header(i->json, header) : shk_words_header(&i->text, header);
}

static int isn_opened(struct shk_sink *s, const struct shk_conn *conn)
{
	return shk_isn_opened(isn_of(s)->isn.audit, conn);
}

static int isn_closed(struct shk_sink *s, const struct shk_conn *conn)
{
	return shk_isn_closed(isn_of(s)->isn.audit, conn);
}

static int isn_lost(struct shk_sink *s, const struct shk_loss *loss)
{
	struct shk_sink_isn *i = isn_of(s);

	return i->json ? i->json->ops->lost(i->json, loss) : shk_words_lost(&i->text, loss);
}

static int isn_summary(struct shk_sink *s, const struct shk_summary *summary)
{
	struct shk_sink_isn *i = isn_of(s);
	int rc;

	if (i->json) {
		rc = shk_isn_print_json(i->isn.audit, i->config.out);
		return rc ? rc : i->json->ops->summary(i->json, summary);
	}
	rc = shk_isn_print_text(i->isn.audit, &i->config, i->isn.every);
	return rc ? rc : shk_words_summary(&i->text, summary);
}

static int isn_flush(struct shk_sink *s)
{
	return fflush(isn_of(s)->config.out) ? -errno : 0;
}

static void isn_free(struct shk_sink *s)
{
	struct shk_sink_isn *i;

	if (!s)
		return;
	i = isn_of(s);
	if (i->json)
		i->json->ops->free(i->json);
	free(i);
}

static const struct shk_sink_ops isn_ops = {
	.name = "isn",
	.header = isn_header,
	.opened = isn_opened,
	.closed = isn_closed,
	.lost = isn_lost,
	.summary = isn_summary,
	.flush = isn_flush,
	.free = isn_free,
};

struct shk_sink *shk_sink_isn_new(const struct shk_sink_config *config, const struct shk_sink_isn_config *isn)
{
	struct shk_sink_isn *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->sink.ops = &isn_ops;
	i->config = *config;
	i->isn = *isn;
	shk_text_init(&i->text, config);
	if (isn->json) {
		i->json = shk_sink_json_new(config);
		if (!i->json) {
			free(i);
			return NULL;
		}
	}
	return &i->sink;
}
