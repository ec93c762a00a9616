// SPDX-License-Identifier: GPL-2.0
/*
 * The demonstration on the running kernel. Takes root; otherwise every test is skipped, and says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo/isn.h"
#include "netns_list.h"

#define PATIENCE_MS 20000

static ino_t namespace_of(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static int equals(void *arg, int fd, uint32_t inode)
{
	(void)fd;
	return inode == *(ino_t *)arg;
}

static void need_root(void)
{
	if (geteuid())
		skip();
}

/*
 * ---- Played to its end ---------------------------------------------------------------------------
 */

static char *play(struct shk_sink_config config, int wanted)
{
	struct shk_error err = {0};
	size_t size;
	char *text;
	int rc;

	config.out = open_memstream(&text, &size);
	assert_non_null(config.out);
	rc = shk_demo_isn(&config, &err);
	fclose(config.out);
	if (rc != wanted)
		print_error("%s\n%s\n", err.text, text);
	assert_int_equal(rc, wanted);
	return text;
}

/* Each in its turn; returns what follows the last of them. */
static const char *expect_in_order(const char *text, const char *const *phrases)
{
	const char *found;

	for (; *phrases; phrases++) {
		found = strstr(text, *phrases);
		if (!found)
			print_error("\"%s\" is missing in:\n%s\n", *phrases, text);
		assert_non_null(found);
		text = found + strlen(*phrases);
	}
	return text;
}

static void test_three_acts(void **state)
{
	static const char *const phrases[] = {
		"1 of 3",
		"SYN seq=1 ",
		"SYN+ACK seq=1 ack=2",
		"reads OLD!",
		"SYN seq=1 ",
		"The old OLD! arrives",
		"Accepted",
		"sends NEW!",
		"Thrown away as a duplicate",
		"!! The client sent NEW!, which was acknowledged; the application read OLD!.",
		"2 of 3",
		"wrong ack len=4",
		"Refused",
		"Accepted.",
		"ok The client sent NEW!, which was acknowledged; the application read NEW!.\n",
		"3 of 3",
		"SYN seq=1 ",
		"its timestamp is",
		"Refused",
		"Accepted.",
		"the application read NEW!. The kernel counted 1 segment refused by PAWS.",
		"counts one every 64 ns",
		NULL,
	};
	ino_t home;
	char *text;

	(void)state;
	need_root();
	home = namespace_of(getpid());
	text = play((struct shk_sink_config){0}, 0);
	assert_null(strstr(expect_in_order(text, phrases), "not what was expected"));
	assert_int_equal(namespace_of(getpid()), home);
	free(text);
}

static struct shk_demo_result result_of(unsigned int act, const char *read, uint64_t paws)
{
	struct shk_demo_result result = {
		.act = &shk_demo_acts[act],
		.paws = paws,
		.acknowledged = true,
	};

	snprintf(result.read, sizeof(result.read), "%s", read);
	return result;
}

static bool expected(unsigned int act, const char *read, uint64_t paws)
{
	struct shk_demo_result result = result_of(act, read, paws);

	return shk_demo_as_expected(&result);
}

/* Only what the title of an act promises is a success. */
static void test_what_is_expected(void **state)
{
	struct shk_demo_result lost = result_of(0, "OLD!", 0);

	(void)state;
	lost.acknowledged = false;
	assert_false(shk_demo_as_expected(&lost));
	assert_true(expected(0, "OLD!", 0));
	assert_false(expected(0, "NEW!", 0));
	assert_false(expected(0, "", 0));
	assert_true(expected(1, "NEW!", 0));
	assert_false(expected(1, "OLD!", 0));
	assert_false(expected(1, "NEW!", 1));
	assert_true(expected(2, "NEW!", 1));
	assert_false(expected(2, "OLD!", 0));
	assert_false(expected(2, "NEW!", 0)); /* refused, but not by PAWS */
}

/*
 * ---- Interrupted ---------------------------------------------------------------------------------
 */

static pid_t start(int *output)
{
	struct shk_sink_config config = {0};
	struct shk_error err;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGINT, SIG_DFL);
		config.out = fdopen(ends[1], "w");
		setvbuf(config.out, NULL, _IOLBF, 0);
		_exit(shk_demo_isn(&config, &err) ? 1 : 0);
	}
	close(ends[1]);
	*output = ends[0];
	return pid;
}

/* Reads until @words have been said. */
static void wait_for_words(int output, const char *words)
{
	struct pollfd fd = {.fd = output, .events = POLLIN};
	char said[65536] = "";
	size_t size = 0;
	ssize_t n;

	while (!strstr(said, words)) {
		assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
		n = read(output, said + size, sizeof(said) - 1 - size);
		assert_true(n > 0);
		size += n;
		said[size] = '\0';
	}
}

static void test_interrupt(void **state)
{
	ino_t inside;
	int output, status;
	pid_t pid;

	(void)state;
	need_root();
	pid = start(&output);
	wait_for_words(output, "1 of 3");
	inside = namespace_of(pid);
	assert_int_not_equal(inside, namespace_of(getpid()));
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(output);
	/* Or it was quicker than the signal. */
	if (WIFSIGNALED(status))
		assert_int_equal(WTERMSIG(status), SIGINT);
	else
		assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(shk_netns_each(equals, &inside), 0);
	assert_int_equal(if_nametoindex(SHK_HOSTS_DEVICE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_acts),
		cmocka_unit_test(test_what_is_expected),
		cmocka_unit_test(test_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
