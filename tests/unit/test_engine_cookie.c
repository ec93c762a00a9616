// SPDX-License-Identifier: GPL-2.0
/* SYN cookies: what became of one, and what it keeps of the SYN, by the segments and by the sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine_sockets.h"

#define TIMESTAMPS         (SHK_OPT_TIMESTAMPS | SHK_OPT_SACK_PERMITTED)
#define KEPT(wscale, more) (SHK_COOKIE_TIMESTAMPS | (wscale) | (more))

static struct scene *cookie_scene(void)
{
	struct scene *s = scene_new(SERVER_HOST);

	s->cookies = true;
	return s;
}

static void syn_and_cookie(struct scene *s, uint32_t options, uint16_t ecn)
{
	s->with.options = options;
	client(s, S | (ecn ? SHK_TCP_ECE | SHK_TCP_CWR : 0), 0, 0, 0);
	s->with.options = options;
	server(s, SA | ecn, 0, 1, 0);
}

static void tell(struct scene *s, uint8_t where, uint64_t value, uint16_t reason)
{
	struct shk_event ev = socket_event(s, SERVER, where);

	ev.sock.value = value;
	ev.sock.reason = reason;
	if (where == SHK_SOCK_RESET_SENT)
		ev.sock.iss = ev.sock.irs = 0;
	feed(s, &ev);
}

static void expect_cookie(const struct shk_conn *conn, enum shk_cookie_fate fate, uint8_t kept)
{
	assert_int_equal(conn->cookie.fate, fate);
	assert_true(conn->cookie.kept_known);
	assert_int_equal(conn->cookie.kept, kept);
}

static void test_segments_tell_what_is_kept(void **state)
{
	static const struct {
		uint32_t options;
		uint16_t ecn;
		uint8_t kept;
	} cases[] = {
		{TIMESTAMPS, 0, KEPT(7, SHK_COOKIE_SACK)},
		{TIMESTAMPS, SHK_TCP_ECE, KEPT(7, SHK_COOKIE_SACK | SHK_COOKIE_ECN)},
		{SHK_OPT_TIMESTAMPS, 0, KEPT(7, 0)},
		{SHK_OPT_SACK_PERMITTED, SHK_TCP_ECE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *s = cookie_scene();

		syn_and_cookie(s, cases[i].options, cases[i].ecn);
		client(s, A, 1, 1, 0);
		assert_int_equal(the_opened(s)->open, SHK_O_COOKIE);
		expect_cookie(the_opened(s), SHK_COOKIE_SENT, cases[i].kept);
		close_in_four(s);
		scene_finish(s);
		/* Who sends a FIN has a socket. */
		expect_cookie(the_closed(s), SHK_COOKIE_VALID, cases[i].kept);
		scene_free(s);
	}
}

static void test_without_its_syn_a_cookie_keeps_what_nobody_knows(void **state)
{
	struct scene *s = cookie_scene();

	(void)state;
	unseen(s, CLIENT, S, 0, 0);
	s->with.options = TIMESTAMPS;
	server(s, SA, 0, 1, 0);
	scene_finish(s);
	assert_int_equal(the_closed(s)->cookie.fate, SHK_COOKIE_SENT);
	assert_false(the_closed(s)->cookie.kept_known);
	scene_free(s);
}

static void test_the_sockets_word_comes_before_that_of_the_segments(void **state)
{
	struct scene *s = cookie_scene();

	(void)state;
	s->with.options = TIMESTAMPS;
	client(s, S, 0, 0, 0);
	tell(s, SHK_SOCK_COOKIE_SENT, 0, 0);
	s->with.options = TIMESTAMPS;
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
	expect_cookie(the_opened(s), SHK_COOKIE_SENT, KEPT(7, SHK_COOKIE_SACK));
	tell(s, SHK_SOCK_COOKIE_VALIDATED, 0x1234567800000000ULL | KEPT(9, 0), 0);
	scene_finish(s);
	expect_cookie(the_closed(s), SHK_COOKIE_VALID, KEPT(9, 0));
	assert_true(the_closed(s)->witness_socket);
	assert_int_equal(the_closed(s)->conflicts, 0);
	scene_free(s);
}

/* A live capture cannot tell a cookie by the segment. */
static void test_the_socket_alone_knows_of_the_cookie(void **state)
{
	struct scene *s = scene_new(TAP);

	(void)state;
	client(s, S, 0, 0, 0);
	tell(s, SHK_SOCK_COOKIE_SENT, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
	assert_int_equal(the_opened(s)->open, SHK_O_COOKIE);
	expect_cookie(the_opened(s), SHK_COOKIE_SENT, 0);
	scene_free(s);
}

static void test_an_ack_without_a_valid_cookie(void **state)
{
	struct scene *s = cookie_scene();

	(void)state;
	syn_and_cookie(s, 0, 0);
	client(s, A, 1, 557, 0);
	tell(s, SHK_SOCK_RESET_SENT, 0, SHK_REASON_INVALID_COOKIE);
	server(s, R, 557, 0, 0);
	pass_and_tell(s, 200 * SECOND);
	expect_cookie(the_closed(s), SHK_COOKIE_INVALID, 0);
	assert_non_null(strstr(the_closed(s)->blame.why, "no valid SYN cookie"));
	scene_free(s);
}

/* The right number, too late. */
static void test_a_cookie_that_is_too_old(void **state)
{
	struct scene *s = cookie_scene();

	(void)state;
	syn_and_cookie(s, 0, 0);
	client(s, A, 1, 1, 0);
	tell(s, SHK_SOCK_RESET_SENT, 0, SHK_REASON_INVALID_COOKIE);
	server(s, R, 1, 0, 0);
	pass_and_tell(s, 200 * SECOND);
	assert_int_equal(the_closed(s)->open, SHK_O_EMBRYO_RST);
	expect_cookie(the_closed(s), SHK_COOKIE_INVALID, 0);
	assert_int_equal(the_closed(s)->blame.where, SHK_BLAME_LISTENER);
	assert_non_null(strstr(the_closed(s)->blame.why, "no valid SYN cookie to port 443"));
	scene_free(s);
}

static void test_an_ordinary_handshake_has_none(void **state)
{
	struct scene *s = scene_new(SERVER_HOST);

	(void)state;
	handshake(s);
	assert_int_equal(the_opened(s)->cookie.fate, SHK_COOKIE_NONE);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments_tell_what_is_kept),
		cmocka_unit_test(test_without_its_syn_a_cookie_keeps_what_nobody_knows),
		cmocka_unit_test(test_the_sockets_word_comes_before_that_of_the_segments),
		cmocka_unit_test(test_the_socket_alone_knows_of_the_cookie),
		cmocka_unit_test(test_an_ack_without_a_valid_cookie),
		cmocka_unit_test(test_a_cookie_that_is_too_old),
		cmocka_unit_test(test_an_ordinary_handshake_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
