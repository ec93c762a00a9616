// SPDX-License-Identifier: GPL-2.0
/*
 * The line sink: one line for each opening and each close, as they happen.
 *
 *	time via client → server mark what happened
 *
 * An opened connection goes on in columns (both legs, both ISNs), whatever else in words. The columns
 * that hold the ends widen with what has been seen, up to a limit; a longer end moves only its own line.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "format.h"
#include "words.h"

#define CLIENT_WIDTH  17
#define SERVER_WIDTH  15
#define END_WIDTH_MAX 24
#define WORDS_WIDTH   19 /* "three-way handshake" */
#define LEG_WIDTH     7  /* "0.15 ms" */
#define ISN_WIDTH     10

struct shk_sink_line {
	struct shk_sink sink;
	struct shk_sink_config config;
	unsigned int end_width[2];
	struct shk_text text;
};

/* Which way the connection goes as this host sees it; a capture does not tell. */
static const char *const via_words[] = {
	[SHK_CLIENT] = "out",
	[SHK_SERVER] = "in",
	[SHK_BOTH] = "both",
	[SHK_NEITHER] = "fwd",
};

static struct shk_sink_line *line_of(struct shk_sink *s)
{
	return (struct shk_sink_line *)((char *)s - offsetof(struct shk_sink_line, sink));
}

static void add_right(struct shk_text *t, unsigned int width, const char *s)
{
	unsigned int columns = shk_text_columns(s);

	shk_text_pad(t, t->columns + 1 + (width > columns ? width - columns : 0));
	shk_text_add(t, "%s", s);
}

/* Pads to where the next column begins; after an end that is too long, as soon as possible. */
static void add_ends(struct shk_sink_line *line, const char *client, const char *server)
{
	struct shk_text *t = &line->text;
	unsigned int arrow_at = t->columns + line->end_width[SHK_CLIENT] + 1;
	unsigned int server_at = arrow_at + shk_text_columns(t->signs->right) + 1;

	shk_text_add(t, "%s ", client);
	shk_text_pad(t, arrow_at);
	shk_text_add(t, "%s %s ", t->signs->right, server);
	shk_text_pad(t, server_at + line->end_width[SHK_SERVER] + 1);
}

static void widen(struct shk_sink_line *line, enum shk_side side, const char *end)
{
	unsigned int columns = shk_text_columns(end);

	if (columns > END_WIDTH_MAX)
		columns = END_WIDTH_MAX;
	if (columns > line->end_width[side])
		line->end_width[side] = columns;
}

/* Everything up to the mark. The time is that of the segment which decided. */
static void begin(struct shk_sink_line *line, const struct shk_conn *conn)
{
	struct shk_text *t = &line->text;
	char clock[SHK_CLOCK_SIZE], client[SHK_END_SIZE], server[SHK_END_SIZE];

	shk_text_add(t, "%s ", shk_format_clock(clock, shk_real_ns(conn->last_ns, conn->real_offset_ns)));
	if (line->config.numeric_netns)
		shk_text_add(t, "%10" PRIu32 " ", conn->netns);
	shk_text_add(t, "%-4s ", line->config.capture ? "-" : via_words[conn->local]);

	shk_format_end(client, conn->end[SHK_CLIENT].addr, conn->end[SHK_CLIENT].port);
	shk_format_end(server, conn->end[SHK_SERVER].addr, conn->end[SHK_SERVER].port);
	widen(line, SHK_CLIENT, client);
	widen(line, SHK_SERVER, server);
	add_ends(line, client, server);
}

static void add_mark(struct shk_text *t, enum shk_colour colour, const char *mark)
{
	shk_text_colour(t, colour);
	shk_text_add(t, "%s", mark);
	shk_text_colour(t, SHK_PLAIN);
	shk_text_add(t, " ");
}

static void add_leg(struct shk_text *t, uint64_t ns)
{
	char span[SHK_SPAN_SIZE];

	add_right(t, LEG_WIDTH, shk_format_span(span, ns, t->utf8));
}

static void add_isn(struct shk_text *t, const struct shk_end *end)
{
	char isn[16] = "?";

	if (end->isn_known)
		snprintf(isn, sizeof(isn), "%" PRIu32, end->isn);
	add_right(t, ISN_WIDTH, isn);
}

static void add_handshake(struct shk_text *t, const struct shk_conn *conn)
{
	unsigned int legs_at = t->columns + WORDS_WIDTH;

	shk_words_open(t, conn);
	/* Of a connection that was there before us none of it is known. */
	if (conn->syn_synack_ns == SHK_UNKNOWN_NS && conn->synack_ack_ns == SHK_UNKNOWN_NS &&
	    !conn->end[SHK_CLIENT].isn_known && !conn->end[SHK_SERVER].isn_known)
		return;
	shk_text_pad(t, legs_at);
	add_leg(t, conn->syn_synack_ns);
	add_leg(t, conn->synack_ack_ns);
	add_isn(t, &conn->end[SHK_CLIENT]);
	add_isn(t, &conn->end[SHK_SERVER]);
}

static int finish(struct shk_text *t, const struct shk_conn *conn)
{
	shk_text_colour(t, SHK_YELLOW);
	shk_words_doubt(t, conn);
	shk_text_colour(t, SHK_PLAIN);
	shk_words_processes(t, conn);
	return shk_text_end(t);
}

static int line_opened(struct shk_sink *s, const struct shk_conn *conn)
{
	struct shk_sink_line *line = line_of(s);
	struct shk_text *t = &line->text;

	begin(line, conn);
	if (shk_open_failed(conn->open)) {
		add_mark(t, SHK_RED, t->signs->failed);
		shk_text_colour(t, SHK_RED);
		shk_words_open(t, conn);
		shk_text_colour(t, SHK_PLAIN);
	} else {
		add_mark(t, SHK_GREEN, t->signs->opened);
		add_handshake(t, conn);
	}
	shk_text_colour(t, SHK_YELLOW);
	shk_words_open_notes(t, conn);
	shk_words_blame(t, conn);
	shk_text_colour(t, SHK_PLAIN);
	return finish(t, conn);
}

static int line_closed(struct shk_sink *s, const struct shk_conn *conn)
{
	struct shk_sink_line *line = line_of(s);
	struct shk_text *t = &line->text;

	/* Nothing happened since line_opened(), but that it may have learnt better. */
	if (shk_open_failed(conn->open))
		return conn->open_told == conn->open ? 0 : line_opened(s, conn);
	begin(line, conn);
	if (conn->open == SHK_O_NONE) {
		add_mark(t, SHK_DIM, t->signs->still);
		shk_words_open(t, conn);
		return finish(t, conn);
	}
	add_mark(t, shk_close_broken(conn->close) ? SHK_RED : SHK_DIM,
		 conn->close == SHK_C_NONE ? t->signs->still : t->signs->closed);
	shk_words_close(t, conn);
	shk_text_colour(t, SHK_YELLOW);
	shk_words_close_notes(t, conn);
	if (conn->close != SHK_C_NONE)
		shk_words_blame(t, conn);
	if (conn->open == SHK_O_PREEXISTING) /* of which nobody was told yet */
		shk_text_add(t, ", %s", shk_open_words(conn->open));
	shk_text_colour(t, SHK_PLAIN);
	return finish(t, conn);
}

static int line_header(struct shk_sink *s, const struct shk_header *header)
{
	struct shk_sink_line *line = line_of(s);
	struct shk_text *t = &line->text;
	int err = shk_words_header(t, header);

	if (err)
		return err;
	shk_text_colour(t, SHK_DIM);
	shk_text_add(t, "%-12s ", "time");
	if (line->config.numeric_netns)
		shk_text_add(t, "%10s ", "netns");
	shk_text_add(t, "%-4s ", "via");
	add_ends(line, "client", "server");
	shk_text_pad(t, t->columns + 2 + WORDS_WIDTH);
	add_right(t, LEG_WIDTH, "SYN+ACK");
	add_right(t, LEG_WIDTH, "ACK");
	add_right(t, ISN_WIDTH, "client ISN");
	add_right(t, ISN_WIDTH, "server ISN");
	shk_text_colour(t, SHK_PLAIN);
	return shk_text_end(t);
}

static int line_lost(struct shk_sink *s, const struct shk_loss *loss)
{
	return shk_words_lost(&line_of(s)->text, loss);
}

static int line_summary(struct shk_sink *s, const struct shk_summary *summary)
{
	return shk_words_summary(&line_of(s)->text, summary);
}

static int line_flush(struct shk_sink *s)
{
	return fflush(line_of(s)->config.out) ? -errno : 0;
}

static void line_free(struct shk_sink *s)
{
	if (s)
		free(line_of(s));
}

static const struct shk_sink_ops line_ops = {
	.name = "line",
	.header = line_header,
	.opened = line_opened,
	.closed = line_closed,
	.lost = line_lost,
	.summary = line_summary,
	.flush = line_flush,
	.free = line_free,
};

struct shk_sink *shk_sink_line_new(const struct shk_sink_config *config)
{
	struct shk_sink_line *line = malloc(sizeof(*line));

	if (!line)
		return NULL;
	line->sink = (struct shk_sink){.ops = &line_ops};
	line->config = *config;
	line->end_width[SHK_CLIENT] = CLIENT_WIDTH;
	line->end_width[SHK_SERVER] = SERVER_WIDTH;
	shk_text_init(&line->text, config);
	return &line->sink;
}
