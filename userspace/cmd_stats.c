// SPDX-License-Identifier: GPL-2.0
/*
 * The module's counters. What /proc and debugfs say is read into one JSON object, which is then printed
 * either as it is or for people. A file of "name value" or "name: text" lines becomes an object, any
 * other an array of its lines: debugfs is free to change.
 */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "netns_name.h"
#include "uapi/tcpshake.h"

struct options {
	bool json;
	bool explain;
	const char *netns;
};

static const struct argp_option option_table[] = {
	{"json", 'j', NULL, 0, "One JSON object", 0},
	{"explain", 'x', NULL, 0, "Say what each counter means, for root", 0},
	{"netns", 'n', "NAME", 0, "Network namespace: a name, an inode number, or self (the default)", 0},
	{0},
};

static const char doc[] =
	"Shows the module's counters for one network namespace (" SHK_PROC ") and, for root, "
	"its internals (" SHK_DEBUGFS ").";

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case 'x':
		o->explain = true;
		return 0;
	case 'n':
		if (!strcmp(arg, "all")) {
			argp_error(state,
				   "--netns all: each network namespace has counters of its own, name one");
			return EINVAL;
		}
		o->netns = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\": no arguments are expected", arg);
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

/*
 * ---- Reading -------------------------------------------------------------------------------------
 */

/* A number where it is one, else the text. */
static json_t *value_of(const char *text)
{
	json_int_t number;
	char *end;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (end != text && !*end && !errno)
		return json_integer(number);
	return json_string(text);
}

/* "name value" or "name: text"; NULL if the line is neither. Writes into @line. */
static char *split_line(char *line)
{
	size_t len = strcspn(line, " \t");
	char *value = line + len + strspn(line + len, " \t");

	if (!len || !*value)
		return NULL;
	if (line[len - 1] == ':')
		line[len - 1] = '\0';
	else if (value[strcspn(value, " \t")])
		return NULL;
	line[len] = '\0';
	return value;
}

/* NULL if some line has another form. */
static json_t *object_of(json_t *lines)
{
	json_t *into = json_object(), *line;
	char *name, *value;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		name = strdup(json_string_value(line));
		value = name ? split_line(name) : NULL;
		if (value)
			json_object_set_new(into, name, value_of(value));
		free(name);
		if (value)
			continue;
		json_decref(into);
		return NULL;
	}
	return into;
}

/* NULL and errno if the file cannot be read. */
static json_t *read_file(const char *path)
{
	json_t *lines = json_array(), *object;
	char *line = NULL;
	size_t size = 0;
	FILE *f;

	f = fopen(path, "re");
	if (!f) {
		json_decref(lines);
		return NULL;
	}
	while (getline(&line, &size, f) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		json_array_append_new(lines, json_string(line));
	}
	free(line);
	fclose(f);
	object = object_of(lines);
	if (!object)
		return lines;
	json_decref(lines);
	return object;
}

/* Every file of the folder; empty where it may not be looked into, which is no error. */
static json_t *read_folder(const char *path)
{
	json_t *into = json_object(), *file;
	struct dirent **entries;
	char name[PATH_MAX];
	int i, n;

	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		return into;
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		file = entries[i]->d_name[0] == '.' ? NULL : read_file(name);
		if (file)
			json_object_set_new(into, entries[i]->d_name, file);
		free(entries[i]);
	}
	free(entries);
	return into;
}

static json_int_t own_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) < 0 ? 0 : (json_int_t)st.st_ino;
}

static json_t *read_all(struct shk_error *err)
{
	json_t *counters = read_file(SHK_PROC);

	if (!counters) {
		shk_error_set(err, -errno, SHK_PROC ": %s%s", strerror(errno),
			      errno == ENOENT ? ": the module tcpshake is not loaded.\n"
						"  Load it:  sudo modprobe tcpshake   or   "
						"sudo insmod path/to/tcpshake.ko"
					      : "");
		return NULL;
	}
	return json_pack("{s:I, s:o, s:o}", "netns", own_netns(), "counters", counters, "internals",
			 read_folder(SHK_DEBUGFS));
}

/*
 * ---- Printing ------------------------------------------------------------------------------------
 */

static void print_value(const char *name, int width, const json_t *value)
{
	if (json_is_integer(value))
		printf("  %-*s  %20" JSON_INTEGER_FORMAT "\n", width, name, json_integer_value(value));
	else
		printf("  %-*s  %20s\n", width, name, json_string_value(value));
}

/* The counters that begin a group, in the order of kmod/stats.def. */
static const struct group {
	const char *first;
	const char *heading;
} groups[] = {
	{"segments_in", "Received"},  {"segments_out", "Sent"}, {"segments_forwarded", "Forwarded"},
	{"not_for_us", "Left alone"}, {"events", "Events"},
};

static void print_heading_before(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!strcmp(groups[i].first, name))
			printf("\n%s\n", groups[i].heading);
}

/* @meanings: sentences by name; NULL: none wanted */
static void print_values(json_t *values, json_t *meanings)
{
	const char *name, *meaning;
	size_t width = 0;
	json_t *value;

	json_object_foreach(values, name, value) if (strlen(name) > width) width = strlen(name);
	json_object_foreach(values, name, value)
	{
		print_heading_before(name);
		print_value(name, width, value);
		meaning = json_string_value(json_object_get(meanings, name));
		if (meaning)
			printf("    %s\n", meaning);
	}
}

static void print_lines(json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line) printf("  %s\n", json_string_value(line));
}

static void print_for_people(json_t *all, bool explain)
{
	json_t *internals = json_object_get(all, "internals"), *file;
	json_t *meanings = json_object_get(internals, "counters");
	const char *name;

	printf("Network namespace %" JSON_INTEGER_FORMAT "\n",
	       json_integer_value(json_object_get(all, "netns")));
	print_values(json_object_get(all, "counters"), explain ? meanings : NULL);
	json_object_foreach(internals, name, file)
	{
		if (file == meanings)
			continue;
		printf("\n%s/%s\n", SHK_DEBUGFS, name);
		print_values(file, NULL);
		print_lines(file);
	}
}

int shk_cmd_stats(int argc, char **argv)
{
	static const struct argp argp = {.options = option_table, .parser = parse_one, .doc = doc};
	struct options options = {.netns = "self"};
	struct shk_error err;
	json_t *all;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return SHK_EXIT_USAGE;
	if (strcmp(options.netns, "self") && shk_netns_enter(options.netns, &err)) {
		fprintf(stderr, "%s: %s\n", argv[0], err.text);
		return err.code == -EINVAL ? SHK_EXIT_USAGE : SHK_EXIT_UNABLE;
	}
	all = read_all(&err);
	if (!all) {
		fprintf(stderr, "%s: %s\n", argv[0], err.text);
		return SHK_EXIT_UNABLE;
	}
	if (options.json) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		printf("\n");
	} else {
		print_for_people(all, options.explain);
	}
	json_decref(all);
	return fflush(stdout) ? SHK_EXIT_UNABLE : SHK_EXIT_OK;
}
