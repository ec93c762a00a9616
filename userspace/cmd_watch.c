// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "netns_name.h"
#include "run.h"

/* Where segments of sockets on this host pass. */
#define SHK_HOOKS_LOCAL (SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN) | SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT))

/* The module where it is loaded, else BPF, else live capture. If none can be had, says what each lacks. */
static struct shk_source *open_best(const struct shk_source_config *config, struct shk_error *err)
{
	struct shk_error kmod_err = {0}, bpf_err = {0}, live_err = {0};
	struct shk_source *source;

	if (access(SHK_DEVICE, F_OK) == 0)
		return shk_source_kmod_open(config, err);
	source = shk_source_bpf_open(config, &bpf_err);
	if (source)
		return source;
	if (bpf_err.code == -EINVAL && config->filter) {
		*err = bpf_err; /* the filter itself is wrong */
		return NULL;
	}
	/* Somebody who names hooks wants to see them. */
	source = config->hooks ? NULL : shk_source_live_open(config, NULL, &live_err);
	if (source)
		return source;
	shk_source_kmod_open(config, &kmod_err);
	shk_error_set(err, kmod_err.code, "%.300s\n  Without the module: %.300s%s%.200s", kmod_err.text,
		      bpf_err.text, live_err.code ? "\n  Without either: " : "", live_err.text);
	return NULL;
}

static struct shk_source *open_live(const struct shk_watch_options *o, const struct shk_source_config *config,
				    struct shk_error *err)
{
	if (!config->hooks)
		return shk_source_live_open(config, o->interface, err);
	shk_error_set(err, -EINVAL, "--hooks: a live capture sees none; leave it out, or --source pcap");
	return NULL;
}

static struct shk_source *open_chosen(const struct shk_watch_options *o,
				      const struct shk_source_config *config, struct shk_error *err)
{
	switch (o->source) {
	case SHK_SOURCE_KMOD:
		return shk_source_kmod_open(config, err);
	case SHK_SOURCE_BPF:
		return shk_source_bpf_open(config, err);
	case SHK_SOURCE_PCAP:
		return open_live(o, config, err);
	case SHK_SOURCE_AUTO:
		break;
	}
	return open_best(config, err);
}

static int open_source(struct shk_run *run)
{
	const struct shk_watch_options *o = &run->options;
	struct shk_source_config config = {
		.filter = o->filter,
		.hooks = o->hooks,
		.ring_slots = o->ring_slots,
		.cgroups = run->cgroups,
	};
	struct shk_error err = {0};

	if (shk_netns_inode(o->netns, &config.netns, &err))
		return shk_run_complain(run, &err, SHK_EXIT_USAGE);
	run->numeric_netns = !config.netns;
	run->source = open_chosen(o, &config, &err);
	if (!run->source)
		return shk_run_complain(run, &err, err.code == -EINVAL ? SHK_EXIT_USAGE : SHK_EXIT_UNABLE);
	if (o->no_sockets || (o->hooks && !(o->hooks & SHK_HOOKS_LOCAL)))
		return 0;
	/* One witness is better than none: go on, and say what is missing. */
	config.hooks = run->source->hooks;
	run->sockets = shk_source_socket_open(&config, &err);
	if (!run->sockets)
		fprintf(stderr, "%s: sockets are not observed, so processes stay unknown: %s\n", run->name,
			err.text);
	return 0;
}

/* Scripts wait for this line: what happens after it is seen. */
static void announce(const struct shk_run *run)
{
	const struct shk_watch_options *o = &run->options;
	bool all = run->numeric_netns;

	fprintf(stderr, "tcpshake: %s %s%s%s%s%s (%s%s%s); Ctrl-C ends\n",
		run->silent ? "recording" : "watching", all ? "all network namespaces" : "network namespace ",
		all ? "" : o->netns, o->filter ? ", filter \"" : "", o->filter ? o->filter : "",
		o->filter ? "\"" : "", run->source->about, run->sockets ? "; " : "",
		run->sockets ? run->sockets->about : "");
}

int shk_run_live(struct shk_run *run)
{
	int status;

	run->linger_ns = SHK_LINGER_LIVE_NS;
	run->cgroups = shk_cgroups_new(0);
	status = open_source(run);
	if (!status)
		status = shk_run_start(run);
	if (!status) {
		announce(run);
		status = shk_run_to_end(run);
	}
	return status;
}

int shk_cmd_watch(int argc, char **argv)
{
	struct shk_run run = {.name = argv[0], .stop_fd = -1};
	int status = SHK_EXIT_USAGE;

	if (!shk_watch_options_parse(argc, argv, 0, &run.options))
		status = shk_run_live(&run);
	shk_run_release(&run);
	return status;
}

int shk_cmd_record(int argc, char **argv)
{
	struct shk_run run = {
		.name = argv[0],
		.silent = true,
		.stop_fd = -1,
	};
	int status = SHK_EXIT_USAGE;

	if (!shk_record_options_parse(argc, argv, 0, &run.options))
		status = shk_run_live(&run);
	shk_run_release(&run);
	return status;
}
