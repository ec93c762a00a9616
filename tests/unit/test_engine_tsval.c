// SPDX-License-Identifier: GPL-2.0
/* The first TSval of each end, and one that nothing it sent lies beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_dsl.h"

/* The end says it with its clock at @tsval. */
static void at(struct scene *s, unsigned int from, uint32_t tsval, uint16_t flags, uint32_t seq, uint32_t ack,
	       uint32_t payload_len)
{
	s->with.options = SHK_OPT_TIMESTAMPS;
	s->with.tsval = tsval;
	say(s, from, flags, seq, ack, payload_len);
}

static void open_at(struct scene *s, uint32_t client_ts, uint32_t server_ts)
{
	at(s, CLIENT, client_ts, S, 0, 0, 0);
	at(s, SERVER, server_ts, SA, 0, 1, 0);
	at(s, CLIENT, client_ts, A, 1, 1, 0);
}

static void close_at(struct scene *s, uint32_t client_ts, uint32_t server_ts)
{
	at(s, CLIENT, client_ts, FA, 1, 1, 0);
	at(s, SERVER, server_ts, A, 1, 2, 0);
	at(s, SERVER, server_ts, FA, 1, 2, 0);
	at(s, CLIENT, client_ts, A, 2, 2, 0);
}

static const struct shk_end *end_of(struct scene *s, unsigned int end)
{
	scene_finish(s);
	return &the_closed(s)->end[end];
}

static void test_both_ends(void **state)
{
	const struct shk_end *client, *server;

	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		open_at(s, UINT32_MAX - 10, 7000);
		pass(s, SECOND);
		close_at(s, 989, 8000);
		client = end_of(s, CLIENT);
		server = end_of(s, SERVER);
		assert_true(client->tsval_known && server->tsval_known);
		assert_int_equal(client->tsval, UINT32_MAX - 10);
		assert_int_equal(server->tsval, 7000);
		assert_true(client->tsval_last_known && server->tsval_last_known);
		/* Never too early, and later only by what may have been sent until the ACK of the FIN. */
		assert_in_range(client->tsval_last - 989, 0, 2);
		assert_in_range(server->tsval_last - 8000, 0, 2);
		scene_free(s);
	}
}

/* A day is kept in sixteen bits. */
static void test_long_life(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);
	const uint32_t day = 86400000;
	const struct shk_end *client;

	(void)state;
	open_at(s, 5, 7000);
	pass(s, day * MS);
	close_at(s, 5 + day, 7000 + day);
	client = end_of(s, CLIENT);
	assert_true(client->tsval_last_known);
	assert_in_range(client->tsval_last - 5, day, day + day / 1024 + 2);
	scene_free(s);
}

static void test_of_no_use(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	/* None at all. */
	handshake(s);
	close_in_four(s);
	assert_false(end_of(s, CLIENT)->tsval_known);
	scene_free(s);

	/* A clock that is faster than RFC 7323 allows may have gone round. */
	s = scene_new(SERVER_HOST);
	open_at(s, 5, 7000);
	pass(s, SECOND);
	close_at(s, 1000005, 8000);
	assert_true(end_of(s, CLIENT)->tsval_known);
	assert_false(the_closed(s)->end[CLIENT].tsval_last_known);
	scene_free(s);

	/* So may one that stands far below. */
	s = scene_new(SERVER_HOST);
	open_at(s, 5, 7000);
	pass(s, SECOND);
	close_at(s, 5U - (1U << 30), 8000);
	assert_false(end_of(s, CLIENT)->tsval_last_known);
	scene_free(s);

	/* Lost: perhaps the latest. */
	s = scene_new(SERVER_HOST);
	open_at(s, 5, 7000);
	close_at(s, 5, 7000);
	announce_loss(s, 1);
	assert_false(end_of(s, CLIENT)->tsval_last_known);
	scene_free(s);
}

/* Its sender will say no more, but what the other end had on its way no hook lets through. */
static void test_reset(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = scene_new(v);

		open_at(s, 5, 7000);
		pass(s, SECOND);
		at(s, CLIENT, 1005, RA, 1, 1, 0);
		assert_true(end_of(s, CLIENT)->tsval_last_known);
		assert_in_range(the_closed(s)->end[CLIENT].tsval_last, 1005, 1007);
		assert_int_equal(the_closed(s)->end[SERVER].tsval_last_known, v == TAP);
		scene_free(s);

		/* The answer of no socket has none, and its socket may have said anything before. */
		s = scene_new(v);
		open_at(s, 5, 7000);
		pass(s, SECOND);
		client(s, R, 1, 0, 0);
		assert_int_equal(end_of(s, CLIENT)->tsval_last_known, v == TAP);
		scene_free(s);
	}
}

/* The FIN overtook data, which is sent again before the FIN is acknowledged. */
static void test_slow_fin(void **state)
{
	struct scene *s = scene_new(CLIENT_HOST);
	const struct shk_end *client;

	(void)state;
	open_at(s, 5, 7000);
	at(s, CLIENT, 6, FA, 1001, 1, 0);
	pass(s, SECOND);
	at(s, SERVER, 8000, A, 1, 1002, 0);
	at(s, SERVER, 8000, FA, 1, 1002, 0);
	at(s, CLIENT, 1006, A, 1002, 2, 0);
	client = end_of(s, CLIENT);
	assert_true(client->tsval_last_known);
	assert_in_range(client->tsval_last - 1006, 0, 1003);
	scene_free(s);

	/* It is not known to have come to an end. */
	s = scene_new(CLIENT_HOST);
	open_at(s, 5, 7000);
	at(s, CLIENT, 6, FA, 1, 1, 0);
	assert_false(end_of(s, CLIENT)->tsval_last_known);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends), cmocka_unit_test(test_long_life),
		cmocka_unit_test(test_of_no_use), cmocka_unit_test(test_reset),
		cmocka_unit_test(test_slow_fin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
