// SPDX-License-Identifier: GPL-2.0
/*
 * See words.h.
 */
#include <inttypes.h>

#include "format.h"
#include "words.h"

static const char *const side_words[] = {
	[SHK_CLIENT] = "client",
	[SHK_SERVER] = "server",
	[SHK_BOTH] = "both",
	[SHK_NEITHER] = NULL,
};

static void add_by(struct shk_text *t, enum shk_side side)
{
	if (side_words[side])
		shk_text_add(t, " by %s", side_words[side]);
}

static void add_span(struct shk_text *t, const char *before, uint64_t ns)
{
	char span[SHK_SPAN_SIZE];

	shk_text_add(t, "%s%s", before, shk_format_span(span, ns, t->utf8));
}

void shk_words_open(struct shk_text *t, const struct shk_conn *conn)
{
	const struct shk_end *client = &conn->end[SHK_CLIENT];
	const struct shk_end *server = &conn->end[SHK_SERVER];
	uint64_t span_ns = conn->last_ns - conn->first_ns;

	shk_text_add(t, "%s", shk_open_words(conn->open));
	switch (conn->open) {
	case SHK_O_REFUSED:
		add_span(t, " after ", span_ns);
		break;
	case SHK_O_TIMEOUT:
		shk_text_add(t, " after %" PRIu32 " SYN", client->syn);
		if (client->syn > 1)
			add_span(t, " in ", span_ns);
		break;
	case SHK_O_EMBRYO_EXPIRED:
		if (!server->synack) {
			shk_text_add(t, ", none seen");
			break;
		}
		shk_text_add(t, ", %" PRIu32 " sent", server->synack);
		add_span(t, " in ", span_ns);
		break;
	case SHK_O_EMBRYO_RST:
		add_by(t, client->rst ? SHK_CLIENT : server->rst ? SHK_SERVER : SHK_NEITHER);
		add_span(t, " after ", span_ns);
		break;
	default:
		break;
	}
}

static void add_half_close(struct shk_text *t, const struct shk_conn *conn)
{
	char bytes[SHK_BYTES_SIZE];

	add_span(t, " ", conn->half_close_ns);
	shk_text_add(t, ", %s", shk_format_bytes(bytes, conn->half_close_bytes));
}

/* A half-close says more than the number of segments that ended it. */
static void add_close_verdict(struct shk_text *t, const struct shk_conn *conn)
{
	bool in_order = conn->close == SHK_C_4SEG || conn->close == SHK_C_3SEG;
	const char *half_closed = shk_close_words(SHK_C_HALF_CLOSED);

	if (conn->close == SHK_C_NONE) {
		shk_text_add(t, "still open");
	} else if (conn->half_close && (in_order || conn->close == SHK_C_HALF_CLOSED)) {
		shk_text_add(t, "%s", half_closed);
		add_by(t, conn->close_by);
		add_half_close(t, conn);
		shk_text_add(t, in_order ? ", then closed" : ", still open");
	} else {
		shk_text_add(t, "%s", shk_close_words(conn->close));
		add_by(t, conn->close_by);
		if (conn->half_close) {
			shk_text_add(t, ", %s", half_closed);
			add_half_close(t, conn);
		}
	}
}

static void add_sent(struct shk_text *t, const char *sign, const struct shk_end *end)
{
	char bytes[SHK_BYTES_SIZE];

	shk_text_add(t, " %s %s", sign, end->bytes_known ? shk_format_bytes(bytes, end->bytes) : "?");
}

void shk_words_close(struct shk_text *t, const struct shk_conn *conn)
{
	const struct shk_end *client = &conn->end[SHK_CLIENT];
	const struct shk_end *server = &conn->end[SHK_SERVER];

	add_close_verdict(t, conn);
	if (client->bytes_known || server->bytes_known) {
		shk_text_add(t, ",");
		add_sent(t, t->signs->right, client);
		add_sent(t, t->signs->left, server);
	}
	add_span(t, conn->close == SHK_C_NONE ? " after " : " in ", conn->last_ns - conn->first_ns);
}

/* Names are given by whoever runs the program, so nothing of them may steer a terminal. */
void shk_words_process(struct shk_text *t, const struct shk_process *process)
{
	char name[sizeof(process->comm)];
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && process->comm[i]; i++)
		name[i] = process->comm[i] >= ' ' && process->comm[i] < 0x7f ? process->comm[i] : '?';
	name[i] = '\0';
	shk_text_add(t, "%s[%" PRIu32 "]", name, process->pid);
}

void shk_words_processes(struct shk_text *t, const struct shk_conn *conn)
{
	const struct shk_process *client = &conn->end[SHK_CLIENT].process;
	const struct shk_process *server = &conn->end[SHK_SERVER].process;

	if (!client->pid && !server->pid)
		return;
	shk_text_add(t, "  ");
	shk_text_colour(t, SHK_DIM);
	if (client->pid)
		shk_words_process(t, client);
	shk_text_add(t, "%s%s%s", client->pid ? " " : "", t->signs->right, server->pid ? " " : "");
	if (server->pid)
		shk_words_process(t, server);
	shk_text_colour(t, SHK_PLAIN);
}

/* Those without words here are told by what was counted, or are nothing unusual. */
static const char *const open_notes[SHK_OF_COUNT] = {
	[2] = "SYN cookie",
	[3] = "data on SYN",
	[4] = "data on ACK",
	[5] = "SYN+ACK with a wrong ack",
	[6] = "ACK with a wrong ack",
	[7] = "challenge ACK",
	[8] = "answered by RST",
	[9] = "SYN+ACK repeated after its ACK",
	[12] = "MPTCP",
	[13] = "MPTCP subflow",
};

static const char *const close_notes[SHK_CF_COUNT] = {
	[1] = "reset after a FIN",
	[2] = "data after the reset",
	[3] = "reset in TIME-WAIT",
	[6] = "TIME-WAIT begun anew",
};

_Static_assert(SHK_OF_COOKIE == 1U << 2 && SHK_OF_CHALLENGE == 1U << 7, "bits of open_notes");
_Static_assert(SHK_CF_RST_AFTER_FIN == 1U << 1 && SHK_CF_DATA_AFTER_RST == 1U << 2, "bits of close_notes");

static void add_notes(struct shk_text *t, uint32_t flags, const char *const *words, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if ((flags & 1U << i) && words[i])
			shk_text_add(t, ", %s", words[i]);
}

void shk_words_open_notes(struct shk_text *t, const struct shk_conn *conn)
{
	if ((conn->open_flags & SHK_OF_SYN_RETRANSMIT) && conn->open != SHK_O_TIMEOUT)
		shk_text_add(t, ", SYN sent %" PRIu32 " times", conn->end[SHK_CLIENT].syn);
	if ((conn->open_flags & SHK_OF_SYNACK_RETRANSMIT) && conn->open != SHK_O_EMBRYO_EXPIRED)
		shk_text_add(t, ", SYN+ACK sent %" PRIu32 " times", conn->end[SHK_SERVER].synack);
	add_notes(t, conn->open_flags, open_notes, SHK_OF_COUNT);
}

void shk_words_close_notes(struct shk_text *t, const struct shk_conn *conn)
{
	if (conn->close_flags & SHK_CF_FIN_RETRANSMIT)
		shk_text_add(t, ", FIN retransmitted: client %" PRIu32 ", server %" PRIu32,
			     conn->end[SHK_CLIENT].fin_retransmits, conn->end[SHK_SERVER].fin_retransmits);
	add_notes(t, conn->close_flags, close_notes, SHK_CF_COUNT);
}

void shk_words_blame(struct shk_text *t, const struct shk_conn *conn)
{
	if (conn->blame.where != SHK_BLAME_NOTHING)
		shk_text_add(t, "; %s", conn->blame.why);
}

static void add_plural(struct shk_text *t, uint64_t n, const char *noun)
{
	shk_text_add(t, "%" PRIu64 " %s%s", n, noun, n == 1 ? "" : "s");
}

void shk_words_doubt(struct shk_text *t, const struct shk_conn *conn)
{
	const char *before = ": ";

	if (conn->confidence == SHK_INFERRED) {
		shk_text_add(t, " (inferred)");
	} else if (conn->confidence == SHK_PARTIAL) {
		shk_text_add(t, " (partial");
		if (conn->lost) {
			shk_text_add(t, "%s", before);
			add_plural(t, conn->lost, "event");
			shk_text_add(t, " lost");
			before = ", ";
		}
		if (conn->late) {
			shk_text_add(t, "%s", before);
			add_plural(t, conn->late, "event");
			shk_text_add(t, " late");
		}
		shk_text_add(t, ")");
	}
	if (conn->evicted)
		shk_text_add(t, " (evicted: table full)");
}

int shk_words_header(struct shk_text *t, const struct shk_header *header)
{
	const char *before = ", events from ";

	shk_text_colour(t, SHK_BOLD);
	shk_text_add(t, "tcpshake %s", header->version);
	shk_text_colour(t, SHK_PLAIN);
	shk_text_add(t, " on %s, Linux %s", header->host, header->kernel);
	for (const char *const *source = header->sources; *source; source++) {
		shk_text_add(t, "%s%s", before, *source);
		before = " and ";
	}
	return shk_text_end(t);
}

int shk_words_lost(struct shk_text *t, const struct shk_loss *loss)
{
	char clock[SHK_CLOCK_SIZE];

	shk_text_add(t, "%s ", shk_format_clock(clock, shk_real_ns(loss->ts_ns, loss->real_offset_ns)));
	shk_text_colour(t, SHK_RED);
	shk_text_add(t, "lost ");
	add_plural(t, loss->count, "event");
	shk_text_add(t, " at %s, CPU %u", loss->source, loss->cpu);
	shk_text_colour(t, SHK_PLAIN);
	return shk_text_end(t);
}

/* "   opened       398  three-way handshake"; the title only once */
static int add_count(struct shk_text *t, const char **title, uint64_t n, const char *words)
{
	if (!n)
		return 0;
	shk_text_add(t, "  %-7s%10" PRIu64 "  %s", *title, n, words);
	*title = "";
	return shk_text_end(t);
}

static int add_account(struct shk_text *t, const struct shk_summary *s)
{
	bool exact = s->seen == s->delivered + s->lost;

	if (s->lost || !exact)
		shk_text_colour(t, SHK_RED);
	shk_text_add(t, "  %-7s%10" PRIu64 "  seen %s %" PRIu64 " delivered + %" PRIu64 " lost", "events",
		     s->seen, exact ? "=" : t->signs->unequal, s->delivered, s->lost);
	if (s->lost || !exact)
		shk_text_colour(t, SHK_PLAIN);
	shk_text_add(t, "; %" PRIu64 " late", s->late);
	if (s->filtered)
		shk_text_add(t, "; %" PRIu64 " more rejected by the filter", s->filtered);
	return shk_text_end(t);
}

int shk_words_summary(struct shk_text *t, const struct shk_summary *s)
{
	const char *title = "opened";
	int err;

	err = shk_text_end(t);
	shk_text_colour(t, SHK_BOLD);
	add_plural(t, s->connections, "connection");
	shk_text_colour(t, SHK_PLAIN);
	if (s->evicted)
		shk_text_add(t, ", %" PRIu64 " evicted because the table was full", s->evicted);
	err = err ?: shk_text_end(t);
	for (int i = 0; i < SHK_O_COUNT && !err; i++)
		err = add_count(t, &title, s->by_open[i], shk_open_words(i));
	title = "closed";
	for (int i = SHK_C_NONE + 1; i < SHK_C_COUNT && !err; i++)
		err = add_count(t, &title, s->by_close[i], shk_close_words(i));
	title = "";
	if (!err)
		err = add_count(t, &title, s->by_close[SHK_C_NONE], "not closed: failed, or still open");
	title = "reused";
	for (int i = 0; i < SHK_REUSE_COUNT && !err; i++)
		err = add_count(t, &title, s->by_reuse[i], shk_reuse_words(i));
	return err ?: add_account(t, s);
}
