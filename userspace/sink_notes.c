// SPDX-License-Identifier: GPL-2.0
#include "sink_notes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "community_id.h"
#include "format.h"
#include "words.h"

/* Far more control segments than a connection has that is not broken. */
#define ARROWS_WANTED 1024

/* The segment, and what is said of it. */
struct note {
	uint64_t ts_ns;
	uint32_t netns;
	uint32_t seq;
	uint16_t sport, dport;
	bool closes;
	char *text;
	bool said;
};

struct notes {
	struct shk_sink base;
	struct note *notes;
	size_t len, size;
	struct shk_text text;
};

static struct notes *to_notes(const struct shk_sink *s)
{
	return (struct notes *)s;
}

static int add_note(struct notes *n, const struct shk_conn *conn, const struct shk_arrow *arrow, bool closes)
{
	const struct shk_end *from = &conn->end[arrow->from], *to = &conn->end[!arrow->from];
	size_t size = n->size ? 2 * n->size : 256;
	struct note *notes;
	char *text;

	if (n->len == n->size) {
		notes = reallocarray(n->notes, size, sizeof(*notes));
		if (!notes)
			return -ENOMEM;
		n->notes = notes;
		n->size = size;
	}
	text = strdup(n->text.buf);
	if (!text)
		return -ENOMEM;
	n->notes[n->len++] = (struct note){
		.ts_ns = arrow->first_ns,
		.netns = conn->netns,
		.seq = arrow->seq,
		.sport = from->port,
		.dport = to->port,
		.closes = closes,
		.text = text,
	};
	return 0;
}

/* The last that had a part in the end. */
static const struct shk_arrow *closing_arrow(const struct shk_conn *conn)
{
	uint32_t i;

	for (i = conn->n_arrows; i--;)
		if (conn->arrows[i].tcp_flags & (SHK_TCP_FIN | SHK_TCP_RST) ||
		    conn->arrows[i].proves & SHK_PROVES_FIN_ACKED)
			return &conn->arrows[i];
	return NULL;
}

static void begin_text(struct notes *n, const struct shk_conn *conn, const char *code)
{
	shk_text_clear(&n->text);
	shk_text_add(&n->text, "tcpshake %016" PRIx64 " %s: ", conn->id, code);
}

static int note_opening(struct notes *n, const struct shk_conn *conn)
{
	char community_id[SHK_COMMUNITY_ID_SIZE];

	begin_text(n, conn, shk_open_code(conn->open));
	shk_words_open(&n->text, conn);
	shk_words_open_notes(&n->text, conn);
	shk_words_doubt(&n->text, conn);
	shk_community_id(community_id, &conn->end[SHK_CLIENT], &conn->end[SHK_SERVER]);
	shk_text_add(&n->text, "; community_id %s", community_id);
	return add_note(n, conn, &conn->arrows[0], false);
}

static int note_closing(struct notes *n, const struct shk_conn *conn)
{
	const struct shk_arrow *arrow = closing_arrow(conn);

	if (!arrow || conn->close == SHK_C_NONE)
		return 0;
	begin_text(n, conn, shk_close_code(conn->close));
	shk_words_close(&n->text, conn);
	shk_words_close_notes(&n->text, conn);
	shk_words_doubt(&n->text, conn);
	return add_note(n, conn, arrow, true);
}

/* Of a connection that only sockets told of, there is no segment to say anything of. */
static int notes_closed(struct shk_sink *s, const struct shk_conn *conn)
{
	int rc;

	if (!conn->n_arrows)
		return 0;
	rc = note_opening(to_notes(s), conn);
	return rc ? rc : note_closing(to_notes(s), conn);
}

static int notes_opened(struct shk_sink *s, const struct shk_conn *conn)
{
	(void)s;
	(void)conn;
	return 0;
}

static int notes_header(struct shk_sink *s, const struct shk_header *header)
{
	(void)s;
	(void)header;
	return 0;
}

static int notes_lost(struct shk_sink *s, const struct shk_loss *loss)
{
	(void)s;
	(void)loss;
	return 0;
}

static int notes_summary(struct shk_sink *s, const struct shk_summary *summary)
{
	(void)s;
	(void)summary;
	return 0;
}

static int notes_flush(struct shk_sink *s)
{
	(void)s;
	return 0;
}

static void notes_free(struct shk_sink *s)
{
	struct notes *n;
	size_t i;

	if (!s)
		return;
	n = to_notes(s);
	for (i = 0; i < n->len; i++)
		free(n->notes[i].text);
	free(n->notes);
	free(n);
}

static const struct shk_sink_ops notes_ops = {
	.name = "notes",
	.header = notes_header,
	.opened = notes_opened,
	.closed = notes_closed,
	.lost = notes_lost,
	.summary = notes_summary,
	.flush = notes_flush,
	.free = notes_free,
};

static int by_time(const void *a, const void *b)
{
	const struct note *one = a, *other = b;

	if (one->ts_ns != other->ts_ns)
		return one->ts_ns < other->ts_ns ? -1 : 1;
	return one->closes - other->closes;
}

void shk_sink_notes_sort(struct shk_sink *s)
{
	struct notes *n = to_notes(s);

	if (n->len)
		qsort(n->notes, n->len, sizeof(*n->notes), by_time);
}

/* The place of the first note that is not older than @ts_ns. */
static size_t place_of(const struct notes *n, uint64_t ts_ns)
{
	size_t low = 0, high = n->len, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (n->notes[middle].ts_ns < ts_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

unsigned int shk_sink_notes_find(struct shk_sink *s, const struct shk_event *ev, const char **texts,
				 unsigned int max)
{
	struct notes *n = to_notes(s);
	unsigned int found = 0;
	size_t i;

	for (i = place_of(n, ev->ts_ns); i < n->len && n->notes[i].ts_ns == ev->ts_ns && found < max; i++)
		/* Once: in a capture without times many segments fit. */
		if (!n->notes[i].said && n->notes[i].netns == ev->netns && n->notes[i].seq == ev->seg.seq &&
		    n->notes[i].sport == ev->sport && n->notes[i].dport == ev->dport) {
			n->notes[i].said = true;
			texts[found++] = n->notes[i].text;
		}
	texts[found] = NULL;
	return found;
}

struct shk_sink *shk_sink_notes_new(void)
{
	static const struct shk_sink_config config = {.utf8 = true};
	struct notes *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->base = (struct shk_sink){.ops = &notes_ops, .arrows_wanted = ARROWS_WANTED};
	shk_text_init(&n->text, &config);
	return &n->base;
}
