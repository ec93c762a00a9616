// SPDX-License-Identifier: GPL-2.0
/*
 * What the device does not deliver, to the event: after STOP, to readers that write nonsense, into rings that
 * are full. Runs in a network namespace where nothing else talks; prints TAP.
 */
#include <poll.h>

#include "device_rig.h"
#include "tap.h"
#include "traffic.h"

/* Starts @connections connections in a process of their own. */
static pid_t background_traffic(unsigned int connections)
{
	pid_t child = fork();

	if (child < 0)
		err(2, "fork");
	if (child == 0) {
		traffic(AF_INET, 7007, connections);
		_exit(0);
	}
	return child;
}

static bool is_running(pid_t child)
{
	int status;
	pid_t ended = waitpid(child, &status, WNOHANG);

	if (ended == child && status)
		errx(2, "the traffic failed");
	return ended == 0;
}

static bool readable(const struct rig *rig, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = rig->fd, .events = POLLIN};

	return poll(&poll_fd, 1, timeout_ms) > 0;
}

/* Many times in the midst of traffic: STOP, read what there is, and see that no more comes. */
static void test_stop_is_final(void)
{
	unsigned int rounds = 0, silent = 0, exact = 0;
	struct rig rig;
	pid_t child;

	rig_open(&rig, (struct shk_setup){0});
	child = background_traffic(1000);
	while (is_running(child)) {
		rig_start(&rig);
		readable(&rig, 20);
		rig_stop(&rig);
		rig_drain(&rig, NULL, NULL);
		silent += !readable(&rig, 10);
		exact += rig_accounts_hold(&rig);
		rounds++;
	}
	ok(rounds > 2 && rig_total(&rig).seen > 0,
	   "a session was stopped again and again while traffic went on");
	is(silent, rounds, "nothing came after any STOP");
	is(exact, rounds, "and after each the accounts were exact");
	rig_close(&rig);
}

/* Positions before, at, beside and far from what the kernel expects. */
static void write_tails(struct rig *rig, uint64_t offset, bool from_head)
{
	for (uint32_t cpu = 0; cpu < rig->cpus; cpu++) {
		struct shk_ring *ring = &rig->ring[cpu];

		if (ring->meta)
			shk_ring_release(ring, offset + (from_head ? shk_ring_load(&ring->meta->head) : 0));
	}
}

static void test_wild_tails(void)
{
	const uint64_t offsets[] = {
		0, 1, 63, 64, 65, 12345, UINT64_MAX, UINT64_MAX - 62, UINT64_MAX - 64, 1ULL << 63};
	struct rig wild, sane;
	unsigned int i;
	pid_t child;

	rig_open(&sane, (struct shk_setup){0});
	rig_open(&wild, (struct shk_setup){.slots = 64});
	rig_start(&sane);
	rig_start(&wild);
	child = background_traffic(300);
	for (i = 0; is_running(child); i++) {
		write_tails(&wild, offsets[i / 2 % COUNT_OF(offsets)], i % 2);
		readable(&wild, 1);
	}
	rig_stop(&wild);
	rig_stop(&sane);
	rig_drain(&sane, NULL, NULL);
	ok(i > 2 * COUNT_OF(offsets), "a reader wrote every nonsense into its tails while traffic ran");
	ok(rig_total(&wild).seen > 0 && rig_stats_hold(&wild), "its own account holds all the same");
	is(rig_total(&sane).lost, 0, "another session lost nothing");
	is(rig_total(&sane).seen, rig_total(&wild).seen, "both saw the same number of events");
	ok(rig_accounts_hold(&sane), "and the other's account is exact");
	rig_close(&wild);
	rig_close(&sane);
}

/* On one CPU, so that the ring which lost events is the one that has room again. */
static void test_loss(void)
{
	struct shk_stats total;
	struct rig rig;

	traffic_stays_on_this_cpu();
	rig_open(&rig, (struct shk_setup){.slots = 64});
	rig_start(&rig);
	traffic(AF_INET, 7006, 100);
	rig_drain(&rig, NULL, NULL);
	is(rig_total(&rig).notes, 0, "as long as a ring is full it tells of no loss");
	traffic(AF_INET, 7006, 3);
	rig_drain(&rig, NULL, NULL);
	traffic(AF_INET, 7006, 1);
	rig_stop(&rig);
	rig_drain(&rig, NULL, NULL);
	total = rig_total(&rig);
	ok(total.lost > total.delivered, "rings of 64 slots lost most of 100 connections");
	ok(total.notes > 0, "and told so when there was room");
	ok(rig_accounts_hold(&rig), "told and untold are the loss, to the event");
	rig_close(&rig);
}

int main(void)
{
	test_stop_is_final();
	test_wild_tails();
	test_loss();
	return done_testing();
}
