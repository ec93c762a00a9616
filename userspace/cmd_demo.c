// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <langinfo.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "demo/isn.h"

enum { KEY_ASCII = 256 };

static const struct argp_option option_table[] = {
	{"ascii", KEY_ASCII, NULL, 0, "Use no characters beyond ASCII", 0},
	{0},
};

static const char doc[] =
	"Shows something on hosts of its own, which are gone when it ends. Takes root.\n"
	"isn: why a connection does not begin at sequence number 0: what an application reads if it "
	"does, and what the kernel's initial sequence numbers and timestamps do about it\v"
	"Exit status: 0 all went as told; 1 the command line is wrong; 2 it could not be shown here; "
	"3 this kernel behaved otherwise.";

struct demo_options {
	bool ascii;
	bool named;
};

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
	struct demo_options *options = state->input;

	switch (key) {
	case KEY_ASCII:
		options->ascii = true;
		return 0;
	case ARGP_KEY_ARG:
		if (options->named || strcmp(arg, "isn"))
			argp_error(state, "\"%s\": what can be shown is: isn", arg);
		options->named = true;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "name what to show: isn");
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

static bool terminal_has_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") && !(no_color && *no_color);
}

int shk_cmd_demo(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_one,
		.args_doc = "isn",
		.doc = doc,
	};
	struct demo_options options = {0};
	struct shk_sink_config config = {.out = stdout};
	struct shk_error err = {0};
	int rc;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return SHK_EXIT_USAGE;
	config.colour = terminal_has_colour();
	config.utf8 = !options.ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
	rc = shk_demo_isn(&config, &err);
	if (!rc && fflush(stdout))
		rc = shk_error_set(&err, -errno, "cannot write: %s", strerror(errno));
	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", argv[0], err.text);
		return SHK_EXIT_UNABLE;
	}
	return rc ? SHK_EXIT_MISMATCH : SHK_EXIT_OK;
}
