// SPDX-License-Identifier: GPL-2.0
/*
 * The ladder sink: each connection as a textbook draws it, when it has ended.
 *
 *	   client 10.7.0.1:44312                         server 10.7.0.2:80
 *	     seconds │                                            │ hooks, µs after the first
 *	    0.000000 │ [1] SYN seq=3141592653                     │ OUT +0 POST +3 PRE +9 IN +12
 *	    SYN-SENT │───────────────────────────────────────────►│ SYN-RECEIVED
 *
 * Left the time since the first segment, right the hooks that saw it, or remarks of who wants the ladder
 * drawn; under these the state of each end once the segment has arrived.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arrow_text.h"
#include "format.h"
#include "words.h"

#define ARROWS_WANTED 64

/* Columns: margin, bar, body, bar, margin. All together 120. */
#define LEFT_BAR  13
#define BODY      64
#define RIGHT_BAR (LEFT_BAR + 1 + BODY)
#define WIDTH     120

struct shk_sink_ladder {
	struct shk_sink sink;
	struct shk_sink_config config;
	struct shk_text line;
	struct shk_text phrase; /* to be broken into rows; never coloured */
	struct shk_text margin; /* likewise */
};

static const char *const local_words[] = {
	[SHK_CLIENT] = "client on this host",
	[SHK_SERVER] = "server on this host",
	[SHK_BOTH] = "both ends on this host",
	[SHK_NEITHER] = "neither end on this host",
};

static struct shk_sink_ladder *ladder_of(struct shk_sink *s)
{
	return (struct shk_sink_ladder *)((char *)s - offsetof(struct shk_sink_ladder, sink));
}

/*
 * ---- Rows --------------------------------------------------------------------------------------
 */

static void add_left(struct shk_text *t, const char *s)
{
	unsigned int columns = shk_text_columns(s);

	shk_text_pad(t, LEFT_BAR - 1 > columns ? LEFT_BAR - 1 - columns : 0);
	shk_text_add(t, "%s", s);
	shk_text_pad(t, LEFT_BAR);
	shk_text_add(t, "%s", t->signs->bar);
}

static void add_right_bar(struct shk_text *t)
{
	shk_text_pad(t, RIGHT_BAR);
	shk_text_add(t, "%s ", t->signs->bar);
}

static int margin_row(struct shk_text *t, const char *left, const char *right)
{
	add_left(t, left);
	add_right_bar(t);
	shk_text_add(t, "%s", right);
	return shk_text_end(t);
}

/* The phrase between the bars, as many rows as it takes. */
static int verdict_rows(struct shk_sink_ladder *ladder, enum shk_colour colour)
{
	struct shk_text *t = &ladder->line;
	const char *rest = ladder->phrase.buf;
	int err = 0;

	while (*rest && !err) {
		add_left(t, "");
		shk_text_add(t, " %s ", t->signs->rule);
		shk_text_colour(t, colour);
		shk_text_add_row(t, &rest, BODY - 8);
		shk_text_colour(t, SHK_PLAIN);
		if (!*rest)
			shk_text_add(t, " %s", t->signs->rule);
		add_right_bar(t);
		err = shk_text_end(t);
	}
	return err;
}

/*
 * ---- One segment -------------------------------------------------------------------------------
 */

/* Seconds to the microsecond, as a capture's listing has them, while they fit into the margin. */
static void format_offset(char buf[SHK_SPAN_SIZE], uint64_t ns)
{
	uint64_t us = ns / 1000;

	if (us < 100000 * 1000000ULL)
		snprintf(buf, SHK_SPAN_SIZE, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
	else
		shk_format_span(buf, ns, false);
}

static void write_remark(struct shk_sink_ladder *ladder, const struct shk_conn *conn, uint32_t number)
{
	const struct shk_sink_config *config = &ladder->config;

	shk_text_clear(&ladder->margin);
	shk_text_add(&ladder->margin, "%s", config->remark(config->remark_arg, conn, number));
}

static int label_rows(struct shk_sink_ladder *ladder, const struct shk_conn *conn, uint32_t number)
{
	uint64_t since_ns = conn->arrows[number].first_ns - conn->arrows[0].first_ns;
	const char *label = ladder->phrase.buf, *margin = ladder->margin.buf;
	bool remark = ladder->config.remark;
	struct shk_text *t = &ladder->line;
	char offset[SHK_SPAN_SIZE];
	int err = 0;

	shk_arrow_label(&ladder->phrase, conn, number);
	if (remark)
		write_remark(ladder, conn, number);
	else
		shk_arrow_stamps(&ladder->margin, &conn->arrows[number]);
	format_offset(offset, since_ns);
	while ((*label || *margin) && !err) {
		add_left(t, offset);
		shk_text_add(t, " ");
		shk_text_add_row(t, &label, BODY - 2);
		add_right_bar(t);
		shk_text_colour(t, remark ? SHK_PLAIN : SHK_DIM);
		shk_text_add_row(t, &margin, WIDTH - RIGHT_BAR - 2);
		shk_text_colour(t, SHK_PLAIN);
		err = shk_text_end(t);
		offset[0] = '\0';
	}
	return err;
}

static void add_shaft(struct shk_text *t, const struct shk_arrow *a, const char *word)
{
	bool again = a->proves & SHK_ARROW_RETRANSMIT;
	const char *shaft = again ? t->signs->dash : t->signs->shaft;
	unsigned int length = BODY - 1 - shk_text_columns(word);

	if (a->from == SHK_SERVER)
		shk_text_add(t, "%s", t->signs->head_left);
	shk_text_repeat(t, shaft, length / 2);
	shk_text_add(t, "%s", word);
	shk_text_repeat(t, shaft, length - length / 2);
	if (a->from == SHK_CLIENT)
		shk_text_add(t, "%s", t->signs->head_right);
}

static int arrow_row(struct shk_text *t, const struct shk_arrow *a)
{
	bool again = a->proves & SHK_ARROW_RETRANSMIT;
	enum shk_colour colour = SHK_PLAIN;

	if (a->proves & SHK_ARROW_WRONG_ACK || a->tcp_flags & SHK_TCP_RST)
		colour = SHK_RED;
	else if (again)
		colour = SHK_YELLOW;
	add_left(t, shk_state_name(a->state[SHK_CLIENT]));
	shk_text_colour(t, colour);
	add_shaft(t, a, again ? " retransmission " : "");
	shk_text_colour(t, SHK_PLAIN);
	add_right_bar(t);
	shk_text_add(t, "%s", shk_state_name(a->state[SHK_SERVER]));
	return shk_text_end(t);
}

/*
 * ---- One connection ----------------------------------------------------------------------------
 */

/* The number of segments up to and including the first with one of @tcp_flags or @proves; or all. */
static uint32_t first_with(const struct shk_conn *conn, uint16_t tcp_flags, uint8_t proves)
{
	for (uint32_t i = 0; i < conn->n_arrows; i++)
		if (conn->arrows[i].tcp_flags & tcp_flags || conn->arrows[i].proves & proves)
			return i + 1;
	return conn->n_arrows;
}

/* Likewise the first after which both ends are ESTABLISHED. */
static uint32_t first_established(const struct shk_conn *conn)
{
	for (uint32_t i = 0; i < conn->n_arrows; i++)
		if (conn->arrows[i].state[0] == SHK_ESTABLISHED &&
		    conn->arrows[i].state[1] == SHK_ESTABLISHED)
			return i + 1;
	return conn->n_arrows;
}

/* How many segments it took to decide the opening. */
static uint32_t open_decided(const struct shk_conn *conn)
{
	switch (conn->open) {
	case SHK_O_PREEXISTING:
		return 0;
	case SHK_O_REFUSED:
	case SHK_O_EMBRYO_RST:
		return first_with(conn, SHK_TCP_RST, 0);
	case SHK_O_SIMULTANEOUS:
	case SHK_O_SELF:
		return first_established(conn);
	case SHK_O_NONE:
		return conn->n_arrows;
	default:
		return shk_open_failed(conn->open) ? conn->n_arrows
						   : first_with(conn, 0, SHK_PROVES_SYNACK_ACKED);
	}
}

/* Likewise the close: what comes after that are stragglers. */
static uint32_t close_decided(const struct shk_conn *conn)
{
	uint32_t i = conn->n_arrows;

	if (conn->close == SHK_C_NONE)
		return i;
	if (shk_close_broken(conn->close))
		return first_with(conn, SHK_TCP_RST, 0);
	for (; i; i--)
		if (conn->arrows[i - 1].proves & SHK_PROVES_FIN_ACKED)
			return i;
	return conn->n_arrows;
}

static int open_verdict(struct shk_sink_ladder *ladder, const struct shk_conn *conn)
{
	struct shk_text *t = &ladder->phrase;
	bool failed = shk_open_failed(conn->open);
	char span[SHK_SPAN_SIZE];

	shk_text_clear(t);
	shk_words_open(t, conn);
	if (!failed && conn->open_total_ns != SHK_UNKNOWN_NS)
		shk_text_add(t, " in %s", shk_format_span(span, conn->open_total_ns, t->utf8));
	shk_words_open_notes(t, conn);
	if (failed)
		shk_words_blame(t, conn);
	return verdict_rows(ladder, failed ? SHK_RED : SHK_GREEN);
}

static int close_verdict(struct shk_sink_ladder *ladder, const struct shk_conn *conn)
{
	struct shk_text *t = &ladder->phrase;

	if (shk_open_failed(conn->open) || conn->open == SHK_O_NONE)
		return 0;
	shk_text_clear(t);
	shk_words_close(t, conn);
	shk_words_close_notes(t, conn);
	shk_words_blame(t, conn);
	return verdict_rows(ladder, shk_close_broken(conn->close) ? SHK_RED : SHK_CYAN);
}

static int dropped_row(struct shk_text *t, uint32_t dropped)
{
	if (!dropped)
		return 0;
	add_left(t, t->signs->still);
	shk_text_add(t, " %" PRIu32 " more segments, not kept", dropped);
	add_right_bar(t);
	return shk_text_end(t);
}

static int segments(struct shk_sink_ladder *ladder, const struct shk_conn *conn)
{
	uint32_t opened = open_decided(conn), closed = close_decided(conn);
	struct shk_text *t = &ladder->line;
	int err = 0;

	for (uint32_t i = 0; i <= conn->n_arrows && !err; i++) {
		if (i == conn->n_arrows)
			err = dropped_row(t, conn->arrows_dropped);
		if (i == opened && !err)
			err = open_verdict(ladder, conn);
		if (i == (closed > opened ? closed : opened) && !err)
			err = close_verdict(ladder, conn);
		if (i < conn->n_arrows && !err)
			err = label_rows(ladder, conn, i) ?: arrow_row(t, &conn->arrows[i]);
	}
	return err;
}

static const unsigned int bars[] = {[SHK_CLIENT] = LEFT_BAR, [SHK_SERVER] = RIGHT_BAR};

/* @s centred over @column, but after what is there; both ends at their longest fit into the page. */
static void add_over(struct shk_text *t, unsigned int column, const char *s)
{
	unsigned int half = shk_text_columns(s) / 2;

	if (t->columns)
		shk_text_add(t, "  ");
	shk_text_pad(t, column > half ? column - half : 0);
	shk_text_add(t, "%s", s);
}

static int ends_row(struct shk_text *t, const struct shk_conn *conn)
{
	char end[SHK_END_SIZE], name[SHK_END_SIZE + 8];

	shk_text_colour(t, SHK_BOLD);
	for (int side = SHK_CLIENT; side <= SHK_SERVER; side++) {
		snprintf(name, sizeof(name), "%s %s", side == SHK_CLIENT ? "client" : "server",
			 shk_format_end(end, conn->end[side].addr, conn->end[side].port));
		add_over(t, bars[side], name);
	}
	shk_text_colour(t, SHK_PLAIN);
	return shk_text_end(t);
}

/* Who they are, where it is known: each under its end. */
static int processes_row(struct shk_sink_ladder *ladder, const struct shk_conn *conn)
{
	struct shk_text *t = &ladder->line, *name = &ladder->phrase;

	if (!conn->end[SHK_CLIENT].process.pid && !conn->end[SHK_SERVER].process.pid)
		return 0;
	for (int side = SHK_CLIENT; side <= SHK_SERVER; side++) {
		if (!conn->end[side].process.pid)
			continue;
		shk_text_clear(name);
		shk_words_process(name, &conn->end[side].process);
		add_over(t, bars[side], name->buf);
	}
	shk_text_clear(name);
	return shk_text_end(t);
}

static int title_row(struct shk_sink_ladder *ladder, const struct shk_conn *conn)
{
	struct shk_text *t = &ladder->line;
	char clock[SHK_CLOCK_SIZE];

	shk_text_add(t, "%s  %s", shk_format_clock(clock, shk_real_ns(conn->first_ns, conn->real_offset_ns)),
		     ladder->config.capture ? "from a capture" : local_words[conn->local]);
	if (ladder->config.numeric_netns)
		shk_text_add(t, ", netns %" PRIu32, conn->netns);
	shk_text_colour(t, SHK_YELLOW);
	shk_words_doubt(t, conn);
	shk_text_colour(t, SHK_PLAIN);
	return shk_text_end(t);
}

static const char *margin_title(const struct shk_sink_ladder *ladder)
{
	if (ladder->config.remark)
		return "";
	return ladder->config.utf8 ? "hooks, µs after the first" : "hooks, us after the first";
}

/*
 * ---- The sink ----------------------------------------------------------------------------------
 */

static int ladder_header(struct shk_sink *s, const struct shk_header *header)
{
	return shk_words_header(&ladder_of(s)->line, header);
}

/* A decided opening is drawn when the connection has ended: until then hooks still stamp its segments. */
static int ladder_opened(struct shk_sink *s, const struct shk_conn *conn)
{
	(void)s;
	(void)conn;
	return 0;
}

static int ladder_closed(struct shk_sink *s, const struct shk_conn *conn)
{
	struct shk_sink_ladder *ladder = ladder_of(s);
	struct shk_text *t = &ladder->line;
	int err;

	err = shk_text_end(t);
	err = err ?: title_row(ladder, conn);
	err = err ?: ends_row(t, conn);
	err = err ?: processes_row(ladder, conn);
	err = err ?: margin_row(t, "seconds", margin_title(ladder));
	err = err ?: segments(ladder, conn);
	return err ?: margin_row(t, "", "");
}

static int ladder_lost(struct shk_sink *s, const struct shk_loss *loss)
{
	return shk_words_lost(&ladder_of(s)->line, loss);
}

static int ladder_summary(struct shk_sink *s, const struct shk_summary *summary)
{
	return shk_words_summary(&ladder_of(s)->line, summary);
}

static int ladder_flush(struct shk_sink *s)
{
	return fflush(ladder_of(s)->config.out) ? -errno : 0;
}

static void ladder_free(struct shk_sink *s)
{
	if (s)
		free(ladder_of(s));
}

static const struct shk_sink_ops ladder_ops = {
	.name = "ladder",
	.header = ladder_header,
	.opened = ladder_opened,
	.closed = ladder_closed,
	.lost = ladder_lost,
	.summary = ladder_summary,
	.flush = ladder_flush,
	.free = ladder_free,
};

struct shk_sink *shk_sink_ladder_new(const struct shk_sink_config *config)
{
	struct shk_sink_config plain = *config;
	struct shk_sink_ladder *ladder = malloc(sizeof(*ladder));

	if (!ladder)
		return NULL;
	plain.colour = false;
	ladder->sink = (struct shk_sink){.ops = &ladder_ops, .arrows_wanted = ARROWS_WANTED};
	ladder->config = *config;
	shk_text_init(&ladder->line, config);
	shk_text_init(&ladder->phrase, &plain);
	shk_text_init(&ladder->margin, &plain);
	return &ladder->sink;
}
