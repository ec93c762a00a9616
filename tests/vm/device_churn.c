// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions come and go under whatever traffic there is, for SECONDS, and everything that can be changed is
 * changed at random:
 *
 *	device_churn SECONDS SEED
 *
 * The first loses events for certain. A third of the others end while events flow, the rest are stopped and
 * drained, and then their accounts must be exact. Prints one line of totals; exits with 0 only if every one
 * was.
 */
#include <linux/filter.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "../unit/prng.h"
#include "device_rig.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct {
	uint64_t sessions, accounts, wrong, seen, delivered, lost, filtered, notes;
} totals;

static struct shk_setup random_setup(struct prng *rng)
{
	uint32_t slots = 64U << prng_below(rng, 6);

	return (struct shk_setup){
		.slots = slots,
		.hooks = prng_below(rng, SHK_HOOKS_NETFILTER + 1),
		.watermark = prng_below(rng, slots + 1),
		.poll_ms = 1 + prng_below(rng, 5),
	};
}

/* Takes half of the packets, or all. */
static void change_filter(struct rig *rig, struct prng *rng)
{
	const struct sock_filter half[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RANDOM),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1U << 31, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
	};
	struct shk_filter filter = {.insns = (uintptr_t)half};

	filter.len = prng_one_in(rng, 2) ? COUNT_OF(half) : 0;
	if (ioctl(rig->fd, SHK_IOC_FILTER, &filter))
		err(2, "FILTER");
}

/* Something is changed, then waited for, then read. */
static void churn_once(struct rig *rig, struct prng *rng)
{
	struct pollfd poll_fd = {.fd = rig->fd, .events = POLLIN};

	if (prng_one_in(rng, 3))
		change_filter(rig, rng);
	if (prng_one_in(rng, 3))
		rig_set_hooks(rig, prng_below(rng, SHK_HOOKS_NETFILTER + 1));
	poll(&poll_fd, 1, prng_below(rng, 10));
	if (!prng_one_in(rng, 4))
		rig_drain(rig, NULL, NULL);
}

/* Returns with the session running, after a few starts and stops. */
static void churn(struct rig *rig, struct prng *rng)
{
	uint32_t starts = 1 + prng_below(rng, 5), steps;

	while (starts--) {
		rig_start(rig);
		for (steps = prng_below(rng, 8); steps; steps--)
			churn_once(rig, rng);
		if (starts)
			rig_stop(rig);
	}
}

static void settle(struct rig *rig)
{
	struct shk_stats sum;

	rig_stop(rig);
	rig_drain(rig, NULL, NULL);
	totals.wrong += !rig_accounts_hold(rig);
	sum = rig_total(rig);
	totals.accounts++;
	totals.seen += sum.seen;
	totals.delivered += sum.delivered;
	totals.lost += sum.lost;
	totals.filtered += sum.filtered;
	totals.notes += sum.notes;
}

/* The file first or the mappings first: whatever is last ends the session. */
static void leave(struct rig *rig, struct prng *rng)
{
	if (prng_one_in(rng, 2)) {
		rig_close(rig);
	} else {
		close(rig->fd);
		rig_unmap(rig);
	}
}

/* Smallest rings that nobody reads until they have lost something: the account of that must be exact, too. */
static void lossy_session(void)
{
	struct pollfd poll_fd = {.events = POLLIN};
	struct rig rig;

	rig_open(&rig, (struct shk_setup){.slots = 64});
	rig_start(&rig);
	poll_fd.fd = rig.fd;
	while (!rig_total(&rig).lost)
		poll(&poll_fd, 1, 10);
	rig_drain(&rig, NULL, NULL);
	settle(&rig);
	rig_close(&rig);
	totals.sessions++;
}

static void one_session(struct prng *rng)
{
	struct rig rig;

	rig_open(&rig, random_setup(rng));
	churn(&rig, rng);
	if (!prng_one_in(rng, 3))
		settle(&rig);
	leave(&rig, rng);
	totals.sessions++;
}

int main(int argc, char **argv)
{
	struct prng rng;
	time_t end;

	if (argc != 3 || atoi(argv[1]) <= 0 || atoi(argv[2]) <= 0)
		errx(2, "usage: device_churn SECONDS SEED, both above 0");
	end = time(NULL) + atoi(argv[1]);
	rng.state = atoi(argv[2]);
	lossy_session();
	while (time(NULL) < end)
		one_session(&rng);
	printf("sessions %lu accounts %lu wrong %lu seen %lu delivered %lu lost %lu filtered %lu notes %lu\n",
	       totals.sessions, totals.accounts, totals.wrong, totals.seen, totals.delivered, totals.lost,
	       totals.filtered, totals.notes);
	return totals.wrong != 0;
}
