// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile user of the device: random calls from several threads that share descriptors and mappings, with
 * children of fork() and exec() among them, while connections open and close.
 *
 *	device_fuzz [-s SEED] [-n OPERATIONS] [-t THREADS]
 *
 * What each thread does follows from the seed and the thread's number; with one thread, a run is the same to
 * the call. Beside them an honest session reads, whose account must be exact, and a session before and one
 * after must observe the same connections in the same number of events. Runs in a network namespace where
 * nothing else talks, as root with cgroup v2; prints TAP.
 */
#include <pthread.h>
#include <sys/stat.h>

#include "hostile_maps.h"
#include "tap.h"
#include "traffic.h"

#define THREADS_MAX 16U
#define CGROUP      "/sys/fs/cgroup"

static struct {
	uint64_t seed;
	uint64_t operations;
	unsigned int threads;
} opt = {.seed = 1, .operations = 10000, .threads = 3};

/*
 * ---- Children -------------------------------------------------------------------------------------
 */

static void use_as(struct hostile_user *u, unsigned int calls);

/* The threads' memory, descriptors and sessions, in another process: only the mappings stay behind. */
static bool fork_one(struct hostile_user *u)
{
	uint64_t seed = prng_next(&u->rng) | 1;
	int status;
	pid_t child;

	child = fork();
	if (child == 0) {
		u->rng.state = seed;
		use_as(u, 1 + seed % 8);
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child && !status;
}

/* A program that knows nothing of the device but what descriptors it was born with. */
static bool exec_one(struct hostile_user *u)
{
	char seed[32];
	int status;
	pid_t child;

	snprintf(seed, sizeof(seed), "%u", 1 + prng_below(&u->rng, 1U << 30));
	child = fork();
	if (child == 0) {
		execl("/proc/self/exe", "device_fuzz", "-i", seed, NULL);
		_exit(1);
	}
	return child > 0 && waitpid(child, &status, 0) == child && !status;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(2, "%s", path);
	close(fd);
}

static void make_small_cgroup(void)
{
	write_file(CGROUP "/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP "/hostile", 0755))
		err(2, CGROUP "/hostile");
	write_file(CGROUP "/hostile/memory.max", "16M");
}

static int setup_in_small_cgroup(const struct shk_setup *setup)
{
	int fd;

	write_file(CGROUP "/hostile/cgroup.procs", "0");
	fd = open(SHK_DEVICE, O_RDWR | O_CLOEXEC);
	/* It may be that there are sessions enough already. */
	return fd < 0 || !ioctl(fd, SHK_IOC_SETUP, setup) || errno == ENOMEM ? 0 : errno;
}

/*
 * Rings of every size where memory has a limit: large ones are refused. One child at a time: the module
 * only fails when it reaches the limit, but who else lives in the cgroup and needs a page meanwhile is
 * killed. That may be the child itself, at a page of its own while the limit is still close: it has come to
 * its end too.
 */
static bool squeeze_one(struct hostile_user *u)
{
	static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER;
	uint32_t size = prng_below(&u->rng, 15);
	struct shk_setup setup = {.abi = SHK_ABI, .slots = 64U << size};
	int status;
	pid_t child;

	pthread_mutex_lock(&alone);
	child = fork();
	if (child == 0)
		_exit(setup_in_small_cgroup(&setup));
	if (child < 0 || waitpid(child, &status, 0) != child)
		status = W_EXITCODE(1, 0);
	pthread_mutex_unlock(&alone);
	return !status || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/*
 * ---- Threads --------------------------------------------------------------------------------------
 */

/* How often among a thousand. The last three start processes, and children do not do them. */
static const struct call {
	const char *name;
	bool (*make)(struct hostile_user *u);
	unsigned int weight;
} calls[] = {
	{"open", hostile_open, 60},
	{"close", hostile_close, 25},
	{"dup2", hostile_dup, 10},
	{"INFO", hostile_info, 20},
	{"SETUP", hostile_setup, 90},
	{"FILTER", hostile_filter, 30},
	{"START", hostile_start, 45},
	{"STOP", hostile_stop, 15},
	{"HOOKS", hostile_hooks, 30},
	{"STATS", hostile_stats, 30},
	{"CONFLICTS", hostile_conflicts, 20},
	{"any ioctl", hostile_ioctl, 60},
	{"poll", hostile_poll, 20},
	{"epoll", hostile_epoll, 15},
	{"odd call", hostile_odd_call, 40},
	{"mmap", hostile_map, 160},
	{"munmap", hostile_unmap, 30},
	{"mprotect", hostile_protect, 40},
	{"mremap", hostile_move, 40},
	{"madvise", hostile_advise, 40},
	{"write", hostile_write, 120},
	{"read", hostile_read, 30},
	{"force", hostile_force, 20},
	{"fork", fork_one, 6},
	{"exec", exec_one, 1},
	{"squeeze", squeeze_one, 3},
};

static struct {
	uint64_t made, succeeded;
} tally[COUNT_OF(calls)];

#define PROCESSES 10U /* what the last three weigh together */

static const struct call *choose_call(struct hostile_user *u, bool is_child)
{
	uint32_t pick = prng_below(&u->rng, is_child ? 1000 - PROCESSES : 1000);
	const struct call *call = calls;

	while (pick >= call->weight)
		pick -= call++->weight;
	return call;
}

static void use_as(struct hostile_user *u, unsigned int times)
{
	while (times--)
		choose_call(u, true)->make(u);
}

static void user_init(struct hostile_user *u, uint64_t number)
{
	u->rng.state = (opt.seed + 1) * 0x9e3779b97f4a7c15ULL ^ number << 56;
	u->edge = mmap(NULL, 2 * rig_page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (u->edge == MAP_FAILED || mprotect(u->edge + rig_page(), rig_page(), PROT_NONE))
		err(2, "a page for arguments");
}

static void *use(void *arg)
{
	uint64_t number = (uintptr_t)arg, n = opt.operations / opt.threads;
	struct hostile_user u;
	const struct call *call;

	user_init(&u, number);
	while (n--) {
		call = choose_call(&u, false);
		__atomic_fetch_add(&tally[call - calls].made, 1, __ATOMIC_RELAXED);
		if (call->make(&u))
			__atomic_fetch_add(&tally[call - calls].succeeded, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* What the child of exec() does with sessions that it finds itself the owner of. */
static void use_inherited(uint64_t seed)
{
	struct hostile_user u;
	struct shk_info info;
	uint32_t found = 0;
	int fd;

	opt.seed = seed;
	user_init(&u, 0);
	for (fd = 3; fd < 256 && found < HOSTILE_FILES; fd++)
		if (!ioctl(fd, SHK_IOC_INFO, &info))
			hostile.fd[found++] = fd;
	use_as(&u, 8);
}

/*
 * ---- The whole ------------------------------------------------------------------------------------
 */

static void hostile_init(void)
{
	for (uint32_t i = 0; i < HOSTILE_FILES; i++)
		hostile.fd[i] = -1;
	hostile.netns = rig_netns();
	hostile.memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (hostile.memory < 0)
		err(2, "/proc/self/mem");
	hostile_catch_faults();
}

/*
 * Whatever was written where a user may write, and tried where not: the kernel's own figures hold. Returns
 * how many sessions were looked at, and -1 if one's do not.
 */
static int check_sessions(void)
{
	int sessions = 0, refused, fd;
	struct shk_stats stats;

	for (uint32_t i = 0; i < HOSTILE_FILES; i++) {
		fd = hostile.fd[i];
		ioctl(fd, SHK_IOC_STOP);
		for (stats = (struct shk_stats){0}, refused = 0; !refused; stats.cpu++) {
			refused = ioctl(fd, SHK_IOC_STATS, &stats);
			if (!refused && !rig_equal(stats.cpu, "seen, delivered + lost", stats.seen,
						   stats.delivered + stats.lost))
				return -1;
		}
		sessions += stats.cpu > 1;
	}
	return sessions;
}

static void hostile_end(void)
{
	munmap(HOSTILE_ARENA, HOSTILE_PAGES * rig_page());
	for (uint32_t i = 0; i < HOSTILE_FILES; i++)
		hostile_put_file(i, -1);
}

/* The events of fifty connections, or 0 if their account is wrong. */
static uint64_t observe(void)
{
	uint64_t seen;
	struct rig rig;

	rig_open(&rig, (struct shk_setup){0});
	rig_start(&rig);
	traffic(AF_INET, 7020, 50);
	rig_stop(&rig);
	rig_drain(&rig, NULL, NULL);
	seen = rig_accounts_hold(&rig) ? rig_total(&rig).delivered : 0;
	rig_close(&rig);
	return seen;
}

static pid_t endless_traffic(void)
{
	pid_t child = fork();

	if (child < 0)
		err(2, "fork");
	while (child == 0)
		traffic(AF_INET, 7021, 100);
	return child;
}

static unsigned int running;

static void *use_and_tell(void *arg)
{
	use(arg);
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Reads as one should until the threads are done. */
static void run_beside(struct rig *honest)
{
	struct pollfd poll_fd = {.fd = honest->fd, .events = POLLIN};
	pthread_t threads[THREADS_MAX];
	uintptr_t i;

	running = opt.threads;
	for (i = 0; i < opt.threads; i++)
		if (pthread_create(&threads[i], NULL, use_and_tell, (void *)i))
			errx(2, "a thread");
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) {
		poll(&poll_fd, 1, 20);
		rig_drain(honest, NULL, NULL);
	}
	for (i = 0; i < opt.threads; i++)
		pthread_join(threads[i], NULL);
}

static void tell_calls(void)
{
	for (size_t i = 0; i < COUNT_OF(calls); i++)
		printf("# %-10s %8lu made, %8lu succeeded\n", calls[i].name, tally[i].made,
		       tally[i].succeeded);
}

static size_t call_named(const char *name)
{
	size_t i = 0;

	while (strcmp(calls[i].name, name))
		i++;
	return i;
}

/* Otherwise nothing was tried that matters. */
static void check_reach(void)
{
	static const char *const names[] = {"open", "SETUP",     "FILTER", "START",
					    "STOP", "CONFLICTS", "mmap",   "write"};
	static const char *const processes[] = {"fork", "exec", "squeeze"};
	size_t call, i;

	for (i = 0; i < COUNT_OF(names); i++) {
		call = call_named(names[i]);
		ok(tally[call].succeeded && tally[call].succeeded < tally[call].made,
		   "%s: some were granted, some refused", names[i]);
	}
	for (i = 0; i < COUNT_OF(processes); i++) {
		call = call_named(processes[i]);
		is(tally[call].succeeded, tally[call].made, "%s: every child came to its end", processes[i]);
	}
}

static void fuzz(void)
{
	uint64_t before, after;
	struct rig honest;
	pid_t talking;

	before = observe();
	ok(before > 0, "before: 50 connections observed in %lu events", before);
	make_small_cgroup();
	hostile_init();
	rig_open(&honest, (struct shk_setup){.slots = 1024});
	rig_start(&honest);
	talking = endless_traffic();
	run_beside(&honest);
	ok(!kill(talking, SIGKILL) && waitpid(talking, NULL, 0) == talking, "the traffic went on to the end");
	ok(check_sessions() > 0, "the kernel's figures hold for every session that is left");
	hostile_end();
	rig_stop(&honest);
	rig_drain(&honest, NULL, NULL);
	tell_calls();
	check_reach();
	ok(rig_total(&honest).delivered > 0, "a reader beside them got %llu events",
	   rig_total(&honest).delivered);
	ok(rig_accounts_hold(&honest), "and its account is exact");
	rig_close(&honest);
	after = observe();
	is(after, before, "after: 50 connections are observed as before");
	rmdir(CGROUP "/hostile");
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:n:t:i:")) != -1) {
		switch (c) {
		case 's':
			opt.seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			opt.operations = strtoull(optarg, NULL, 10);
			break;
		case 't':
			opt.threads = atoi(optarg);
			break;
		case 'i':
			hostile_init();
			use_inherited(strtoull(optarg, NULL, 10));
			return 0;
		default:
			errx(2, "usage: device_fuzz [-s SEED] [-n OPERATIONS] [-t THREADS]");
		}
	}
	if (!opt.threads || opt.threads > THREADS_MAX)
		errx(2, "%u threads: from 1 to %u", opt.threads, THREADS_MAX);
	printf("# seed %lu, %lu operations, %u threads\n", opt.seed, opt.operations, opt.threads);
	fuzz();
	return done_testing();
}
