/* SPDX-License-Identifier: GPL-2.0 */
/* Hostile mappings: every part of the rings anywhere in the arena, and all that can be done to a mapping. */
#ifndef TEST_HOSTILE_MAPS_H
#define TEST_HOSTILE_MAPS_H

#include "hostile_calls.h"

struct hostile_map {
	uint64_t	offset;
	size_t		size;
	int		prot;
	int		flags;
};

/* What the manual allows. */
static inline struct hostile_map hostile_good_map(struct hostile_user *u, uint32_t slots)
{
	static const int prots[] = {
		[SHK_MMAP_META] = PROT_READ,
		[SHK_MMAP_CONTROL] = PROT_READ | PROT_WRITE,
		[SHK_MMAP_DATA] = PROT_READ,
	};
	uint32_t part = prng_below(&u->rng, 3);

	return (struct hostile_map){
		.offset = SHK_MMAP_OFFSET(prng_below(&u->rng, 2), part),
		.size = part == SHK_MMAP_DATA ? slots * sizeof(struct shk_slot) : rig_page(),
		.prot = prots[part],
		.flags = MAP_SHARED,
	};
}

static inline void hostile_spoil_map(struct hostile_user *u, struct hostile_map *m)
{
	static const int flags[] = {MAP_PRIVATE, MAP_SHARED_VALIDATE, MAP_SHARED | MAP_POPULATE,
		MAP_SHARED | MAP_LOCKED, MAP_SHARED | MAP_NORESERVE, MAP_PRIVATE | MAP_POPULATE,
		MAP_SHARED | MAP_NONBLOCK, MAP_SHARED | MAP_GROWSDOWN, MAP_SHARED_VALIDATE | MAP_SYNC, 0};

	switch (prng_below(&u->rng, 6)) {
	case 0:
		m->offset = hostile_number(u);
		break;
	case 1:
		m->offset += (hostile_number(u) & 0xff) * rig_page();
		break;
	case 2:
		m->size = prng_below(&u->rng, 20) * rig_page() + (prng_one_in(&u->rng, 4) ? 1 : 0);
		break;
	case 3:
		m->prot = prng_below(&u->rng, 8);
		break;
	case 4:
		m->flags = HOSTILE_PICK(&u->rng, flags);
		break;
	case 5:
		m->size = hostile_number(u);
	}
}

static inline bool hostile_fits(size_t size, const char *at)
{
	return size && size <= HOSTILE_PAGES * rig_page() &&
	       at + size <= HOSTILE_ARENA + HOSTILE_PAGES * rig_page();
}

static inline bool hostile_is_in_arena(const char *at)
{
	return at >= HOSTILE_ARENA && at < HOSTILE_ARENA + HOSTILE_PAGES * rig_page();
}

/* Whatever lay there before is unmapped, whole or in part. Nothing stays that lies outside of the arena. */
static inline bool hostile_map(struct hostile_user *u)
{
	char *map, *at = HOSTILE_ARENA + prng_below(&u->rng, HOSTILE_PAGES) * rig_page();
	struct hostile_map m;
	uint32_t i;
	int fd;

	i = hostile_file(u, &fd);
	m = hostile_good_map(u, hostile.slots[i]);
	if (prng_one_in(&u->rng, 3))
		hostile_spoil_map(u, &m);
	if (hostile_fits(m.size, at))
		m.flags |= MAP_FIXED;
	map = mmap(at, m.size, m.prot, m.flags, fd, (off_t)m.offset);
	if (map == MAP_FAILED)
		return false;
	if (!hostile_is_in_arena(map))
		return !munmap(map, m.size);
	if (m.prot & PROT_WRITE)
		__atomic_store_n(&hostile.hot[prng_below(&u->rng, HOSTILE_HOT)], (uint64_t *)map,
				 __ATOMIC_RELAXED);
	return true;
}

static inline bool hostile_unmap(struct hostile_user *u)
{
	size_t size;
	char *at = hostile_stretch(u, &size);

	return !munmap(at, size);
}

static inline bool hostile_protect(struct hostile_user *u)
{
	size_t size;
	char *at = hostile_stretch(u, &size);

	if (prng_one_in(&u->rng, 2))
		size = rig_page();
	return !mprotect(at, size, prng_below(&u->rng, 8));
}

/* Grows, shrinks, moves, onto others or onto itself, or leaves a hole behind. */
static inline bool hostile_move(struct hostile_user *u)
{
	static const int flags[] = {0, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED,
		MREMAP_MAYMOVE | MREMAP_DONTUNMAP, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP};
	size_t from_size, to_size;
	char *from = hostile_stretch(u, &from_size), *to = hostile_stretch(u, &to_size), *map;

	if (prng_one_in(&u->rng, 2))
		to_size = from_size = rig_page();
	if (prng_one_in(&u->rng, 8))
		from_size = 0;
	if (!hostile_fits(to_size, from) || !hostile_fits(to_size, to))
		return false;
	map = mremap(from, from_size, to_size, HOSTILE_PICK(&u->rng, flags), to);
	if (map == MAP_FAILED)
		return false;
	if (!hostile_is_in_arena(map))
		munmap(map, to_size);
	return true;
}

/* All advice but that which takes memory away from the whole machine. */
static inline bool hostile_advise(struct hostile_user *u)
{
	size_t size;
	char *at = hostile_stretch(u, &size);

	if (prng_one_in(&u->rng, 2))
		size = rig_page();
	switch (prng_below(&u->rng, 8)) {
	case 0:
		return !mlock(at, size);
	case 1:
		return !munlock(at, size);
	case 2:
		return !msync(at, size, MS_SYNC);
	}
	return !madvise(at, size, (int)prng_below(&u->rng, MADV_POPULATE_WRITE + 3));
}

#endif /* TEST_HOSTILE_MAPS_H */
