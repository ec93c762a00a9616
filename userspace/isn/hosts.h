/* SPDX-License-Identifier: GPL-2.0 */
/* The hosts of an audit: found by a keyed hash; the longest silent makes room for another. */
#ifndef SHK_ISN_HOSTS_H
#define SHK_ISN_HOSTS_H

#include "hash.h"
#include "isn/store.h"

struct shk_isn_key {
	uint8_t		addr[16];
	uint32_t	netns;
	uint32_t	role;		/* SHK_CLIENT or SHK_SERVER */
};

struct shk_isn_entry {
	struct shk_isn_key key;
	uint32_t	hash_next;
	uint32_t	older, newer;	/* by the last sample */
	uint64_t	samples;
	uint64_t	excluded[SHK_ISN_EXCLUDED_COUNT];
	struct shk_isn_store store;
};

struct shk_isn_hosts {
	struct shk_hash_key hash_key;
	struct shk_isn_entry *entries;
	uint32_t	*heads;		/* a power of two */
	uint32_t	mask;
	uint32_t	max, count;
	uint32_t	oldest, newest;
	uint64_t	evicted;
};

int shk_isn_hosts_init(struct shk_isn_hosts *t, uint32_t max, const uint64_t hash_key[2]); /* 0, or -ENOMEM */
void shk_isn_hosts_release(struct shk_isn_hosts *t);

/* The host of that name, new if need be, as the one that spoke last. Never NULL. */
struct shk_isn_entry *shk_isn_hosts_get(struct shk_isn_hosts *t, const struct shk_isn_key *key);

#endif /* SHK_ISN_HOSTS_H */
