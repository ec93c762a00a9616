// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "merge.h"
#include "watch_options.h"

#define NS_PER_MS     1000000ULL
#define NS_PER_SECOND 1000000000ULL

#define DURATION_MAX    31536000ULL /* seconds in a year */
#define WINDOW_MAX      10000ULL    /* ms */
#define OCTETS_PER_MB   1000000ULL
#define ROTATE_SIZE_MAX 1000000ULL /* MB */
#define FLOWS_LIMIT     (1ULL << 28)

/* Files have no other CPUs, but merged captures and those of many queues are less well sorted than a ring. */
#define READ_WINDOW_NS (100 * NS_PER_MS)

enum {
	KEY_JSON = 256,
	KEY_LADDER,
	KEY_HOOKS,
	KEY_SOURCE,
	KEY_NO_SOCKETS,
	KEY_RING_SLOTS,
	KEY_FLOWS_MAX,
	KEY_COLOUR,
	KEY_ASCII,
	KEY_WINDOW,
	KEY_ROTATE_SIZE,
	KEY_ROTATE_TIME,
	KEY_ROTATE_KEEP,
	KEY_ALL,
	KEY_REPORT
};

static const struct argp_option watch_table[] = {
	{NULL, 0, NULL, 0, "What to watch:", 1},
	{"netns", 'n', "NAME", 0, "Network namespace: a name, an inode number, self, or all (the default)",
	 0},
	{"hooks", KEY_HOOKS, "LIST", 0, "Where to look: a list of pre,in,fwd,out,post; all by default", 0},
	{"source", KEY_SOURCE, "WHAT", 0,
	 "kmod, the module; bpf, programs for Linux 6.4 and newer; pcap, live capture, which sees no hooks "
	 "and one network namespace; auto (the default): kmod if it is loaded, else bpf, else pcap",
	 0},
	{"interface", 'i', "NAME", 0, "Live capture on this interface; implies --source pcap", 0},
	{"no-sockets", KEY_NO_SOCKETS, NULL, 0,
	 "Do without what BPF programs see of the sockets: processes, waits, errors", 0},
	{"duration", 'd', "SECONDS", 0, "End after so much time", 0},
	{"ring-slots", KEY_RING_SLOTS, "N", 0, "Slots of each CPU's ring, a power of two", 0},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, -1},
	{0},
};

static const struct argp_option read_table[] = {
	{NULL, 0, NULL, 0, "What to read:", 1},
	{"filter", 'f', "EXPR", 0,
	 "Only packets that EXPR lets pass, in the language of tcpdump, for instance: 'port 443'", 0},
	{"verbose", 'v', NULL, 0, "Say at the end what became of every packet", 0},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, -1},
	{0},
};

static const struct argp_option isn_table[] = {
	{NULL, 0, NULL, 0, "What to audit:", 1},
	{"filter", 'f', "EXPR", 0,
	 "Only packets that EXPR lets pass, in the language of tcpdump, for instance: 'port 443'", 0},
	{"netns", 'n', "NAME", 0,
	 "Live: network namespace, a name, an inode number, self, or all (the default)", 0},
	{"source", KEY_SOURCE, "WHAT", 0, "Live: kmod, bpf, or auto (the default)", 0},
	{"duration", 'd', "SECONDS", 0, "Live: end after so much time", 0},
	{"all", KEY_ALL, NULL, 0, "Show every host, also those that gave too few samples", 0},
	{"report", KEY_REPORT, "FILE", 0, "Besides, write it as one page of HTML, with pictures, to FILE", 0},
	{"verbose", 'v', NULL, 0, "Say at the end what became of every packet of the files", 0},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, -1},
	{0},
};

/* What every command takes that shows connections. */
static const struct argp_option common_table[] = {
	{NULL, 0, NULL, 0, "How to show it:", 2},
	{"ladder", KEY_LADDER, NULL, 0, "A diagram of each connection, segment by segment", 0},
	{"json", KEY_JSON, NULL, 0, "JSON, one object on a line", 0},
	{"output", 'o', "FILE", 0, "Write to FILE instead of standard output", 0},
	{"color", KEY_COLOUR, "WHEN", 0, "auto (the default), always or never; NO_COLOR counts for auto", 0},
	{"colour", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0},
	{"ascii", KEY_ASCII, NULL, 0, "Use no characters beyond ASCII", 0},
	{NULL, 0, NULL, 0, "Limits:", 3},
	{"count", 'c', "N", 0, "End after N connections were reported as closed", 0},
	{"flows-max", KEY_FLOWS_MAX, "N", 0, "Connections to follow at once, 1048576 by default", 0},
	{0},
};

/* What every command takes that has events at hand. */
static const struct argp_option events_table[] = {
	{"window", KEY_WINDOW, "MS", 0,
	 "Wait so long for older events: those of other CPUs, or of a file that is not in order", 3},
	{NULL, 0, NULL, 0, "How to record it:", 4},
	{"record", 'w', "FILE", 0, "Write what is seen to FILE, for tcpshake read; - is standard output", 0},
	{"rotate-size", KEY_ROTATE_SIZE, "MB", 0, "Begin another file after so many millions of octets", 0},
	{"rotate-time", KEY_ROTATE_TIME, "SECONDS", 0, "Begin another file after so much time", 0},
	{"rotate-keep", KEY_ROTATE_KEEP, "N", 0, "Remove all but the last N files", 0},
	{0},
};

static const char watch_doc[] =
	"Shows every TCP handshake on this host, opening and closing, as it happens.\n"
	"FILTER is in the language of tcpdump, for instance: port 443 and host 10.0.0.1\v"
	"Exit status: 0 all went well; 1 the command line is wrong; 2 it cannot observe or write; "
	"3 events are missing that nobody has reported as lost.";

static const char record_doc[] =
	"Records every TCP handshake on this host, opening and closing, and shows nothing: tcpshake read "
	"then shows what watch would have. FILTER is in the language of tcpdump.\v"
	"Exit status: 0 all went well; 1 the command line is wrong; 2 it cannot observe or write; "
	"3 events are missing that nobody has reported as lost.";

static const char read_doc[] =
	"Shows every TCP handshake in captures: pcap, pcapng and snoop, also compressed by gzip or zstd; "
	"- is standard input. Several files are one timeline. Of recordings, it shows what was shown live; "
	"several files are those of one recording.\v"
	"Exit status: 0 all went well; 1 the command line is wrong; 2 a file cannot be opened, or the output "
	"not be written; 3 events are missing that nobody has reported as lost; 4 a file is damaged or of an "
	"unknown link type, and what could be read was reported.";

static const char isn_doc[] =
	"Audits initial sequence numbers: who chose them, whether they can be guessed, whether old segments "
	"could have been taken for new ones where a tuple was used again, and how often they could have "
	"been, had the numbers been chosen in another way. Without FILE it watches this host until it is "
	"told to end.\v"
	"Exit status: as of tcpshake watch, and with FILE as of tcpshake read.";

static int parse_u32(const char *text, uint64_t min, uint64_t max, uint32_t *value, struct shk_error *err)
{
	uint64_t number;
	int rc;

	rc = shk_parse_number(text, min, max, &number, err);
	if (!rc)
		*value = number;
	return rc;
}

static int set_positive(const char *text, uint64_t unit, uint64_t max, uint64_t *value, struct shk_error *err)
{
	int rc;

	rc = shk_parse_span(text, unit, max, value, err);
	if (!rc && !*value)
		return shk_error_set(err, -EINVAL, "\"%s\": more than nothing is needed", text);
	return rc;
}

static int set_filter(const char *text, char **filter)
{
	free(*filter);
	*filter = strdup(text);
	return *filter ? 0 : ENOMEM;
}

static int set_value(struct shk_watch_options *o, int key, const char *arg, struct shk_error *err)
{
	switch (key) {
	case 'f':
		return set_filter(arg, &o->filter);
	case KEY_HOOKS:
		return shk_parse_hooks(arg, &o->hooks, err);
	case KEY_SOURCE:
		return shk_parse_source(arg, &o->source, err);
	case KEY_COLOUR:
		return shk_parse_colour(arg, &o->colour, err);
	case KEY_RING_SLOTS:
		return parse_u32(arg, 1, UINT32_MAX, &o->ring_slots, err);
	case KEY_FLOWS_MAX:
		return parse_u32(arg, 1, FLOWS_LIMIT, &o->flows_max, err);
	case KEY_WINDOW:
		return shk_parse_span(arg, NS_PER_MS, WINDOW_MAX, &o->window_ns, err);
	case KEY_ROTATE_SIZE:
		return set_positive(arg, OCTETS_PER_MB, ROTATE_SIZE_MAX, &o->rotate_size, err);
	case KEY_ROTATE_TIME:
		return set_positive(arg, NS_PER_SECOND, DURATION_MAX, &o->rotate_ns, err);
	case KEY_ROTATE_KEEP:
		return shk_parse_number(arg, 1, UINT32_MAX, &o->rotate_keep, err);
	case 'c':
		return shk_parse_number(arg, 1, UINT64_MAX, &o->count, err);
	case 'd':
		return set_positive(arg, NS_PER_SECOND, DURATION_MAX, &o->duration_ns, err);
	}
	return ARGP_ERR_UNKNOWN;
}

static bool set_plain(struct shk_watch_options *o, int key, const char *arg)
{
	switch (key) {
	case KEY_JSON:
		o->format = SHK_FORMAT_JSON;
		return true;
	case KEY_LADDER:
		o->format = SHK_FORMAT_LADDER;
		return true;
	case KEY_ASCII:
		o->ascii = true;
		return true;
	case KEY_NO_SOCKETS:
		o->no_sockets = true;
		return true;
	case 'n':
		o->netns = arg;
		return true;
	case 'i':
		o->interface = arg;
		o->source = SHK_SOURCE_PCAP;
		return true;
	case 'o':
		o->output = arg;
		return true;
	case 'w':
		o->record = arg;
		return true;
	case 'v':
		o->verbose = true;
		return true;
	case KEY_ALL:
		o->every = true;
		return true;
	case KEY_REPORT:
		o->report = arg;
		return true;
	}
	return false;
}

static int add_word(struct shk_watch_options *o, const char *word)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", o->filter ? o->filter : "", o->filter ? " " : "", word) < 0)
		return ENOMEM;
	free(o->filter);
	o->filter = joined;
	return 0;
}

static int add_file(struct shk_watch_options *o, const char *path)
{
	const char **files = reallocarray(o->files, o->n_files + 1, sizeof(*files));

	if (!files)
		return ENOMEM;
	o->files = files;
	o->files[o->n_files++] = path;
	return 0;
}

static const char *option_name(const struct argp_option *table, int key)
{
	for (; table->name || table->key || table->doc; table++)
		if (table->key == key && table->name)
			return table->name;
	return "";
}

/* What all parsers have in common; ARGP_ERR_UNKNOWN: it is for another one. */
static error_t parse_option(const struct argp_option *table, int key, char *arg, struct argp_state *state)
{
	struct shk_watch_options *o = state->input;
	struct shk_error err;
	int rc, i;

	if (key == ARGP_KEY_INIT) {
		for (i = 0; state->child_inputs && state->root_argp->children[i].argp; i++)
			state->child_inputs[i] = o;
		return 0;
	}
	if (key == 'h') {
		argp_state_help(state, state->out_stream, ARGP_HELP_STD_HELP);
		return 0;
	}
	if (set_plain(o, key, arg))
		return 0;
	rc = set_value(o, key, arg, &err);
	if (rc == -EINVAL) {
		argp_error(state, "--%s %s", option_name(table, key), err.text);
		return EINVAL;
	}
	return rc;
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	return parse_option(common_table, key, arg, state);
}

static error_t parse_events(int key, char *arg, struct argp_state *state)
{
	return parse_option(events_table, key, arg, state);
}

static error_t parse_watch(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_ARG)
		return add_word(state->input, arg);
	return parse_option(watch_table, key, arg, state);
}

static error_t parse_read(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		return add_file(state->input, arg);
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "name the files to read, or - for standard input");
		return EINVAL;
	}
	return parse_option(read_table, key, arg, state);
}

static error_t parse_record(int key, char *arg, struct argp_state *state)
{
	const struct shk_watch_options *o = state->input;

	if (key == ARGP_KEY_END && !o->record) {
		argp_error(state, "name the file to write, or - for standard output: --record FILE");
		return EINVAL;
	}
	return parse_watch(key, arg, state);
}

static error_t parse_isn(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_ARG)
		return add_file(state->input, arg);
	return parse_option(isn_table, key, arg, state);
}

static const struct argp events_argp = {.options = events_table, .parser = parse_events};
static const struct argp common_argp = {.options = common_table, .parser = parse_common};

static const struct argp_child children[] = {{.argp = &common_argp}, {.argp = &events_argp}, {0}};
static const struct argp_child record_children[] = {{.argp = &events_argp}, {0}};

int shk_watch_options_parse(int argc, char **argv, unsigned int flags, struct shk_watch_options *options)
{
	static const struct argp argp = {
		.options = watch_table,
		.parser = parse_watch,
		.args_doc = "[FILTER...]",
		.doc = watch_doc,
		.children = children,
	};

	*options = (struct shk_watch_options){.netns = "all", .window_ns = SHK_MERGE_WINDOW_NS};
	return argp_parse(&argp, argc, argv, flags, NULL, options);
}

int shk_record_options_parse(int argc, char **argv, unsigned int flags, struct shk_watch_options *options)
{
	static const struct argp argp = {
		.options = watch_table,
		.parser = parse_record,
		.args_doc = "[FILTER...]",
		.doc = record_doc,
		.children = record_children,
	};

	*options = (struct shk_watch_options){.netns = "all", .window_ns = SHK_MERGE_WINDOW_NS};
	return argp_parse(&argp, argc, argv, flags, NULL, options);
}

int shk_read_options_parse(int argc, char **argv, unsigned int flags, struct shk_watch_options *options)
{
	static const struct argp argp = {
		.options = read_table,
		.parser = parse_read,
		.args_doc = "FILE...",
		.doc = read_doc,
		.children = children,
	};

	*options = (struct shk_watch_options){.netns = "all", .window_ns = READ_WINDOW_NS};
	return argp_parse(&argp, argc, argv, flags, NULL, options);
}

/* Which window is the right one shows when it is known whether there are files. */
int shk_isn_options_parse(int argc, char **argv, unsigned int flags, struct shk_watch_options *options)
{
	static const struct argp argp = {
		.options = isn_table,
		.parser = parse_isn,
		.args_doc = "[FILE...]",
		.doc = isn_doc,
		.children = children,
	};
	error_t rc;

	*options = (struct shk_watch_options){.netns = "all"};
	rc = argp_parse(&argp, argc, argv, flags, NULL, options);
	if (!options->window_ns)
		options->window_ns = options->n_files ? READ_WINDOW_NS : SHK_MERGE_WINDOW_NS;
	return rc;
}

void shk_watch_options_release(struct shk_watch_options *options)
{
	free(options->filter);
	options->filter = NULL;
	free(options->files);
	options->files = NULL;
}
