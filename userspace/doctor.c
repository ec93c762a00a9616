// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "doctor.h"
#include "self_test.h"
#include "source_socket.h"

const char *shk_health_name(enum shk_health health)
{
	static const char *const names[SHK_HEALTH_COUNT] = {"works", "untested", "spare", "silent",
							    "missing"};

	return health < SHK_HEALTH_COUNT ? names[health] : "?";
}

bool shk_doctor_has(const struct shk_examination *x, enum shk_witness witness)
{
	for (unsigned int i = 0; i < x->n; i++)
		if (x->findings[i].witness == witness && x->findings[i].health == SHK_HEALTH_WORKS)
			return true;
	return false;
}

static struct shk_finding *add_finding(struct shk_examination *x, enum shk_witness witness,
				       const char *through, const char *shows)
{
	struct shk_finding *f = &x->findings[x->n++];

	f->witness = witness;
	f->health = SHK_HEALTH_MISSING;
	snprintf(f->through, sizeof(f->through), "%s", through);
	snprintf(f->shows, sizeof(f->shows), "%s", shows);
	return f;
}

/*
 * ---- The wire ------------------------------------------------------------------------------------
 */

static void count_event(void *arg, unsigned int stream, const struct shk_event *ev)
{
	(void)stream;
	if (ev->kind == SHK_EV_SEGMENT)
		++*(unsigned int *)arg;
}

/* Started, shown some traffic and stopped. 0, or -errno and *err. */
static int try_source(struct shk_source *s, unsigned int *seen, struct shk_error *err)
{
	int rc, rc_stop, n;

	rc = s->ops->start(s, err);
	if (rc)
		return rc;
	rc = shk_self_test_traffic(err);
	rc_stop = s->ops->stop(s, err);
	do
		n = s->ops->drain(s, count_event, seen, err);
	while (n > 0);
	return rc ? rc : rc_stop ? rc_stop : n;
}

/* What open functions say is for people: the first line why, the others what to do. */
static void take_error(struct shk_finding *f, const struct shk_error *err)
{
	const char *newline = strchr(err->text, '\n');
	size_t len = newline ? (size_t)(newline - err->text) : strlen(err->text);

	f->health = SHK_HEALTH_MISSING;
	snprintf(f->detail, sizeof(f->detail), "%.*s", (int)len, err->text);
	if (newline)
		snprintf(f->remedy, sizeof(f->remedy), "%s", newline + 1 + strspn(newline + 1, " "));
}

static void examine_wire(struct shk_finding *f, struct shk_source *s, struct shk_error *err)
{
	unsigned int seen = 0;

	if (!s || try_source(s, &seen, err)) {
		take_error(f, err);
	} else {
		f->health = seen ? SHK_HEALTH_WORKS : SHK_HEALTH_SILENT;
		snprintf(f->detail, sizeof(f->detail), "%u events of the test's connections (%s)", seen,
			 s->about);
	}
	if (s)
		s->ops->close(s);
}

#define SHOWS_LIVE "the same on interfaces, but no hooks: not what a firewall does"

static void examine_wires(struct shk_examination *x, const struct shk_source_config *config)
{
	struct shk_error err = {0};

	examine_wire(add_finding(x, SHK_WITNESS_WIRE, "the module tcpshake", shk_shows_wire),
		     shk_source_kmod_open(config, &err), &err);
	examine_wire(add_finding(x, SHK_WITNESS_WIRE, "BPF netfilter programs", shk_shows_wire),
		     shk_source_bpf_open(config, &err), &err);
	examine_wire(add_finding(x, SHK_WITNESS_WIRE, "live capture", SHOWS_LIVE),
		     shk_source_live_open(config, NULL, &err), &err);
}

/*
 * ---- The sockets ---------------------------------------------------------------------------------
 */

static void describe_absent(struct shk_finding *f)
{
	snprintf(f->detail, sizeof(f->detail),
		 "not in this kernel's BTF: the function is inlined or has another name");
	snprintf(f->remedy, sizeof(f->remedy), "Another kernel may have it; nothing can be done on this one");
}

static void describe_refused(struct shk_finding *f, const struct shk_point *point)
{
	const char *remedy = "Run it as root, outside of containers; if it is, please report this";

	snprintf(f->detail, sizeof(f->detail), "the kernel refuses it: %s", strerror(-point->rc));
	if (point->rc == -EPERM && strcmp(point->kind, "tp_btf"))
		remedy = "It takes a kernel whose functions BPF may attach to: not locked down, with modules";
	snprintf(f->remedy, sizeof(f->remedy), "%s", remedy);
}

static void examine_point(struct shk_examination *x, const struct shk_point *point)
{
	uint64_t runs = shk_point_runs(point);
	struct shk_finding *f;
	char through[64];

	snprintf(through, sizeof(through), "%s %s", point->kind, point->target);
	f = add_finding(x, SHK_WITNESS_SOCKET, through, point->shows);
	switch (point->state) {
	case SHK_POINT_ATTACHED:
		f->health = runs ? SHK_HEALTH_WORKS : point->rare ? SHK_HEALTH_UNTESTED : SHK_HEALTH_SILENT;
		snprintf(f->detail, sizeof(f->detail), "called %llu times in the test",
			 (unsigned long long)runs);
		snprintf(f->blind, sizeof(f->blind), "%s", point->blind ? point->blind : "");
		if (f->health == SHK_HEALTH_UNTESTED)
			snprintf(f->detail, sizeof(f->detail), "attached; nothing in the test calls it");
		break;
	case SHK_POINT_NOT_NEEDED:
	case SHK_POINT_PRESENT:
		f->health = SHK_HEALTH_SPARE;
		snprintf(f->detail, sizeof(f->detail), "not attached: a better one is");
		break;
	case SHK_POINT_ABSENT:
		describe_absent(f);
		break;
	case SHK_POINT_REFUSED:
		describe_refused(f, point);
		break;
	}
	if (f->health == SHK_HEALTH_SILENT || f->health == SHK_HEALTH_MISSING)
		snprintf(f->without, sizeof(f->without), "%s", point->without);
}

/* What cannot be had in one way and is had in another is not missed. */
static void forgive_alternatives(struct shk_examination *x)
{
	for (unsigned int i = 0; i < x->n; i++)
		for (unsigned int j = 0; j < x->n; j++)
			if (x->findings[j].health == SHK_HEALTH_WORKS &&
			    x->findings[j].witness == x->findings[i].witness &&
			    !strcmp(x->findings[i].shows, x->findings[j].shows) && i != j)
				x->findings[i].without[0] = '\0';
}

static void examine_sockets(struct shk_examination *x, const struct shk_source_config *config)
{
	const struct shk_socket_programs *programs;
	struct shk_error err = {0};
	struct shk_source *s;
	unsigned int seen = 0;
	int stats_fd;

	s = shk_source_socket_open(config, &err);
	/* While this descriptor is open the kernel counts the runs of each program. */
	stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (!s || try_source(s, &seen, &err)) {
		take_error(add_finding(x, SHK_WITNESS_SOCKET, "BPF programs", "what the sockets know"), &err);
	} else {
		programs = shk_source_socket_programs(s);
		for (unsigned int i = 0; i < programs->n; i++)
			examine_point(x, &programs->points[i]);
	}
	if (stats_fd >= 0)
		close(stats_fd);
	if (s)
		s->ops->close(s);
}

int shk_doctor_examine(struct shk_examination *x, struct shk_error *err)
{
	struct shk_source_config config = {0};
	int rc;

	memset(x, 0, sizeof(*x));
	rc = shk_self_test_namespace(&config.netns, err);
	if (rc)
		return rc;
	examine_wires(x, &config);
	examine_sockets(x, &config);
	forgive_alternatives(x);
	return 0;
}
