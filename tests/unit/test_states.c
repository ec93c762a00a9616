// SPDX-License-Identifier: GPL-2.0
/* The tables: states of one end, phases of an opening, and the names of everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "engine/handshake.h"
#include "engine/states.h"

#define LIVES_MAX 8

/* What one end sends and gets, and its state after each: RFC 9293 figure 5, path by path. */
static const struct life {
	const char *name;
	enum shk_state start;
	struct {
		enum shk_signal signal;
		enum shk_state state;
	} steps[LIVES_MAX];
	int n;
} lives[] = {
	{"active open, closes first, four segments",
	 SHK_CLOSED,
	 {{SHK_SENT_SYN, SHK_SYN_SENT},
	  {SHK_GOT_SYNACK, SHK_ESTABLISHED},
	  {SHK_SENT_FIN, SHK_FIN_WAIT_1},
	  {SHK_GOT_ACK_OF_FIN, SHK_FIN_WAIT_2},
	  {SHK_GOT_FIN, SHK_TIME_WAIT}},
	 5},
	{"passive open, closes second",
	 SHK_STATE_UNKNOWN,
	 {{SHK_GOT_SYN, SHK_STATE_UNKNOWN}, /* nobody may listen */
	  {SHK_SENT_SYNACK, SHK_SYN_RECEIVED},
	  {SHK_GOT_ACK_OF_SYN, SHK_ESTABLISHED},
	  {SHK_GOT_FIN, SHK_CLOSE_WAIT},
	  {SHK_SENT_FIN, SHK_LAST_ACK},
	  {SHK_GOT_ACK_OF_FIN, SHK_CLOSED}},
	 6},
	{"simultaneous open and close",
	 SHK_CLOSED,
	 {{SHK_SENT_SYN, SHK_SYN_SENT},
	  {SHK_GOT_SYN, SHK_SYN_RECEIVED},
	  {SHK_SENT_SYNACK, SHK_SYN_RECEIVED},
	  {SHK_GOT_SYNACK, SHK_ESTABLISHED},
	  {SHK_SENT_FIN, SHK_FIN_WAIT_1},
	  {SHK_GOT_FIN, SHK_CLOSING},
	  {SHK_GOT_ACK_OF_FIN, SHK_TIME_WAIT}},
	 7},
	{"close in SYN-RECEIVED",
	 SHK_SYN_RECEIVED,
	 {{SHK_SENT_FIN, SHK_FIN_WAIT_1}, {SHK_GOT_ACK_OF_FIN, SHK_FIN_WAIT_2}},
	 2},
	{"TIME-WAIT reused from either side",
	 SHK_TIME_WAIT,
	 {{SHK_GOT_SYN, SHK_TIME_WAIT}, {SHK_SENT_SYNACK, SHK_SYN_RECEIVED}},
	 2},
	{"TIME-WAIT opened again", SHK_TIME_WAIT, {{SHK_SENT_SYN, SHK_SYN_SENT}}, 1},
	{"TIME-WAIT assassinated", SHK_TIME_WAIT, {{SHK_GOT_RST, SHK_CLOSED}}, 1},
	{"TIME-WAIT answers nonsense by RST", SHK_TIME_WAIT, {{SHK_SENT_RST, SHK_TIME_WAIT}}, 1},
	{"SYN in ESTABLISHED", SHK_ESTABLISHED, {{SHK_GOT_SYN, SHK_ESTABLISHED}}, 1},
	{"refused", SHK_SYN_SENT, {{SHK_GOT_RST, SHK_CLOSED}}, 1},
	{"refuses", SHK_STATE_UNKNOWN, {{SHK_GOT_SYN, SHK_STATE_UNKNOWN}, {SHK_SENT_RST, SHK_CLOSED}}, 2},
	{"older than the observer",
	 SHK_STATE_UNKNOWN,
	 {{SHK_SENT_FIN, SHK_FIN_WAIT_1}, {SHK_GOT_ACK_OF_FIN, SHK_FIN_WAIT_2}},
	 2},
	{"older than the observer, closes second", SHK_STATE_UNKNOWN, {{SHK_GOT_FIN, SHK_CLOSE_WAIT}}, 1},
};

static void test_lives(void **state)
{
	(void)state;
	for (size_t l = 0; l < sizeof(lives) / sizeof(lives[0]); l++) {
		enum shk_state now = lives[l].start;

		for (int i = 0; i < lives[l].n; i++) {
			now = shk_state_next(now, lives[l].steps[i].signal);
			if (now != lives[l].steps[i].state)
				fail_msg("%s, step %d: %s", lives[l].name, i + 1, shk_state_name(now));
		}
	}
}

/* A retransmission changes nothing. Acknowledgments are exempt: each stands for a segment of its own. */
static void test_what_is_sent_twice_changes_nothing(void **state)
{
	static const enum shk_signal sent[] = {SHK_SENT_SYN, SHK_SENT_SYNACK, SHK_SENT_FIN, SHK_SENT_RST};

	(void)state;
	for (unsigned int from = 0; from < SHK_STATE_COUNT; from++) {
		for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
			enum shk_state once = shk_state_next(from, sent[i]);

			assert_in_range(once, 0, SHK_STATE_COUNT - 1);
			assert_int_equal(shk_state_next(once, sent[i]), once);
		}
	}
}

static void test_an_rst_that_arrives_ends_everything(void **state)
{
	(void)state;
	for (unsigned int from = 0; from < SHK_STATE_COUNT; from++) {
		if (from != SHK_LISTEN) /* RFC 9293 3.10.7.2: ignored */
			assert_int_equal(shk_state_next(from, SHK_GOT_RST), SHK_CLOSED);
		if (from != SHK_TIME_WAIT)
			assert_int_equal(shk_state_next(from, SHK_SENT_RST), SHK_CLOSED);
	}
}

static void test_nothing_leads_to_listen_or_unknown(void **state)
{
	(void)state;
	for (unsigned int from = 0; from < SHK_STATE_COUNT; from++) {
		for (unsigned int signal = 0; signal < SHK_SIGNAL_COUNT; signal++) {
			enum shk_state next = shk_state_next(from, signal);

			if (next != from) {
				assert_int_not_equal(next, SHK_LISTEN);
				assert_int_not_equal(next, SHK_STATE_UNKNOWN);
			}
		}
	}
}

/* What a segment does to the opening: from, the segment, to. */
static const struct {
	enum shk_phase from;
	enum shk_step step;
	enum shk_phase to;
} turns[] = {
	{SHK_PHASE_NEW, SHK_STEP_C_SYN, SHK_PHASE_SYN},
	{SHK_PHASE_NEW, SHK_STEP_S_SYNACK, SHK_PHASE_SYNACK},
	{SHK_PHASE_NEW, SHK_STEP_FIN, SHK_PHASE_MIDSTREAM},
	{SHK_PHASE_NEW, SHK_STEP_C_ACK, SHK_PHASE_MIDSTREAM},
	{SHK_PHASE_NEW, SHK_STEP_RST_BAD, SHK_PHASE_MIDSTREAM},
	{SHK_PHASE_NEW, SHK_STEP_TRAFFIC, SHK_PHASE_MIDSTREAM},
	{SHK_PHASE_SYN, SHK_STEP_C_SYN, SHK_PHASE_SYN},
	{SHK_PHASE_SYN, SHK_STEP_S_SYN, SHK_PHASE_SYN_BOTH},
	{SHK_PHASE_SYN, SHK_STEP_C_SYNACK, SHK_PHASE_SYN_BOTH},
	{SHK_PHASE_SYN, SHK_STEP_S_SYNACK, SHK_PHASE_SYNACK},
	{SHK_PHASE_SYN, SHK_STEP_S_SYNACK_BAD, SHK_PHASE_SYN},
	{SHK_PHASE_SYN, SHK_STEP_S_ACK, SHK_PHASE_SYN},
	{SHK_PHASE_SYN, SHK_STEP_TRAFFIC, SHK_PHASE_OPEN},
	{SHK_PHASE_SYN, SHK_STEP_C_RST, SHK_PHASE_SYN},
	{SHK_PHASE_SYN, SHK_STEP_S_RST, SHK_PHASE_REFUSED},
	{SHK_PHASE_SYN, SHK_STEP_RST_BAD, SHK_PHASE_SYN},
	{SHK_PHASE_SYN_BOTH, SHK_STEP_C_SYNACK, SHK_PHASE_OPEN},
	{SHK_PHASE_SYN_BOTH, SHK_STEP_S_SYNACK, SHK_PHASE_OPEN},
	{SHK_PHASE_SYNACK, SHK_STEP_C_ACK, SHK_PHASE_OPEN},
	{SHK_PHASE_SYNACK, SHK_STEP_C_ACK_BAD, SHK_PHASE_SYNACK},
	{SHK_PHASE_SYNACK, SHK_STEP_S_SYNACK, SHK_PHASE_SYNACK},
	{SHK_PHASE_SYNACK, SHK_STEP_FIN, SHK_PHASE_OPEN},
	{SHK_PHASE_SYNACK, SHK_STEP_C_RST, SHK_PHASE_RESET},
	{SHK_PHASE_SYNACK, SHK_STEP_S_RST, SHK_PHASE_RESET},
	{SHK_PHASE_SYNACK, SHK_STEP_RST_BAD, SHK_PHASE_SYNACK},
	{SHK_PHASE_RESET, SHK_STEP_C_ACK, SHK_PHASE_OPEN},
	{SHK_PHASE_RESET, SHK_STEP_S_SYNACK, SHK_PHASE_SYNACK},
	{SHK_PHASE_REFUSED, SHK_STEP_S_SYNACK, SHK_PHASE_SYNACK},
	{SHK_PHASE_REFUSED, SHK_STEP_C_SYN, SHK_PHASE_REFUSED},
};

static void test_turns_of_an_opening(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
		if (shk_phase_next(turns[i].from, turns[i].step) != turns[i].to)
			fail_msg("turn %zu: %u", i, shk_phase_next(turns[i].from, turns[i].step));
}

static void test_phases_that_are_final(void **state)
{
	(void)state;
	for (unsigned int step = 0; step < SHK_STEP_COUNT; step++) {
		assert_int_equal(shk_phase_next(SHK_PHASE_OPEN, step), SHK_PHASE_OPEN);
		assert_int_equal(shk_phase_next(SHK_PHASE_MIDSTREAM, step), SHK_PHASE_MIDSTREAM);
		for (unsigned int phase = SHK_PHASE_SYN; phase < SHK_PHASE_COUNT; phase++) {
			enum shk_phase next = shk_phase_next(phase, step);

			/* What was seen is never forgotten. */
			assert_int_not_equal(next, SHK_PHASE_NEW);
			if (phase != SHK_PHASE_MIDSTREAM)
				assert_int_not_equal(next, SHK_PHASE_MIDSTREAM);
			/* No RST opens a connection. */
			if (step >= SHK_STEP_C_RST && phase != SHK_PHASE_OPEN)
				assert_int_not_equal(next, SHK_PHASE_OPEN);
		}
	}
}

static void check_name(const char *name, const char *prefix)
{
	assert_non_null(name);
	assert_int_not_equal(strlen(name), 0);
	assert_int_equal(strncmp(name, prefix, strlen(prefix)), 0);
}

static void test_everything_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SHK_O_COUNT; i++) {
		check_name(shk_open_code(i), "O_");
		check_name(shk_open_words(i), "");
		for (unsigned int j = 0; j < i; j++) {
			assert_string_not_equal(shk_open_code(i), shk_open_code(j));
			assert_string_not_equal(shk_open_words(i), shk_open_words(j));
		}
	}
	for (unsigned int i = 0; i < SHK_C_COUNT; i++) {
		check_name(shk_close_code(i), "C_");
		check_name(shk_close_words(i), "");
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(shk_close_code(i), shk_close_code(j));
	}
	for (unsigned int i = 0; i < SHK_STATE_COUNT; i++)
		check_name(shk_state_name(i), "");
	for (unsigned int i = 0; i < SHK_OF_COUNT; i++)
		check_name(shk_open_flag_name(i), "");
	for (unsigned int i = 0; i < SHK_CF_COUNT; i++)
		check_name(shk_close_flag_name(i), "");
}

static void test_names_belong_to_their_values(void **state)
{
	(void)state;
	assert_string_equal(shk_open_code(SHK_O_3WHS), "O_3WHS");
	assert_string_equal(shk_open_words(SHK_O_REFUSED), "refused");
	assert_string_equal(shk_close_code(SHK_C_RST), "C_RST");
	assert_string_equal(shk_close_words(SHK_C_3SEG), "three-segment close");
	assert_string_equal(shk_state_name(SHK_FIN_WAIT_2), "FIN-WAIT-2");
	assert_string_equal(shk_state_name(SHK_STATE_UNKNOWN), "?");
	for (unsigned int bit = 0; bit < SHK_OF_COUNT; bit++)
		if (1U << bit == SHK_OF_CHALLENGE)
			assert_string_equal(shk_open_flag_name(bit), "CHALLENGE");
	for (unsigned int bit = 0; bit < SHK_CF_COUNT; bit++)
		if (1U << bit == SHK_CF_DATA_AFTER_RST)
			assert_string_equal(shk_close_flag_name(bit), "DATA_AFTER_RST");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_what_is_sent_twice_changes_nothing),
		cmocka_unit_test(test_an_rst_that_arrives_ends_everything),
		cmocka_unit_test(test_nothing_leads_to_listen_or_unknown),
		cmocka_unit_test(test_turns_of_an_opening),
		cmocka_unit_test(test_phases_that_are_final),
		cmocka_unit_test(test_everything_has_a_name_of_its_own),
		cmocka_unit_test(test_names_belong_to_their_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
