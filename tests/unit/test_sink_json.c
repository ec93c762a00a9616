// SPDX-License-Identifier: GPL-2.0
/* The record of a connection as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "cgroups.h"
#include "json_rig.h"

static const struct shk_sink_config CONFIG = {0};

static json_t *record(const struct shk_conn *conn, bool closed)
{
	struct sink_rig rig;

	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	if (closed)
		sink_rig_closed(&rig, conn);
	else
		sink_rig_opened(&rig, conn);
	return only_line(&rig);
}

/* The text itself, once: other tests look at values only. */
static void test_octets(void **state)
{
	struct shk_conn conn = sample_closed();
	struct sink_rig rig;

	(void)state;
	conn.open_flags = SHK_OF_DATA_ON_ACK;
	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	sink_rig_closed(&rig, &conn);
	assert_string_equal(
		sink_rig_text(&rig),
		"{\"type\":\"connection\",\"id\":\"0123456789abcdef\","
		"\"community_id\":\"1:w7QlQHjmG1KEJinfiyB0/eyJXQM=\",\"netns\":4026531840,"
		"\"ts\":1700000000000000000,\"last_ts\":1700000000180000000,"
		"\"client\":{\"ip\":\"10.7.0.1\",\"port\":44312,\"isn\":3141592653,\"syn\":1,\"synack\":0,"
		"\"fin\":1,\"rst\":0,\"syn_retransmits\":0,\"synack_retransmits\":0,\"fin_retransmits\":0,"
		"\"fin_acked\":true,"
		"\"bytes\":79,\"mss\":1460,\"wscale\":7,\"sack\":true,\"timestamps\":true,\"ecn\":false,"
		"\"tfo\":false,\"mptcp\":false},"
		"\"server\":{\"ip\":\"10.7.0.2\",\"port\":80,\"isn\":2718281828,\"syn\":0,\"synack\":1,"
		"\"fin\":1,\"rst\":0,\"syn_retransmits\":0,\"synack_retransmits\":0,\"fin_retransmits\":0,"
		"\"fin_acked\":true,"
		"\"bytes\":14321,\"mss\":1448,\"wscale\":9,\"sack\":true,\"timestamps\":true,\"ecn\":false,"
		"\"tfo\":false,\"mptcp\":false},"
		"\"local\":\"both\","
		"\"open\":{\"verdict\":\"O_3WHS\",\"flags\":[\"DATA_ON_ACK\"],"
		"\"legs_ns\":{\"syn_synack\":150000,\"synack_ack\":31000,\"total\":181000},"
		"\"checks\":{\"synack_acks_syn\":true,\"ack_acks_synack\":true}},"
		"\"close\":{\"verdict\":\"C_4SEG\",\"by\":\"client\",\"fins\":\"C_4SEG\","
		"\"legs_ns\":{\"fin_ack\":42000,\"fin_fin\":90000},\"flags\":[]},"
		"\"witness\":{\"wire\":true,\"socket\":false,\"lost\":0,\"late\":0,"
		"\"confidence\":\"certain\",\"conflicts\":[]}}\n");
	sink_rig_close(&rig);
}

#define RECORD_MEMBERS "type id community_id netns ts last_ts client server local open close witness"
#define END_MEMBERS                                       \
	"ip port isn syn synack fin rst syn_retransmits " \
	"synack_retransmits fin_retransmits"
#define OPTION_MEMBERS "sack timestamps ecn tfo mptcp"

static void test_members(void **state)
{
	struct shk_conn conn = sample_closed();
	json_t *r;

	(void)state;
	conn.half_close = true;
	conn.half_close_ns = 3200 * SAMPLE_MS;
	conn.half_close_bytes = 14000;
	r = record(&conn, true);
	expect_members(r, RECORD_MEMBERS);
	expect_members(at(r, "client"), END_MEMBERS " fin_acked bytes mss wscale " OPTION_MEMBERS);
	expect_members(at(r, "server"), END_MEMBERS " fin_acked bytes mss wscale " OPTION_MEMBERS);
	expect_members(at(r, "open"), "verdict flags legs_ns checks");
	expect_members(at(r, "open.legs_ns"), "syn_synack synack_ack total");
	expect_members(at(r, "open.checks"), "synack_acks_syn ack_acks_synack");
	expect_members(at(r, "close"), "verdict by fins half_close legs_ns flags");
	expect_members(at(r, "close.half_close"), "ns bytes");
	expect_members(at(r, "close.legs_ns"), "fin_ack fin_fin");
	expect_members(at(r, "witness"), "wire socket lost late confidence conflicts");
	expect_integer(r, "close.half_close.ns", 3200 * SAMPLE_MS);
	expect_integer(r, "close.half_close.bytes", 14000);
	json_decref(r);

	conn = sample_opened();
	r = record(&conn, false);
	expect_members(r, RECORD_MEMBERS);
	expect_text(r, "type", "open");
	expect_members(at(r, "close"), "verdict flags");
	expect_text(r, "close.verdict", "C_NONE");
	expect_null(r, "client.bytes");
	json_decref(r);
}

/* null is what was not observed, absent what does not apply. */
static void test_unknown(void **state)
{
	static const char *const nulls[] = {
		"server.isn",
		"server.bytes",
		"server.mss",
		"server.wscale",
		"server.sack",
		"server.timestamps",
		"server.ecn",
		"server.tfo",
		"server.mptcp",
		"open.legs_ns.total",
		"open.legs_ns.syn_synack",
		"open.legs_ns.synack_ack",
		"open.checks.synack_acks_syn",
		"open.checks.ack_acks_synack",
	};
	struct shk_conn conn = sample_refused();
	json_t *r;

	(void)state;
	conn.end[SHK_CLIENT].options = 0;
	r = record(&conn, false);
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		expect_null(r, nulls[i]);
	expect_text(r, "open.verdict", "O_REFUSED");
	expect_members(at(r, "client"), END_MEMBERS " bytes " OPTION_MEMBERS);
	assert_true(json_is_false(at(r, "client.sack")));
	json_decref(r);

	conn = sample_closed();
	conn.synack_acks_syn = 0;
	conn.half_close = true;
	conn.fin_ack_ns = SHK_UNKNOWN_NS;
	r = record(&conn, true);
	assert_true(json_is_false(at(r, "open.checks.synack_acks_syn")));
	assert_true(json_is_true(at(r, "open.checks.ack_acks_synack")));
	expect_null(r, "close.half_close.ns");
	expect_null(r, "close.legs_ns.fin_ack");
	json_decref(r);
}

static void test_cookie(void **state)
{
	struct shk_conn conn = sample_closed();
	json_t *r;

	(void)state;
	conn.cookie =
		(struct shk_cookie){SHK_COOKIE_VALID, true, SHK_COOKIE_TIMESTAMPS | SHK_COOKIE_SACK | 9};
	r = record(&conn, true);
	expect_members(at(r, "open"), "verdict flags legs_ns checks cookie");
	expect_members(at(r, "open.cookie"), "state wscale sack ecn");
	expect_text(r, "open.cookie.state", "valid");
	expect_integer(r, "open.cookie.wscale", 9);
	assert_true(json_is_true(at(r, "open.cookie.sack")));
	assert_true(json_is_false(at(r, "open.cookie.ecn")));
	json_decref(r);

	conn.cookie =
		(struct shk_cookie){SHK_COOKIE_INVALID, true, SHK_COOKIE_TIMESTAMPS | SHK_COOKIE_WSCALE};
	r = record(&conn, true);
	expect_members(at(r, "open.cookie"), "state sack ecn");
	expect_text(r, "open.cookie.state", "invalid");
	json_decref(r);

	conn.cookie = (struct shk_cookie){.fate = SHK_COOKIE_SENT};
	r = record(&conn, true);
	expect_members(at(r, "open.cookie"), "state sack ecn");
	expect_text(r, "open.cookie.state", "sent");
	expect_null(r, "open.cookie.sack");
	expect_null(r, "open.cookie.ecn");
	json_decref(r);
}

static void test_flags(void **state)
{
	static const char *const open_flags[] = {
		"SYN_RETRANSMIT", "SYNACK_RETRANSMIT", "COOKIE",     "DATA_ON_SYN",
		"DATA_ON_ACK",    "BAD_SYNACK",        "BAD_ACK",    "CHALLENGE",
		"STALE_ACK_RST",  "SYNACK_AFTER_ACK",  "ECN",        "ACCECN",
		"MPTCP",          "MP_JOIN",           "CHILD_LATE", "DEFERRED",
	};
	static const char *const close_flags[] = {"FIN_RETRANSMIT",     "RST_AFTER_FIN", "DATA_AFTER_RST",
						  "RST_IN_TIME_WAIT",   "MINISOCK_GONE", "RST_CHALLENGED",
						  "TIME_WAIT_RESTARTED"};
	struct shk_conn conn = sample_closed();
	json_t *r;

	(void)state;
	conn.open_flags = conn.close_flags = UINT32_MAX;
	r = record(&conn, true);
	expect_strings(at(r, "open.flags"), open_flags, SHK_OF_COUNT);
	expect_strings(at(r, "close.flags"), close_flags, SHK_CF_COUNT);
	json_decref(r);
}

static void test_options(void **state)
{
	struct shk_conn conn = sample_opened();
	json_t *r;

	(void)state;
	conn.end[SHK_CLIENT].options = UINT32_MAX;
	conn.end[SHK_CLIENT].mss = UINT16_MAX;
	conn.end[SHK_CLIENT].wscale = UINT8_MAX;
	conn.end[SHK_CLIENT].syn_flags = SHK_TCP_SYN | SHK_TCP_ECE | SHK_TCP_CWR;
	conn.end[SHK_SERVER].options = SHK_OPT_TFO_EXPERIMENT;
	conn.end[SHK_SERVER].syn_flags = SHK_TCP_SYN | SHK_TCP_ACK | SHK_TCP_ECE;
	r = record(&conn, false);
	expect_integer(r, "client.mss", UINT16_MAX);
	expect_integer(r, "client.wscale", UINT8_MAX);
	assert_true(json_is_true(at(r, "client.sack")) && json_is_true(at(r, "client.timestamps")));
	assert_true(json_is_true(at(r, "client.tfo")) && json_is_true(at(r, "client.mptcp")));
	assert_true(json_is_true(at(r, "client.ecn")) && json_is_true(at(r, "server.ecn")));
	assert_true(json_is_true(at(r, "server.tfo")) && json_is_false(at(r, "server.sack")));
	json_decref(r);
}

static void test_ecn(void **state)
{
	static const struct {
		uint16_t flags;
		bool agreed;
	} cases[] = {
		{SHK_TCP_SYN, false},
		{SHK_TCP_SYN | SHK_TCP_ECE, false},
		{SHK_TCP_SYN | SHK_TCP_ECE | SHK_TCP_CWR, true},
		{SHK_TCP_SYN | SHK_TCP_ECE | SHK_TCP_CWR | SHK_TCP_AE, true},
		{SHK_TCP_SYN | SHK_TCP_ACK, false},
		{SHK_TCP_SYN | SHK_TCP_ACK | SHK_TCP_ECE, true},
		{SHK_TCP_SYN | SHK_TCP_ACK | SHK_TCP_CWR, true},
		{SHK_TCP_SYN | SHK_TCP_ACK | SHK_TCP_ECE | SHK_TCP_CWR | SHK_TCP_AE, false},
	};
	struct shk_conn conn = sample_opened();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *r;

		conn.end[SHK_CLIENT].syn_flags = cases[i].flags;
		r = record(&conn, false);
		assert_true(json_is_boolean(at(r, "client.ecn")));
		assert_int_equal(json_is_true(at(r, "client.ecn")), cases[i].agreed);
		json_decref(r);
	}
}

static void test_sides(void **state)
{
	static const char *const names[] = {
		[SHK_CLIENT] = "client",
		[SHK_SERVER] = "server",
		[SHK_BOTH] = "both",
		[SHK_NEITHER] = "none",
	};
	static const char *const confidence[] = {"certain", "inferred", "partial"};
	struct shk_conn conn = sample_closed();

	(void)state;
	for (int side = SHK_CLIENT; side <= SHK_NEITHER; side++) {
		json_t *r;

		conn.local = conn.close_by = side;
		conn.confidence = side % 3;
		r = record(&conn, true);
		expect_text(r, "local", names[side]);
		if (side == SHK_NEITHER)
			assert_null(json_object_get(at(r, "close"), "by"));
		else
			expect_text(r, "close.by", names[side]);
		expect_text(r, "witness.confidence", confidence[side % 3]);
		json_decref(r);
	}
}

static void test_addresses(void **state)
{
	struct shk_conn conn = sample_closed();
	json_t *r;

	(void)state;
	sample_end(&conn.end[SHK_CLIENT], "2001:470:e5bf:dead:4957:2174:e82c:4887", 63943);
	sample_end(&conn.end[SHK_SERVER], "2607:f8b0:400c:c03::1a", 25);
	r = record(&conn, true);
	expect_text(r, "client.ip", "2001:470:e5bf:dead:4957:2174:e82c:4887");
	expect_integer(r, "client.port", 63943);
	expect_text(r, "server.ip", "2607:f8b0:400c:c03::1a");
	expect_text(r, "community_id", "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=");
	json_decref(r);

	sample_end(&conn.end[SHK_CLIENT], "::ffff:192.0.2.1", 1);
	r = record(&conn, true);
	expect_text(r, "client.ip", "192.0.2.1");
	json_decref(r);
}

/* jansson reads no more than 63 bits, so the text is compared. */
static void test_maximal(void **state)
{
	struct shk_conn conn = sample_closed();
	struct sink_rig rig;
	const char *text;

	(void)state;
	conn.id = UINT64_MAX;
	conn.end[SHK_CLIENT].bytes = UINT64_MAX;
	conn.end[SHK_CLIENT].isn = UINT32_MAX;
	conn.end[SHK_CLIENT].syn_retransmits = UINT32_MAX;
	conn.syn_synack_ns = SHK_UNKNOWN_NS - 1;
	conn.first_ns = 0;
	conn.real_offset_ns = -5;
	conn.lost = UINT64_MAX;
	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	sink_rig_closed(&rig, &conn);
	text = sink_rig_text(&rig);
	assert_non_null(strstr(text, "\"id\":\"ffffffffffffffff\""));
	assert_non_null(strstr(text, "\"bytes\":18446744073709551615,"));
	assert_non_null(strstr(text, "\"isn\":4294967295,"));
	assert_non_null(strstr(text, "\"syn_retransmits\":4294967295,"));
	assert_non_null(strstr(text, "\"syn_synack\":18446744073709551614,"));
	assert_non_null(strstr(text, "\"ts\":-5,"));
	assert_non_null(strstr(text, "\"lost\":18446744073709551615,"));
	sink_rig_close(&rig);
}

static void test_tuple_reuse(void **state)
{
	struct shk_conn conn = sample_closed();
	struct sink_rig rig;
	json_t *r;

	(void)state;
	conn.reuse = (struct shk_tuple_reuse){
		.known = true,
		.verdict = SHK_SAFE_TS,
		.verdict_30s = SHK_SAFE_QUIET,
		.gap_ns = 31000000000ULL,
		.margin = -4711,
		.ts_margin_known = true,
		.ts_margin = 31,
	};
	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	sink_rig_closed(&rig, &conn);
	r = only_line(&rig);
	expect_text(r, "tuple_reuse.verdict", "SAFE_TS");
	expect_text(r, "tuple_reuse.verdict_30s", "SAFE_QUIET");
	expect_integer(r, "tuple_reuse.gap_ns", 31000000000);
	expect_integer(r, "tuple_reuse.margin", -4711);
	expect_integer(r, "tuple_reuse.ts_margin", 31);
	json_decref(r);
}

/* Members that are there only if there is something to say. */
static void test_what_is_known_now_and_then(void **state)
{
	static const char *const conflicts[] = {"ISN", "CLOSE"};
	struct shk_conn conn = sample_closed();
	json_t *r;

	(void)state;
	conn.network_ns = 150000;
	conn.host_ns = 31000;
	conn.accept_wait_ns = 7;
	conn.time_wait_ns = 60 * SAMPLE_S;
	conn.conflicts = SHK_CONFLICT_ISN | SHK_CONFLICT_CLOSE;
	conn.blame = (struct shk_blame){SHK_BLAME_LISTENER, "accept queue full (2/1)"};
	conn.compat = (struct shk_compat){31, "SF", "ShADadFf"};
	r = record(&conn, true);
	expect_members(r, "type id community_id netns ts last_ts client server local open close blame "
			  "witness compat");
	expect_members(at(r, "open.legs_ns"), "syn_synack synack_ack total network host accept_wait");
	expect_integer(r, "open.legs_ns.network", 150000);
	expect_integer(r, "open.legs_ns.host", 31000);
	expect_integer(r, "open.legs_ns.accept_wait", 7);
	expect_integer(r, "close.legs_ns.time_wait", 60 * SAMPLE_S);
	expect_strings(at(r, "witness.conflicts"), conflicts, 2);
	expect_members(at(r, "blame"), "where why");
	expect_text(r, "blame.where", "listener");
	expect_text(r, "blame.why", "accept queue full (2/1)");
	expect_members(at(r, "compat"), "completeness conn_state history");
	expect_integer(r, "compat.completeness", 31);
	expect_text(r, "compat.conn_state", "SF");
	expect_text(r, "compat.history", "ShADadFf");
	json_decref(r);
}

/* The cgroup's path where it was learned; an id alone says nothing to anybody. */
static void test_process(void **state)
{
	static const char container[] = "3f4a1c0e9b8d7261504f3e2d1c0b9a8877665544332211009f8e7d6c5b4a3928";
	struct shk_cgroups *cgroups = shk_cgroups_new(0);
	struct shk_sink_config config = CONFIG;
	struct shk_conn conn = sample_closed();
	struct sink_rig rig;
	char path[128];
	json_t *r;

	(void)state;
	snprintf(path, sizeof(path), "/system.slice/docker-%s.scope", container);
	assert_int_equal(shk_cgroups_add(cgroups, 7, path), 0);
	assert_int_equal(shk_cgroups_add(cgroups, 8, "/user.slice"), 0);
	sample_process(&conn.end[SHK_CLIENT], "curl", 4711, 8);
	sample_process(&conn.end[SHK_SERVER], "nginx", 811, 7);
	config.cgroups = cgroups;
	sink_rig_open(&rig, shk_sink_json_new, config);
	sink_rig_closed(&rig, &conn);
	r = only_line(&rig);
	expect_members(at(r, "client.process"), "pid comm cgroup");
	expect_integer(r, "client.process.pid", 4711);
	expect_text(r, "client.process.comm", "curl");
	expect_text(r, "client.process.cgroup", "/user.slice");
	expect_members(at(r, "server.process"), "pid comm cgroup container");
	expect_text(r, "server.process.cgroup", path);
	expect_text(r, "server.process.container", container);
	json_decref(r);
	shk_cgroups_free(cgroups);

	r = record(&conn, true);
	expect_members(at(r, "server.process"), "pid comm cgroup");
	expect_null(r, "server.process.cgroup");
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets),      cmocka_unit_test(test_members),
		cmocka_unit_test(test_unknown),     cmocka_unit_test(test_cookie),
		cmocka_unit_test(test_flags),       cmocka_unit_test(test_options),
		cmocka_unit_test(test_ecn),         cmocka_unit_test(test_sides),
		cmocka_unit_test(test_addresses),   cmocka_unit_test(test_maximal),
		cmocka_unit_test(test_tuple_reuse), cmocka_unit_test(test_what_is_known_now_and_then),
		cmocka_unit_test(test_process),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, sink_rig_utc, NULL);
}
