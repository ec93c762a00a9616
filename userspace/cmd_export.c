// SPDX-License-Identifier: GPL-2.0
/*
 * The input is played twice: once for the verdicts, which are known only when a connection has ended, and
 * once for the packets.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "command.h"
#include "input.h"
#include "pipeline.h"
#include "recording.h"
#include "replay.h"
#include "sink_notes.h"
#include "source_pcap.h"
#include "tap_packets.h"
#include "version.h"

#define WINDOW_NS 100000000ULL /* as tcpshake read has it */

struct export
{
	const char *name;
	const char *output;
	const char *filter;
	const char **files;
	unsigned int n_files;
	bool damaged;
};

/*
 * ---- Playing -------------------------------------------------------------------------------------
 */

static int play_pipeline(struct shk_pipeline *p, struct shk_error *err)
{
	struct shk_error later;
	int rc, finish_rc;

	rc = shk_pipeline_start(p, err);
	if (rc)
		return rc;
	rc = shk_pipeline_run(p, err);
	finish_rc = shk_pipeline_finish(p, rc ? &later : err);
	return rc ? rc : finish_rc;
}

static void tell_damage(struct export *e, const char *damage)
{
	if (!e->damaged)
		fprintf(stderr, "%s: %s\n", e->name, damage);
}

static void tell_captures(struct export *e, const struct shk_source *source)
{
	bool damaged = false;
	unsigned int i;

	for (i = 0; i < e->n_files; i++) {
		if (!shk_source_pcap_capture(source, i)->damage[0])
			continue;
		tell_damage(e, shk_source_pcap_capture(source, i)->damage);
		damaged = true;
	}
	e->damaged = damaged;
}

static int play_captures(struct export *e, struct shk_sink *sink, struct shk_tap *tap, struct shk_error *err)
{
	static const char *const sources[] = {"pcap", NULL};
	const struct shk_source_config config = {.filter = e->filter};
	struct shk_pipeline_config pipeline = {
		.n_sources = 1,
		.outlet =
			{
				.sink = sink,
				.tap = tap,
				.header = {.version = SHK_VERSION, .sources = sources},
				.engine =
					{
						.linger_ns = SHK_LINGER_FILE_NS,
						.arrows_max = sink ? sink->arrows_wanted : 0,
					},
			},
		.window_ns = WINDOW_NS,
		.stop_fd = -1,
		.out_fd = -1,
	};
	struct shk_source *source;
	struct shk_pipeline *p;
	struct utsname host;
	int rc = -ENOMEM;

	uname(&host);
	pipeline.outlet.header.host = host.nodename;
	pipeline.outlet.header.kernel = host.release;
	source = shk_source_pcap_open(e->files, e->n_files, &config, err);
	if (!source)
		return err->code;
	pipeline.sources[0] = source;
	p = shk_pipeline_new(&pipeline);
	rc = p ? play_pipeline(p, err) : shk_error_set(err, rc, "out of memory");
	tell_captures(e, source);
	shk_pipeline_free(p);
	source->ops->close(source);
	return rc;
}

static int play_recording(struct export *e, struct shk_sink *sink, struct shk_tap *tap, struct shk_error *err)
{
	const struct shk_replay_config config = {.sink = sink, .tap = tap, .stop_fd = -1, .out_fd = -1};
	struct shk_error later;
	struct shk_replay *r;
	int rc, finish_rc;

	r = shk_replay_open(e->files, e->n_files, e->filter, err);
	if (!r)
		return err->code;
	rc = shk_replay_start(r, &config, err);
	if (!rc) {
		rc = shk_replay_run(r, err);
		finish_rc = shk_replay_finish(r, rc ? &later : err);
		rc = rc ? rc : finish_rc;
	}
	if (shk_replay_damage(r)) {
		tell_damage(e, shk_replay_damage(r));
		e->damaged = true;
	}
	shk_replay_free(r);
	return rc;
}

static int play(struct export *e, struct shk_sink *sink, struct shk_tap *tap, struct shk_error *err)
{
	unsigned char recording = SHK_BLOCK_MAGIC[0];

	return shk_input_begins(e->files[0], recording) ? play_recording(e, sink, tap, err)
							: play_captures(e, sink, tap, err);
}

/*
 * ---- The command ---------------------------------------------------------------------------------
 */

static int export_to(struct export *e, FILE *out, struct shk_error *err)
{
	struct shk_sink *notes = shk_sink_notes_new();
	struct shk_tap *packets = shk_tap_packets_new(out, notes);
	struct shk_tap_packets_totals t;
	int rc;

	if (!notes || !packets) {
		rc = shk_error_set(err, -ENOMEM, "out of memory");
		goto free_both;
	}
	rc = play(e, notes, NULL, err);
	if (rc)
		goto free_both;
	shk_sink_notes_sort(notes);
	rc = play(e, NULL, packets, err);
	if (rc)
		goto free_both;
	shk_tap_packets_totals(packets, &t);
	fprintf(stderr,
		"tcpshake: exported %" PRIu64 " packets of %u interface%s, with %" PRIu64 " comments\n",
		t.packets, t.interfaces, t.interfaces == 1 ? "" : "s", t.comments);

free_both:
	shk_tap_packets_free(packets);
	if (notes)
		notes->ops->free(notes);
	return rc;
}

static int complain(const struct export *e, const struct shk_error *err)
{
	fprintf(stderr, "%s: %s\n", e->name, err->text);
	switch (err->code) {
	case -EINVAL:
		return SHK_EXIT_USAGE;
	case -EBADMSG:
		return SHK_EXIT_INPUT;
	}
	return SHK_EXIT_UNABLE;
}

static int run_export(struct export *e)
{
	bool to_stdout = !strcmp(e->output, "-");
	FILE *out = to_stdout ? stdout : fopen(e->output, "we");
	struct shk_error err = {0};
	int rc;

	if (!out) {
		fprintf(stderr, "%s: %s: %s\n", e->name, e->output, strerror(errno));
		return SHK_EXIT_UNABLE;
	}
	rc = export_to(e, out, &err);
	if (!to_stdout && fclose(out) && !rc)
		rc = shk_error_set(&err, -errno, "%s: %s", e->output, strerror(errno));
	if (rc)
		return complain(e, &err);
	return e->damaged ? SHK_EXIT_INPUT : SHK_EXIT_OK;
}

static const struct argp_option table[] = {
	{"output", 'o', "FILE", 0, "Write to FILE; - is standard output", 0},
	{"filter", 'f', "EXPR", 0,
	 "Only packets that EXPR lets pass, in the language of tcpdump, for instance: 'port 443'", 0},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, -1},
	{0},
};

static const char doc[] =
	"Writes the segments of handshakes in recordings or captures as packets of pcapng, which Wireshark "
	"opens, with our verdicts as comments of the packets.\v"
	"Exit status: 0 all went well; 1 the command line is wrong; 2 a file cannot be opened or written; "
	"4 a file is damaged, and what could be read was exported.";

static error_t add_file(struct export *e, const char *path)
{
	const char **files = reallocarray(e->files, e->n_files + 1, sizeof(*files));

	if (!files)
		return ENOMEM;
	e->files = files;
	e->files[e->n_files++] = path;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct export *e = state->input;

	switch (key) {
	case 'o':
		e->output = arg;
		return 0;
	case 'f':
		e->filter = arg;
		return 0;
	case 'h':
		argp_state_help(state, state->out_stream, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		if (!strcmp(arg, "-"))
			argp_error(state, "standard input cannot be read twice; name a file");
		return add_file(e, arg);
	case ARGP_KEY_END:
		if (!e->n_files)
			argp_error(state, "name the files to export");
		if (!e->output || (!strcmp(e->output, "-") && isatty(STDOUT_FILENO)))
			argp_error(state, "name the file to write: --output FILE");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int shk_cmd_export(int argc, char **argv)
{
	static const struct argp argp = {
		.options = table, .parser = parse, .args_doc = "FILE...", .doc = doc};
	struct export e = {.name = argv[0]};
	int status = SHK_EXIT_USAGE;

	if (!argp_parse(&argp, argc, argv, 0, NULL, &e))
		status = run_export(&e);
	free(e.files);
	return status;
}
