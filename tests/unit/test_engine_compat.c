// SPDX-License-Identifier: GPL-2.0
/*
 * What Wireshark and Zeek would say of a connection, for every way to open and to close one. The expected
 * values follow from the definitions: tcp.completeness is the sum of 1 SYN, 2 SYN+ACK, 4 ACK, 8 data, 16 FIN
 * and 32 RST, where an RST or FIN with ACK is an ACK too; conn_state and history as the documentation of
 * Zeek's conn.log has them. Every exchange is seen from every vantage point, through the gate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine_dsl.h"

#define SEGMENTS_MAX 12

struct step {
	uint8_t from;
	uint16_t flags;
	uint32_t seq, ack, len;
};

struct exchange {
	const char *name;
	struct step steps[SEGMENTS_MAX]; /* ended by .flags == 0 */
	uint8_t completeness;
	const char *conn_state, *history;
};

/* clang-format off */
#define OPENED	{CLIENT, S, 0, 0, 0}, {SERVER, SA, 0, 1, 0}, {CLIENT, A, 1, 1, 0}

static const struct exchange exchanges[] = {
	/* openings */
	{"no answer", {{CLIENT, S, 0, 0, 0}, {CLIENT, S, 0, 0, 0}}, 1, "S0", "S"},
	{"refused", {{CLIENT, S, 0, 0, 0}, {SERVER, RA, 0, 1, 0}}, 37, "REJ", "Sr"},
	{"given up", {{CLIENT, S, 0, 0, 0}, {CLIENT, R, 1, 0, 0}}, 33, "RSTOS0", "SR"},
	{"SYN+ACK never acknowledged", {{CLIENT, S, 0, 0, 0}, {SERVER, SA, 0, 1, 0}}, 3, "S1", "Sh"},
	{"reset by the client after the SYN+ACK",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, SA, 0, 1, 0}, {CLIENT, R, 1, 0, 0}}, 35, "RSTO", "ShR"},
	{"reset by the server after its SYN+ACK",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, SA, 0, 1, 0}, {SERVER, RA, 1, 1, 0}}, 39, "RSTR", "Shr"},
	{"open", {OPENED}, 7, "S1", "ShA"},
	{"open, with data", {OPENED, {CLIENT, PA, 1, 1, 10}, {SERVER, A, 1, 11, 0}, {SERVER, PA, 1, 11, 10}},
	 15, "S1", "ShADad"},
	{"data on the third ACK", {{CLIENT, S, 0, 0, 0}, {SERVER, SA, 0, 1, 0}, {CLIENT, PA, 1, 1, 10}},
	 11, "S1", "ShD"},
	{"data on the SYN", {{CLIENT, S, 0, 0, 10}, {SERVER, SA, 0, 1, 0}, {CLIENT, A, 1, 1, 0}},
	 15, "S1", "ShA"},
	{"simultaneous open",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, S, 0, 0, 0}, {CLIENT, SA, 0, 1, 0}, {SERVER, SA, 0, 1, 0}},
	 3, "S1", "Ss"},
	{"split handshake, four segments",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, A, 0, 1, 0}, {SERVER, S, 0, 0, 0}, {CLIENT, SA, 0, 1, 0},
	  {SERVER, A, 1, 1, 0}}, 7, "S1", "Sas"},
	{"the SYN was missed", {{SERVER, SA, 0, 1, 0}, {CLIENT, A, 1, 1, 0}}, 6, "S1", "^hA"},
	{"the SYN came after the SYN+ACK",
	 {{SERVER, SA, 0, 1, 0}, {CLIENT, S, 0, 0, 0}, {CLIENT, A, 1, 1, 0}}, 6, "OTH", "^hSA"},
	{"retransmissions repeat no letter",
	 {{CLIENT, S, 0, 0, 0}, {CLIENT, S, 0, 0, 0}, {SERVER, SA, 0, 1, 0}, {SERVER, SA, 0, 1, 0},
	  {CLIENT, A, 1, 1, 0}}, 7, "S1", "ShA"},
	{"a second SYN+ACK with another number",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, SA, 0, 1, 0}, {SERVER, SA, 5000, 1, 0}, {CLIENT, A, 1, 5001, 0}},
	 7, "S1", "ShhA"},
	/* closes by FIN */
	{"the client first, four segments",
	 {OPENED, {CLIENT, FA, 1, 1, 0}, {SERVER, A, 1, 2, 0}, {SERVER, FA, 1, 2, 0}, {CLIENT, A, 2, 2, 0}},
	 23, "SF", "ShAFaf"},
	{"the client first, three segments",
	 {OPENED, {CLIENT, FA, 1, 1, 0}, {SERVER, FA, 1, 2, 0}, {CLIENT, A, 2, 2, 0}}, 23, "SF", "ShAFf"},
	{"simultaneous, the client's first",
	 {OPENED, {CLIENT, FA, 1, 1, 0}, {SERVER, FA, 1, 1, 0}, {CLIENT, A, 2, 2, 0}, {SERVER, A, 2, 2, 0}},
	 23, "SF", "ShAFfa"},
	{"the server first, four segments",
	 {OPENED, {SERVER, FA, 1, 1, 0}, {CLIENT, A, 1, 2, 0}, {CLIENT, FA, 1, 2, 0}, {SERVER, A, 2, 2, 0}},
	 23, "SF", "ShAfFa"},
	{"the server first, three segments",
	 {OPENED, {SERVER, FA, 1, 1, 0}, {CLIENT, FA, 1, 2, 0}, {SERVER, A, 2, 2, 0}}, 23, "SF", "ShAfFa"},
	{"half-closed by the client", {OPENED, {CLIENT, FA, 1, 1, 0}, {SERVER, A, 1, 2, 0}},
	 23, "S2", "ShAFa"},
	{"half-closed by the server", {OPENED, {SERVER, FA, 1, 1, 0}, {CLIENT, A, 1, 2, 0}},
	 23, "S3", "ShAf"},
	{"FIN retransmitted", {OPENED, {CLIENT, FA, 1, 1, 0}, {CLIENT, FA, 1, 1, 0}}, 23, "S2", "ShAF"},
	{"another FIN", {OPENED, {CLIENT, FA, 1, 1, 0}, {CLIENT, FA, 9, 1, 0}}, 23, "S2", "ShAFF"},
	/* closes by RST */
	{"reset by the client", {OPENED, {CLIENT, RA, 1, 1, 0}}, 39, "RSTO", "ShAR"},
	{"reset by the server", {OPENED, {SERVER, RA, 1, 1, 0}}, 39, "RSTR", "ShAr"},
	{"reset by the client after its FIN",
	 {OPENED, {CLIENT, FA, 1, 1, 0}, {SERVER, A, 1, 2, 0}, {CLIENT, R, 2, 0, 0}}, 55, "RSTO", "ShAFaR"},
	{"reset by the client, then both", {OPENED, {CLIENT, RA, 1, 1, 0}, {SERVER, R, 1, 0, 0}},
	 39, "REJ", "ShARr"},
	{"closed, then a stray RST",
	 {OPENED, {CLIENT, FA, 1, 1, 0}, {SERVER, FA, 1, 2, 0}, {CLIENT, A, 2, 2, 0}, {SERVER, R, 2, 0, 0}},
	 55, "SF", "ShAFfr"},
	{"FIN, RST, and then the other FIN",
	 {OPENED, {CLIENT, FA, 1, 1, 0}, {CLIENT, R, 2, 0, 0}, {SERVER, FA, 1, 2, 0}}, 55, "SF", "ShAFRf"},
	{"two RSTs of different numbers", {OPENED, {SERVER, R, 1, 0, 0}, {SERVER, R, 2, 0, 0}},
	 39, "RSTR", "ShArr"},
	/* odd segments */
	{"SYN, then FIN", {{CLIENT, S, 0, 0, 0}, {CLIENT, FA, 1, 1, 0}}, 21, "SH", "SF"},
	{"FIN with RST", {OPENED, {SERVER, FA | R, 1, 1, 0}}, 55, "RSTR", "ShAi"},
	{"no SYN seen, the end of a connection",
	 {{CLIENT, FA, 1, 1, 0}, {SERVER, FA, 1, 2, 0}, {CLIENT, A, 2, 2, 0}}, 20, "SF", "FfA"},
};
/* clang-format on */

static void check_exchange(const struct exchange *x, unsigned int vantage)
{
	struct scene *s = scene_new(vantage);
	const struct shk_compat *compat;

	for (const struct step *step = x->steps; step->flags; step++)
		say(s, step->from, step->flags, step->seq, step->ack, step->len);
	scene_finish(s);
	compat = &the_closed(s)->compat;
	if (compat->completeness != x->completeness || strcmp(compat->conn_state, x->conn_state) ||
	    strcmp(compat->history, x->history))
		fail_msg("%s, %s: %u %s %s, not %u %s %s", x->name, vantages[vantage].name,
			 compat->completeness, compat->conn_state, compat->history, x->completeness,
			 x->conn_state, x->history);
	scene_free(s);
}

static void test_every_exchange_from_every_vantage(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++)
		for (unsigned int v = 0; v < VANTAGES; v++)
			check_exchange(&exchanges[i], v);
}

/* What only a capture has: connections of which no control segment was seen. */
static void test_midstream(void **state)
{
	struct scene *s = scene_new(TAP);

	(void)state;
	server(s, PA, 1, 1, 10);
	scene_finish(s);
	assert_int_equal(the_closed(s)->compat.completeness,
			 0); /* one segment: not counted when it is shown */
	assert_string_equal(the_closed(s)->compat.conn_state, "OTH");
	assert_string_equal(the_closed(s)->compat.history, "D"); /* who sends first is taken for the client */
	assert_int_equal(the_closed(s)->open, SHK_O_PREEXISTING);
	scene_free(s);

	s = scene_new(TAP);
	server(s, PA, 1, 1, 10);
	client(s, A, 1, 11, 0);
	server(s, RA, 11, 1, 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->compat.completeness, 4 | 8 | 32);
	assert_string_equal(the_closed(s)->compat.conn_state, "OTH");
	assert_string_equal(the_closed(s)->compat.history, "DaR");
	assert_int_equal(the_closed(s)->close, SHK_C_RST);
	scene_free(s);
}

/* A long history keeps room for the letters that have not occurred. */
static void test_long_history(void **state)
{
	struct scene *s = scene_new(TAP);
	const struct shk_compat *compat;

	(void)state;
	handshake(s);
	for (uint32_t i = 0; i < 100; i++)
		server(s, R, 1 + i, 0, 0);
	client(s, FA, 1, 1, 0);
	client(s, PA, 1, 1, 10);
	server(s, PA, 1, 1, 10);
	scene_finish(s);
	compat = &the_closed(s)->compat;
	assert_string_equal(compat->history, "ShArrrrrrrFDd");
	assert_string_equal(compat->conn_state, "RSTR");
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_exchange_from_every_vantage),
		cmocka_unit_test(test_midstream),
		cmocka_unit_test(test_long_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
