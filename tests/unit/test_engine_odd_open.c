// SPDX-License-Identifier: GPL-2.0
/*
 * Openings that other tools stumble over: each one connection, with the right ends, numbers and verdict, from
 * every vantage point.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine_dsl.h"

#define SEGMENTS_MAX 8

struct step {
	uint8_t from;
	uint16_t flags;
	uint32_t seq, ack, len;
};

struct opening {
	const char *name;
	struct step steps[SEGMENTS_MAX]; /* ended by .flags == 0; then both close */
	enum shk_open open;
	uint32_t server_isn; /* beyond the ISN of the scene */
	uint32_t bytes;      /* that the client sent */
};

/* clang-format off */
static const struct opening openings[] = {
	{"split handshake, four segments: the server answers by an ACK and a SYN of its own",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, A, 0, 1, 0}, {SERVER, S, 0, 0, 0}, {CLIENT, SA, 0, 1, 0},
	  {SERVER, A, 1, 1, 0}}, SHK_O_SIMULTANEOUS, 0, 0},
	{"split handshake, without the ACK",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, S, 0, 0, 0}, {CLIENT, SA, 0, 1, 0}, {SERVER, A, 1, 1, 0}},
	 SHK_O_SIMULTANEOUS, 0, 0},
	{"split handshake, five segments: the SYN+ACK comes after all",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, S, 0, 0, 0}, {CLIENT, SA, 0, 1, 0}, {SERVER, SA, 0, 1, 0},
	  {CLIENT, A, 1, 1, 0}}, SHK_O_SIMULTANEOUS, 0, 0},
	{"simultaneous open, RFC 9293 figure 7",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, S, 0, 0, 0}, {SERVER, SA, 0, 1, 0}, {CLIENT, SA, 0, 1, 0}},
	 SHK_O_SIMULTANEOUS, 0, 0},
	{"SYN+ACK before the SYN",
	 {{SERVER, SA, 0, 1, 0}, {CLIENT, S, 0, 0, 0}, {CLIENT, A, 1, 1, 0}}, SHK_O_3WHS, 0, 0},
	{"third ACK with data",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, SA, 0, 1, 0}, {CLIENT, PA, 1, 1, 100}}, SHK_O_3WHS, 0, 100},
	{"two SYN+ACKs of different numbers: the one that is acknowledged counts",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, SA, 0, 1, 0}, {SERVER, SA, 70000, 1, 0}, {CLIENT, A, 1, 70001, 0}},
	 SHK_O_3WHS, 70000, 0},
	{"the SYN+ACK was not seen, and the client goes on",
	 {{CLIENT, S, 0, 0, 0}, {CLIENT, A, 1, 1, 0}, {CLIENT, PA, 1, 1, 100}}, SHK_O_3WHS, 0, 100},
	{"a SYN, then data of the server: the SYN+ACK was not seen",
	 {{CLIENT, S, 0, 0, 0}, {SERVER, PA, 1, 1, 10}, {SERVER, FA, 11, 1, 0}}, SHK_O_3WHS, 0, 0},
};
/* clang-format on */

static void close_both(struct scene *s, const struct opening *o)
{
	uint32_t there = 1 + o->bytes, back = 1 + o->server_isn;

	client(s, FA, there, back, 0);
	server(s, FA, back, there + 1, 0);
	client(s, A, there + 1, back + 1, 0);
}

static bool was_synack_seen(const struct opening *o)
{
	for (const struct step *step = o->steps; step->flags; step++)
		if (step->from == SERVER && step->flags & S)
			return true;
	return false;
}

static void check_opening(const struct opening *o, unsigned int vantage)
{
	struct scene *s = scene_new(vantage);
	const struct shk_conn *conn;

	for (const struct step *step = o->steps; step->flags; step++)
		say(s, step->from, step->flags, step->seq, step->ack, step->len);
	assert_int_equal(n_opened(s), 1); /* before anything else can show that it is open */
	close_both(s, o);
	scene_finish(s);
	conn = the_closed(s); /* one */
	if (conn->open != o->open)
		fail_msg("%s, %s: %s", o->name, vantages[vantage].name, shk_open_code(conn->open));
	assert_int_equal(conn->end[CLIENT].port, CLIENT_PORT);
	assert_true(conn->end[CLIENT].isn_known);
	assert_int_equal(conn->end[CLIENT].isn, CLIENT_ISN);
	assert_int_equal(conn->end[CLIENT].bytes, o->bytes);
	assert_int_equal(conn->end[SERVER].isn_known, was_synack_seen(o));
	if (was_synack_seen(o))
		assert_int_equal(conn->end[SERVER].isn, SERVER_ISN + o->server_isn);
	else
		assert_int_equal(conn->confidence, SHK_PARTIAL);
	scene_free(s);
}

static void test_each_is_one_connection(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++)
		for (unsigned int v = 0; v < VANTAGES; v++)
			check_opening(&openings[i], v);
}

/* What a server answers to a SYN that it does not take says nothing of a connection. */
static void test_an_ack_alone_opens_nothing(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		client(s, S, 0, 0, 0);
		server(s, A, 7000, 50000, 0);
		client(s, R, 50000, 0, 0);
		scene_finish(s);
		assert_int_equal(the_closed(s)->open, SHK_O_NONE);
		assert_int_equal(the_closed(s)->open_flags & SHK_OF_CHALLENGE, SHK_OF_CHALLENGE);
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_one_connection),
		cmocka_unit_test(test_an_ack_alone_opens_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
