// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "sink_rig.h"

static const struct shk_sink_config ASCII = {0};
static const struct shk_sink_config UTF8 = {.utf8 = true};

#define ENDS "both 10.7.0.1:44312    → 10.7.0.2:80     "

/* One line, opened or closed, by a fresh sink. */
static void expect_opened(const struct shk_conn *conn, struct shk_sink_config flags, const char *expected)
{
	struct sink_rig rig;

	sink_rig_open(&rig, shk_sink_line_new, flags);
	sink_rig_opened(&rig, conn);
	assert_string_equal(sink_rig_text(&rig), expected);
	sink_rig_close(&rig);
}

static void expect_closed(const struct shk_conn *conn, struct shk_sink_config flags, const char *expected)
{
	struct sink_rig rig;

	sink_rig_open(&rig, shk_sink_line_new, flags);
	sink_rig_closed(&rig, conn);
	assert_string_equal(sink_rig_text(&rig), expected);
	sink_rig_close(&rig);
}

static void test_header(void **state)
{
	struct sink_rig rig;

	(void)state;
	sink_rig_open(&rig, shk_sink_line_new, UTF8);
	sink_rig_header(&rig);
	assert_string_equal(sink_rig_text(&rig),
			    "tcpshake 0.1.0 on web1, Linux 6.1.0-49-amd64, events from kmod and bpf\n"
			    "time         via  client            → server                                "
			    "SYN+ACK     ACK client ISN server ISN\n");
	sink_rig_close(&rig);

	sink_rig_open(&rig, shk_sink_line_new, (struct shk_sink_config){.numeric_netns = true});
	sink_rig_header(&rig);
	assert_string_equal(
		sink_rig_text(&rig),
		"tcpshake 0.1.0 on web1, Linux 6.1.0-49-amd64, events from kmod and bpf\n"
		"time              netns via  client            -> server                                "
		"SYN+ACK     ACK client ISN server ISN\n");
	sink_rig_close(&rig);
}

static void test_opened(void **state)
{
	struct shk_conn conn = sample_opened();

	(void)state;
	expect_opened(&conn, UTF8,
		      "22:13:20.000 " ENDS "● three-way handshake 0.15 ms   31 µs 3141592653 2718281828\n");
	expect_opened(&conn, ASCII,
		      "22:13:20.000 both 10.7.0.1:44312    -> 10.7.0.2:80     "
		      "+ three-way handshake 0.15 ms   31 us 3141592653 2718281828\n");
	expect_opened(&conn, (struct shk_sink_config){.utf8 = true, .numeric_netns = true},
		      "22:13:20.000 4026531840 " ENDS
		      "● three-way handshake 0.15 ms   31 µs 3141592653 2718281828\n");
	expect_opened(&conn, (struct shk_sink_config){.utf8 = true, .colour = true},
		      "22:13:20.000 " ENDS "\033[32m●\033[0m three-way handshake 0.15 ms   31 µs 3141592653 "
		      "2718281828\033[33m\033[0m\033[33m\033[0m\n");
}

static void test_opened_via(void **state)
{
	struct shk_conn conn = sample_opened();

	(void)state;
	sample_end(&conn.end[SHK_CLIENT], "2001:db8::1", 44312);
	sample_end(&conn.end[SHK_SERVER], "::ffff:192.0.2.1", 80);
	conn.local = SHK_CLIENT;
	expect_opened(&conn, UTF8,
		      "22:13:20.000 out  [2001:db8::1]:44312 → 192.0.2.1:80    "
		      "● three-way handshake 0.15 ms   31 µs 3141592653 2718281828\n");
	conn.local = SHK_SERVER;
	expect_opened(&conn, UTF8,
		      "22:13:20.000 in   [2001:db8::1]:44312 → 192.0.2.1:80    "
		      "● three-way handshake 0.15 ms   31 µs 3141592653 2718281828\n");
	conn.local = SHK_NEITHER;
	expect_opened(&conn, UTF8,
		      "22:13:20.000 fwd  [2001:db8::1]:44312 → 192.0.2.1:80    "
		      "● three-way handshake 0.15 ms   31 µs 3141592653 2718281828\n");
	expect_opened(&conn, (struct shk_sink_config){.utf8 = true, .capture = true},
		      "22:13:20.000 -    [2001:db8::1]:44312 → 192.0.2.1:80    "
		      "● three-way handshake 0.15 ms   31 µs 3141592653 2718281828\n");
}

static void test_opened_with_all_notes(void **state)
{
	struct shk_conn conn = sample_opened();

	(void)state;
	conn.open_flags = (1U << SHK_OF_COUNT) - 1;
	conn.end[SHK_CLIENT].syn = UINT32_MAX;
	conn.end[SHK_SERVER].synack = 2;
	conn.open_total_ns = conn.syn_synack_ns = conn.synack_ack_ns = SHK_UNKNOWN_NS - 1;
	conn.end[SHK_CLIENT].isn = conn.end[SHK_SERVER].isn = UINT32_MAX;
	conn.confidence = SHK_PARTIAL;
	conn.lost = UINT64_MAX;
	conn.late = 1;
	conn.evicted = true;
	expect_opened(
		&conn, UTF8,
		"22:13:20.000 " ENDS "● three-way handshake 213503 d 23 h 213503 d 23 h 4294967295 4294967295"
		", SYN sent 4294967295 times, SYN+ACK sent 2 times, SYN cookie, data on SYN, data on ACK"
		", SYN+ACK with a wrong ack, ACK with a wrong ack, challenge ACK, answered by RST"
		", SYN+ACK repeated after its ACK, MPTCP, MPTCP subflow"
		" (partial: 18446744073709551615 events lost, 1 event late) (evicted: table full)\n");
}

static void test_opened_unknown(void **state)
{
	struct shk_conn conn = sample_opened();

	(void)state;
	conn.syn_synack_ns = SHK_UNKNOWN_NS;
	conn.end[SHK_CLIENT].isn_known = false;
	expect_opened(&conn, UTF8,
		      "22:13:20.000 " ENDS "● three-way handshake       ?   31 µs          ? 2718281828\n");
	conn.open = SHK_O_PREEXISTING;
	conn.synack_ack_ns = SHK_UNKNOWN_NS;
	conn.end[SHK_SERVER].isn_known = false;
	expect_opened(&conn, UTF8, "22:13:20.000 " ENDS "● open before the observer started\n");
}

/* Both ends, one of them, and with colours; a name that would steer the terminal does not. */
static void test_processes(void **state)
{
	struct shk_conn conn = sample_opened();
	struct shk_end *client = &conn.end[SHK_CLIENT], *server = &conn.end[SHK_SERVER];

	(void)state;
	sample_process(client, "curl", 4711, 0);
	sample_process(server, "nginx", 811, 0);
	expect_opened(&conn, UTF8,
		      "22:13:20.000 " ENDS "● three-way handshake 0.15 ms   31 µs 3141592653 2718281828"
		      "  curl[4711] → nginx[811]\n");
	conn.confidence = SHK_INFERRED;
	expect_opened(&conn, (struct shk_sink_config){.utf8 = true, .colour = true},
		      "22:13:20.000 " ENDS "\033[32m●\033[0m three-way handshake 0.15 ms   31 µs 3141592653 "
		      "2718281828\033[33m\033[0m\033[33m (inferred)\033[0m"
		      "  \033[2mcurl[4711] → nginx[811]\033[0m\n");
	conn = sample_closed();
	sample_process(client, "\033[31mred\n\xff", UINT32_MAX, 0);
	expect_closed(
		&conn, ASCII,
		"22:13:20.180 both 10.7.0.1:44312    -> 10.7.0.2:80     "
		"- four-segment close by client, -> 79 B <- 14 kB in 180 ms  ?[31mred??[4294967295] ->\n");
	client->process.pid = 0;
	sample_process(server, "nginx", 811, 0);
	expect_closed(&conn, UTF8,
		      "22:13:20.180 " ENDS "○ four-segment close by client, → 79 B ← 14 kB in 180 ms"
		      "  → nginx[811]\n");
}

static void test_failed(void **state)
{
	struct shk_conn conn = sample_refused();

	(void)state;
	conn.open_told = conn.open;
	expect_opened(&conn, UTF8,
		      "22:13:20.000 both 10.7.0.1:44312    → 10.7.0.2:81     ✗ refused after 0.21 ms\n");
	expect_opened(&conn, ASCII,
		      "22:13:20.000 both 10.7.0.1:44312    -> 10.7.0.2:81     x refused after 0.21 ms\n");
	expect_closed(&conn, UTF8, "");

	sample_end(&conn.end[SHK_SERVER], "10.7.0.2", 80);
	conn.open = conn.open_told = SHK_O_TIMEOUT;
	conn.confidence = SHK_INFERRED;
	conn.end[SHK_SERVER].rst = 0;
	expect_opened(&conn, UTF8, "22:13:20.000 " ENDS "✗ no answer after 1 SYN (inferred)\n");
	conn.open_flags = SHK_OF_SYN_RETRANSMIT;
	conn.end[SHK_CLIENT].syn = 3;
	conn.last_ns = conn.first_ns + 3041 * SAMPLE_MS;
	expect_opened(&conn, UTF8, "22:13:23.041 " ENDS "✗ no answer after 3 SYN in 3.0 s (inferred)\n");
	expect_closed(&conn, UTF8, "");

	conn.open = conn.open_told = SHK_O_EMBRYO_EXPIRED;
	conn.open_flags = SHK_OF_SYNACK_RETRANSMIT;
	conn.end[SHK_SERVER].synack = 6;
	expect_opened(&conn, UTF8,
		      "22:13:23.041 " ENDS "✗ SYN+ACK never acknowledged, 6 sent in 3.0 s (inferred)\n");
	conn.end[SHK_SERVER].synack = 0;
	expect_opened(&conn, UTF8,
		      "22:13:23.041 " ENDS "✗ SYN+ACK never acknowledged, none seen (inferred)\n");
	expect_closed(&conn, UTF8, "");

	conn.open = conn.open_told = SHK_O_EMBRYO_RST;
	conn.open_flags = 0;
	conn.confidence = SHK_PARTIAL;
	conn.end[SHK_CLIENT].rst = 1;
	expect_opened(&conn, UTF8,
		      "22:13:23.041 " ENDS
		      "✗ reset before the handshake was complete by client after 3.0 s (partial)\n");
	expect_closed(&conn, UTF8, "");

	/* It had been told as opened, and at the end more is known. */
	conn.open_told = SHK_O_3WHS;
	expect_closed(&conn, UTF8,
		      "22:13:23.041 " ENDS
		      "✗ reset before the handshake was complete by client after 3.0 s (partial)\n");
}

static void test_blame(void **state)
{
	struct shk_conn failed = sample_refused(), closed = sample_closed();

	(void)state;
	failed.blame = (struct shk_blame){SHK_BLAME_LISTENER, "nobody listens on port 81"};
	expect_opened(&failed, UTF8,
		      "22:13:20.000 both 10.7.0.1:44312    → 10.7.0.2:81     ✗ refused after 0.21 ms; nobody "
		      "listens on port 81\n");
	closed.close = SHK_C_RST_UNREAD;
	closed.blame = (struct shk_blame){SHK_BLAME_APPLICATION, "read to the end"};
	expect_closed(&closed, UTF8,
		      "22:13:20.180 " ENDS
		      "○ reset: closed with unread data by client, → 79 B ← 14 kB in 180 ms; read to "
		      "the end\n");
}

static void test_closed(void **state)
{
	struct shk_conn conn = sample_closed();

	(void)state;
	expect_closed(&conn, UTF8,
		      "22:13:20.180 " ENDS "○ four-segment close by client, → 79 B ← 14 kB in 180 ms\n");
	expect_closed(&conn, ASCII,
		      "22:13:20.180 both 10.7.0.1:44312    -> 10.7.0.2:80     "
		      "- four-segment close by client, -> 79 B <- 14 kB in 180 ms\n");
	conn.close = SHK_C_SIMULTANEOUS;
	conn.close_by = SHK_BOTH;
	conn.end[SHK_CLIENT].bytes = conn.end[SHK_SERVER].bytes = UINT64_MAX;
	expect_closed(&conn, UTF8,
		      "22:13:20.180 " ENDS
		      "○ simultaneous close by both, → 18446744 TB ← 18446744 TB in 180 ms\n");
	conn.close = SHK_C_FIN_UNACKED;
	conn.close_by = SHK_SERVER;
	conn.end[SHK_SERVER].bytes_known = false;
	conn.end[SHK_CLIENT].bytes = 0;
	expect_closed(&conn, UTF8,
		      "22:13:20.180 " ENDS "○ FIN never acknowledged by server, → 0 B ← ? in 180 ms\n");
	conn.end[SHK_CLIENT].bytes_known = false;
	conn.close_flags = (1U << SHK_CF_COUNT) - 1;
	conn.close = SHK_C_RST;
	conn.end[SHK_SERVER].fin_retransmits = 2;
	expect_closed(&conn, UTF8,
		      "22:13:20.180 " ENDS
		      "○ reset by server in 180 ms, FIN retransmitted: client 0, server 2, "
		      "reset after a FIN, data after the reset, reset in TIME-WAIT, TIME-WAIT begun anew\n");
}

static void test_half_closed(void **state)
{
	struct shk_conn conn = sample_closed();

	(void)state;
	conn.half_close = true;
	conn.half_close_ns = 3200 * SAMPLE_MS;
	conn.half_close_bytes = 14000;
	conn.last_ns = conn.first_ns + 3400 * SAMPLE_MS;
	expect_closed(&conn, UTF8,
		      "22:13:23.400 " ENDS
		      "○ half-closed by client 3.2 s, 14 kB, then closed, → 79 B ← 14 kB in 3.4 s\n");
	conn.close = SHK_C_HALF_CLOSED;
	conn.end[SHK_SERVER].bytes_known = false;
	expect_closed(&conn, UTF8,
		      "22:13:23.400 " ENDS
		      "○ half-closed by client 3.2 s, 14 kB, still open, → 79 B ← ? in 3.4 s\n");
	conn.close = SHK_C_RST;
	conn.close_by = SHK_SERVER;
	expect_closed(&conn, UTF8,
		      "22:13:23.400 " ENDS
		      "○ reset by server, half-closed 3.2 s, 14 kB, → 79 B ← ? in 3.4 s\n");
}

/* The input has ended, or the table was full. */
static void test_not_closed(void **state)
{
	struct shk_conn conn = sample_opened();

	(void)state;
	expect_closed(&conn, UTF8, "22:13:20.000 " ENDS "… still open after 0.18 ms\n");
	conn.open = SHK_O_PREEXISTING;
	expect_closed(&conn, UTF8,
		      "22:13:20.000 " ENDS "… still open after 0.18 ms, open before the observer started\n");
	conn.open = SHK_O_3WHS;
	conn.evicted = true;
	expect_closed(&conn, ASCII,
		      "22:13:20.000 both 10.7.0.1:44312    -> 10.7.0.2:80     "
		      ". still open after 0.18 ms (evicted: table full)\n");
	conn.open = SHK_O_NONE;
	expect_closed(&conn, UTF8, "22:13:20.000 " ENDS "… opening not decided yet (evicted: table full)\n");
}

/* Columns widen with what they hold, but an address that is too long moves its own line only. */
static void test_columns(void **state)
{
	struct shk_conn conn = sample_closed();
	struct sink_rig rig;

	(void)state;
	sink_rig_open(&rig, shk_sink_line_new, UTF8);
	sink_rig_closed(&rig, &conn);
	sample_end(&conn.end[SHK_CLIENT], "192.168.178.21", 51234);
	sample_end(&conn.end[SHK_SERVER], "198.51.100.17", 443);
	sink_rig_closed(&rig, &conn);
	sample_end(&conn.end[SHK_CLIENT], "2001:db8:1111:2222:3333:4444:5555:6666", 51234);
	sample_end(&conn.end[SHK_SERVER], "2001:db8:1111:2222:3333:4444:5555:7777", 65535);
	sink_rig_closed(&rig, &conn);
	sample_end(&conn.end[SHK_CLIENT], "10.7.0.1", 44312);
	sample_end(&conn.end[SHK_SERVER], "10.7.0.2", 80);
	sink_rig_closed(&rig, &conn);
	assert_string_equal(sink_rig_text(&rig),
			    "22:13:20.180 both 10.7.0.1:44312    → 10.7.0.2:80     "
			    "○ four-segment close by client, → 79 B ← 14 kB in 180 ms\n"
			    "22:13:20.180 both 192.168.178.21:51234 → 198.51.100.17:443 "
			    "○ four-segment close by client, → 79 B ← 14 kB in 180 ms\n"
			    "22:13:20.180 both [2001:db8:1111:2222:3333:4444:5555:6666]:51234 → "
			    "[2001:db8:1111:2222:3333:4444:5555:7777]:65535 "
			    "○ four-segment close by client, → 79 B ← 14 kB in 180 ms\n"
			    "22:13:20.180 both 10.7.0.1:44312           → 10.7.0.2:80              "
			    "○ four-segment close by client, → 79 B ← 14 kB in 180 ms\n");
	sink_rig_close(&rig);
}

static void test_lost(void **state)
{
	struct sink_rig rig;

	(void)state;
	sink_rig_open(&rig, shk_sink_line_new, UTF8);
	sink_rig_lost(&rig, 1);
	sink_rig_lost(&rig, UINT64_MAX);
	assert_string_equal(sink_rig_text(&rig),
			    "22:13:20.005 lost 1 event at kmod, CPU 1\n"
			    "22:13:20.005 lost 18446744073709551615 events at kmod, CPU 1\n");
	sink_rig_close(&rig);
}

static void test_summary(void **state)
{
	struct shk_summary summary = {
		.seen = 8112,
		.delivered = 8095,
		.lost = 17,
		.connections = 412,
		.by_open = {[SHK_O_3WHS] = 398, [SHK_O_REFUSED] = 8, [SHK_O_TIMEOUT] = 6},
		.by_close = {[SHK_C_NONE] = 14, [SHK_C_4SEG] = 390, [SHK_C_RST] = 8},
		.by_reuse = {[SHK_SAFE_TS] = 3},
	};
	struct sink_rig rig;

	(void)state;
	sink_rig_open(&rig, shk_sink_line_new, UTF8);
	assert_int_equal(rig.sink->ops->summary(rig.sink, &summary), 0);
	assert_string_equal(sink_rig_text(&rig),
			    "\n"
			    "412 connections\n"
			    "  opened        398  three-way handshake\n"
			    "                  8  refused\n"
			    "                  6  no answer\n"
			    "  closed        390  four-segment close\n"
			    "                  8  reset\n"
			    "                 14  not closed: failed, or still open\n"
			    "  reused          3  old timestamps are refused\n"
			    "  events       8112  seen = 8095 delivered + 17 lost; 0 late\n");
	sink_rig_close(&rig);
}

/* An account that does not add up must not look as if it did. */
static void test_summary_of_a_wrong_account(void **state)
{
	const struct shk_summary summary = {
		.seen = 10,
		.delivered = 7,
		.lost = 2,
		.late = 1,
		.filtered = 3,
		.evicted = 4,
		.connections = 1,
		.by_open = {[SHK_O_NONE] = 1},
		.by_close = {[SHK_C_NONE] = 1},
	};
	struct sink_rig rig;

	(void)state;
	sink_rig_open(&rig, shk_sink_line_new, ASCII);
	assert_int_equal(rig.sink->ops->summary(rig.sink, &summary), 0);
	assert_string_equal(
		sink_rig_text(&rig),
		"\n"
		"1 connection, 4 evicted because the table was full\n"
		"  opened          1  opening not decided yet\n"
		"                  1  not closed: failed, or still open\n"
		"  events         10  seen != 7 delivered + 2 lost; 1 late; 3 more rejected by the filter\n");
	sink_rig_close(&rig);
}

static void test_errors(void **state)
{
	(void)state;
	sink_rig_check_errors(shk_sink_line_new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_opened),
		cmocka_unit_test(test_opened_via),
		cmocka_unit_test(test_opened_with_all_notes),
		cmocka_unit_test(test_opened_unknown),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_blame),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_not_closed),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_summary_of_a_wrong_account),
		cmocka_unit_test(test_errors),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, sink_rig_utc, NULL);
}
