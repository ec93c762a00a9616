// SPDX-License-Identifier: GPL-2.0
/* The ladder: each segment once, its stamps, what it proves, and the states it leads to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_dsl.h"

#define CLOSED       SHK_CLOSED
#define SYN_SENT     SHK_SYN_SENT
#define SYN_RECEIVED SHK_SYN_RECEIVED
#define ESTABLISHED  SHK_ESTABLISHED
#define FIN_WAIT_1   SHK_FIN_WAIT_1
#define FIN_WAIT_2   SHK_FIN_WAIT_2
#define CLOSE_WAIT   SHK_CLOSE_WAIT
#define CLOSING      SHK_CLOSING
#define LAST_ACK     SHK_LAST_ACK
#define TIME_WAIT    SHK_TIME_WAIT
#define UNKNOWN      SHK_STATE_UNKNOWN

#define SYN_ACKED    SHK_PROVES_SYN_ACKED
#define SYNACK_ACKED SHK_PROVES_SYNACK_ACKED
#define FIN_ACKED    SHK_PROVES_FIN_ACKED
#define RETRANSMIT   SHK_ARROW_RETRANSMIT
#define WRONG_ACK    SHK_ARROW_WRONG_ACK

struct rung {
	/* said */
	uint8_t from;
	uint16_t flags;
	uint32_t seq, ack, payload_len;
	/* expected */
	uint8_t client, server;
	uint8_t proves;
};

#define RUNGS_MAX 10

struct ladder {
	const char *name;
	struct rung rungs[RUNGS_MAX];
};

/* clang-format off */
#define HANDSHAKE \
	{ CLIENT, S,  0, 0, 0, SYN_SENT,    UNKNOWN,	   0 },		\
	{ SERVER, SA, 0, 1, 0, ESTABLISHED, SYN_RECEIVED, SYN_ACKED },	\
	{ CLIENT, A,  1, 1, 0, ESTABLISHED, ESTABLISHED,  SYNACK_ACKED }

static const struct ladder ladders[] = {
	{ "four segments", { HANDSHAKE,
		{ CLIENT, FA, 1, 1, 0, FIN_WAIT_1, CLOSE_WAIT,	0 },
		{ SERVER, A,  1, 2, 0, FIN_WAIT_2, CLOSE_WAIT,	FIN_ACKED },
		{ SERVER, FA, 1, 2, 0, TIME_WAIT,  LAST_ACK,	FIN_ACKED },
		{ CLIENT, A,  2, 2, 0, TIME_WAIT,  CLOSED,	FIN_ACKED } } },
	{ "three segments, the server first, with data", { HANDSHAKE,
		{ SERVER, FA, 1, 1, 9, CLOSE_WAIT, FIN_WAIT_1,	0 },
		{ CLIENT, FA, 1, 11, 0, LAST_ACK,  TIME_WAIT,	FIN_ACKED },
		{ SERVER, A,  11, 2, 0, CLOSED,	   TIME_WAIT,	FIN_ACKED } } },
	{ "simultaneous close", { HANDSHAKE,
		{ CLIENT, FA, 1, 1, 0, FIN_WAIT_1, CLOSE_WAIT,	0 },
		{ SERVER, FA, 1, 1, 0, CLOSING,	   CLOSING,	0 },
		{ CLIENT, A,  2, 2, 0, CLOSING,	   TIME_WAIT,	FIN_ACKED },
		{ SERVER, A,  2, 2, 0, TIME_WAIT,  TIME_WAIT,	FIN_ACKED } } },
	{ "FIN repeated", { HANDSHAKE,
		{ CLIENT, FA, 1, 1, 0, FIN_WAIT_1, CLOSE_WAIT,	0 },
		{ CLIENT, FA, 1, 1, 0, FIN_WAIT_1, CLOSE_WAIT,	RETRANSMIT },
		{ SERVER, A,  1, 2, 0, FIN_WAIT_2, CLOSE_WAIT,	FIN_ACKED } } },
	{ "reset", { HANDSHAKE,
		{ SERVER, RA, 1, 1, 0, CLOSED, CLOSED, 0 } } },
	{ "reset after FIN", { HANDSHAKE,
		{ CLIENT, FA, 1, 1, 0, FIN_WAIT_1, CLOSE_WAIT, 0 },
		{ SERVER, R,  1, 0, 0, CLOSED, CLOSED, 0 } } },
	{ "refused", {
		{ CLIENT, S,  0, 0, 0, SYN_SENT, UNKNOWN, 0 },
		{ SERVER, RA, 0, 1, 0, CLOSED, CLOSED, 0 } } },
	{ "requests repeated", {
		{ CLIENT, S,  0, 0, 0, SYN_SENT,    UNKNOWN,	  0 },
		{ CLIENT, S,  0, 0, 0, SYN_SENT,    UNKNOWN,	  RETRANSMIT },
		{ SERVER, SA, 0, 1, 0, ESTABLISHED, SYN_RECEIVED, SYN_ACKED },
		{ SERVER, SA, 0, 1, 0, ESTABLISHED, SYN_RECEIVED, SYN_ACKED | RETRANSMIT },
		{ CLIENT, A,  1, 1, 0, ESTABLISHED, ESTABLISHED,  SYNACK_ACKED } } },
	{ "wrong SYN+ACK", {
		{ CLIENT, S,  0, 0, 0,	 SYN_SENT,    UNKNOWN,	    0 },
		{ SERVER, SA, 50, 42, 0, SYN_SENT,    UNKNOWN,	    WRONG_ACK },
		{ CLIENT, R,  42, 0, 0,	 SYN_SENT,    UNKNOWN,	    0 },
		{ SERVER, SA, 0, 1, 0,	 ESTABLISHED, SYN_RECEIVED, SYN_ACKED } } },
	{ "wrong ACK", {
		{ CLIENT, S,  0, 0, 0,	 SYN_SENT,    UNKNOWN,	    0 },
		{ SERVER, SA, 0, 1, 0,	 ESTABLISHED, SYN_RECEIVED, SYN_ACKED },
		{ CLIENT, A,  1, 0x7fffffff, 0, ESTABLISHED, SYN_RECEIVED, WRONG_ACK },
		{ SERVER, R,  0x7fffffff, 0, 0, ESTABLISHED, SYN_RECEIVED, 0 },
		{ CLIENT, A,  1, 1, 0,	 ESTABLISHED, ESTABLISHED,  SYNACK_ACKED } } },
	{ "embryo reset, then the right ACK", {
		{ CLIENT, S,  0, 0, 0,	 SYN_SENT,    UNKNOWN,	    0 },
		{ SERVER, SA, 0, 1, 0,	 ESTABLISHED, SYN_RECEIVED, SYN_ACKED },
		{ CLIENT, R,  1, 0, 0,	 CLOSED,      CLOSED,	    0 },
		{ CLIENT, A,  1, 1, 0,	 ESTABLISHED, ESTABLISHED,  SYNACK_ACKED } } },
	{ "reset with another number, then the right ACK", {
		{ CLIENT, S,  0, 0, 0,	 SYN_SENT,    UNKNOWN,	    0 },
		{ SERVER, SA, 0, 1, 0,	 ESTABLISHED, SYN_RECEIVED, SYN_ACKED },
		{ CLIENT, R,  9, 0, 0,	 ESTABLISHED, SYN_RECEIVED, 0 },
		{ CLIENT, A,  1, 1, 0,	 ESTABLISHED, ESTABLISHED,  SYNACK_ACKED } } },
	{ "simultaneous open", {
		{ CLIENT, S,  0, 0, 0, SYN_SENT,     UNKNOWN,	   0 },
		{ SERVER, S,  0, 0, 0, SYN_RECEIVED, SYN_SENT,	   0 },
		{ CLIENT, SA, 0, 1, 0, SYN_RECEIVED, ESTABLISHED,  SYN_ACKED },
		{ SERVER, SA, 0, 1, 0, ESTABLISHED,  ESTABLISHED,  SYN_ACKED } } },
};
/* clang-format on */

static void say_rung(struct scene *s, const struct rung *rung)
{
	say(s, rung->from, rung->flags, rung->seq, rung->ack, rung->payload_len);
}

static void test_proofs_and_states_at_every_vantage(void **state)
{
	(void)state;
	for (size_t l = 0; l < sizeof(ladders) / sizeof(ladders[0]); l++) {
		for (unsigned int v = 0; v < VANTAGES; v++) {
			struct scene *s = scene_new(v);
			const struct shk_conn *conn;
			uint32_t i;

			for (i = 0; i < RUNGS_MAX && ladders[l].rungs[i].flags; i++)
				say_rung(s, &ladders[l].rungs[i]);
			scene_finish(s);
			conn = the_closed(s);
			assert_int_equal(conn->n_arrows, i);
			for (i = 0; i < conn->n_arrows; i++) {
				const struct shk_arrow *got = &conn->arrows[i];
				const struct rung *want = &ladders[l].rungs[i];

				if (got->from != want->from || got->state[CLIENT] != want->client ||
				    got->state[SERVER] != want->server || got->proves != want->proves)
					fail_msg("%s, seen at %s, segment %u: from %u, %s %s, proves %#x",
						 ladders[l].name, vantages[v].name, i + 1, got->from,
						 shk_state_name(got->state[CLIENT]),
						 shk_state_name(got->state[SERVER]), got->proves);
			}
			scene_free(s);
		}
	}
}

static void test_one_arrow_has_the_stamps_of_all_hooks(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);
		uint64_t start_ns = s->now_ns;
		const struct shk_conn *conn;

		handshake(s);
		close_in_four(s);
		scene_finish(s);
		conn = the_closed(s);
		assert_int_equal(conn->n_arrows, 7);
		assert_int_equal(conn->arrows_dropped, 0);
		for (uint32_t i = 0; i < 7; i++) {
			const struct shk_arrow *arrow = &conn->arrows[i];
			unsigned int n = 0;

			assert_int_equal(arrow->first_ns, start_ns + i * STEP_NS);
			for (unsigned int h = 0; h < SHK_HOOK_COUNT; h++)
				n += arrow->ts_ns[h] != 0;
			assert_int_equal(n, vantages[v].n[arrow->from]);
			for (unsigned int h = 0; h < n; h++)
				assert_int_equal(arrow->ts_ns[vantages[v].hooks[arrow->from][h]],
						 arrow->first_ns + h * HOP_NS);
		}
		assert_int_equal(conn->arrows[1].seq, SERVER_ISN);
		assert_int_equal(conn->arrows[1].ack, CLIENT_ISN + 1);
		assert_int_equal(conn->arrows[1].tcp_flags, SA);
		scene_free(s);
	}
}

static void test_first_sight_is_the_earliest_whatever_the_order(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);

	(void)state;
	s->taping = true;
	client(s, S, 0, 0, 0);
	shk_engine_feed(s->engine, &s->tape[1], false);
	shk_engine_feed(s->engine, &s->tape[0], true);
	shk_engine_finish(s->engine);
	assert_int_equal(the_closed(s)->n_arrows, 1);
	assert_int_equal(the_closed(s)->arrows[0].first_ns, s->tape[0].ts_ns);
	assert_int_equal(the_closed(s)->arrows[0].ts_ns[POST], s->tape[1].ts_ns);
	assert_int_equal(the_closed(s)->end[CLIENT].syn, 1);
	scene_free(s);
}

/* Two FINs on their way at once, each at its next hook in turn. */
static void test_stamps_of_crossing_segments_are_told_apart(void **state)
{
	struct scene *s = scene_new(LOOPBACK);
	struct shk_event *fins;
	const struct shk_conn *conn;

	(void)state;
	handshake(s);
	s->taping = true;
	client(s, FA, 1, 1, 0);
	server(s, FA, 1, 1, 0);
	s->taping = false;
	fins = s->tape;
	assert_int_equal(s->n_tape, 8);
	for (unsigned int hook = 0; hook < 4; hook++) {
		for (unsigned int end = 0; end < 2; end++) {
			fins[end * 4 + hook].ts_ns = s->now_ns + hook * HOP_NS + end;
			shk_engine_feed(s->engine, &fins[end * 4 + hook], false);
		}
	}
	pass(s, STEP_NS);
	client(s, A, 2, 2, 0);
	server(s, A, 2, 2, 0);
	scene_finish(s);
	conn = the_closed(s);
	assert_int_equal(conn->close, SHK_C_SIMULTANEOUS);
	assert_int_equal(conn->end[CLIENT].fin_retransmits + conn->end[SERVER].fin_retransmits, 0);
	assert_int_equal(conn->n_arrows, 7);
	for (unsigned int hook = 0; hook < 4; hook++)
		assert_int_equal(conn->arrows[4].ts_ns[vantages[LOOPBACK].hooks[0][hook]],
				 conn->arrows[3].ts_ns[vantages[LOOPBACK].hooks[0][hook]] + 1);
	scene_free(s);
}

static void test_segments_beyond_the_limit_are_counted(void **state)
{
	static const uint32_t limits[] = {0, 1, 5, 7, 8, 9, 20, 1000};

	(void)state;
	for (size_t l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
		struct shk_engine_config config = scene_config;
		struct scene *s;
		uint32_t said = 3 + 30;

		config.arrows_max = limits[l];
		s = scene_new_with(LOOPBACK, &config);
		handshake(s);
		for (int i = 0; i < 30; i++)
			client(s, FA, 1, 1, 0);
		scene_finish(s);
		assert_int_equal(the_closed(s)->n_arrows, limits[l] < said ? limits[l] : said);
		assert_int_equal(the_closed(s)->arrows_dropped,
				 limits[l] && limits[l] < said ? said - limits[l] : 0);
		assert_int_equal(the_closed(s)->end[CLIENT].fin, 30); /* the counts know them all */
		for (uint32_t i = 0; i < the_closed(s)->n_arrows; i++)
			assert_int_not_equal(the_closed(s)->arrows[i].ts_ns[IN], 0);
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proofs_and_states_at_every_vantage),
		cmocka_unit_test(test_one_arrow_has_the_stamps_of_all_hooks),
		cmocka_unit_test(test_first_sight_is_the_earliest_whatever_the_order),
		cmocka_unit_test(test_stamps_of_crossing_segments_are_told_apart),
		cmocka_unit_test(test_segments_beyond_the_limit_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
