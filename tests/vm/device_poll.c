// SPDX-License-Identifier: GPL-2.0
/*
 * When poll() and epoll say that there is something to read. Runs on one CPU, so that one ring has all the
 * events, in a network namespace where nothing else talks; prints TAP.
 *
 * What is to be ready at once is asked for with a timeout of 0. What is to be ready after poll_ms is waited
 * for LONG: a slow machine passes as long as the wait ends for the right reason.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>

#include "device_rig.h"
#include "tap.h"
#include "traffic.h"

#define LONG_MS   20000
#define REFUSED   8U /* records of a refused connection: SYN and RST at four hooks */
#define WATERMARK (2 * REFUSED)
#define POLL_MS   100

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/* Is it readable within @timeout_ms? */
static bool readable(const struct rig *rig, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = rig->fd, .events = POLLIN};
	int ready = poll(&poll_fd, 1, timeout_ms);

	if (ready < 0)
		err(2, "poll");
	return ready && poll_fd.revents == POLLIN;
}

static void open_and_start(struct rig *rig, uint32_t poll_ms)
{
	rig_open(rig, (struct shk_setup){.slots = 64, .watermark = WATERMARK, .poll_ms = poll_ms});
	rig_start(rig);
}

static void test_nothing(void)
{
	struct rig rig;
	uint64_t start;

	open_and_start(&rig, POLL_MS);
	start = now_ms();
	ok(!readable(&rig, 3 * POLL_MS), "without records poll() reports nothing");
	ok(now_ms() - start >= 3 * POLL_MS, "and waits as long as it is told to");
	rig_close(&rig);
}

/* Of a new session no tick is on its way: only the watermark can make poll() report at once. */
static void test_watermark(void)
{
	struct rig rig;

	open_and_start(&rig, 1000);
	traffic_refused();
	ok(!readable(&rig, 0), "below the watermark poll() does not report at once");
	rig_close(&rig);

	open_and_start(&rig, 1000);
	traffic_refused();
	traffic_refused();
	ok(readable(&rig, 0), "at the watermark it does");
	ok(readable(&rig, 0), "and again, as nothing was read");
	rig_drain(&rig, NULL, NULL);
	ok(!readable(&rig, 0), "when everything is read it does not");
	rig_close(&rig);
}

static void test_poll_ms(void)
{
	struct rig rig;
	uint64_t start;

	open_and_start(&rig, POLL_MS);
	traffic_refused();
	start = now_ms();
	ok(readable(&rig, LONG_MS), "a few records are reported");
	ok(now_ms() - start >= POLL_MS / 2, "after poll_ms, not at once");
	ok(now_ms() - start < LONG_MS / 2, "and not at the end of the wait");
	ok(readable(&rig, LONG_MS), "and once more, as they were not read");
	rig_close(&rig);
}

static bool is_asleep(pid_t pid)
{
	char path[32], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		err(2, "%s", path);
	fclose(file);
	return state == 'S';
}

/* The reader is asleep when the records come. */
static void test_sleeper(void)
{
	struct rig rig;
	uint64_t start;
	pid_t child;

	open_and_start(&rig, POLL_MS);
	child = fork();
	if (child == 0) {
		while (!is_asleep(getppid()))
			usleep(1000);
		traffic_refused();
		_exit(0);
	}
	start = now_ms();
	ok(readable(&rig, LONG_MS), "a reader that slept before the records came is woken");
	ok(now_ms() - start < LONG_MS / 2, "by them, not by the end of its wait");
	waitpid(child, NULL, 0);
	rig_close(&rig);
}

static bool epoll_readable(int epoll, int timeout_ms)
{
	struct epoll_event event;
	int ready = epoll_wait(epoll, &event, 1, timeout_ms);

	if (ready < 0)
		err(2, "epoll_wait");
	return ready && event.events == EPOLLIN;
}

static void test_epoll(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct rig rig;

	open_and_start(&rig, POLL_MS);
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, rig.fd, &event))
		err(2, "epoll");
	traffic_refused();
	ok(epoll_readable(epoll, LONG_MS), "epoll reports a few records");
	ok(epoll_readable(epoll, LONG_MS), "and once more, as they were not read");
	rig_drain(&rig, NULL, NULL);
	ok(!epoll_readable(epoll, 3 * POLL_MS), "when everything is read it reports nothing");
	traffic_refused();
	ok(epoll_readable(epoll, LONG_MS), "and the next records again");
	close(epoll);
	rig_close(&rig);
}

static void test_after_stop(void)
{
	struct rig rig;

	open_and_start(&rig, 1000);
	traffic_refused();
	rig_stop(&rig);
	ok(readable(&rig, 0), "after STOP poll() reports what is left at once");
	ok(readable(&rig, 0), "as long as there is any");
	rig_drain(&rig, NULL, NULL);
	ok(!readable(&rig, 0), "and then no more");
	rig_close(&rig);
}

/* A watermark of 0 is a quarter of the ring, poll_ms of 0 is 10. */
static void test_defaults(void)
{
	struct rig rig;

	rig_open(&rig, (struct shk_setup){.slots = 64});
	rig_start(&rig);
	traffic_refused();
	ok(!readable(&rig, 0), "8 of 64 records are below the default watermark");
	ok(readable(&rig, LONG_MS), "and reported by default as well");
	traffic_refused();
	ok(readable(&rig, 0), "16 of 64 are the default watermark");
	rig_close(&rig);
}

int main(void)
{
	traffic_stays_on_this_cpu();
	test_nothing();
	test_watermark();
	test_poll_ms();
	test_sleeper();
	test_epoll();
	test_after_stop();
	test_defaults();
	return done_testing();
}
