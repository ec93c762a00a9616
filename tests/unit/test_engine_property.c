// SPDX-License-Identifier: GPL-2.0
/*
 * Every way to open with every way to close, told by both witnesses, and then spoiled: events lost, doubled,
 * out of order. Whatever is left, the engine lives on, and what it calls certain is what happened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "engine_dsl.h"
#include "merge.h"
#include "prng.h"
#include "story_rig.h"

#define EVENTS_MAX 64
#define RUN_NS     (1000 * SECOND) /* longer than anything is waited for */
#define INTRUDER   UINT32_MAX      /* namespace of what has nothing to do with the story */
#define N(array)   (sizeof(array) / sizeof((array)[0]))

/* Where the numbers begin: somewhere, and so that they go round in the handshake or in the data. */
static const uint32_t isns[][2] = {
	{CLIENT_ISN, SERVER_ISN}, {UINT32_MAX, UINT32_MAX - 1}, {UINT32_MAX - 300, 0}, {0, UINT32_MAX}};

/*
 * ---- Runs ----------------------------------------------------------------------------------------
 */

/* What happened, and what the witnesses saw of it in order of time. */
struct story {
	const struct way *opening, *close;
	const char *vantage;
	struct shk_event events[EVENTS_MAX];
	unsigned int n;
};

/* Many stories, one after the other, each in a namespace of its own. */
struct theatre {
	struct scene *s;
	uint64_t base_ns;
	uint32_t run;
	uint64_t latest_ns;
	unsigned int certain, told;
};

static void record_story(struct story *story, unsigned int vantage, const struct way *opening,
			 const struct way *close, const uint32_t isn[2])
{
	struct scene *s = scene_new(vantage);

	memcpy(s->isn, isn, sizeof(s->isn));
	s->taping = true;
	opening->play(s);
	close->play(s);
	assert_in_range(s->n_tape, 1, EVENTS_MAX);
	*story = (struct story){
		.opening = opening, .close = close, .vantage = s->vantage->name, .n = s->n_tape};
	memcpy(story->events, s->tape, s->n_tape * sizeof(*s->tape));
	scene_free(s);
}

static struct shk_event at_this_run(const struct theatre *t, const struct shk_event *original)
{
	struct shk_event ev = *original;

	ev.ts_ns += t->base_ns;
	if (ev.netns != INTRUDER)
		ev.netns = t->run;
	return ev;
}

static void feed_at(struct theatre *t, struct shk_event ev)
{
	ev = at_this_run(t, &ev);
	shk_engine_feed(t->s->engine, &ev, ev.ts_ns < t->latest_ns);
	if (ev.ts_ns > t->latest_ns)
		t->latest_ns = ev.ts_ns;
}

/* Its place in the stream is taken by the word that it is missing. */
static void lose_at(struct theatre *t, const struct shk_event *ev)
{
	struct shk_event loss = {.kind = SHK_EV_LOST, .ts_ns = ev->ts_ns, .lost.count = 1};

	loss.where = ev->kind == SHK_EV_SOCKET ? SHK_WITNESS_SOCKET : SHK_WITNESS_WIRE;
	feed_at(t, loss);
}

static void check_told(const struct theatre *t, const struct story *story, const struct shk_conn *conn)
{
	bool open = conn->open == (enum shk_open)story->opening->verdict ||
		    conn->open == (enum shk_open)story->opening->general;
	bool close = conn->close == (enum shk_close)story->close->verdict ||
		     conn->close == (enum shk_close)story->close->general;

	if (conn->confidence != SHK_CERTAIN || (open && close) || conn->netns == INTRUDER)
		return;
	fail_msg("%s, opened %s, closed %s, run %u: told for certain %s and %s", story->vantage,
		 story->opening->name, story->close->name, t->run, shk_open_code(conn->open),
		 shk_close_code(conn->close));
}

/* Time passes until everything is told; then the next run. Returns how many records there were. */
static unsigned int end_run(struct theatre *t, const struct story *story)
{
	struct scene *s = t->s;
	unsigned int n = 0;

	t->base_ns += RUN_NS;
	shk_engine_advance(s->engine, t->base_ns);
	for (size_t i = 0; i < s->n_told; i++) {
		if (s->told[i].is_closed) {
			check_told(t, story, &s->told[i].conn);
			t->certain += s->told[i].conn.confidence == SHK_CERTAIN;
			n++;
		}
		free(s->told[i].arrows);
	}
	s->n_told = 0;
	t->told += n;
	t->run++;
	return n;
}

static struct theatre theatre_new(uint32_t flows_max)
{
	struct shk_engine_config config = scene_config;

	config.flows_max = flows_max;
	return (struct theatre){.s = scene_new_with(LOOPBACK, &config), .base_ns = RUN_NS, .run = 1};
}

static void theatre_close(struct theatre *t, const char *what)
{
	printf("        %s: %u stories, %u records, %u of them certain\n", what, t->run - 1, t->told,
	       t->certain);
	scene_free(t->s);
}

typedef void spoil_fn(struct theatre *t, const struct story *story);

static void for_all_stories(spoil_fn *spoil, const char *what, uint32_t flows_max, unsigned int n_isns)
{
	struct theatre t = theatre_new(flows_max);
	struct story story;

	for (unsigned int v = 0; v < VANTAGES; v++) {
		for (unsigned int o = 0; o < N(openings); o++) {
			for (unsigned int c = 0; c < (o < OPENED ? N(closes) : 1); c++) {
				for (unsigned int i = 0; i < n_isns; i++) {
					record_story(&story, v, &openings[o], &closes[c], isns[i]);
					spoil(&t, &story);
				}
			}
		}
	}
	theatre_close(&t, what);
}

/*
 * ---- Ways to spoil -------------------------------------------------------------------------------
 */

/* What leaves something open to those who see all of it. */
static bool is_uncertain(const struct story *story)
{
	/* To a capture, which may have begun anywhere, a SYN of another number is another connection. */
	if (story->close->play == forgotten_by_the_client && !strcmp(story->vantage, "capture"))
		return true;
	return story->opening->play == unanswered || story->opening->play == with_a_wrong_ack_only ||
	       story->close->play == fin_and_silence;
}

static void unspoiled(struct theatre *t, const struct story *story)
{
	unsigned int certain = t->certain;

	for (unsigned int i = 0; i < story->n; i++)
		feed_at(t, story->events[i]);
	if (end_run(t, story) && !is_uncertain(story))
		assert_int_equal(t->certain, certain + 1);
}

static void one_lost(struct theatre *t, const struct story *story)
{
	for (unsigned int gone = 0; gone < story->n; gone++) {
		for (unsigned int i = 0; i < story->n; i++) {
			if (i == gone)
				lose_at(t, &story->events[i]);
			else
				feed_at(t, story->events[i]);
		}
		end_run(t, story);
	}
}

static void a_stretch_lost(struct theatre *t, const struct story *story)
{
	for (unsigned int from = 0; from < story->n; from++) {
		for (unsigned int to = from + 2; to <= story->n; to++) {
			for (unsigned int i = 0; i < story->n; i++) {
				if (i >= from && i < to)
					lose_at(t, &story->events[i]);
				else
					feed_at(t, story->events[i]);
			}
			end_run(t, story);
		}
	}
}

static void one_doubled(struct theatre *t, const struct story *story)
{
	for (unsigned int twice = 0; twice < story->n; twice++) {
		for (unsigned int i = 0; i < story->n; i++) {
			feed_at(t, story->events[i]);
			if (i == twice)
				feed_at(t, story->events[i]);
		}
		end_run(t, story);
	}
}

/* Beyond the window of the merge: it comes after all others that were before it in time, and some more. */
static void one_late(struct theatre *t, const struct story *story)
{
	for (unsigned int late = 0; late < story->n; late++) {
		for (unsigned int by = late + 1; by < story->n; by++) {
			for (unsigned int i = 0; i < story->n; i++) {
				if (i != late)
					feed_at(t, story->events[i]);
				if (i == by)
					feed_at(t, story->events[late]);
			}
			end_run(t, story);
		}
	}
}

static void everything_at_random(struct theatre *t, const struct story *story)
{
	struct prng rng = {t->run};
	struct shk_event held;
	unsigned int hold;

	for (unsigned int times = 0; times < 200; times++) {
		uint32_t one_in = times & 1 ? 10 : 100;

		hold = 0;
		for (unsigned int i = 0; i < story->n; i++) {
			if (prng_one_in(&rng, one_in)) {
				lose_at(t, &story->events[i]);
				continue;
			}
			if (!hold && prng_one_in(&rng, one_in)) {
				held = story->events[i];
				hold = 1 + prng_below(&rng, story->n);
				continue;
			}
			feed_at(t, story->events[i]);
			if (prng_one_in(&rng, one_in))
				feed_at(t, story->events[i]);
			if (hold && --hold == 0)
				feed_at(t, held);
		}
		if (hold)
			feed_at(t, held);
		end_run(t, story);
	}
}

/*
 * Two streams, each in its order, merged in every way; a socket's word has the time that its place gives.
 * On loopback there are more ways than anybody can wait for.
 */
static void every_interleaving(struct theatre *t, const struct story *story)
{
	const struct shk_event *wire[EVENTS_MAX], *sockets[EVENTS_MAX];
	unsigned int n_wire = 0, n_sockets = 0;

	for (unsigned int i = 0; i < story->n; i++) {
		if (story->events[i].kind == SHK_EV_SOCKET)
			sockets[n_sockets++] = &story->events[i];
		else
			wire[n_wire++] = &story->events[i];
	}
	if (story->n > 20 || !n_sockets)
		return;
	for (uint32_t places = 0; places < 1U << story->n; places++) {
		unsigned int w = 0, k = 0;
		uint64_t last_ns = 0;

		if ((unsigned int)__builtin_popcount(places) != n_sockets)
			continue;
		for (unsigned int i = 0; i < story->n; i++) {
			struct shk_event ev = places >> i & 1 ? *sockets[k++] : *wire[w++];

			if (ev.kind == SHK_EV_SOCKET)
				ev.ts_ns = last_ns ? last_ns + 1 : wire[0]->ts_ns - n_sockets + k;
			last_ns = ev.ts_ns;
			feed_at(t, ev);
		}
		end_run(t, story);
	}
}

/* The observer starts in the middle: nothing is lost, and much is missing. */
static void begun_late(struct theatre *t, const struct story *story)
{
	for (unsigned int first = 1; first < story->n; first++) {
		for (unsigned int i = first; i < story->n; i++)
			feed_at(t, story->events[i]);
		end_run(t, story);
	}
}

/* The table has room for one, and a SYN of somebody else takes it. */
static void evicted(struct theatre *t, const struct story *story)
{
	struct shk_event intruder = {.kind = SHK_EV_SEGMENT, .where = PRE, .netns = INTRUDER, .sport = 1};

	intruder.seg.tcp_flags = S;
	intruder.seg.why = SHK_WHY_CONTROL;
	for (unsigned int when = 0; when < story->n; when++) {
		for (unsigned int i = 0; i < story->n; i++) {
			feed_at(t, story->events[i]);
			intruder.ts_ns = story->events[i].ts_ns;
			if (i == when)
				feed_at(t, intruder);
		}
		end_run(t, story);
	}
}

/*
 * ---- Through the merge ---------------------------------------------------------------------------
 */

/* Two CPUs for each witness. */
#define STREAMS 4

struct arrival {
	struct shk_event ev;
	uint64_t at_ns;
	unsigned int stream;
};

static int compare_arrivals(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

/* What is in the merge's hands until @now_ns goes on to the engine. */
static void pull(struct theatre *t, struct shk_merge *m, uint64_t now_ns)
{
	const struct shk_event *ev;
	bool late;

	while ((ev = shk_merge_next(m, now_ns, &late)))
		shk_engine_feed(t->s->engine, ev, late);
}

/* Each event comes on one of the streams, up to @delay_ns after it happened. Returns how many were late. */
static uint64_t merge_story(struct theatre *t, const struct story *story, struct prng *rng, uint64_t delay_ns)
{
	struct shk_merge *m = shk_merge_new(STREAMS, SHK_MERGE_WINDOW_NS);
	struct arrival arrivals[EVENTS_MAX];
	uint64_t late;

	assert_non_null(m);
	for (unsigned int i = 0; i < story->n; i++) {
		struct arrival *a = &arrivals[i];

		a->ev = at_this_run(t, &story->events[i]);
		a->at_ns = a->ev.ts_ns + prng_below(rng, delay_ns);
		a->stream = prng_below(rng, 2) + (a->ev.kind == SHK_EV_SOCKET ? 2 : 0);
	}
	qsort(arrivals, story->n, sizeof(*arrivals), compare_arrivals);
	for (unsigned int i = 0; i < story->n; i++) {
		assert_int_equal(shk_merge_push(m, arrivals[i].stream, &arrivals[i].ev), 0);
		pull(t, m, arrivals[i].at_ns);
	}
	pull(t, m, UINT64_MAX);
	late = shk_merge_late(m);
	shk_merge_free(m);
	return late;
}

/* What is told of the run so far; false: nothing. Times are those of the story. */
static bool remember_told(struct theatre *t, struct shk_conn *conn)
{
	shk_engine_advance(t->s->engine, t->base_ns + RUN_NS);
	for (size_t i = 0; i < t->s->n_told; i++) {
		if (!t->s->told[i].is_closed)
			continue;
		*conn = t->s->told[i].conn;
		conn->first_ns -= t->base_ns;
		conn->last_ns -= t->base_ns;
		conn->id = 0;
		conn->netns = 0;
		conn->arrows = NULL;
		return true;
	}
	return false;
}

/* The merge puts them right: the record is the same to the octet. */
static void within_the_window(struct theatre *t, const struct story *story)
{
	struct shk_conn straight, merged;
	struct prng rng = {t->run};
	bool told;

	for (unsigned int i = 0; i < story->n; i++)
		feed_at(t, story->events[i]);
	told = remember_told(t, &straight);
	end_run(t, story);
	for (unsigned int times = 0; times < 20; times++) {
		assert_int_equal(merge_story(t, story, &rng, SHK_MERGE_WINDOW_NS), 0);
		assert_int_equal(remember_told(t, &merged), told);
		if (told)
			assert_memory_equal(&merged, &straight, sizeof(merged));
		end_run(t, story);
	}
}

static void beyond_the_window(struct theatre *t, const struct story *story)
{
	struct prng rng = {t->run};

	for (unsigned int times = 0; times < 50; times++) {
		merge_story(t, story, &rng, SHK_MERGE_WINDOW_NS * (times % 10 + 2));
		end_run(t, story);
	}
}

#define TEST_WITH(name, flows_max, n_isns)                       \
	static void test_##name(void **state)                    \
	{                                                        \
		(void)state;                                     \
		for_all_stories(name, #name, flows_max, n_isns); \
	}
#define TEST(name) TEST_WITH(name, 0, 1)

TEST_WITH(unspoiled, 0, N(isns))
TEST_WITH(one_lost, 0, N(isns))
TEST(a_stretch_lost)
TEST_WITH(one_doubled, 0, N(isns))
TEST(one_late)
TEST(every_interleaving)
TEST(everything_at_random)
TEST_WITH(begun_late, 0, N(isns))
TEST_WITH(evicted, 1, 1)
TEST(within_the_window)
TEST(beyond_the_window)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unspoiled),
		cmocka_unit_test(test_one_lost),
		cmocka_unit_test(test_a_stretch_lost),
		cmocka_unit_test(test_one_doubled),
		cmocka_unit_test(test_one_late),
		cmocka_unit_test(test_every_interleaving),
		cmocka_unit_test(test_everything_at_random),
		cmocka_unit_test(test_begun_late),
		cmocka_unit_test(test_evicted),
		cmocka_unit_test(test_within_the_window),
		cmocka_unit_test(test_beyond_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
