// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "command.h"
#include "run.h"
#include "sink_isn.h"
#include "version.h"

int shk_run_complain(const struct shk_run *run, const struct shk_error *err, int status)
{
	fprintf(stderr, "%s: %s\n", run->name, err->text);
	return status;
}

static int complain_memory(const struct shk_run *run)
{
	fprintf(stderr, "%s: out of memory\n", run->name);
	return SHK_EXIT_UNABLE;
}

static bool colour_wanted(const struct shk_watch_options *options, FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (options->colour != SHK_COLOUR_AUTO)
		return options->colour == SHK_COLOUR_ALWAYS;
	if (no_color && *no_color)
		return false;
	return isatty(fileno(out)) && term && strcmp(term, "dumb");
}

static struct shk_sink *new_audit_sink(const struct shk_run *run, const struct shk_sink_config *config)
{
	const struct shk_sink_isn_config isn = {
		.audit = run->audit,
		.json = run->options.format == SHK_FORMAT_JSON,
		.every = run->options.every,
	};

	return shk_sink_isn_new(config, &isn);
}

/* Of the one run that a process has; standard output needs it until the end. */
static char out_buffer[1 << 18];

static int open_sink(struct shk_run *run)
{
	static struct shk_sink *(*const new[])(const struct shk_sink_config *config) = {
		[SHK_FORMAT_LINE] = shk_sink_line_new,
		[SHK_FORMAT_LADDER] = shk_sink_ladder_new,
		[SHK_FORMAT_JSON] = shk_sink_json_new,
	};
	struct shk_sink_config config = {0};

	if (run->silent)
		return 0;
	run->out = run->options.output ? fopen(run->options.output, "we") : stdout;
	if (!run->out) {
		fprintf(stderr, "%s: %s: %s\n", run->name, run->options.output, strerror(errno));
		return SHK_EXIT_UNABLE;
	}
	/* The pipeline says when to flush. Without memory to use, setvbuf() leaves the size as it is. */
	setvbuf(run->out, out_buffer, _IOFBF, sizeof(out_buffer));
	config.out = run->out;
	config.colour = colour_wanted(&run->options, run->out);
	config.utf8 = !run->options.ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
	config.numeric_netns = run->numeric_netns;
	config.cgroups = run->cgroups;
	config.capture = run->capture;
	run->sink = run->audit ? new_audit_sink(run, &config) : new[run->options.format](&config);
	return run->sink ? 0 : complain_memory(run);
}

static int wrong(const struct shk_run *run, const char *words)
{
	fprintf(stderr, "%s: %s\n", run->name, words);
	return SHK_EXIT_USAGE;
}

static int open_recorder(struct shk_run *run)
{
	const struct shk_watch_options *o = &run->options;
	const struct shk_recorder_config config = {
		.path = o->record,
		.rotate_size = o->rotate_size,
		.rotate_ns = o->rotate_ns,
		.rotate_keep = o->rotate_keep,
		.cgroups = run->cgroups,
		.all_netns = run->numeric_netns,
		.capture = run->capture,
	};
	bool rotates = o->rotate_size || o->rotate_ns;
	struct shk_error err;

	if (!rotates && o->rotate_keep)
		return wrong(run, "--rotate-keep needs --rotate-size or --rotate-time");
	if (!o->record)
		return rotates ? wrong(run,
				       "nothing is recorded that could be rotated; --record names a file")
			       : 0;
	if (!strcmp(o->record, "-") && !run->silent && !o->output)
		return wrong(run, "records and recording cannot both go to standard output; see --output");
	if (!strcmp(o->record, "-") && isatty(STDOUT_FILENO))
		return wrong(run, "a recording is not for a terminal; name a file or a pipe");
	run->recorder = shk_recorder_new(&config, &err);
	return run->recorder ? 0 : shk_run_complain(run, &err, SHK_EXIT_USAGE);
}

static void report_recording(const struct shk_run *run)
{
	struct shk_recorder_totals t;

	shk_recorder_totals(run->recorder, &t);
	fprintf(stderr, "tcpshake: recorded %" PRIu64 " events in %" PRIu64 " file%s, %" PRIu64 " octets\n",
		t.events, t.files, t.files == 1 ? "" : "s", t.octets);
}

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

/* Signals become a readable descriptor, so that nothing is ever interrupted in the middle. */
static int open_signals(struct shk_run *run)
{
	sigset_t set;

	stop_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Whoever writes finds out, and can say what it means. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	run->stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->stop_fd < 0) {
		fprintf(stderr, "%s: signalfd: %s\n", run->name, strerror(errno));
		return SHK_EXIT_UNABLE;
	}
	return 0;
}

/* From now on a signal kills, as somebody expects who sends it twice. */
static void restore_signals(const struct shk_run *run)
{
	struct signalfd_siginfo info;
	sigset_t set;

	while (read(run->stop_fd, &info, sizeof(info)) > 0)
		;
	stop_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int open_pipeline(struct shk_run *run)
{
	struct shk_pipeline_config config = {
		.sources = {run->source, run->sockets},
		.n_sources = run->sockets ? 2 : 1,
		.outlet =
			{
				.sink = run->sink,
				.tap = run->recorder ? shk_recorder_tap(run->recorder) : NULL,
				.header =
					{
						.version = SHK_VERSION,
						.host = run->host.nodename,
						.kernel = run->host.release,
						.sources = run->sources,
					},
				.engine =
					{
						.flows_max = run->options.flows_max,
						.linger_ns = run->linger_ns,
						.hooks = run->source->hooks,
						.arrows_max = run->sink ? run->sink->arrows_wanted : 0,
						/* A filter on segments says nothing of sockets. */
						.sockets_begin = !run->options.filter,
					},
				.count = run->options.count,
			},
		.window_ns = run->options.window_ns,
		.duration_ns = run->options.duration_ns,
		.progress = &run->progress,
		.stop_fd = run->stop_fd,
		.out_fd = run->out ? fileno(run->out) : -1,
	};
	uint64_t *key = config.outlet.engine.hash_key;

	if (getrandom(key, sizeof(config.outlet.engine.hash_key), 0) < 0) {
		fprintf(stderr, "%s: getrandom: %s\n", run->name, strerror(errno));
		return SHK_EXIT_UNABLE;
	}
	run->pipeline = shk_pipeline_new(&config);
	return run->pipeline ? 0 : complain_memory(run);
}

static int status_of(const struct shk_run *run, int rc, const struct shk_error *err)
{
	if (!rc || rc == -EPIPE)
		return SHK_EXIT_OK;
	return shk_run_complain(run, err, rc == -EBADE ? SHK_EXIT_MISMATCH : SHK_EXIT_UNABLE);
}

static int start_pipeline(struct shk_run *run)
{
	struct shk_error err = {0};
	int status;

	uname(&run->host);
	run->sources[0] = run->source->ops->name;
	run->sources[1] = run->sockets ? run->sockets->ops->name : NULL;
	status = open_pipeline(run);
	return status ? status : status_of(run, shk_pipeline_start(run->pipeline, &err), &err);
}

static int start_replay(struct shk_run *run)
{
	const struct shk_replay_config config = {
		.sink = run->sink,
		.tap = run->recorder ? shk_recorder_tap(run->recorder) : NULL,
		.flows_max = run->options.flows_max,
		.count = run->options.count,
		.stop_fd = run->stop_fd,
		.out_fd = run->out ? fileno(run->out) : -1,
		.cgroups = run->cgroups,
		.progress = &run->progress,
	};
	struct shk_error err = {0};

	return status_of(run, shk_replay_start(run->replay, &config, &err), &err);
}

int shk_run_start(struct shk_run *run)
{
	int status;

	status = open_sink(run);
	if (!status)
		status = open_recorder(run);
	if (!status)
		status = open_signals(run);
	if (status)
		return status;
	return run->replay ? start_replay(run) : start_pipeline(run);
}

int shk_run_to_end(struct shk_run *run)
{
	struct shk_error err = {0};
	int rc, status, finish_status;

	rc = run->replay ? shk_replay_run(run->replay, &err) : shk_pipeline_run(run->pipeline, &err);
	shk_progress_end(&run->progress);
	status = status_of(run, rc, &err);
	restore_signals(run);
	rc = run->replay ? shk_replay_finish(run->replay, &err) : shk_pipeline_finish(run->pipeline, &err);
	/* An output that failed once fails again: said already. */
	finish_status = status == SHK_EXIT_UNABLE && rc != -EBADE ? status : status_of(run, rc, &err);
	if (run->recorder)
		report_recording(run);
	return finish_status > status ? finish_status : status;
}

void shk_run_release(struct shk_run *run)
{
	shk_pipeline_free(run->pipeline);
	shk_replay_free(run->replay);
	shk_recorder_free(run->recorder);
	if (run->stop_fd >= 0)
		close(run->stop_fd);
	if (run->sink)
		run->sink->ops->free(run->sink);
	if (run->out && run->out != stdout)
		fclose(run->out);
	if (run->source)
		run->source->ops->close(run->source);
	if (run->sockets)
		run->sockets->ops->close(run->sockets);
	shk_cgroups_free(run->cgroups);
	shk_watch_options_release(&run->options);
}
