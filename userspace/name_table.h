/* SPDX-License-Identifier: GPL-2.0 */
/* Which name each number had last. */
#ifndef SHK_NAME_TABLE_H
#define SHK_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct shk_name {
	uint64_t id;
	char *name;
};

/* All zero is an empty one. Sorted by id. */
struct shk_name_table {
	struct shk_name *names;
	size_t len, size;
};

/* 1; 0 if the name was known already; -ENOMEM. */
int shk_name_table_put(struct shk_name_table *t, uint64_t id, const char *name);

void shk_name_table_release(struct shk_name_table *t);

#endif /* SHK_NAME_TABLE_H */
