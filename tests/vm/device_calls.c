// SPDX-License-Identifier: GPL-2.0
/*
 * The manual in uapi/tcpshake.h, claim by claim: every call and limit of the device, the refusals above all.
 * Needs no traffic, root and cgroup v2; prints TAP.
 */
#include <linux/capability.h>
#include <linux/filter.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#include "device_rig.h"
#include "tap.h"

#define NOWHERE      ((void *)8) /* no address of ours */
#define SESSIONS_MAX 16

static int device_open(int flags)
{
	return open(SHK_DEVICE, flags | O_CLOEXEC);
}

/*
 * ---- Calls ----------------------------------------------------------------------------------------
 */

struct call {
	const char *claim;
	unsigned long request;
	void *arg;
	int error;
};

static void check_calls(int fd, const struct call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int failed = ioctl(fd, calls[i].request, calls[i].arg);

		is_error(failed ? errno : 0, calls[i].error, calls[i].claim);
	}
}

#define HOOKS(mask)   (&(__u32){mask})
#define SETUP(n, ...) (&(struct shk_setup){.abi = SHK_ABI, .slots = (n), ##__VA_ARGS__})
#define STATS(...)    (&(struct shk_stats){__VA_ARGS__})
#define FILTER(...)   (&(struct shk_filter){__VA_ARGS__})

static const struct call before_setup[] = {
	{"INFO refuses a bad pointer", SHK_IOC_INFO, NOWHERE, EFAULT},
	{"an unknown call with our letter is refused", _IO(SHK_IOC_MAGIC, 99), NULL, ENOTTY},
	{"a call of terminals is refused", TCGETS, &(struct termios){0}, ENOTTY},
	{"START asks for SETUP", SHK_IOC_START, NULL, ENODATA},
	{"STOP refuses what does not run", SHK_IOC_STOP, NULL, EALREADY},
	{"HOOKS asks for SETUP", SHK_IOC_HOOKS, HOOKS(0), ENODATA},
	{"STATS asks for SETUP", SHK_IOC_STATS, STATS(0), ENODATA},
	{"CONFLICTS asks for SETUP", SHK_IOC_CONFLICTS, &(struct shk_conflicts){0}, ENODATA},
	{"FILTER does not: there is none to remove, and that is fine", SHK_IOC_FILTER, FILTER(0), 0},
};

static const struct call setups[] = {
	{"SETUP refuses a bad pointer", SHK_IOC_SETUP, NOWHERE, EFAULT},
	{"SETUP refuses another ABI", SHK_IOC_SETUP, &(struct shk_setup){.abi = SHK_ABI + 1}, EPROTO},
	{"SETUP refuses 100 slots, no power of two", SHK_IOC_SETUP, SETUP(100), EINVAL},
	{"SETUP refuses 32 slots, too few", SHK_IOC_SETUP, SETUP(32), EINVAL},
	{"SETUP refuses 2^21 slots, too many", SHK_IOC_SETUP, SETUP(1 << 21), EINVAL},
	{"SETUP refuses a hook that is none", SHK_IOC_SETUP, SETUP(64, .hooks = 0x20), EINVAL},
	{"SETUP refuses a watermark above the ring", SHK_IOC_SETUP, SETUP(64, .watermark = 65), EINVAL},
	{"SETUP refuses poll_ms above 1000", SHK_IOC_SETUP, SETUP(64, .poll_ms = 1001), EINVAL},
	{"SETUP refuses the first reserved field", SHK_IOC_SETUP, SETUP(64, .reserved = {1, 0}), EINVAL},
	{"SETUP refuses the second reserved field", SHK_IOC_SETUP, SETUP(64, .reserved = {0, 1}), EINVAL},
	{"SETUP takes every value at its upper limit", SHK_IOC_SETUP,
	 SETUP(64, .hooks = SHK_HOOKS_NETFILTER, .watermark = 64, .poll_ms = 1000), 0},
	{"SETUP comes once", SHK_IOC_SETUP, SETUP(64), EBUSY},
};

static const struct call after_setup[] = {
	{"HOOKS refuses a hook that is none", SHK_IOC_HOOKS, HOOKS(0x20), EINVAL},
	{"HOOKS refuses a bad pointer", SHK_IOC_HOOKS, NOWHERE, EFAULT},
	{"HOOKS takes one hook", SHK_IOC_HOOKS, HOOKS(SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN)), 0},
	{"HOOKS takes 0 for all", SHK_IOC_HOOKS, HOOKS(0), 0},
	{"STATS refuses the reserved field", SHK_IOC_STATS, STATS(.reserved = 1), EINVAL},
	{"STATS refuses a CPU that is none", SHK_IOC_STATS, STATS(.cpu = 1 << 20), ENODEV},
	{"STATS refuses a bad pointer", SHK_IOC_STATS, NOWHERE, EFAULT},
	{"STATS answers for CPU 0", SHK_IOC_STATS, STATS(.cpu = 0), 0},
	{"START starts", SHK_IOC_START, NULL, 0},
	{"START refuses what runs already", SHK_IOC_START, NULL, EALREADY},
	{"STOP stops", SHK_IOC_STOP, NULL, 0},
	{"STOP refuses what is stopped", SHK_IOC_STOP, NULL, EALREADY},
	{"START after STOP goes on", SHK_IOC_START, NULL, 0},
};

static void test_filters(int fd)
{
	static struct sock_filter take[BPF_MAXINSNS + 1];
	struct sock_filter junk = {0xffff, 0, 0, 0}, fall_off = BPF_STMT(BPF_LD | BPF_IMM, 1);
	const uintptr_t program = (uintptr_t)take;
	const struct call filters[] = {
		{"FILTER refuses a bad pointer", SHK_IOC_FILTER, NOWHERE, EFAULT},
		{"FILTER refuses the reserved field", SHK_IOC_FILTER, FILTER(.reserved = 1), EINVAL},
		{"FILTER refuses a program at a bad address", SHK_IOC_FILTER, FILTER(1, 0, 8), EFAULT},
		{"FILTER refuses an unknown instruction", SHK_IOC_FILTER, FILTER(1, 0, (uintptr_t)&junk),
		 EINVAL},
		{"FILTER refuses a program without an end", SHK_IOC_FILTER,
		 FILTER(1, 0, (uintptr_t)&fall_off), EINVAL},
		{"FILTER refuses 4097 instructions", SHK_IOC_FILTER, FILTER(BPF_MAXINSNS + 1, 0, program),
		 EINVAL},
		{"FILTER refuses 65537, which is not 1", SHK_IOC_FILTER, FILTER(65537, 0, program), EINVAL},
		{"FILTER takes one instruction", SHK_IOC_FILTER, FILTER(1, 0, program), 0},
		{"FILTER takes 4096", SHK_IOC_FILTER, FILTER(BPF_MAXINSNS, 0, program), 0},
		{"FILTER removes", SHK_IOC_FILTER, FILTER(0), 0},
	};

	for (size_t i = 0; i < COUNT_OF(take); i++)
		take[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 1);
	check_calls(fd, filters, COUNT_OF(filters));
}

static void test_info(int fd)
{
	struct shk_info info;

	memset(&info, 0xff, sizeof(info));
	is_error(ioctl(fd, SHK_IOC_INFO, &info) ? errno : 0, 0, "INFO answers");
	is(info.abi, SHK_ABI, "INFO knows the ABI");
	is(info.event_size, sizeof(struct shk_event), "INFO knows the size of an event");
	is(info.default_slots, 32768, "a ring has 32768 slots by default");
	is(info.min_slots, 64, "a ring has at least 64 slots");
	is(info.max_slots, 1 << 20, "a ring has at most 2^20 slots");
	is(info.hooks, SHK_HOOKS_NETFILTER, "the module delivers all five hooks");
	is(info.reserved, 0, "the reserved field is 0");
	ok(info.nr_cpus >= (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), "no CPU is left out");
	ok(info.version[0] && memchr(info.version, 0, sizeof(info.version)), "the version ends in NUL");
}

static void test_calls(void)
{
	int fd = device_open(O_RDWR);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	ok(fd >= 0, "the device opens");
	test_info(fd);
	check_calls(fd, before_setup, COUNT_OF(before_setup));
	is_error(mmap(NULL, rig_page(), PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? errno : 0, ENODATA,
		 "mmap() asks for SETUP");
	ok(poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLERR, "poll() before SETUP reports POLLERR");
	check_calls(fd, setups, COUNT_OF(setups));
	check_calls(fd, after_setup, COUNT_OF(after_setup));
	test_filters(fd);
	close(fd);
}

/*
 * ---- Limits ---------------------------------------------------------------------------------------
 */

static void test_session_limit(void)
{
	int fds[SESSIONS_MAX], one_more;

	for (int i = 0; i < SESSIONS_MAX; i++)
		fds[i] = device_open(O_RDWR);
	ok(fds[SESSIONS_MAX - 1] >= 0, "%d sessions may be open at once", SESSIONS_MAX);
	one_more = device_open(O_RDWR);
	is_error(one_more < 0 ? errno : 0, EBUSY, "one more is refused");
	for (int i = 0; i < SESSIONS_MAX; i++)
		close(fds[i]);
	one_more = device_open(O_RDWR);
	ok(one_more >= 0, "there is room again when they are closed");
	close(one_more);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(2, "%s", path);
	close(fd);
}

#define CGROUP "/sys/fs/cgroup"

static int setup_in_small_cgroup(void *unused)
{
	int fd = device_open(O_RDWR);

	(void)unused;
	write_file(CGROUP "/small/cgroup.procs", "0");
	return ioctl(fd, SHK_IOC_SETUP, SETUP(1 << 20)) ? errno : 0;
}

static void test_memory_limit(void)
{
	write_file(CGROUP "/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP "/small", 0755))
		err(2, "%s", CGROUP "/small");
	write_file(CGROUP "/small/memory.max", "16M");
	is_error(rig_in_child(setup_in_small_cgroup, NULL), ENOMEM,
		 "SETUP refuses rings above the limit of the cgroup");
	rmdir(CGROUP "/small");
}

static int open_error(void)
{
	return device_open(O_RDWR) < 0 ? errno : 0;
}

static int open_without_capabilities(void *unused)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0}};

	(void)unused;
	return syscall(SYS_capset, &header, none) ? errno : open_error();
}

/* There we have every capability. */
static int open_in_user_namespace(void *unused)
{
	(void)unused;
	return unshare(CLONE_NEWUSER) ? EINVAL : open_error();
}

static void test_privilege(void)
{
	is_error(rig_in_child(open_without_capabilities, NULL), EPERM, "open() asks for CAP_NET_ADMIN");
	is_error(rig_in_child(open_in_user_namespace, NULL), EPERM,
		 "in the initial user namespace, no other");
}

int main(void)
{
	test_calls();
	test_session_limit();
	test_memory_limit();
	test_privilege();
	return done_testing();
}
