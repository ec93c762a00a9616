// SPDX-License-Identifier: GPL-2.0
#include "progress.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#define NS_PER_SECOND 1000000000ULL

/* What takes no longer needs no progress. */
#define PATIENCE_NS NS_PER_SECOND
#define AGAIN_NS    (NS_PER_SECOND / 5)

#define CLEAR_LINE "\r\033[K"

uint64_t shk_progress_total(const char *const *paths, unsigned int n_paths)
{
	uint64_t total = 0;
	struct stat st;
	unsigned int i;

	for (i = 0; i < n_paths; i++) {
		if (stat(paths[i], &st) || !S_ISREG(st.st_mode))
			return 0;
		total += st.st_size;
	}
	return total;
}

/* To the nearest tick, which costs less than a system call. */
static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * NS_PER_SECOND + ts.tv_nsec;
}

static void show_line(struct shk_progress *p, uint64_t now)
{
	uint64_t position = p->position(p->arg);
	double seconds = (double)(now - p->began_ns) / NS_PER_SECOND;

	fprintf(p->out, CLEAR_LINE "%s: ", p->name);
	if (p->total)
		fprintf(p->out, "%" PRIu64 " %%, ", position < p->total ? position * 100 / p->total : 100);
	fprintf(p->out, "%.0f MB, %.1f MB/s", position / 1e6, seconds > 0 ? position / 1e6 / seconds : 0);
	fflush(p->out);
}

void shk_progress_show(struct shk_progress *p)
{
	uint64_t now;

	if (!p || !p->out)
		return;
	now = now_ns();
	if (!p->began_ns)
		p->began_ns = now;
	if (now - p->began_ns < PATIENCE_NS || now - p->shown_ns < AGAIN_NS)
		return;
	p->shown_ns = now;
	show_line(p, now);
}

void shk_progress_end(struct shk_progress *p)
{
	if (!p || !p->out || !p->shown_ns)
		return;
	fputs(CLEAR_LINE, p->out);
	fflush(p->out);
	p->shown_ns = 0;
}
