// SPDX-License-Identifier: GPL-2.0
/*
 * Every way to open, and to fail to, that the wire can tell: the verdict, how sure it is, who is blamed and
 * in which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pattern_rig.h"

#define REUSE_STEP 65537

static void no_answer(struct scene *s)
{
	client(s, S, 0, 0, 0);
	pass(s, SECOND - STEP_NS);
	client(s, S, 0, 0, 0);
	pass(s, 2 * SECOND - STEP_NS);
	client(s, S, 0, 0, 0);
}

/*
 * ---- Nobody answers --------------------------------------------------------------------------------
 */

static void dropped_on_the_way_out(struct scene *s)
{
	s->hooks = SHK_HOOK_BIT(OUT);
	no_answer(s);
}

static void dropped_in_forward(struct scene *s)
{
	s->hooks = SHK_HOOK_BIT(PRE) | SHK_HOOK_BIT(FORWARD);
	no_answer(s);
}

static void dropped_on_the_way_in(struct scene *s)
{
	s->hooks = ~SHK_HOOK_BIT(IN) & ~SHK_HOOK_BIT(FORWARD);
	no_answer(s);
}

/* Destination NAT: the same SYN goes on under another tuple, where it is lost. */
static void translated(struct scene *s)
{
	s->hooks = SHK_HOOK_BIT(PRE);
	client(s, S, 0, 0, 0);
	s->hooks = ~SHK_HOOK_BIT(PRE);
	s->ends[CLIENT].daddr[15] = 77;
	client(s, S, 0, 0, 0);
	s->ends[CLIENT].daddr[15] = 2;
}

static void answered_by_ack_only(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, A, 0 - 5000, 0 - 300, 0);
	pass(s, SECOND);
	client(s, S, 0, 0, 0);
	server(s, A, 0 - 5000, 0 - 300, 0);
}

static void md5_on_the_syn(struct scene *s)
{
	option(s, SHK_OPT_MD5);
	client(s, S, 0, 0, 0);
}

static void wrong_synacks(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 4242, 0);
	client(s, R, 4242, 0, 0);
	server(s, SA, 0, 4242, 0);
	client(s, R, 4242, 0, 0);
}

static void test_nobody_answers(void **state)
{
	static const struct pattern patterns[] = {
		{"no answer", no_answer, ONLY(CLIENT_HOST), SHK_O_TIMEOUT, SHK_C_NONE, SHK_INFERRED,
		 SHK_BLAME_NETWORK, "SYN left this host 3 times in 3.0 s (POST_ROUTING), no answer arrived"},
		{"no answer", no_answer, ONLY(FORWARDER), SHK_O_TIMEOUT, SHK_C_NONE, SHK_INFERRED,
		 SHK_BLAME_NETWORK, "SYN left this host 3 times"},
		{"no answer", no_answer, ONLY(SERVER_HOST) | ONLY(LOOPBACK), SHK_O_TIMEOUT, SHK_C_NONE,
		 SHK_INFERRED, SHK_BLAME_LOCAL_STACK, "delivered to this host's TCP 3 times in 3.0 s"},
		{"no answer", no_answer, ONLY(TAP), SHK_O_TIMEOUT, SHK_C_NONE, SHK_INFERRED, SHK_BLAME_NONE,
		 "SYN seen 3 times in 3.0 s, no answer: observe on the server's host"},
		{"md5", md5_on_the_syn, ONLY(SERVER_HOST), SHK_O_TIMEOUT, SHK_C_NONE, SHK_INFERRED,
		 SHK_BLAME_LOCAL_STACK, "TCP-MD5"},
		{"dropped out", dropped_on_the_way_out, ONLY(CLIENT_HOST) | ONLY(LOOPBACK), SHK_O_NF_DROP_OUT,
		 SHK_C_NONE, SHK_INFERRED, SHK_BLAME_LOCAL_FIREWALL,
		 "SYN seen 3 times in 3.0 s at LOCAL_OUT, never at POST_ROUTING: dropped by this host's own"},
		{"dropped in forward", dropped_in_forward, ONLY(FORWARDER), SHK_O_NF_DROP_OUT, SHK_C_NONE,
		 SHK_INFERRED, SHK_BLAME_LOCAL_FIREWALL, "at FORWARD, never at POST_ROUTING"},
		{"dropped in", dropped_on_the_way_in, ONLY(SERVER_HOST) | ONLY(LOOPBACK), SHK_O_NF_DROP_IN,
		 SHK_C_NONE, SHK_INFERRED, SHK_BLAME_LOCAL_FIREWALL, "at PRE_ROUTING, never at LOCAL_IN"},
		{"translated", translated, ONLY(SERVER_HOST), SHK_O_TIMEOUT, SHK_C_NONE, SHK_INFERRED,
		 SHK_BLAME_LOCAL_STACK, "delivered"},
		{"answered by ACK", answered_by_ack_only, ONLY(CLIENT_HOST) | ONLY(TAP) | ONLY(FORWARDER),
		 SHK_O_TIMEOUT, SHK_C_NONE, SHK_INFERRED, SHK_BLAME_PEER, "holds an earlier connection"},
		{"answered by ACK", answered_by_ack_only, ONLY(SERVER_HOST) | ONLY(LOOPBACK), SHK_O_TIMEOUT,
		 SHK_C_NONE, SHK_INFERRED, SHK_BLAME_LOCAL_STACK, "SYN sent twice in 1.0 s, answered by ACK"},
		{"wrong SYN+ACKs", wrong_synacks, EVERYWHERE & ~ONLY(SERVER_HOST) & ~ONLY(LOOPBACK),
		 SHK_O_BAD_SYNACK, SHK_C_NONE, SHK_INFERRED, SHK_BLAME_PEER, "SYN+ACK seen twice"},
	};

	(void)state;
	CHECK_ALL(patterns);
}

/* Which hooks are not observed must be known before anything is said of what they did not see. */
static void test_a_hook_that_nobody_looks_at_blames_nobody(void **state)
{
	static const struct {
		uint32_t hooks;
		enum shk_open open;
	} cases[] = {
		{SHK_HOOKS_NETFILTER, SHK_O_NF_DROP_OUT},
		{SHK_HOOKS_NETFILTER & ~SHK_HOOK_BIT(POST), SHK_O_TIMEOUT},
		{0, SHK_O_TIMEOUT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shk_engine_config config = host_config;
		struct scene *s;

		config.hooks = cases[i].hooks;
		s = scene_new_with(CLIENT_HOST, &config);
		dropped_on_the_way_out(s);
		pass_and_tell(s, 200 * SECOND);
		assert_int_equal(the_closed(s)->open, cases[i].open);
		assert_int_equal(the_closed(s)->blame.where, i ? SHK_BLAME_NONE : SHK_BLAME_LOCAL_FIREWALL);
		scene_free(s);
	}
}

/* Of a SYN that was translated nothing is missing: both tuples say so. */
static void test_translation_is_no_drop(void **state)
{
	struct scene *s = watch(SERVER_HOST);

	(void)state;
	translated(s);
	pass_and_tell(s, 200 * SECOND);
	assert_int_equal(n_closed(s), 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(closed_at(s, i)->open, SHK_O_TIMEOUT);
	scene_free(s);
}

/*
 * ---- Refused and reset ---------------------------------------------------------------------------
 */

static void refused(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, RA, 0 - SERVER_ISN, 1, 0);
}

/* A firewall's REJECT in INPUT: the SYN reaches no TCP, and yet there is an RST. */
static void rejected_by_the_firewall(struct scene *s)
{
	s->hooks = ~SHK_HOOK_BIT(IN);
	client(s, S, 0, 0, 0);
	s->hooks = UINT32_MAX;
	server(s, RA, 0 - SERVER_ISN, 1, 0);
}

static void never_acknowledged(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	pass(s, SECOND - STEP_NS);
	server(s, SA, 0, 1, 0);
}

static void synack_dropped_on_its_way_out(struct scene *s)
{
	client(s, S, 0, 0, 0);
	s->hooks = SHK_HOOK_BIT(OUT);
	server(s, SA, 0, 1, 0);
}

static void synack_dropped_on_its_way_in(struct scene *s)
{
	client(s, S, 0, 0, 0);
	s->hooks = ~SHK_HOOK_BIT(IN);
	server(s, SA, 0, 1, 0);
}

static void keys_differ(struct scene *s)
{
	client(s, S, 0, 0, 0);
	option(s, SHK_OPT_MD5);
	server(s, SA, 0, 1, 0);
}

static void client_knows_nothing(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, R, 1, 0, 0);
}

/* The listener is closed, or its accept queue full and tcp_abort_on_overflow set. */
static void third_ack_refused(struct scene *s)
{
	handshake(s);
	server(s, R, 1, 0, 0);
}

static void bad_cookie(struct scene *s)
{
	s->cookies = true;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 557, 0);
	server(s, R, 557, 0, 0);
}

static void test_refused_and_reset(void **state)
{
	static const struct pattern patterns[] = {
		{"refused", refused, ONLY(CLIENT_HOST) | ONLY(TAP) | ONLY(FORWARDER), SHK_O_REFUSED,
		 SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_PEER, "nobody listens on its port 443, or a firewall"},
		{"refused", refused, ONLY(SERVER_HOST) | ONLY(LOOPBACK), SHK_O_REFUSED, SHK_C_NONE,
		 SHK_CERTAIN, SHK_BLAME_LISTENER, "nobody listens on port 443 of this host"},
		{"rejected", rejected_by_the_firewall, ONLY(SERVER_HOST), SHK_O_REFUSED, SHK_C_NONE,
		 SHK_CERTAIN, SHK_BLAME_LOCAL_FIREWALL, "reject with tcp reset"},
		{"never acknowledged", never_acknowledged, ONLY(SERVER_HOST), SHK_O_EMBRYO_EXPIRED,
		 SHK_C_NONE, SHK_INFERRED, SHK_BLAME_NETWORK, "SYN+ACK left this host twice in 1.0 s"},
		{"never acknowledged", never_acknowledged, ONLY(CLIENT_HOST), SHK_O_EMBRYO_EXPIRED,
		 SHK_C_NONE, SHK_INFERRED, SHK_BLAME_LOCAL_STACK,
		 "SYN+ACK delivered to this host's TCP twice"},
		{"never acknowledged", never_acknowledged, ONLY(TAP), SHK_O_EMBRYO_EXPIRED, SHK_C_NONE,
		 SHK_INFERRED, SHK_BLAME_NONE, "SYN+ACK seen twice"},
		{"SYN+ACK dropped out", synack_dropped_on_its_way_out, ONLY(SERVER_HOST),
		 SHK_O_EMBRYO_EXPIRED, SHK_C_NONE, SHK_INFERRED, SHK_BLAME_LOCAL_FIREWALL,
		 "SYN+ACK seen once at LOCAL_OUT, never at"},
		{"SYN+ACK dropped in", synack_dropped_on_its_way_in, ONLY(CLIENT_HOST), SHK_O_EMBRYO_EXPIRED,
		 SHK_C_NONE, SHK_INFERRED, SHK_BLAME_LOCAL_FIREWALL,
		 "SYN+ACK seen once at PRE_ROUTING, never"},
		{"keys differ", keys_differ, ONLY(TAP) | ONLY(SERVER_HOST), SHK_O_AUTH_DROP, SHK_C_NONE,
		 SHK_INFERRED, SHK_BLAME_PEER, "the SYN came without and the SYN+ACK with TCP-MD5"},
		{"client knows nothing", client_knows_nothing, ONLY(SERVER_HOST) | ONLY(TAP),
		 SHK_O_EMBRYO_RST, SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_PEER,
		 "the client's TCP knew of no connection"},
		{"client knows nothing", client_knows_nothing, ONLY(CLIENT_HOST) | ONLY(LOOPBACK),
		 SHK_O_EMBRYO_RST, SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_LOCAL_STACK, "given up before"},
		{"third ACK refused", third_ack_refused, ONLY(SERVER_HOST) | ONLY(LOOPBACK), SHK_O_EMBRYO_RST,
		 SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_LISTENER, "the third ACK was answered by RST"},
		/* elsewhere the RST may answer something that came later */
		{"third ACK refused", third_ack_refused, ONLY(CLIENT_HOST) | ONLY(TAP), SHK_O_3WHS, SHK_C_RST,
		 SHK_CERTAIN, SHK_BLAME_PEER, "an answer to a segment for which its TCP had no connection"},
		{"bad cookie", bad_cookie, ONLY(SERVER_HOST), SHK_O_EMBRYO_EXPIRED, SHK_C_NONE, SHK_INFERRED,
		 SHK_BLAME_PEER, "no valid SYN cookie"},
	};

	(void)state;
	CHECK_ALL(patterns);
}

/* Another SYN of the same port: two attempts, two records. */
static void test_embryo_ended_by_another_syn(void **state)
{
	(void)state;
	for (unsigned int v = 0; v < VANTAGES; v++) {
		struct scene *s = watch(v);
		const struct shk_conn *first, *second;

		client(s, S, 0, 0, 0);
		server(s, SA, 0, 1, 0);
		client(s, S, 11000, 0, 0);
		server(s, RA, 0 - SERVER_ISN, 11001, 0);
		pass_and_tell(s, 200 * SECOND);
		assert_told_in_order(s);
		assert_int_equal(n_closed(s), 2);
		first = closed_at(s, 0);
		assert_int_equal(first->open, SHK_O_EMBRYO_KILLED_BY_SYN);
		assert_int_equal(first->confidence, SHK_INFERRED);
		assert_int_equal(first->end[CLIENT].isn, CLIENT_ISN);
		assert_non_null(strstr(first->blame.why, "another ISN from the same port"));
		second = closed_at(s, 1);
		assert_int_equal(second->open, SHK_O_REFUSED);
		assert_int_equal(second->end[CLIENT].isn, CLIENT_ISN + 11000);
		scene_free(s);
	}
}

/*
 * ---- Opened in a way of its own ------------------------------------------------------------------
 */

/* A connection that ends with the TIME-WAIT of @closer, two seconds before what follows. */
static void leave_time_wait(struct scene *s, unsigned int closer)
{
	handshake(s);
	say(s, closer, FA, 1, 1, 0);
	say(s, !closer, FA, 1, 2, 0);
	say(s, closer, A, 2, 2, 0);
	pass_and_tell(s, 2 * SECOND);
}

static void open_again(struct scene *s, uint32_t client_step, uint32_t server_step)
{
	s->isn[CLIENT] += client_step;
	s->isn[SERVER] += server_step;
	handshake(s);
}

/* Linux 6.10 and later continue where the TIME-WAIT ended; FIN at 1, so 2 comes next. */
static void out_of_servers_time_wait(struct scene *s)
{
	leave_time_wait(s, SERVER);
	open_again(s, 100000, 2 + REUSE_STEP);
}

/* Linux 6.1 takes a number of the clock. */
static void out_of_servers_time_wait_by_the_clock(struct scene *s)
{
	leave_time_wait(s, SERVER);
	open_again(s, 100000, 1692489);
}

static void after_time_wait(struct scene *s)
{
	leave_time_wait(s, SERVER);
	pass_and_tell(s, 60 * SECOND);
	open_again(s, 100000, 1692489);
}

static void out_of_clients_time_wait(struct scene *s)
{
	leave_time_wait(s, CLIENT);
	option(s, SHK_OPT_TIMESTAMPS);
	s->with.tsecr = 501;
	open_again(s, 2 + REUSE_STEP, 100000);
}

static void syn_echoes_a_timestamp(struct scene *s)
{
	option(s, SHK_OPT_TIMESTAMPS);
	s->with.tsecr = 501;
	handshake(s);
}

/* @seq: of the SYN, relative to the old ISN */
static void meet_time_wait(struct scene *s, uint32_t seq)
{
	leave_time_wait(s, SERVER);
	s->isn[CLIENT] += seq;
	client(s, S, 0, 0, 0);
	server(s, A, 2, 2 - seq, 0);
	client(s, R, 2 - seq, 0, 0);
	pass(s, SECOND - 3 * STEP_NS);
	s->isn[SERVER] += 500000;
	handshake(s);
}

static void meet_time_wait_below(struct scene *s)
{
	meet_time_wait(s, 0U - 500);
}

static void meet_time_wait_above(struct scene *s)
{
	meet_time_wait(s, 500);
}

static void meet_somebody_unknown(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, A, 0 - 5000, 0 - 300, 0);
	client(s, R, 0 - 300, 0, 0);
	pass(s, SECOND - 3 * STEP_NS);
	handshake(s);
}

static void cookie(struct scene *s)
{
	s->cookies = true;
	handshake(s);
}

/* The same server number plus what the client's had moved, which is not what the clock had. */
static void cookie_that_moves_with_the_client(struct scene *s)
{
	s->cookies = true;
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	open_again(s, 0x20000000, 0x20000000);
}

/* Both moved as the clock of RFC 6528 does: that is how ordinary numbers move. */
static void numbers_that_move_with_the_clock(struct scene *s)
{
	client(s, S, 0, 0, 0);
	server(s, SA, 0, 1, 0);
	pass(s, SECOND - 2 * STEP_NS);
	open_again(s, 15625000, 15625000);
}

static void fast_open_with_data(struct scene *s)
{
	option(s, SHK_OPT_TFO);
	s->with.tfo_len = 8;
	client(s, S, 0, 0, 5);
	server(s, SA, 0, 6, 0);
	client(s, A, 6, 1, 0);
}

static void fast_open_cookie_asked_for(struct scene *s)
{
	option(s, SHK_OPT_TFO);
	handshake(s);
}

static void fast_open_not_taken(struct scene *s)
{
	option(s, SHK_OPT_TFO);
	s->with.tfo_len = 8;
	client(s, S, 0, 0, 5);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
}

static void deaf_server(struct scene *s)
{
	handshake(s);
	pass(s, SECOND);
	server(s, SA, 0, 1, 0);
	client(s, A, 1, 1, 0);
}

static void test_opened_in_a_way_of_its_own(void **state)
{
	const uint8_t server_here = ONLY(SERVER_HOST) | ONLY(LOOPBACK);
	const struct pattern patterns[] = {
		{"TIME-WAIT, passive", out_of_servers_time_wait, EVERYWHERE, SHK_O_TW_RECYCLE_PASSIVE,
		 SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_NOTHING, NULL},
		{"TIME-WAIT, passive, 6.1", out_of_servers_time_wait_by_the_clock, EVERYWHERE,
		 SHK_O_TW_RECYCLE_PASSIVE, SHK_C_NONE, SHK_INFERRED, SHK_BLAME_NOTHING, NULL},
		{"after TIME-WAIT", after_time_wait, EVERYWHERE, SHK_O_3WHS, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_NOTHING, NULL},
		{"TIME-WAIT, active", out_of_clients_time_wait, EVERYWHERE, SHK_O_TW_RECYCLE_ACTIVE,
		 SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_NOTHING, NULL},
		{"SYN with TSecr", syn_echoes_a_timestamp, EVERYWHERE, SHK_O_TW_RECYCLE_ACTIVE, SHK_C_NONE,
		 SHK_INFERRED, SHK_BLAME_NOTHING, NULL},
		{"TIME-WAIT, number too low", meet_time_wait_below, server_here, SHK_O_TW_ACK_RST_RETRY,
		 SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_LOCAL_STACK,
		 "TIME-WAIT of the same ports and got an ACK, for "
		 "its number was too low"},
		{"TIME-WAIT, old timestamp", meet_time_wait_above, ONLY(CLIENT_HOST) | ONLY(TAP),
		 SHK_O_TW_ACK_RST_RETRY, SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_PEER,
		 "(PAWS); the client's RST ended "
		 "that, and a SYN after 1.0 s"},
		{"stale end", meet_somebody_unknown, ONLY(CLIENT_HOST) | ONLY(TAP), SHK_O_3WHS, SHK_C_NONE,
		 SHK_CERTAIN, SHK_BLAME_PEER, "an earlier connection of the same ports"},
		{"cookie", cookie, server_here, SHK_O_COOKIE, SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_NOTHING,
		 NULL},
		{"cookie elsewhere", cookie, ONLY(CLIENT_HOST) | ONLY(TAP), SHK_O_3WHS, SHK_C_NONE,
		 SHK_CERTAIN, SHK_BLAME_NOTHING, NULL},
		{"two cookies", cookie_that_moves_with_the_client, ONLY(CLIENT_HOST) | ONLY(TAP),
		 SHK_O_COOKIE, SHK_C_NONE, SHK_INFERRED, SHK_BLAME_NOTHING, NULL},
		{"clock", numbers_that_move_with_the_clock, EVERYWHERE, SHK_O_3WHS, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_NOTHING, NULL},
		{"Fast Open", fast_open_with_data, EVERYWHERE, SHK_O_TFO_DATA, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_NOTHING, NULL},
		{"Fast Open, cookie asked for", fast_open_cookie_asked_for, EVERYWHERE, SHK_O_TFO_COOKIE_REQ,
		 SHK_C_NONE, SHK_CERTAIN, SHK_BLAME_NOTHING, NULL},
		{"Fast Open, not taken", fast_open_not_taken, EVERYWHERE, SHK_O_TFO_FALLBACK, SHK_C_NONE,
		 SHK_CERTAIN, SHK_BLAME_NOTHING, NULL},
		{"deaf server", deaf_server, ONLY(CLIENT_HOST) | ONLY(TAP), SHK_O_3WHS, SHK_C_NONE,
		 SHK_CERTAIN, SHK_BLAME_NONE, "although its ACK had been seen"},
		{"deaf server", deaf_server, server_here, SHK_O_3WHS, SHK_C_NONE, SHK_CERTAIN,
		 SHK_BLAME_LISTENER,
		 "SYN+ACK sent twice in 1.0 s, although its ACK had been seen: accept queue full"},
	};

	(void)state;
	CHECK_ALL(patterns);
}

/* A file remembers longer than any TIME-WAIT lasts: a tuple that was free again was not taken out of one. */
static void test_time_wait_ends(void **state)
{
	static const struct {
		uint64_t gap_ns;
		enum shk_open open;
	} cases[] = {{59 * SECOND, SHK_O_TW_RECYCLE_PASSIVE}, {61 * SECOND, SHK_O_3WHS}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct shk_engine_config config = tap_config;
		struct scene *s;

		config.linger_ns = SHK_LINGER_FILE_NS;
		s = scene_new_with(TAP, &config);
		leave_time_wait(s, SERVER);
		pass(s, cases[i].gap_ns - 2 * SECOND);
		open_again(s, 100000, 1692489);
		assert_int_equal(opened_at(s, 1)->open, cases[i].open);
		scene_free(s);
	}
}

/* RFC 3168 6.1.1; RFC 9768 3.1.1, table 2. */
static void test_ecn(void **state)
{
	static const struct {
		uint16_t syn, synack;
		uint32_t flags;
	} cases[] = {
		{0, 0, 0},
		{SHK_TCP_ECE | SHK_TCP_CWR, SHK_TCP_ECE, SHK_OF_ECN},
		{SHK_TCP_ECE | SHK_TCP_CWR, 0, 0},
		{SHK_TCP_ECE, SHK_TCP_ECE, 0},
		{SHK_TCP_AE | SHK_TCP_ECE | SHK_TCP_CWR, SHK_TCP_CWR, SHK_OF_ACCECN},
		{SHK_TCP_AE | SHK_TCP_ECE | SHK_TCP_CWR, SHK_TCP_AE | SHK_TCP_CWR, SHK_OF_ACCECN},
		{SHK_TCP_AE | SHK_TCP_ECE | SHK_TCP_CWR, SHK_TCP_ECE, SHK_OF_ECN},
		{SHK_TCP_AE | SHK_TCP_ECE | SHK_TCP_CWR, SHK_TCP_AE | SHK_TCP_ECE | SHK_TCP_CWR, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *s = watch(TAP);

		s->with.tcp_flags = cases[i].syn;
		client(s, S, 0, 0, 0);
		s->with.tcp_flags = cases[i].synack;
		server(s, SA, 0, 1, 0);
		client(s, A, 1, 1, 0);
		assert_int_equal(the_opened(s)->open_flags, cases[i].flags);
		scene_free(s);
	}
}

/* RFC 8684 3.1 and 3.2: a further subflow has a fourth segment. */
static void test_mptcp(void **state)
{
	(void)state;
	for (uint8_t subtype = 0; subtype < 2; subtype++) {
		struct scene *s = watch(LOOPBACK);
		uint32_t flags = SHK_OF_MPTCP | (subtype ? SHK_OF_MP_JOIN : 0);

		for (int i = 0; i < 2; i++) {
			option(s, SHK_OPT_MPTCP);
			s->with.mptcp_subtype = subtype;
			say(s, i, i ? SA : S, 0, 1, 0);
		}
		client(s, A, 1, 1, 0);
		if (subtype)
			server(s, A, 1, 1, 0);
		assert_int_equal(the_opened(s)->open, SHK_O_3WHS);
		assert_int_equal(the_opened(s)->open_flags, flags);
		scene_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_answers),
		cmocka_unit_test(test_a_hook_that_nobody_looks_at_blames_nobody),
		cmocka_unit_test(test_translation_is_no_drop),
		cmocka_unit_test(test_refused_and_reset),
		cmocka_unit_test(test_embryo_ended_by_another_syn),
		cmocka_unit_test(test_opened_in_a_way_of_its_own),
		cmocka_unit_test(test_time_wait_ends),
		cmocka_unit_test(test_ecn),
		cmocka_unit_test(test_mptcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
