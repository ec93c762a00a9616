// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "sink_rig.h"
#include "text.h"

#define WIDTH 120

static const struct shk_sink_config ASCII = {0};
static const struct shk_sink_config UTF8 = {.utf8 = true};

static void expect_ladder(const struct shk_conn *conn, struct shk_sink_config flags, const char *expected)
{
	struct sink_rig rig;

	sink_rig_open(&rig, shk_sink_ladder_new, flags);
	sink_rig_opened(&rig, conn);
	sink_rig_closed(&rig, conn);
	assert_string_equal(sink_rig_text(&rig), expected);
	sink_rig_close(&rig);
}

#define ALL_HOOKS " OUT +0 POST +3 PRE +9 IN +12\n"

/* clang-format off */
#define ENDS \
"   client 10.7.0.1:44312                                             server 10.7.0.2:80\n"
#define TITLES_UTF8 \
"     seconds │                                                                │" \
" hooks, µs after the first\n"
#define TITLES_ASCII \
"     seconds |                                                                |" \
" hooks, us after the first\n"
/* clang-format on */
#define TOP_UTF8  "\n22:13:20.000  both ends on this host\n" ENDS TITLES_UTF8
#define TOP_ASCII "\n22:13:20.000  both ends on this host\n" ENDS TITLES_ASCII

static void test_whole_life(void **state)
{
	struct shk_arrow arrows[SAMPLE_ARROWS];
	struct shk_conn conn = sample_closed();

	(void)state;
	sample_arrows(&conn, arrows);
	/* clang-format off */
	expect_ladder(&conn, UTF8, TOP_UTF8
"    0.000000 │ [1] SYN seq=3141592653                                         │" ALL_HOOKS
"    SYN-SENT │───────────────────────────────────────────────────────────────►│ SYN-RECEIVED\n"
"    0.000150 │ [2] SYN+ACK seq=2718281828 ack=3141592654 ✓ = client ISN+1     │" ALL_HOOKS
" ESTABLISHED │◄───────────────────────────────────────────────────────────────│ SYN-RECEIVED\n"
"    0.000181 │ [3] ACK seq=3141592654 ack=2718281829 ✓ = server ISN+1         │" ALL_HOOKS
" ESTABLISHED │───────────────────────────────────────────────────────────────►│ ESTABLISHED\n"
"             │ ══ three-way handshake in 0.18 ms ══                           │\n"
"    0.179890 │ [4] FIN+ACK seq=3141592733 ack=2718296150                      │" ALL_HOOKS
"  FIN-WAIT-1 │───────────────────────────────────────────────────────────────►│ CLOSE-WAIT\n"
"    0.179932 │ [5] ACK seq=2718296150 ack=3141592734 ✓ covers FIN             │" ALL_HOOKS
"  FIN-WAIT-2 │◄───────────────────────────────────────────────────────────────│ CLOSE-WAIT\n"
"    0.179980 │ [6] FIN+ACK seq=2718296150 ack=3141592734                      │" ALL_HOOKS
"   TIME-WAIT │◄───────────────────────────────────────────────────────────────│ LAST-ACK\n"
"    0.180000 │ [7] ACK seq=3141592734 ack=2718296151 ✓ covers FIN             │" ALL_HOOKS
"   TIME-WAIT │───────────────────────────────────────────────────────────────►│ CLOSED\n"
"             │ ══ four-segment close by client, → 79 B ← 14 kB in 180 ms ══   │\n"
"             │                                                                │\n");
	conn.n_arrows = 3;
	expect_ladder(&conn, ASCII, TOP_ASCII
"    0.000000 | [1] SYN seq=3141592653                                         |" ALL_HOOKS
"    SYN-SENT |--------------------------------------------------------------->| SYN-RECEIVED\n"
"    0.000150 | [2] SYN+ACK seq=2718281828 ack=3141592654 ok = client ISN+1    |" ALL_HOOKS
" ESTABLISHED |<---------------------------------------------------------------| SYN-RECEIVED\n"
"    0.000181 | [3] ACK seq=3141592654 ack=2718281829 ok = server ISN+1        |" ALL_HOOKS
" ESTABLISHED |--------------------------------------------------------------->| ESTABLISHED\n"
"             | == three-way handshake in 0.18 ms ==                           |\n"
"             | == four-segment close by client, -> 79 B <- 14 kB in 180 ms == |\n"
"             |                                                                |\n");
	/* clang-format on */
}

/* Each under its end, or only one of them. */
static void test_processes(void **state)
{
	struct shk_conn conn = sample_opened();

	(void)state;
	conn.n_arrows = 0;
	conn.close = SHK_C_RST;
	sample_process(&conn.end[SHK_CLIENT], "curl", 4711, 0);
	sample_process(&conn.end[SHK_SERVER], "a-15-chars-name", 4194304, 0);
	/* clang-format off */
	expect_ladder(&conn, UTF8, "\n22:13:20.000  both ends on this host\n" ENDS
"        curl[4711]                                                a-15-chars-name[4194304]\n"
TITLES_UTF8
"             │ ══ three-way handshake in 0.18 ms ══                           │\n"
"             │ ══ reset in 0.18 ms ══                                         │\n"
"             │                                                                │\n");
	conn.end[SHK_CLIENT].process.pid = 0;
	expect_ladder(&conn, UTF8, "\n22:13:20.000  both ends on this host\n" ENDS
"                                                                  a-15-chars-name[4194304]\n"
TITLES_UTF8
"             │ ══ three-way handshake in 0.18 ms ══                           │\n"
"             │ ══ reset in 0.18 ms ══                                         │\n"
"             │                                                                │\n");
	/* clang-format on */
}

static void test_no_answer(void **state)
{
	struct shk_arrow arrows[2] = {
		{
			.first_ns = SAMPLE_START_NS,
			.ts_ns[SHK_HOOK_LOCAL_OUT] = SAMPLE_START_NS,
			.seq = SAMPLE_CLIENT_ISN,
			.tcp_flags = SHK_TCP_SYN | SHK_TCP_ECE | SHK_TCP_CWR,
			.from = SHK_CLIENT,
			.state = {SHK_SYN_SENT, SHK_STATE_UNKNOWN},
		},
	};
	struct shk_conn conn = sample_refused();

	(void)state;
	arrows[1] = arrows[0];
	arrows[1].first_ns = SAMPLE_START_NS + 1013 * SAMPLE_MS;
	arrows[1].ts_ns[SHK_HOOK_LOCAL_OUT] = arrows[1].first_ns;
	arrows[1].proves = SHK_ARROW_RETRANSMIT;
	sample_end(&conn.end[SHK_SERVER], "10.7.0.2", 80);
	conn.arrows = arrows;
	conn.n_arrows = 2;
	conn.open = SHK_O_TIMEOUT;
	conn.open_flags = SHK_OF_SYN_RETRANSMIT;
	conn.end[SHK_CLIENT].syn = 2;
	conn.last_ns = arrows[1].first_ns;
	conn.confidence = SHK_INFERRED;
	conn.local = SHK_CLIENT;
	/* clang-format off */
	expect_ladder(&conn, (struct shk_sink_config){.utf8 = true, .numeric_netns = true},
"\n"
"22:13:20.000  client on this host, netns 4026531840 (inferred)\n"
ENDS TITLES_UTF8
"    0.000000 │ [1] SYN+ECE+CWR seq=3141592653                                 │ OUT +0\n"
"    SYN-SENT │───────────────────────────────────────────────────────────────►│ ?\n"
"    1.013000 │ [2] SYN+ECE+CWR seq=3141592653                                 │ OUT +0\n"
"    SYN-SENT │╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ retransmission ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌►│ ?\n"
"             │ ══ no answer after 2 SYN in 1.0 s ══                           │\n"
"             │                                                                │\n");
	/* clang-format on */
}

/* What a wrong ack, a reset, segments that were not kept and stragglers look like; hooks by their time. */
static void test_reset(void **state)
{
	const uint64_t at = SAMPLE_START_NS;
	struct shk_arrow arrows[3] = {
		{
			.first_ns = at,
			.ts_ns = {[SHK_HOOK_PRE_ROUTING] = at,
				  [SHK_HOOK_FORWARD] = at + 2500,
				  [SHK_HOOK_POST_ROUTING] = at + 4000},
			.seq = SAMPLE_CLIENT_ISN + 1,
			.ack = 7,
			.payload_len = 5,
			.tcp_flags = SHK_TCP_PSH | SHK_TCP_ACK,
			.from = SHK_CLIENT,
			.state = {SHK_ESTABLISHED, SHK_ESTABLISHED},
			.proves = SHK_ARROW_WRONG_ACK,
		},
		{
			.first_ns = at + 100,
			.ts_ns = {[SHK_HOOK_CAPTURE] = at + 100},
			.seq = 7,
			.tcp_flags = SHK_TCP_RST,
			.from = SHK_SERVER,
			.state = {SHK_CLOSED, SHK_CLOSED},
		},
		{
			.first_ns = at + 200000 * SAMPLE_S,
			.seq = SAMPLE_CLIENT_ISN + 6,
			.ack = SAMPLE_SERVER_ISN + 2,
			.tcp_flags = SHK_TCP_ACK,
			.from = SHK_CLIENT,
			.state = {SHK_CLOSED, SHK_CLOSED},
			.proves = SHK_PROVES_SYNACK_ACKED,
		},
	};
	struct shk_conn conn = sample_closed();

	(void)state;
	conn.open = SHK_O_PREEXISTING;
	conn.open_total_ns = SHK_UNKNOWN_NS;
	conn.close = SHK_C_RST;
	conn.close_by = SHK_SERVER;
	conn.arrows = arrows;
	conn.n_arrows = 3;
	conn.arrows_dropped = 12;
	/* clang-format off */
	expect_ladder(&conn, UTF8, TOP_UTF8
"             │ ══ open before the observer started ══                         │\n"
"    0.000000 │ [1] PSH+ACK seq=3141592654 ack=7 ✗ wrong ack len=5             │ PRE +0 FWD +2 POST +4\n"
" ESTABLISHED │───────────────────────────────────────────────────────────────►│ ESTABLISHED\n"
"    0.000000 │ [2] RST seq=7                                                  │ CAP +0\n"
"      CLOSED │◄───────────────────────────────────────────────────────────────│ CLOSED\n"
"             │ ══ reset by server, → 79 B ← 14 kB in 180 ms ══                │\n"
"     2 d 7 h │ [3] ACK seq=3141592659 ack=2718281830 ✓ covers server ISN+1    │\n"
"      CLOSED │───────────────────────────────────────────────────────────────►│ CLOSED\n"
"           … │ 12 more segments, not kept                                     │\n"
"             │                                                                │\n");
	/* clang-format on */
}

/* What is too long for its column goes on below: a label, a verdict (after a comma), stamps. */
static void test_broken_rows(void **state)
{
	const uint64_t at = SAMPLE_START_NS;
	struct shk_arrow arrow = {
		.first_ns = at,
		.ts_ns = {[SHK_HOOK_LOCAL_OUT] = at,
			  [SHK_HOOK_POST_ROUTING] = at + 3 * SAMPLE_S,
			  [SHK_HOOK_PRE_ROUTING] = at + 5 * SAMPLE_S,
			  [SHK_HOOK_LOCAL_IN] = at + 9 * SAMPLE_S},
		.seq = UINT32_MAX,
		.ack = UINT32_MAX,
		.payload_len = 6553,
		.tcp_flags = SHK_TCP_FIN | SHK_TCP_ACK,
		.from = SHK_SERVER,
		.state = {SHK_TIME_WAIT, SHK_LAST_ACK},
		.proves = SHK_PROVES_FIN_ACKED,
	};
	struct shk_conn conn = sample_closed();

	(void)state;
	conn.half_close = true;
	conn.half_close_ns = 3200 * SAMPLE_MS;
	conn.half_close_bytes = 14000;
	conn.open = SHK_O_PREEXISTING;
	conn.open_total_ns = SHK_UNKNOWN_NS;
	conn.arrows = &arrow;
	conn.n_arrows = 1;
	/* clang-format off */
	expect_ladder(&conn, UTF8, TOP_UTF8
"             │ ══ open before the observer started ══                         │\n"
"    0.000000 │ [1] FIN+ACK seq=4294967295 ack=4294967295 ✓ covers FIN         │"
" OUT +0 POST +3000000 PRE +5000000 IN\n"
"             │ len=6553                                                       │ +9000000\n"
"   TIME-WAIT │◄───────────────────────────────────────────────────────────────│ LAST-ACK\n"
"             │ ══ half-closed by client 3.2 s, 14 kB, then closed,            │\n"
"             │ ══ → 79 B ← 14 kB in 180 ms ══                                 │\n"
"             │                                                                │\n");
	/* clang-format on */
}

static void test_longest_ends(void **state)
{
	struct shk_conn conn = sample_refused();

	(void)state;
	sample_end(&conn.end[SHK_CLIENT], "2001:db8:1111:2222:3333:4444:5555:6666", 51234);
	sample_end(&conn.end[SHK_SERVER], "2001:db8:1111:2222:3333:4444:5555:7777", 65535);
	/* clang-format off */
	expect_ladder(&conn, ASCII,
"\n"
"22:13:20.000  both ends on this host\n"
"client [2001:db8:1111:2222:3333:4444:5555:6666]:51234  "
"server [2001:db8:1111:2222:3333:4444:5555:7777]:65535\n"
TITLES_ASCII
"             | == refused after 0.21 ms ==                                    |\n"
"             |                                                                |\n");
	/* clang-format on */
}

/* An engine that was not asked for segments, or an opening that never was decided. */
static void test_without_segments(void **state)
{
	struct shk_conn conn = sample_opened();

	(void)state;
	conn.open = SHK_O_NONE;
	conn.open_total_ns = SHK_UNKNOWN_NS;
	/* clang-format off */
	expect_ladder(&conn, ASCII, TOP_ASCII
"             | == opening not decided yet ==                                  |\n"
"             |                                                                |\n");
	conn.open = SHK_O_3WHS;
	expect_ladder(&conn, ASCII, TOP_ASCII
"             | == three-way handshake ==                                      |\n"
"             | == still open after 0.18 ms ==                                 |\n"
"             |                                                                |\n");
	/* clang-format on */
}

static const char *remark(void *arg, const struct shk_conn *conn, uint32_t arrow)
{
	assert_true(arrow < conn->n_arrows);
	return ((const char *const *)arg)[arrow];
}

/* In place of the hooks; longer ones take rows of their own. */
static void test_remarks(void **state)
{
	static const char *const remarks[] = {"",
					      "It waits for nobody, but its remark takes more than a row."};
	struct shk_arrow arrows[SAMPLE_ARROWS];
	struct shk_conn conn = sample_opened();

	(void)state;
	sample_arrows(&conn, arrows);
	conn.n_arrows = 2;
	/* clang-format off */
	expect_ladder(&conn, (struct shk_sink_config){.remark = remark, .remark_arg = (void *)remarks},
"\n"
"22:13:20.000  both ends on this host\n"
ENDS
"     seconds |                                                                |\n"
"    0.000000 | [1] SYN seq=3141592653                                         |\n"
"    SYN-SENT |--------------------------------------------------------------->| SYN-RECEIVED\n"
"    0.000150 | [2] SYN+ACK seq=2718281828 ack=3141592654 ok = client ISN+1    |"
" It waits for nobody,\n"
"             |                                                                |"
" but its remark takes more than a row.\n"
" ESTABLISHED |<---------------------------------------------------------------| SYN-RECEIVED\n"
"             | == three-way handshake in 0.18 ms ==                           |\n"
"             | == still open after 0.18 ms ==                                 |\n"
"             |                                                                |\n");
	/* clang-format on */
}

static bool has_bar(const char *row, unsigned int column)
{
	while (column && *row) {
		row++;
		if ((*row & 0xc0) != 0x80)
			column--;
	}
	return *row == '|' || strncmp(row, "│", strlen("│")) == 0;
}

/* Whatever the values are, no row is wider than the page, and the bars stay where they are. */
static void expect_fits(const struct shk_conn *conn, struct shk_sink_config flags)
{
	struct sink_rig rig;
	unsigned int rows = 0;
	char *row, *rest;

	sink_rig_open(&rig, shk_sink_ladder_new, flags);
	sink_rig_closed(&rig, conn);
	sink_rig_text(&rig);
	row = strtok_r(rig.text, "\n", &rest);
	row = strtok_r(NULL, "\n", &rest); /* the title may be as long as it has to be */
	for (; row; row = strtok_r(NULL, "\n", &rest)) {
		assert_true(shk_text_columns(row) <= WIDTH);
		if (rows++)
			assert_true(has_bar(row, 13) && has_bar(row, 78));
	}
	assert_true(rows > 12);
	sink_rig_close(&rig);
}

static void test_maximal(void **state)
{
	struct shk_arrow arrows[SAMPLE_ARROWS];
	struct shk_conn conn = sample_closed();

	(void)state;
	sample_arrows(&conn, arrows);
	for (int i = 0; i < SAMPLE_ARROWS; i++) {
		struct shk_arrow *a = &arrows[i];

		a->seq = a->ack = a->payload_len = UINT32_MAX;
		a->tcp_flags = 0xffff;
		a->proves = 0xff;
		a->state[0] = a->state[1] = SHK_SYN_RECEIVED;
		for (int hook = 0; hook < SHK_HOOK_COUNT; hook++)
			a->ts_ns[hook] = UINT64_MAX - hook;
		a->first_ns = i ? 3650 * 86400 * SAMPLE_S : 0;
	}
	conn.open_flags = (1U << SHK_OF_COUNT) - 1;
	conn.close_flags = (1U << SHK_CF_COUNT) - 1;
	conn.half_close = true;
	conn.half_close_ns = SHK_UNKNOWN_NS - 1;
	conn.half_close_bytes = UINT64_MAX;
	conn.arrows_dropped = UINT32_MAX;
	for (int side = 0; side < 2; side++) {
		struct shk_end *end = &conn.end[side];

		sample_end(end, "2001:db8:1111:2222:3333:4444:5555:6666", 65535);
		end->syn = end->synack = end->fin = end->fin_retransmits = UINT32_MAX;
		end->bytes = UINT64_MAX;
	}
	expect_fits(&conn, ASCII);
	expect_fits(&conn, UTF8);
	for (int i = 0; i < SHK_O_COUNT; i++) {
		conn.open = i;
		expect_fits(&conn, UTF8);
	}
	conn.open = SHK_O_SIMULTANEOUS;
	for (int i = 0; i < SHK_C_COUNT; i++) {
		conn.close = i;
		expect_fits(&conn, UTF8);
	}
}

static void test_around(void **state)
{
	const struct shk_summary summary = {.connections = 0};
	struct sink_rig rig;

	(void)state;
	sink_rig_open(&rig, shk_sink_ladder_new, UTF8);
	assert_true(rig.sink->arrows_wanted >= 16);
	sink_rig_header(&rig);
	sink_rig_lost(&rig, 17);
	assert_int_equal(rig.sink->ops->summary(rig.sink, &summary), 0);
	assert_string_equal(sink_rig_text(&rig),
			    "tcpshake 0.1.0 on web1, Linux 6.1.0-49-amd64, events from kmod and bpf\n"
			    "22:13:20.005 lost 17 events at kmod, CPU 1\n"
			    "\n"
			    "0 connections\n"
			    "  events          0  seen = 0 delivered + 0 lost; 0 late\n");
	sink_rig_close(&rig);
}

/* The colours and nothing else come in between. */
static void test_colours(void **state)
{
	struct shk_arrow arrows[SAMPLE_ARROWS];
	struct shk_conn conn = sample_refused();
	const char *text;
	struct sink_rig rig;

	(void)state;
	sample_arrows(&conn, arrows);
	conn.n_arrows = 1;
	sink_rig_open(&rig, shk_sink_ladder_new, (struct shk_sink_config){.colour = true});
	sink_rig_closed(&rig, &conn);
	text = sink_rig_text(&rig);
	assert_non_null(strstr(text, "\n\033[1m   client 10.7.0.1:44312  "));
	assert_non_null(strstr(text, "| \033[2mOUT +0 POST +3 PRE +9 IN +12\033[0m\n"));
	assert_non_null(strstr(text, "\n             | == \033[31mrefused after 0.21 ms\033[0m ==    "));
	sink_rig_close(&rig);
}

static void test_errors(void **state)
{
	(void)state;
	sink_rig_check_errors(shk_sink_ladder_new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_life),       cmocka_unit_test(test_processes),
		cmocka_unit_test(test_no_answer),        cmocka_unit_test(test_reset),
		cmocka_unit_test(test_broken_rows),      cmocka_unit_test(test_longest_ends),
		cmocka_unit_test(test_without_segments), cmocka_unit_test(test_remarks),
		cmocka_unit_test(test_maximal),          cmocka_unit_test(test_around),
		cmocka_unit_test(test_colours),          cmocka_unit_test(test_errors),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, sink_rig_utc, NULL);
}
