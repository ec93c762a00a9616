// SPDX-License-Identifier: GPL-2.0
/*
 * What uapi/tcpshake.h says about mappings: which there are, that they stay what they are, and whose life
 * hangs on them. Needs no traffic, root and debugfs; prints TAP.
 */
#include "device_rig.h"
#include "tap.h"

#define META    SHK_MMAP_META
#define CONTROL SHK_MMAP_CONTROL
#define DATA    SHK_MMAP_DATA
#define R       PROT_READ
#define RW      (PROT_READ | PROT_WRITE)
#define RX      (PROT_READ | PROT_EXEC)

/* In pages. The slots of the ring fill two. */
static const struct {
	const char *claim;
	uint32_t cpu, part, skipped, pages;
	int prot, flags, error;
} mappings[] = {
	{"there is no fourth part", 0, 3, 0, 1, R, MAP_SHARED, EINVAL},
	{"META begins at its offset, not later", 0, META, 1, 1, R, MAP_SHARED, EINVAL},
	{"DATA begins at its offset, not later", 0, DATA, 1, 1, R, MAP_SHARED, EINVAL},
	{"a CPU that is none has no ring", 4000, META, 0, 1, R, MAP_SHARED, ENODEV},
	{"nor has the last one that the offset can name", 0x3ffffff, META, 0, 1, R, MAP_SHARED, ENODEV},
	{"META is one page", 0, META, 0, 2, R, MAP_SHARED, EINVAL},
	{"CONTROL is one page", 0, CONTROL, 0, 2, R, MAP_SHARED, EINVAL},
	{"DATA is mapped whole, not half", 0, DATA, 0, 1, R, MAP_SHARED, EINVAL},
	{"and not longer than it is", 0, DATA, 0, 3, R, MAP_SHARED, EINVAL},
	{"META is not mapped privately", 0, META, 0, 1, R, MAP_PRIVATE, EPERM},
	{"CONTROL is not mapped privately", 0, CONTROL, 0, 1, RW, MAP_PRIVATE, EPERM},
	{"DATA is not mapped privately", 0, DATA, 0, 2, R, MAP_PRIVATE, EPERM},
	{"META is not executable", 0, META, 0, 1, RX, MAP_SHARED, EPERM},
	{"CONTROL is not executable", 0, CONTROL, 0, 1, RX, MAP_SHARED, EPERM},
	{"DATA is not executable", 0, DATA, 0, 2, RX, MAP_SHARED, EPERM},
	{"META is not writable", 0, META, 0, 1, RW, MAP_SHARED, EPERM},
	{"DATA is not writable", 0, DATA, 0, 2, RW, MAP_SHARED, EPERM},
	{"META may be read", 0, META, 0, 1, R, MAP_SHARED, 0},
	{"CONTROL may be read and written", 0, CONTROL, 0, 1, RW, MAP_SHARED, 0},
	{"DATA may be read", 0, DATA, 0, 2, R, MAP_SHARED, 0},
};

/* A session whose slots fill two pages of each ring, whatever a page is here. */
static void two_page_rig(struct rig *rig)
{
	rig_open(rig, (struct shk_setup){.slots = 2 * rig_page() / sizeof(struct shk_slot)});
}

static void test_mappings(void)
{
	struct rig rig;

	two_page_rig(&rig);
	for (size_t i = 0; i < COUNT_OF(mappings); i++) {
		off_t offset = (off_t)SHK_MMAP_OFFSET(mappings[i].cpu, mappings[i].part) +
			       mappings[i].skipped * rig_page();
		size_t size = mappings[i].pages * rig_page();
		void *map = mmap(NULL, size, mappings[i].prot, mappings[i].flags, rig.fd, offset);

		is_error(map == MAP_FAILED ? errno : 0, mappings[i].error, mappings[i].claim);
		if (map != MAP_FAILED)
			munmap(map, size);
	}
	rig_close(&rig);
}

static void check_mprotect(void *map, int prot, const char *claim)
{
	is_error(mprotect(map, rig_page(), prot) ? errno : 0, EACCES, claim);
}

/* What is mapped stays as it was mapped, by whatever way one comes. */
static void test_protection(void)
{
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	struct shk_ring *ring;
	struct rig rig;
	void *moved;

	two_page_rig(&rig);
	ring = &rig.ring[0];
	check_mprotect(ring->meta, RW, "META cannot be made writable");
	check_mprotect(ring->slots, RW, "DATA cannot be made writable");
	check_mprotect(ring->meta, RX, "META cannot be made executable");
	check_mprotect(ring->slots, RX, "DATA cannot be made executable");
	check_mprotect(ring->control, RX, "CONTROL cannot be made executable");
	is_error(pwrite(memory, "x", 1, (off_t)(uintptr_t)ring->meta) < 0 ? errno : 0, EIO,
		 "META cannot be written through /proc/self/mem");
	is_error(pwrite(memory, "x", 1, (off_t)(uintptr_t)ring->slots) < 0 ? errno : 0, EIO, "nor can DATA");
	moved = mremap(ring->meta, rig_page(), 2 * rig_page(), MREMAP_MAYMOVE);
	is_error(moved == MAP_FAILED ? errno : 0, EFAULT, "a mapping cannot grow");
	close(memory);
	rig_close(&rig);
}

static void test_read_only_file(void)
{
	int fd = open(SHK_DEVICE, O_RDONLY | O_CLOEXEC);
	struct shk_setup setup = {.abi = SHK_ABI};
	void *map;

	if (fd < 0 || ioctl(fd, SHK_IOC_SETUP, &setup))
		err(2, "a session opened for reading");
	map = mmap(NULL, rig_page(), R, MAP_SHARED, fd, (off_t)SHK_MMAP_OFFSET(0, META));
	is_error(map == MAP_FAILED ? errno : 0, 0, "opened for reading, META may be mapped");
	munmap(map, rig_page());
	map = mmap(NULL, rig_page(), RW, MAP_SHARED, fd, (off_t)SHK_MMAP_OFFSET(0, CONTROL));
	is_error(map == MAP_FAILED ? errno : 0, EACCES, "but CONTROL not for writing");
	close(fd);
}

static void test_meta(void)
{
	const struct shk_ring_meta *meta;
	struct rig rig;

	two_page_rig(&rig);
	for (uint32_t cpu = 0; cpu < rig.cpus; cpu++) {
		meta = rig.ring[cpu].meta;
		if (!meta)
			continue;
		is(meta->cpu, cpu, "META of CPU %u knows its CPU", cpu);
		ok(meta->abi == SHK_ABI && meta->meta_size == sizeof(*meta) &&
			   meta->slot_size == sizeof(struct shk_slot) && meta->slots == rig.slots,
		   "META of CPU %u describes the ring", cpu);
		ok(!meta->head && !meta->seen && !meta->lost && !meta->notes && !meta->unannounced,
		   "META of CPU %u begins at 0", cpu);
	}
	rig_close(&rig);
}

static int is_mapped(void *page)
{
	unsigned char resident;

	return mincore(page, rig_page(), &resident) ? errno : 0;
}

static void test_fork(void)
{
	struct rig rig;

	two_page_rig(&rig);
	is_error(is_mapped(rig.ring[0].meta), 0, "what is mapped is mapped");
	is_error(rig_in_child(is_mapped, rig.ring[0].meta), ENOMEM, "a child of fork() inherits no mapping");
	rig_close(&rig);
}

/* Sessions of this process that the module still knows. */
static unsigned int own_sessions(void)
{
	FILE *file = fopen(SHK_DEBUGFS "/sessions", "r");
	unsigned int count = 0;
	char line[512];
	int pid;

	if (!file)
		err(2, "%s/sessions", SHK_DEBUGFS);
	while (fgets(line, sizeof(line), file))
		count += sscanf(line, "pid %d", &pid) == 1 && pid == getpid();
	fclose(file);
	return count;
}

static void test_life(void)
{
	struct rig rig;

	two_page_rig(&rig);
	rig_start(&rig);
	is(own_sessions(), 1, "an open file is a session");
	close(rig.fd);
	is(own_sessions(), 1, "its mappings keep it alive after close()");
	rig_unmap(&rig);
	is(own_sessions(), 0, "the last munmap() ends it");
	two_page_rig(&rig);
	rig_unmap(&rig);
	is(own_sessions(), 1, "without mappings the file keeps it alive");
	close(rig.fd);
	is(own_sessions(), 0, "and the last close() ends it");
}

int main(void)
{
	test_mappings();
	test_protection();
	test_read_only_file();
	test_meta();
	test_fork();
	test_life();
	return done_testing();
}
