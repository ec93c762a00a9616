// SPDX-License-Identifier: GPL-2.0
/*
 * Memory is short, or a copy from or to the user fails, at one place after the other of whatever a user can
 * have the module do. Each call is made once for every such place on its way, until it comes to its end
 * without any:
 *
 *	device_faults load MODULE	load and unload it
 *	device_faults device		everything that can be done with the device, and what it shows
 *	device_faults netns		make a network namespace, with the module loaded
 *
 * A call fails with ENOMEM or EFAULT, or does without what it did not get. Either way nothing of it is in the
 * way of the next try, which works; and of a module that was not loaded nothing is to be seen. Needs a kernel
 * with fault injection; prints TAP.
 */
#include <linux/filter.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "device_rig.h"
#include "tap.h"

/* Nothing here has so many places. */
#define PLACES_MAX 50000U
#define SLOTS      64U

struct act {
	const char *name;
	void (*prepare)(void); /* all that comes before the call */
	int (*call)(void);     /* 0 or an errno */
	void (*undo)(void);    /* of prepare() and of a call that worked */
	bool must_work;        /* it takes away, and that must not need anything */
	const char *(*remains)(
		void); /* what is to be seen of a call that failed; NULL if the next try tells */
};

static struct {
	int fail_nth;   /* /proc/thread-self/fail-nth */
	int home;       /* our network namespace */
	uint32_t netns; /* its number */
	int fd;         /* the device, or what else is open */
	void *map;
	size_t map_size;
	void *image; /* of the module */
	size_t image_size;
} the;

/*
 * ---- Faults ---------------------------------------------------------------------------------------
 */

static void faults_arm(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	/* The copy of this very text may be the place that fails. */
	while (pwrite(the.fail_nth, text, len, 0) != len)
		if (errno != EFAULT)
			err(2, "fail-nth");
}

/* True if the call had as many places: one of them has failed. */
static bool faults_disarm(void)
{
	char text[16] = "";
	/* Where places are left, this copy may be the one that fails. */
	bool failed = pread(the.fail_nth, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;

	faults_arm(0);
	return failed;
}

struct tally {
	unsigned int places, refused, wrong;
};

static void tell(const struct act *act, struct tally *t, const char *what, int error)
{
	/* One is as good as a thousand. */
	if (t->wrong++ < 5)
		printf("#   %s, place %u: %s (%s)\n", act->name, t->places, what,
		       error ? strerrorname_np(error) : "success");
}

static void judge(const struct act *act, struct tally *t, int error)
{
	if (!error)
		return;
	t->refused++;
	if (act->must_work)
		tell(act, t, "must work whatever fails", error);
	if (error != ENOMEM && error != EFAULT)
		tell(act, t, "fails with a word that does not fit", error);
	if (act->remains && act->remains())
		tell(act, t, act->remains(), error);
}

/* Returns false when the call came to its end before the place was reached. */
static bool try_place(const struct act *act, struct tally *t)
{
	bool failed;
	int error;

	act->prepare();
	faults_arm(t->places + 1);
	error = act->call();
	failed = faults_disarm();
	if (failed) {
		t->places++;
		judge(act, t, error);
	}
	if (error) {
		error = act->call();
		if (error)
			tell(act, t, failed ? "the next try fails too" : "fails without cause", error);
	}
	act->undo();
	return failed;
}

/* Returns how many places refused the call. */
static unsigned int sweep(const struct act *act)
{
	struct tally t = {0};

	while (try_place(act, &t) && t.places < PLACES_MAX)
		;
	printf("# %s: %u places may fail, %u of them refuse the call\n", act->name, t.places, t.refused);
	ok(t.wrong == 0 && t.places < PLACES_MAX, "%s: %s", act->name,
	   act->must_work ? "works whatever fails" : "each refusal is clean, and the next try works");
	return t.refused;
}

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

static void nothing(void)
{
}

/*
 * ---- The module -----------------------------------------------------------------------------------
 */

/* A kernel that had no memory to check the module's BTF may call that ELOOP, as 7.3 does. */
static int module_load(void)
{
	int error = error_of(
		syscall(SYS_init_module, the.image, the.image_size, "ring_slots=64 gate_buckets=64"));

	return error == ELOOP ? ENOMEM : error;
}

/* Before anything is unloaded, the kernel copies the name; that may fail, once. */
static int module_unload(void)
{
	int error;

	do
		error = error_of(syscall(SYS_delete_module, "tcpshake", O_NONBLOCK));
	while (error == EFAULT);
	return error;
}

static void must_load(void)
{
	if (module_load())
		err(2, "loading the module");
}

static void must_unload(void)
{
	if (module_unload())
		err(2, "unloading the module");
}

static const char *module_remains(void)
{
	static const char *const places[] = {"/sys/module/tcpshake", "/sys/class/misc/tcpshake", SHK_DEVICE,
					     SHK_PROC, SHK_DEBUGFS};

	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (!access(places[i], F_OK))
			return places[i];
	return NULL;
}

static const struct act module_acts[] = {
	{"loading the module", nothing, module_load, must_unload, false, module_remains},
	{"unloading the module", must_load, module_unload, nothing, true, NULL},
};

static void read_module(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", path);
	the.image_size = st.st_size;
	the.image = malloc(the.image_size);
	if (!the.image || read(fd, the.image, the.image_size) != st.st_size)
		err(2, "%s", path);
	close(fd);
}

/*
 * ---- The device -----------------------------------------------------------------------------------
 */

static int device_open(void)
{
	the.fd = open(SHK_DEVICE, O_RDWR | O_CLOEXEC);
	return error_of(the.fd);
}

static int device_close(void)
{
	return error_of(close(the.fd));
}

static void must_open(void)
{
	if (device_open())
		err(2, "%s", SHK_DEVICE);
}

static void must_close(void)
{
	if (device_close())
		err(2, "closing %s", SHK_DEVICE);
}

static int device_info(void)
{
	struct shk_info info;

	return error_of(ioctl(the.fd, SHK_IOC_INFO, &info));
}

static int device_setup(void)
{
	struct shk_setup setup = {.abi = SHK_ABI, .slots = SLOTS};

	return error_of(ioctl(the.fd, SHK_IOC_SETUP, &setup));
}

static int device_filter(void)
{
	struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, 1)};
	struct shk_filter filter = {.len = COUNT_OF(all), .insns = (uintptr_t)all};

	return error_of(ioctl(the.fd, SHK_IOC_FILTER, &filter));
}

static int device_hooks(void)
{
	uint32_t hooks = SHK_HOOKS_NETFILTER;

	return error_of(ioctl(the.fd, SHK_IOC_HOOKS, &hooks));
}

static int device_start(void)
{
	return error_of(ioctl(the.fd, SHK_IOC_START));
}

static int device_stop(void)
{
	return error_of(ioctl(the.fd, SHK_IOC_STOP));
}

static int device_stats(void)
{
	struct shk_stats stats = {.cpu = 0};

	return error_of(ioctl(the.fd, SHK_IOC_STATS, &stats));
}

static int device_conflicts(void)
{
	struct shk_conflicts conflicts = {.netns = the.netns};

	return error_of(ioctl(the.fd, SHK_IOC_CONFLICTS, &conflicts));
}

static int device_poll(void)
{
	struct pollfd poll_fd = {.fd = the.fd, .events = POLLIN};

	return error_of(poll(&poll_fd, 1, 0));
}

static void must_setup(void)
{
	must_open();
	if (device_setup())
		err(2, "SETUP");
}

static void must_start(void)
{
	must_setup();
	if (device_filter() || device_start())
		err(2, "START");
}

static int map_part(uint32_t part, size_t size, int prot)
{
	the.map_size = size;
	the.map = mmap(NULL, size, prot, MAP_SHARED, the.fd, (off_t)SHK_MMAP_OFFSET(0, part));
	return the.map == MAP_FAILED ? errno : 0;
}

static int map_meta(void)
{
	return map_part(SHK_MMAP_META, rig_page(), PROT_READ);
}

static int map_control(void)
{
	return map_part(SHK_MMAP_CONTROL, rig_page(), PROT_READ | PROT_WRITE);
}

static int map_data(void)
{
	return map_part(SHK_MMAP_DATA, SLOTS * sizeof(struct shk_slot), PROT_READ);
}

static void unmap(void)
{
	munmap(the.map, the.map_size);
	must_close();
}

static int read_all(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = error_of(fd);

	if (error)
		return error;
	error = error_of(read(fd, text, sizeof(text)));
	close(fd);
	return error;
}

static int read_proc(void)
{
	return read_all(SHK_PROC);
}

static int read_sessions(void)
{
	return read_all(SHK_DEBUGFS "/sessions");
}

static int read_gate(void)
{
	return read_all(SHK_DEBUGFS "/gate");
}

static const struct act device_acts[] = {
	{"opening the device", nothing, device_open, must_close, false, NULL},
	{"INFO", must_open, device_info, must_close, false, NULL},
	{"SETUP", must_open, device_setup, must_close, false, NULL},
	{"FILTER", must_setup, device_filter, must_close, false, NULL},
	{"FILTER in place of another", must_start, device_filter, must_close, false, NULL},
	{"HOOKS", must_start, device_hooks, must_close, false, NULL},
	{"START", must_setup, device_start, must_close, true, NULL},
	{"STOP", must_start, device_stop, must_close, true, NULL},
	{"STATS", must_start, device_stats, must_close, false, NULL},
	{"CONFLICTS", must_start, device_conflicts, must_close, false, NULL},
	{"poll()", must_start, device_poll, must_close, false, NULL},
	{"mapping META", must_start, map_meta, unmap, false, NULL},
	{"mapping CONTROL", must_start, map_control, unmap, false, NULL},
	{"mapping DATA", must_start, map_data, unmap, false, NULL},
	{"closing a session that runs", must_start, device_close, nothing, true, NULL},
	{"reading " SHK_PROC, nothing, read_proc, nothing, false, NULL},
	{"reading the sessions in debugfs", must_start, read_sessions, must_close, false, NULL},
	{"reading the gate in debugfs", nothing, read_gate, nothing, false, NULL},
};

/*
 * ---- Network namespaces ---------------------------------------------------------------------------
 */

static int netns_enter(void)
{
	return error_of(unshare(CLONE_NEWNET));
}

static void netns_leave(void)
{
	if (setns(the.home, CLONE_NEWNET))
		err(2, "going back to our network namespace");
}

static const struct act netns_acts[] = {
	{"making a network namespace", nothing, netns_enter, netns_leave, false, NULL},
};

int main(int argc, char **argv)
{
	const struct act *acts = device_acts;
	size_t count = COUNT_OF(device_acts);
	unsigned int refused = 0;

	if (argc == 3 && !strcmp(argv[1], "load")) {
		read_module(argv[2]);
		acts = module_acts;
		count = COUNT_OF(module_acts);
	} else if (argc == 2 && !strcmp(argv[1], "netns")) {
		acts = netns_acts;
		count = COUNT_OF(netns_acts);
	} else if (argc != 2 || strcmp(argv[1], "device") != 0) {
		errx(2, "usage: device_faults load MODULE | device | netns");
	}
	the.fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	the.home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	/* A page of ours that is not there yet would be one more place. */
	the.netns = rig_netns();
	if (the.fail_nth < 0 || the.home < 0 || mlockall(MCL_CURRENT | MCL_FUTURE))
		err(2, "this kernel injects no faults");
	for (size_t i = 0; i < count; i++)
		refused += sweep(&acts[i]);
	ok(refused > 0, "some calls were refused, so that faults did happen");
	return done_testing();
}
