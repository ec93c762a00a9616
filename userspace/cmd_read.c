// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "input.h"
#include "read_ahead.h"
#include "run.h"
#include "source_pcap.h"

static int open_replay(struct shk_run *run)
{
	const struct shk_watch_options *o = &run->options;
	struct shk_error err = {0};
	uint32_t flags;

	run->replay = shk_replay_open(o->files, o->n_files, o->filter, &err);
	if (run->replay) {
		run->cgroups = shk_cgroups_new(SHK_CGROUPS_MAX_REPLAY);
		flags = shk_replay_head(run->replay)->flags;
		run->numeric_netns = flags & SHK_RECORDING_ALL_NETNS;
		run->capture = flags & SHK_RECORDING_CAPTURE;
		return 0;
	}
	if (err.code == -EBADMSG)
		return shk_run_complain(run, &err, SHK_EXIT_INPUT);
	return shk_run_complain(run, &err, err.code == -EINVAL ? SHK_EXIT_USAGE : SHK_EXIT_UNABLE);
}

static int open_source(struct shk_run *run)
{
	const struct shk_watch_options *o = &run->options;
	const struct shk_source_config config = {.filter = o->filter};
	struct shk_error err = {0};

	run->capture = true;
	run->captures = shk_source_pcap_open(o->files, o->n_files, &config, &err);
	if (!run->captures)
		return shk_run_complain(run, &err, err.code == -EINVAL ? SHK_EXIT_USAGE : SHK_EXIT_UNABLE);
	/* How far it was read when a count of connections is reached must not be left to chance. */
	run->source = o->count ? run->captures : shk_read_ahead_new(run->captures);
	if (run->source)
		return 0;
	run->source = run->captures;
	fprintf(stderr, "%s: out of memory\n", run->name);
	return SHK_EXIT_UNABLE;
}

static void report_link(const struct shk_run *run, const char *path, const struct shk_capture_link *link)
{
	const char *name = pcap_datalink_val_to_name(link->dlt);

	fprintf(stderr,
		"%s: %s: nothing is known here of link type %d%s%s%s: %" PRIu64
		" packets were not looked at\n",
		run->name, path, link->dlt, name ? " (" : "", name ? name : "", name ? ")" : "",
		link->packets);
}

/* What could not be read of the files; everything else was. */
static int report_damage(const struct shk_run *run)
{
	const struct shk_capture *c;
	int status = SHK_EXIT_OK;
	unsigned int i, link;

	for (i = 0; i < run->options.n_files; i++) {
		c = shk_source_pcap_capture(run->captures, i);
		if (c->damage[0]) {
			fprintf(stderr, "%s: %s\n", run->name, c->damage);
			status = SHK_EXIT_INPUT;
		}
		for (link = 0; link < c->n_links; link++) {
			if (c->links[link].layer >= 0)
				continue;
			report_link(run, c->path, &c->links[link]);
			status = SHK_EXIT_INPUT;
		}
	}
	return status;
}

/* One line; what came of which packets only where it is asked for. */
static void report_totals(const struct shk_run *run)
{
	struct shk_capture_totals t;
	unsigned int i;

	shk_source_pcap_totals(run->captures, &t);
	fprintf(stderr,
		"tcpshake: %s: %" PRIu64 " packets, %" PRIu64 " TCP segments, %" PRIu64
		" of them part of a handshake\n",
		run->source->about, t.packets, t.found[SHK_FOUND_SEGMENT], t.handshake);
	if (t.unfinished)
		fprintf(stderr, "  %" PRIu64 " IP fragments without the rest of their datagram\n",
			t.unfinished);
	if (!run->options.verbose)
		return;
	if (t.filtered)
		fprintf(stderr, "  %" PRIu64 " rejected by the filter\n", t.filtered);
	if (t.unknown_link)
		fprintf(stderr, "  %" PRIu64 " of an unknown link type\n", t.unknown_link);
	for (i = 0; i < SHK_FOUND_COUNT; i++)
		if (t.found[i])
			fprintf(stderr, "  %" PRIu64 " %s\n", t.found[i], shk_found_words(i));
}

/* Recordings and captures are different things: the one is events, the other makes them. */
static int open_files(struct shk_run *run)
{
	const struct shk_watch_options *o = &run->options;
	unsigned int i, recordings = 0;

	for (i = 0; i < o->n_files; i++)
		recordings += shk_input_begins(o->files[i], (unsigned char)SHK_BLOCK_MAGIC[0]);
	if (!recordings)
		return open_source(run);
	if (recordings == o->n_files)
		return open_replay(run);
	fprintf(stderr, "%s: captures and recordings cannot be read together\n", run->name);
	return SHK_EXIT_USAGE;
}

static uint64_t position(void *arg)
{
	const struct shk_run *run = arg;

	return run->replay ? shk_replay_position(run->replay) : run->source->ops->position(run->source);
}

/* On a terminal, and where it is not in the way of what is shown. */
static void prepare_progress(struct shk_run *run)
{
	const struct shk_watch_options *o = &run->options;
	bool wanted = isatty(STDERR_FILENO) && (o->output || !isatty(STDOUT_FILENO));

	run->progress = (struct shk_progress){
		.out = wanted ? stderr : NULL,
		.name = run->name,
		.total = shk_progress_total(o->files, o->n_files),
		.position = position,
		.arg = run,
	};
}

static int report_replay(const struct shk_run *run)
{
	const char *damage = shk_replay_damage(run->replay);
	struct shk_replay_totals t;

	shk_replay_totals(run->replay, &t);
	fprintf(stderr, "tcpshake: recording, %u file%s: %" PRIu64 " events\n", t.files,
		t.files == 1 ? "" : "s", t.events);
	if (run->options.verbose && t.filtered)
		fprintf(stderr, "  %" PRIu64 " rejected by the filter\n", t.filtered);
	if (!damage)
		return SHK_EXIT_OK;
	fprintf(stderr, "%s: %s\n", run->name, damage);
	return SHK_EXIT_INPUT;
}

static int report_captures(const struct shk_run *run)
{
	report_totals(run);
	return report_damage(run);
}

int shk_run_files(struct shk_run *run)
{
	int status, input_status;

	run->linger_ns = SHK_LINGER_FILE_NS;
	status = open_files(run);
	prepare_progress(run);
	if (!status)
		status = shk_run_start(run);
	if (!status) {
		status = shk_run_to_end(run);
		input_status = run->replay ? report_replay(run) : report_captures(run);
		status = status ? status : input_status;
	}
	return status;
}

int shk_cmd_read(int argc, char **argv)
{
	struct shk_run run = {.name = argv[0], .stop_fd = -1};
	int status = SHK_EXIT_USAGE;

	if (!shk_read_options_parse(argc, argv, 0, &run.options))
		status = shk_run_files(&run);
	shk_run_release(&run);
	return status;
}
