// SPDX-License-Identifier: GPL-2.0
/* What a terminal gets to see of the progress, and that its line is gone in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "progress.h"

#define CLEAR "\r\033[K"

struct screen {
	struct shk_progress progress;
	uint64_t position;
	char *text;
	size_t size;
};

static uint64_t position(void *arg)
{
	return ((const struct screen *)arg)->position;
}

static int setup(void **state)
{
	struct screen *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	s->progress = (struct shk_progress){
		.out = open_memstream(&s->text, &s->size),
		.name = "tcpshake read",
		.total = 2000000000,
		.position = position,
		.arg = s,
		.began_ns = 1, /* long ago */
	};
	*state = s;
	return s->progress.out ? 0 : -1;
}

static int teardown(void **state)
{
	struct screen *s = *state;

	fclose(s->progress.out);
	free(s->text);
	free(s);
	return 0;
}

static const char *text(struct screen *s)
{
	fflush(s->progress.out);
	return s->text;
}

static void test_share_of_the_whole(void **state)
{
	struct screen *s = *state;

	s->position = 919999999;
	shk_progress_show(&s->progress);
	assert_non_null(strstr(text(s), CLEAR "tcpshake read: 45 %, 920 MB, "));
	assert_non_null(strstr(text(s), " MB/s"));
	/* Not again at once. */
	shk_progress_show(&s->progress);
	assert_null(strstr(text(s) + 1, CLEAR));
	/* A file that grows meanwhile. */
	s->position = 3000000000;
	s->progress.shown_ns = 1;
	shk_progress_show(&s->progress);
	assert_non_null(strstr(text(s), CLEAR "tcpshake read: 100 %, 3000 MB, "));
}

static void test_pipe_has_no_whole(void **state)
{
	struct screen *s = *state;

	s->progress.total = 0;
	s->position = 5000000;
	shk_progress_show(&s->progress);
	assert_non_null(strstr(text(s), CLEAR "tcpshake read: 5 MB, "));
}

static void test_line_is_gone_in_the_end(void **state)
{
	struct screen *s = *state;

	shk_progress_show(&s->progress);
	shk_progress_end(&s->progress);
	assert_string_equal(text(s) + strlen(text(s)) - strlen(CLEAR), CLEAR);
}

static void test_short_files_show_nothing(void **state)
{
	struct screen *s = *state;

	s->progress.began_ns = 0;
	shk_progress_show(&s->progress);
	shk_progress_show(&s->progress);
	shk_progress_end(&s->progress);
	assert_string_equal(text(s), "");
}

static void test_without_a_terminal(void **state)
{
	struct shk_progress none = {.out = NULL};

	(void)state;
	shk_progress_show(&none);
	shk_progress_end(&none);
	shk_progress_show(NULL);
	shk_progress_end(NULL);
}

static void test_total_of_files(void **state)
{
	const char *const paths[] = {"test_progress.tmp", "test_progress.tmp", "/dev/null"};
	FILE *file = fopen(paths[0], "w");

	(void)state;
	assert_non_null(file);
	fputs("12345", file);
	fclose(file);
	assert_int_equal(shk_progress_total(paths, 2), 10);
	assert_int_equal(shk_progress_total(paths, 3), 0);
	unlink(paths[0]);
}

/* It counts what is on the disk, however much is made of it, and all of it. */
static void test_position_of_an_input(void **state)
{
	static char octets[300000];
	const char *const path = "test_progress.tmp";
	struct shk_input *in;
	struct shk_error err;
	FILE *file = fopen(path, "w");

	(void)state;
	assert_int_equal(fwrite(octets, 1, sizeof(octets), file), sizeof(octets));
	fclose(file);
	in = shk_input_open(path, &file, &err);
	assert_non_null(in);
	assert_in_range(shk_input_position(in), 1, sizeof(octets));
	while (fread(octets, 1, 1000, file))
		;
	assert_int_equal(shk_input_position(in), sizeof(octets));
	fclose(file);
	shk_input_free(in);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_share_of_the_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pipe_has_no_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line_is_gone_in_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_files_show_nothing, setup, teardown),
		cmocka_unit_test(test_without_a_terminal),
		cmocka_unit_test(test_total_of_files),
		cmocka_unit_test(test_position_of_an_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
