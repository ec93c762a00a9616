// SPDX-License-Identifier: GPL-2.0
/* The lines of JSON around the records: the header, losses, the summary; and the stream of all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "json_rig.h"

static const struct shk_sink_config CONFIG = {0};

static void test_header(void **state)
{
	static const char *const sources[] = {"kmod", "bpf"};
	struct sink_rig rig;
	json_t *r;

	(void)state;
	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	sink_rig_header(&rig);
	r = only_line(&rig);
	expect_members(r, "type schema tool host kernel sources clock_offset_ns");
	expect_text(r, "type", "header");
	expect_integer(r, "schema", 1);
	expect_text(r, "tool", "tcpshake 0.1.0");
	expect_text(r, "host", "web1");
	expect_text(r, "kernel", "6.1.0-49-amd64");
	expect_integer(r, "clock_offset_ns", SAMPLE_OFFSET_NS);
	expect_strings(at(r, "sources"), sources, 2);
	json_decref(r);
}

/* A host may be called anything; the line must be JSON all the same, and so must the next one. */
static void test_hostile_names(void **state)
{
	static const char *const none[] = {NULL};
	struct shk_header header = {.version = "\"\\\n", .kernel = "é", .sources = none};
	char host[400] = "web\xff\xc3(\x01";
	struct sink_rig rig;
	json_t *r;

	(void)state;
	header.host = host;
	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	assert_int_equal(rig.sink->ops->header(rig.sink, &header), 0);
	r = only_line(&rig);
	expect_text(r, "host", "web?\?(\x01");
	expect_text(r, "tool", "tcpshake \"\\\n");
	expect_text(r, "kernel", "é");
	assert_int_equal(json_array_size(at(r, "sources")), 0);
	json_decref(r);

	memset(host, '\x80', sizeof(host) - 1);
	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	assert_int_equal(rig.sink->ops->header(rig.sink, &header), 0);
	r = only_line(&rig);
	assert_int_equal(json_string_length(at(r, "host")), 256);
	json_decref(r);
}

static void test_facts(void **state)
{
	static const char *const none[] = {NULL};
	struct shk_header header = {.version = "0.1.0", .host = "web1", .kernel = "6.1", .sources = none};
	static struct shk_facts facts;
	struct shk_fact *fact;
	const json_t *one;
	struct sink_rig rig;
	json_t *r;

	(void)state;
	fact = shk_facts_add(&facts);
	*fact = (struct shk_fact){.witness = "wire", .through = "the module tcpshake", .shows = "segments"};
	fact = shk_facts_add(&facts);
	*fact = (struct shk_fact){.witness = "socket",
				  .through = "fentry tcp_conn_request",
				  .shows = "refusals",
				  .without = "why",
				  .why = "Operation not permitted"};
	fact = shk_facts_add(&facts);
	*fact = (struct shk_fact){.witness = "socket",
				  .through = "tp_btf sys_exit",
				  .shows = "accept()",
				  .blind = "calls of io_uring"};
	header.facts = &facts;
	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	assert_int_equal(rig.sink->ops->header(rig.sink, &header), 0);
	r = only_line(&rig);
	assert_int_equal(json_array_size(at(r, "observes")), 2);
	assert_int_equal(json_array_size(at(r, "missing")), 1);
	one = json_array_get(at(r, "observes"), 0);
	expect_members(one, "witness through shows");
	expect_text(one, "through", "the module tcpshake");
	one = json_array_get(at(r, "observes"), 1);
	expect_members(one, "witness through shows blind");
	expect_text(one, "blind", "calls of io_uring");
	one = json_array_get(at(r, "missing"), 0);
	expect_members(one, "witness through shows without why");
	expect_text(one, "without", "why");
	expect_text(one, "why", "Operation not permitted");
	json_decref(r);

	/* More than there is room for: none is written behind it. */
	for (int i = 0; i < 2 * SHK_FACTS_MAX; i++)
		fact = shk_facts_add(&facts);
	assert_int_equal(facts.n, SHK_FACTS_MAX);
	assert_ptr_equal(fact, &facts.of[SHK_FACTS_MAX - 1]);
}

/* The text grows to whatever a record takes, plain or not, and what came before stays. */
static void test_long_names(void **state)
{
	static const char *const none[] = {NULL};
	struct shk_header header = {.version = "0.1.0", .kernel = "6.1", .sources = none};
	static char host[20001];
	struct sink_rig rig;
	json_t *r;

	(void)state;
	header.host = host;
	for (int plain = 0; plain < 2; plain++) {
		memset(host, plain ? 'x' : '\n', sizeof(host) - 1);
		sink_rig_open(&rig, shk_sink_json_new, CONFIG);
		assert_int_equal(rig.sink->ops->header(rig.sink, &header), 0);
		r = only_line(&rig);
		expect_text(r, "host", host);
		expect_text(r, "type", "header");
		expect_text(r, "kernel", "6.1");
		json_decref(r);
	}
}

static void test_lost(void **state)
{
	struct sink_rig rig;
	json_t *r;

	(void)state;
	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	sink_rig_lost(&rig, 17);
	r = only_line(&rig);
	expect_members(r, "type source cpu count ts");
	expect_text(r, "type", "lost");
	expect_text(r, "source", "kmod");
	expect_integer(r, "cpu", 1);
	expect_integer(r, "count", 17);
	expect_integer(r, "ts", 1700000000005000000);
	json_decref(r);
}

static void test_summary(void **state)
{
	const struct shk_summary summary = {
		.seen = 8112,
		.delivered = 8095,
		.lost = 17,
		.late = 3,
		.evicted = 2,
		.by_open = {[SHK_O_3WHS] = 398},
		.by_close = {[SHK_C_4SEG] = 390},
		.by_reuse = {[SHK_AT_RISK_DATA] = 7},
		.tuples_forgotten = 5,
	};
	struct sink_rig rig;
	json_t *r;

	(void)state;
	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	assert_int_equal(rig.sink->ops->summary(rig.sink, &summary), 0);
	r = only_line(&rig);
	expect_members(r, "type seen delivered lost late evicted by_open by_close by_conflict unmatched "
			  "by_reuse tuples_forgotten");
	expect_text(r, "type", "summary");
	expect_integer(r, "seen", 8112);
	expect_integer(r, "delivered", 8095);
	expect_integer(r, "lost", 17);
	expect_integer(r, "late", 3);
	expect_integer(r, "evicted", 2);
	assert_int_equal(json_object_size(at(r, "by_open")), SHK_O_COUNT);
	assert_int_equal(json_object_size(at(r, "by_close")), SHK_C_COUNT);
	expect_integer(r, "by_open.O_3WHS", 398);
	expect_integer(r, "by_open.O_REFUSED", 0);
	expect_integer(r, "by_close.C_4SEG", 390);
	expect_integer(r, "by_reuse.AT_RISK_DATA", 7);
	expect_integer(r, "by_reuse.SAFE_TS", 0);
	expect_integer(r, "tuples_forgotten", 5);
	json_decref(r);
}

/* A stream of records is a stream of lines. */
static void test_lines(void **state)
{
	struct shk_conn conn = sample_opened();
	unsigned int lines = 0;
	struct sink_rig rig;
	char *line, *rest;

	(void)state;
	sink_rig_open(&rig, shk_sink_json_new, CONFIG);
	sink_rig_header(&rig);
	for (int i = 0; i < 1000; i++) {
		conn.id = i;
		sink_rig_opened(&rig, &conn);
	}
	sink_rig_text(&rig);
	for (line = strtok_r(rig.text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), lines++) {
		json_t *r = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		char id[24];

		assert_non_null(r);
		if (lines) {
			snprintf(id, sizeof(id), "%016x", lines - 1);
			expect_text(r, "id", id);
		}
		json_decref(r);
	}
	assert_int_equal(lines, 1001);
	sink_rig_close(&rig);
}

static void test_errors(void **state)
{
	(void)state;
	sink_rig_check_errors(shk_sink_json_new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header), cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_facts),  cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_lost),   cmocka_unit_test(test_summary),
		cmocka_unit_test(test_lines),  cmocka_unit_test(test_errors),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, sink_rig_utc, NULL);
}
