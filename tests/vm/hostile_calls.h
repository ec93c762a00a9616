/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a hostile user can do to the device, one function for each kind of call. All draw what they do from a
 * random number generator, about half of it right, the rest nearly right or nonsense.
 *
 * Descriptors and mappings are shared by all threads, which use them without asking one another. Mappings
 * lie in an arena far from everything else, so that what is unmapped by one thread and used by another is at
 * worst a hole: such an access is expected to fault, and the fault is caught.
 */
#ifndef TEST_HOSTILE_CALLS_H
#define TEST_HOSTILE_CALLS_H

#include <linux/filter.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>

#include "../unit/prng.h"
#include "device_rig.h"

#define HOSTILE_FILES	20U	/* more than there may be sessions */
#define HOSTILE_PAGES	128U
#define HOSTILE_ARENA	((char *)0x200000000000)
#define HOSTILE_HOT	16U	/* control pages mapped lately */

#define HOSTILE_COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define HOSTILE_PICK(rng, a)	((a)[prng_below((rng), HOSTILE_COUNT(a))])

static struct {
	int		fd[HOSTILE_FILES];	/* -1: closed */
	uint32_t	slots[HOSTILE_FILES];	/* of the session behind it, as far as known */
	uint64_t	*hot[HOSTILE_HOT];
	int		memory;			/* /proc/self/mem */
	uint32_t	netns;			/* the one we are in */
} hostile;

/* One thread, or a child of one. */
struct hostile_user {
	struct prng	rng;
	char		*edge;		/* a page, and behind it one that cannot be accessed */
};

/* Mostly one that is open. */
static inline uint32_t hostile_file(struct hostile_user *u, int *fd)
{
	uint32_t tries = 3, i;

	do {
		i = prng_below(&u->rng, HOSTILE_FILES);
		*fd = __atomic_load_n(&hostile.fd[i], __ATOMIC_RELAXED);
	} while (*fd < 0 && tries--);
	return i;
}

static inline void hostile_put_file(uint32_t i, int fd)
{
	int old = __atomic_exchange_n(&hostile.fd[i], fd, __ATOMIC_RELAXED);

	if (old >= 0)
		close(old);
}

/* A stretch of the arena. */
static inline char *hostile_stretch(struct hostile_user *u, size_t *size)
{
	uint32_t at = prng_below(&u->rng, HOSTILE_PAGES);
	uint32_t most = prng_one_in(&u->rng, 4) ? 40 : 2;

	most = most < HOSTILE_PAGES - at ? most : HOSTILE_PAGES - at;
	*size = (1 + prng_below(&u->rng, most)) * rig_page();
	return HOSTILE_ARENA + at * rig_page();
}

/* Numbers at which something may change. */
static inline uint64_t hostile_number(struct hostile_user *u)
{
	static const uint64_t edges[] = {0, 1, 2, 31, 32, 63, 64, 65, 255, 4095, 4096, 65535, 65536,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, INT64_MAX, 1ULL << 63, UINT64_MAX - 64,
		UINT64_MAX};

	if (prng_one_in(&u->rng, 3))
		return prng_next(&u->rng) >> prng_below(&u->rng, 64);
	return HOSTILE_PICK(&u->rng, edges);
}

static inline void *hostile_wild_pointer(struct hostile_user *u)
{
	char *const wild[] = {NULL, (char *)8, (char *)0xffff888000000000, (char *)0xffffffff81000000,
		(char *)UINTPTR_MAX, (char *)0x7ffffffff000, (char *)0x8000000000000000, u->edge + rig_page(),
		HOSTILE_ARENA + prng_below(&u->rng, HOSTILE_PAGES * rig_page())};

	return HOSTILE_PICK(&u->rng, wild);
}

/* A pointer to @octets for the kernel: mostly good, now and then beyond the edge in part or altogether. */
static inline void *hostile_argument(struct hostile_user *u, const void *octets, size_t size)
{
	char *at = u->edge + rig_page() - size;

	memcpy(at, octets, size);
	if (prng_one_in(&u->rng, 24))
		at += 1 + prng_below(&u->rng, size);
	return prng_one_in(&u->rng, 24) ? hostile_wild_pointer(u) : at;
}

/* One 32-bit word of a structure becomes something else. */
static inline void hostile_spoil(struct hostile_user *u, void *octets, size_t size)
{
	uint32_t *words = octets;

	words[prng_below(&u->rng, size / sizeof(*words))] = hostile_number(u);
}

/*
 * ---- Access to the arena --------------------------------------------------------------------------
 */

static _Thread_local sigjmp_buf hostile_escape;
static _Thread_local volatile sig_atomic_t hostile_may_fault;

static inline void hostile_on_fault(int number)
{
	if (hostile_may_fault)
		siglongjmp(hostile_escape, 1);
	signal(number, SIG_DFL);
}

static inline void hostile_catch_faults(void)
{
	struct sigaction action = {.sa_handler = hostile_on_fault, .sa_flags = SA_NODEFER};

	if (sigaction(SIGSEGV, &action, NULL) || sigaction(SIGBUS, &action, NULL))
		err(2, "sigaction");
}

/* Returns false if @access faulted. */
__attribute__((noinline)) static bool hostile_try(void (*access)(void *arg), void *arg)
{
	if (sigsetjmp(hostile_escape, 0)) {
		hostile_may_fault = 0;
		return false;
	}
	hostile_may_fault = 1;
	access(arg);
	hostile_may_fault = 0;
	return true;
}

struct hostile_store {
	uint64_t	*word;
	uint64_t	value;
	bool		is_offset;	/* from what is there */
};

static inline void hostile_do_store(void *arg)
{
	struct hostile_store *store = arg;
	uint64_t old = store->is_offset ? *(volatile uint64_t *)store->word : 0;

	__atomic_store_n(store->word, old + store->value, __ATOMIC_RELAXED);
}

/* The reader's position becomes what it should not be: near to what it was, or anything. */
static inline bool hostile_write(struct hostile_user *u)
{
	struct hostile_store store = {
		.word = __atomic_load_n(&hostile.hot[prng_below(&u->rng, HOSTILE_HOT)], __ATOMIC_RELAXED),
		.value = hostile_number(u),
		.is_offset = prng_one_in(&u->rng, 2),
	};

	if (store.is_offset)
		store.value = store.value % 131 - 65;
	if (!store.word || prng_one_in(&u->rng, 8))
		store.word = (uint64_t *)HOSTILE_ARENA + prng_below(&u->rng, HOSTILE_PAGES * rig_page() / 8);
	return hostile_try(hostile_do_store, &store);
}

static inline void hostile_do_read(void *at)
{
	(void)*(volatile char *)at;
}

static inline bool hostile_read(struct hostile_user *u)
{
	size_t size, done;
	char *from = hostile_stretch(u, &size);

	for (done = 0; done < size; done += 512)
		if (!hostile_try(hostile_do_read, from + done))
			return false;
	return true;
}

/* As a debugger would, which may write where the process itself may not. */
static inline bool hostile_force(struct hostile_user *u)
{
	uint64_t value = hostile_number(u);
	size_t size;
	char *to = hostile_stretch(u, &size);

	return pwrite(hostile.memory, &value, sizeof(value), (off_t)(uintptr_t)to) == sizeof(value);
}

/*
 * ---- Calls of the device --------------------------------------------------------------------------
 */

static inline bool hostile_open(struct hostile_user *u)
{
	static const int flags[] = {O_RDWR, O_RDWR, O_RDWR | O_CLOEXEC, O_RDWR | O_NONBLOCK, O_RDONLY,
		O_WRONLY, O_RDWR | O_TRUNC | O_APPEND, O_PATH, O_RDWR | O_DIRECT};
	int fd = open(SHK_DEVICE, HOSTILE_PICK(&u->rng, flags));

	if (fd >= 0)
		hostile_put_file(prng_below(&u->rng, HOSTILE_FILES), fd);
	return fd >= 0;
}

static inline bool hostile_close(struct hostile_user *u)
{
	hostile_put_file(prng_below(&u->rng, HOSTILE_FILES), -1);
	return true;
}

/* One session behind two descriptors; what was behind the second may end. */
static inline bool hostile_dup(struct hostile_user *u)
{
	int from, to;

	hostile_file(u, &from);
	hostile_file(u, &to);
	return from >= 0 && to >= 0 && dup2(from, to) >= 0;
}

static inline bool hostile_info(struct hostile_user *u)
{
	static const struct shk_info info;
	int fd;

	hostile_file(u, &fd);
	return !ioctl(fd, SHK_IOC_INFO, hostile_argument(u, &info, sizeof(info)));
}

/* Not so large that sixteen of them would fill the machine: for that there is hostile_squeeze(). */
static inline bool hostile_setup(struct hostile_user *u)
{
	uint32_t slots = 64U << prng_below(&u->rng, 6);
	struct shk_setup setup = {.abi = SHK_ABI, .slots = slots, .poll_ms = prng_below(&u->rng, 4)};
	uint32_t i;
	int fd;

	setup.hooks = prng_below(&u->rng, SHK_HOOKS_NETFILTER + 1);
	setup.watermark = prng_below(&u->rng, slots + 1);
	if (prng_one_in(&u->rng, 3))
		hostile_spoil(u, &setup, sizeof(setup));
	if (setup.slots > 4096)
		setup.slots |= 1;
	i = hostile_file(u, &fd);
	if (ioctl(fd, SHK_IOC_SETUP, hostile_argument(u, &setup, sizeof(setup))))
		return false;
	hostile.slots[i] = setup.slots;
	return true;
}

static inline bool hostile_filter(struct hostile_user *u)
{
	static const struct sock_filter good[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RANDOM),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1U << 31, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
	};
	struct sock_filter insns[16];
	struct shk_filter filter = {.len = HOSTILE_COUNT(good)};
	int fd;

	memcpy(insns, good, sizeof(good));
	if (prng_one_in(&u->rng, 3)) {
		hostile_spoil(u, insns, sizeof(good));
	} else if (prng_one_in(&u->rng, 3)) {
		filter.len = 1 + prng_below(&u->rng, HOSTILE_COUNT(insns));
		for (uint32_t i = 0; i < filter.len; i++)
			insns[i] = (struct sock_filter){prng_below(&u->rng, 256), prng_below(&u->rng, 4),
							prng_below(&u->rng, 4), hostile_number(u)};
		insns[filter.len - 1].code = BPF_RET | BPF_K;
	} else if (prng_one_in(&u->rng, 2)) {
		filter.len = 0;
	}
	filter.insns = prng_one_in(&u->rng, 16) ? (uintptr_t)hostile_wild_pointer(u) : (uintptr_t)insns;
	if (prng_one_in(&u->rng, 16))
		hostile_spoil(u, &filter, 8);
	hostile_file(u, &fd);
	return !ioctl(fd, SHK_IOC_FILTER, hostile_argument(u, &filter, sizeof(filter)));
}

static inline bool hostile_start(struct hostile_user *u)
{
	int fd;

	hostile_file(u, &fd);
	return !ioctl(fd, SHK_IOC_START);
}

static inline bool hostile_stop(struct hostile_user *u)
{
	int fd;

	hostile_file(u, &fd);
	return !ioctl(fd, SHK_IOC_STOP);
}

static inline bool hostile_hooks(struct hostile_user *u)
{
	uint32_t hooks = prng_below(&u->rng, SHK_HOOKS_NETFILTER + 1);
	int fd;

	if (prng_one_in(&u->rng, 4))
		hooks = hostile_number(u);
	hostile_file(u, &fd);
	return !ioctl(fd, SHK_IOC_HOOKS, hostile_argument(u, &hooks, sizeof(hooks)));
}

static inline bool hostile_stats(struct hostile_user *u)
{
	struct shk_stats stats = {.cpu = prng_below(&u->rng, 2)};
	int fd;

	if (prng_one_in(&u->rng, 4))
		hostile_spoil(u, &stats, sizeof(stats));
	hostile_file(u, &fd);
	return !ioctl(fd, SHK_IOC_STATS, hostile_argument(u, &stats, sizeof(stats)));
}

static inline bool hostile_conflicts(struct hostile_user *u)
{
	struct shk_conflicts conflicts = {.netns = hostile.netns};
	int fd;

	conflicts.count[prng_below(&u->rng, SHK_CONFLICT_COUNT)] = hostile_number(u);
	if (prng_one_in(&u->rng, 3))
		hostile_spoil(u, &conflicts, sizeof(conflicts));
	hostile_file(u, &fd);
	return !ioctl(fd, SHK_IOC_CONFLICTS, hostile_argument(u, &conflicts, sizeof(conflicts)));
}

/* No call of ours, or one of ours with another size or direction, with any argument. */
static inline bool hostile_ioctl(struct hostile_user *u)
{
	unsigned long request = _IOC(prng_below(&u->rng, 4), SHK_IOC_MAGIC, prng_below(&u->rng, 10),
				     prng_below(&u->rng, 80));
	char octets[80];
	int fd;

	if (prng_one_in(&u->rng, 4))
		request = hostile_number(u);
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = hostile_number(u);
	hostile_file(u, &fd);
	return !ioctl(fd, request, hostile_argument(u, octets, sizeof(octets)));
}

static inline bool hostile_poll(struct hostile_user *u)
{
	struct pollfd fds[3];
	int fd;

	for (size_t i = 0; i < HOSTILE_COUNT(fds); i++) {
		hostile_file(u, &fd);
		fds[i] = (struct pollfd){.fd = fd, .events = hostile_number(u)};
	}
	return poll(fds, 1 + prng_below(&u->rng, HOSTILE_COUNT(fds)), prng_below(&u->rng, 3)) > 0;
}

/* The epoll instance goes while the file stays, or the file while a wait goes on. */
static inline bool hostile_epoll(struct hostile_user *u)
{
	struct epoll_event event = {.events = EPOLLIN | (prng_one_in(&u->rng, 2) ? EPOLLET : 0)};
	int set = epoll_create1(EPOLL_CLOEXEC), fd, ready = -1;

	hostile_file(u, &fd);
	if (!epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
		ready = epoll_wait(set, &event, 1, prng_below(&u->rng, 3));
	close(set);
	return ready >= 0;
}

/* What the device has no answer to. */
static inline bool hostile_odd_call(struct hostile_user *u)
{
	char octets[64] = "";
	int fd, other;

	hostile_file(u, &fd);
	hostile_file(u, &other);
	switch (prng_below(&u->rng, 9)) {
	case 0:
		return read(fd, octets, sizeof(octets)) >= 0;
	case 1:
		return write(fd, octets, sizeof(octets)) >= 0;
	case 2:
		return lseek(fd, (off_t)hostile_number(u), SEEK_SET) >= 0;
	case 3:
		return !ftruncate(fd, (off_t)prng_below(&u->rng, 1 << 20));
	case 4:
		return !fsync(fd);
	case 5:
		return fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) >= 0;
	case 6:
		return sendfile(fd, other, NULL, rig_page()) >= 0;
	case 7:
		return splice(fd, NULL, other, NULL, rig_page(), SPLICE_F_NONBLOCK) >= 0;
	}
	return pread(fd, octets, sizeof(octets), (off_t)hostile_number(u)) >= 0;
}

#endif /* TEST_HOSTILE_CALLS_H */
