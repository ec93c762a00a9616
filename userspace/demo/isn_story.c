// SPDX-License-Identifier: GPL-2.0
/*
 * What "tcpshake demo isn" says: between the acts, beside the segments, and in the end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo/isn.h"
#include "format.h"
#include "text.h"

#define REMARK_SIZE 160
#define CLOCK_NS    64 /* Linux counts one for so many */

/* What a segment is in the story. */
enum role {
	ROLE_SYN,
	ROLE_SYNACK,
	ROLE_ACK,
	ROLE_OLD,      /* the first use's data */
	ROLE_TAKEN,    /* and their acknowledgment */
	ROLE_LATE,     /* the same segment in the second use */
	ROLE_ANSWER,   /* to it */
	ROLE_PROTEST,  /* of the client, against an answer that acknowledges what it has not sent */
	ROLE_REPEATED, /* answers that say nothing new */
	ROLE_NEW,      /* the second use's data */
	ROLE_NEW_TAKEN,
	ROLE_RESET,
};

struct shk_demo_story {
	struct shk_sink *ladder;
	struct shk_text line;
	const struct shk_demo_result *result; /* of what is being drawn */
	bool again;
	char remark[REMARK_SIZE];
};

static const char *const titles[SHK_DEMO_ACTS] = {
	"Both ends begin at the same number every time",
	"The numbers that the kernel chooses",
	"The same number every time, but with timestamps",
};

/*
 * ---- Beside the segments -------------------------------------------------------------------------
 */

/* By how many segments with data came before it, and how many answers since: a connection has few of them. */
static enum role role_of(const struct shk_conn *conn, uint32_t number, bool again)
{
	const struct shk_arrow *a = &conn->arrows[number];
	unsigned int data = 0, answers = 0;

	for (uint32_t i = 0; i < number; i++) {
		if (conn->arrows[i].payload_len) {
			data++;
			answers = 0;
		} else if (data) {
			answers++;
		}
	}
	if (a->tcp_flags & SHK_TCP_RST)
		return ROLE_RESET;
	if (a->tcp_flags & SHK_TCP_SYN)
		return a->tcp_flags & SHK_TCP_ACK ? ROLE_SYNACK : ROLE_SYN;
	if (a->payload_len)
		return !again ? ROLE_OLD : !data ? ROLE_LATE : ROLE_NEW;
	if (!data)
		return ROLE_ACK;
	if (answers)
		return a->from == SHK_CLIENT ? ROLE_PROTEST : ROLE_REPEATED;
	return !again ? ROLE_TAKEN : data == 1 ? ROLE_ANSWER : ROLE_NEW_TAKEN;
}

/* From the end of the first use, as sequence numbers go, to the beginning of the second. */
static uint32_t margin_of(const struct shk_demo_result *result)
{
	return result->new_isn - (result->old.seg.seq + result->old.seg.payload_len);
}

static void describe_syn(char *remark, const struct shk_demo_result *result, bool again)
{
	const struct shk_segment *old = &result->old.seg;

	if (result->act->constant && again)
		snprintf(remark, REMARK_SIZE, "The same addresses and ports again and the same number.");
	else if (result->act->constant)
		snprintf(remark, REMARK_SIZE,
			 "The client begins at 1. That stands for 0: to Linux 0 means \"choose one\".");
	else if (again)
		snprintf(remark, REMARK_SIZE,
			 "The same addresses and ports again. The number is %" PRIu32
			 " beyond the old connection's end.",
			 margin_of(result));
	else
		snprintf(remark, REMARK_SIZE, "The kernel begins at %" PRIu32 ".", old->seq - 1);
}

static void describe_late(char *remark, const struct shk_demo_result *result)
{
	char span[SHK_SPAN_SIZE];

	shk_format_span(span, result->late_ns, false);
	if (!result->act->constant)
		snprintf(remark, REMARK_SIZE,
			 "The old OLD! arrives %s late. Its number lies %" PRIu32
			 " before the one that is expected.",
			 span, result->new_isn + 1 - result->old.seg.seq);
	else if (result->act->timestamps)
		snprintf(remark, REMARK_SIZE,
			 "The old OLD! arrives %s late. Its number fits but its timestamp is %" PRIu32
			 " ms older than this connection.",
			 span, result->new_tsval - result->old.seg.tsval);
	else
		snprintf(remark, REMARK_SIZE,
			 "The old OLD! arrives %s late. Its number is the one that is expected.", span);
}

/*
 * An answer tells by itself whether the segment before it was taken: it acknowledges it, or not. If OLD! was,
 * NEW! has the numbers of OLD!.
 */
static const char *describe_answer(const struct shk_conn *conn, uint32_t number, enum role role)
{
	const struct shk_arrow *answer = &conn->arrows[number], *data = answer - 1;
	bool taken = answer->ack == data->seq + data->payload_len;

	if (role == ROLE_ANSWER)
		return taken ? "Accepted: the server acknowledges it as new."
			     : "Refused: the server says again what it expects.";
	for (uint32_t i = 0; i < number - 1; i++)
		if (conn->arrows[i].payload_len && conn->arrows[i].seq == data->seq &&
		    conn->arrows[i + 1].ack == answer->ack)
			return "Thrown away as a duplicate and acknowledged.";
	return taken ? "Accepted." : "Refused.";
}

static const char *remark(void *arg, const struct shk_conn *conn, uint32_t arrow)
{
	struct shk_demo_story *story = arg;
	const struct shk_demo_act *act = story->result->act;
	enum role role = role_of(conn, arrow, story->again);

	switch (role) {
	case ROLE_SYN:
		describe_syn(story->remark, story->result, story->again);
		return story->remark;
	case ROLE_SYNACK:
		return act->constant ? "The server begins at 1 as well." : "";
	case ROLE_OLD:
		return "The client sends OLD!. A copy of this segment is held up in the network.";
	case ROLE_TAKEN:
		return "The server's application reads OLD!.";
	case ROLE_LATE:
		describe_late(story->remark, story->result);
		return story->remark;
	case ROLE_ANSWER:
	case ROLE_NEW_TAKEN:
		return describe_answer(conn, arrow, role);
	case ROLE_PROTEST:
		return "The client has not sent that and says so.";
	case ROLE_NEW:
		return "The client sends NEW!.";
	case ROLE_RESET:
		return story->again ? "" : "Closed by a reset: no TIME-WAIT keeps the addresses and ports.";
	case ROLE_ACK:
	case ROLE_REPEATED:
		break;
	}
	return "";
}

int shk_demo_story_draw(struct shk_demo_story *story, struct shk_wire *wire,
			const struct shk_demo_result *result, bool again, struct shk_error *err)
{
	story->result = result;
	story->again = again;
	return shk_wire_draw(wire, story->ladder, err);
}

/*
 * ---- Between the ladders -------------------------------------------------------------------------
 */

static void say(struct shk_demo_story *story, enum shk_colour colour, const char *words)
{
	struct shk_text *t = &story->line;

	shk_text_colour(t, colour);
	shk_text_add(t, "%s", words);
	shk_text_colour(t, SHK_PLAIN);
	shk_text_end(t);
}

void shk_demo_story_begin(struct shk_demo_story *story)
{
	static const char *const words[] = {
		"",
		"Two hosts on one cable, made for this demonstration and gone after it. The client connects,",
		"sends OLD! and closes. Then it connects again, with the same addresses and ports, and sends",
		"NEW!. Before that a copy of the segment with OLD! arrives, which the network had held up.",
		"What does the server's application read?",
	};

	say(story, SHK_BOLD, "Why does a connection not begin at sequence number 0?");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		say(story, SHK_PLAIN, words[i]);
}

void shk_demo_story_act(struct shk_demo_story *story, unsigned int number)
{
	struct shk_text *t = &story->line;

	shk_text_end(t);
	shk_text_colour(t, SHK_BOLD);
	shk_text_add(t, "%u of %u  %s", number + 1, SHK_DEMO_ACTS, titles[number]);
	shk_text_colour(t, SHK_PLAIN);
	shk_text_end(t);
}

void shk_demo_story_verdict(struct shk_demo_story *story, const struct shk_demo_result *result)
{
	bool expected = shk_demo_as_expected(result), right = !strcmp(result->read, SHK_DEMO_NEW);
	struct shk_text *t = &story->line;

	shk_text_end(t);
	shk_text_colour(t, right ? SHK_GREEN : SHK_RED);
	shk_text_add(t, "%s The client sent %s, which was %sacknowledged; the application read %s.",
		     right ? t->signs->tick : t->signs->cross, SHK_DEMO_NEW,
		     result->acknowledged ? "" : "not ", result->read[0] ? result->read : "nothing");
	if (result->paws)
		shk_text_add(t, " The kernel counted %" PRIu64 " segment refused by PAWS.", result->paws);
	shk_text_colour(t, SHK_PLAIN);
	shk_text_end(t);
	if (!expected)
		say(story, SHK_YELLOW, "  This is not what was expected of this kernel.");
}

/* In the order of the acts. */
void shk_demo_story_end(struct shk_demo_story *story, const struct shk_demo_result results[SHK_DEMO_ACTS])
{
	const struct shk_demo_result *clock = &results[1];
	char counted[SHK_SPAN_SIZE], passed[SHK_SPAN_SIZE];
	struct shk_text *t = &story->line;

	shk_format_span(counted, (uint64_t)margin_of(clock) * CLOCK_NS, t->utf8);
	shk_format_span(passed, clock->late_ns, t->utf8);
	shk_text_end(t);
	say(story, SHK_BOLD, "So it begins somewhere else each time");
	shk_text_end(t);
	say(story, SHK_PLAIN, "The kernel's number is a clock plus a secret of the addresses and ports");
	shk_text_add(t, "(RFC 9293 3.4.1). The clock counts one every %d ns: in the second run %" PRIu32 ",",
		     CLOCK_NS, margin_of(clock));
	shk_text_end(t);
	shk_text_add(t, "that is %s, and the old segment came %s late.", counted, passed);
	shk_text_end(t);
	say(story, SHK_PLAIN, "The clock keeps a connection clear of the numbers of the one before it, and");
	say(story, SHK_PLAIN,
	    "the secret keeps its numbers from being guessed. Timestamps (RFC 7323) refuse");
	say(story, SHK_PLAIN, "what is older than the connection, where both ends use them.");
}

/*
 * ---- The beginning and the end -------------------------------------------------------------------
 */

struct shk_demo_story *shk_demo_story_new(const struct shk_sink_config *config)
{
	struct shk_demo_story *story = calloc(1, sizeof(*story));
	struct shk_sink_config drawing = *config;

	if (!story)
		return NULL;
	drawing.capture = true;
	drawing.remark = remark;
	drawing.remark_arg = story;
	story->ladder = shk_sink_ladder_new(&drawing);
	if (!story->ladder) {
		free(story);
		return NULL;
	}
	shk_text_init(&story->line, config);
	return story;
}

void shk_demo_story_free(struct shk_demo_story *story)
{
	if (!story)
		return;
	story->ladder->ops->free(story->ladder);
	free(story);
}
