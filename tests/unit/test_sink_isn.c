// SPDX-License-Identifier: GPL-2.0
/* What "tcpshake isn" says of forty tuples used twice, as Linux numbers them; and of too few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>

#include "isn/tuples.h"
#include "sink_isn.h"
#include "sink_rig.h"

#define TUPLES   40
#define SPAN_NS  (2 * SAMPLE_S)
#define CLIENT_F 2654435761U
#define SERVER_F 2246822519U

static struct shk_isn *audit;
static bool json;

static struct shk_sink *new_sink(const struct shk_sink_config *config)
{
	const struct shk_sink_isn_config isn = {.audit = audit, .json = json};

	return shk_sink_isn_new(config, &isn);
}

static int setup(void **state)
{
	static struct sink_rig rig;
	const struct shk_isn_config config = {.hash_key = {1, 2}};

	audit = shk_isn_new(&config);
	*state = &rig;
	return !audit;
}

static int teardown(void **state)
{
	(void)state;
	shk_isn_free(audit);
	return 0;
}

/* F differs from tuple to tuple; the clock is the kernel's. */
static struct shk_conn use_of(unsigned int tuple, uint64_t since_ns)
{
	struct shk_conn conn = sample_closed();
	uint64_t real_ns;

	conn.first_ns += since_ns;
	conn.last_ns = conn.first_ns + SAMPLE_MS;
	real_ns = conn.first_ns + SAMPLE_OFFSET_NS;
	conn.end[SHK_CLIENT].port = 40000 + tuple;
	conn.end[SHK_CLIENT].isn = (tuple + 1) * CLIENT_F + (uint32_t)(real_ns >> 6);
	conn.end[SHK_SERVER].isn = (tuple + 1) * SERVER_F + (uint32_t)((real_ns + conn.syn_synack_ns) >> 6);
	/* Without timestamps, all is up to the ISN. */
	conn.end[SHK_CLIENT].options &= ~SHK_OPT_TIMESTAMPS;
	return conn;
}

static void feed(struct sink_rig *rig, unsigned int uses, bool constant)
{
	static const uint64_t key[2] = {3, 4};
	struct shk_tuples *tuples = shk_tuples_new(1024, key);
	struct shk_conn conn;
	unsigned int i;

	assert_non_null(tuples);
	for (i = 0; i < uses; i++) {
		conn = use_of(i % TUPLES, i * SPAN_NS / TUPLES);
		if (constant) {
			conn.end[SHK_CLIENT].isn = 1;
			conn.end[SHK_SERVER].isn = 1;
		}
		shk_tuples_look(tuples, &conn, &conn.reuse);
		sink_rig_opened(rig, &conn);
		sink_rig_closed(rig, &conn);
		shk_tuples_learn(tuples, &conn);
	}
	shk_tuples_free(tuples);
}

static const char *summed_up(struct sink_rig *rig)
{
	const struct shk_summary summary = {.seen = 1, .delivered = 1};

	assert_int_equal(rig->sink->ops->summary(rig->sink, &summary), 0);
	return sink_rig_text(rig);
}

static void expect_in(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s", words, text);
}

static void test_text(void **state)
{
	struct sink_rig *rig = *state;
	const char *text;

	json = false;
	sink_rig_open(rig, new_sink, (struct shk_sink_config){.utf8 = true});
	sink_rig_header(rig);
	feed(rig, 2 * TUPLES, false);
	text = summed_up(rig);
	expect_in(text, "tcpshake 0.1.0 on web1");
	expect_in(text,
		  "  10.7.0.1                  client       80       40  RFC6528, 15.625 MHz, residual 0 "
		  "(0 ns)\n");
	expect_in(text, "  10.7.0.2                  server       80       40  RFC6528, 15.625 MHz");
	expect_in(text, "cannot be guessed, and grows from use to use\n");
	expect_in(text, "  40 of 80 connections");
	expect_in(text, "          40         40  old sequence numbers are outside the window\n");
	expect_in(text,
		  "    always 0                                                      40             40  "
		  "of 40\n");
	expect_in(text,
		  "    as observed                                                    0              0  "
		  "of 40\n");
	sink_rig_close(rig);
}

static void test_text_of_danger(void **state)
{
	struct sink_rig *rig = *state;
	const char *text;

	json = false;
	sink_rig_open(rig, new_sink, (struct shk_sink_config){.utf8 = true});
	feed(rig, 2 * TUPLES, true);
	text = summed_up(rig);
	expect_in(text, "CONSTANT\n");
	expect_in(text, "          40         40  old data could be taken for new\n");
	expect_in(text,
		  "10.7.0.1:40000 → 10.7.0.2:80  old data could be taken for new: 2.0 s after, margin ");
	expect_in(text, "and 30 more; --json has the first 1024\n");
	sink_rig_close(rig);
}

static void test_text_of_too_little(void **state)
{
	struct sink_rig *rig = *state;
	const char *text;

	json = false;
	sink_rig_open(rig, new_sink, (struct shk_sink_config){0});
	feed(rig, 1, false);
	text = summed_up(rig);
	expect_in(text, "INSUFFICIENT\n    too few samples to say: 2 more samples would do\n");
	expect_in(text, "  0 of 1 connections\n");
	assert_null(strstr(text, "Why an ISN"));
	sink_rig_close(rig);
}

/* The n-th line of that type, or NULL. */
static json_t *line_of(const char *text, const char *type, unsigned int n)
{
	json_t *line;

	for (; *text; text = strchr(text, '\n') + 1) {
		line = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
		assert_non_null(line);
		if (!strcmp(json_string_value(json_object_get(line, "type")), type) && !n--)
			return line;
		json_decref(line);
	}
	return NULL;
}

static void expect_number(json_t *line, const char *object, const char *key, double value)
{
	json_t *from = object ? json_object_get(line, object) : line;

	assert_true(json_is_number(json_object_get(from, key)));
	assert_true(json_number_value(json_object_get(from, key)) == value);
}

static void test_json(void **state)
{
	struct sink_rig *rig = *state;
	const char *text;
	json_t *line;

	json = true;
	sink_rig_open(rig, new_sink, (struct shk_sink_config){0});
	sink_rig_header(rig);
	feed(rig, 2 * TUPLES, false);
	text = summed_up(rig);
	line = line_of(text, "header", 0);
	assert_non_null(line);
	json_decref(line);
	line = line_of(text, "isn", 1);
	assert_string_equal(json_string_value(json_object_get(line, "host")), "10.7.0.2");
	assert_string_equal(json_string_value(json_object_get(line, "role")), "server");
	assert_string_equal(json_string_value(json_object_get(line, "family")), "ipv4");
	assert_string_equal(json_string_value(json_object_get(line, "verdict")), "RFC6528");
	assert_true(json_is_false(json_object_get(line, "predictable")));
	expect_number(line, NULL, "rate_hz", 15625000);
	expect_number(line, NULL, "samples", 80);
	expect_number(line, NULL, "tuples", 40);
	expect_number(line, NULL, "tuples_reused", 40);
	expect_number(line, "excluded", "cookie", 0);
	assert_true(json_is_number(json_object_get(json_object_get(line, "nmap"), "isr")));
	json_decref(line);
	assert_null(line_of(text, "isn", 2));
	assert_null(line_of(text, "isn_risk", 0));
	line = line_of(text, "isn_what_if", 0);
	expect_number(line, NULL, "reuses", 40);
	expect_number(line, "by_reuse", "SAFE_ISN", 40);
	expect_number(line, "at_risk", "G0", 40);
	expect_number(line, "at_risk", "GL", 0);
	json_decref(line);
	line = line_of(text, "summary", 0);
	assert_non_null(line);
	json_decref(line);
	sink_rig_close(rig);
}

static void test_json_of_danger(void **state)
{
	struct sink_rig *rig = *state;
	json_t *line;

	json = true;
	sink_rig_open(rig, new_sink, (struct shk_sink_config){0});
	feed(rig, 2 * TUPLES, true);
	line = line_of(summed_up(rig), "isn_risk", 39);
	assert_non_null(line);
	assert_string_equal(json_string_value(json_object_get(line, "verdict")), "AT_RISK_DATA");
	expect_number(line, "client", "port", 40039);
	expect_number(line, NULL, "gap_ns", SPAN_NS - SAMPLE_MS);
	json_decref(line);
	assert_null(line_of(rig->text, "isn_risk", 40));
	sink_rig_close(rig);
}

/* All it writes it writes in the end. */
static void expect_full(void)
{
	const struct shk_summary summary = {0};
	struct shk_sink_config config = {.out = fopen("/dev/full", "w")};
	struct shk_sink *sink;

	assert_non_null(config.out);
	setvbuf(config.out, NULL, _IONBF, 0);
	sink = new_sink(&config);
	assert_non_null(sink);
	assert_int_equal(sink->ops->summary(sink, &summary), -ENOSPC);
	sink->ops->free(NULL);
	sink->ops->free(sink);
	fclose(config.out);
}

static void test_errors(void **state)
{
	(void)state;
	json = true;
	expect_full();
	json = false;
	expect_full();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text_of_danger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text_of_too_little, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json_of_danger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
	};

	return cmocka_run_group_tests(tests, sink_rig_utc, NULL);
}
