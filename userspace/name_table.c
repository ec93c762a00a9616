// SPDX-License-Identifier: GPL-2.0
#include "name_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The place of @id, or where it belongs. */
static size_t place_of(const struct shk_name_table *t, uint64_t id)
{
	size_t low = 0, high = t->len, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (t->names[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int make_room(struct shk_name_table *t, size_t at)
{
	size_t size = t->size ? 2 * t->size : 64;
	struct shk_name *names;

	if (t->len == t->size) {
		names = reallocarray(t->names, size, sizeof(*names));
		if (!names)
			return -ENOMEM;
		t->names = names;
		t->size = size;
	}
	memmove(&t->names[at + 1], &t->names[at], (t->len - at) * sizeof(*t->names));
	t->names[at] = (struct shk_name){0};
	t->len++;
	return 0;
}

int shk_name_table_put(struct shk_name_table *t, uint64_t id, const char *name)
{
	size_t at = place_of(t, id);
	bool known = at < t->len && t->names[at].id == id;
	char *copy;

	if (known && !strcmp(t->names[at].name, name))
		return 0;
	copy = strdup(name);
	if (!copy || (!known && make_room(t, at))) {
		free(copy);
		return -ENOMEM;
	}
	free(t->names[at].name);
	t->names[at] = (struct shk_name){.id = id, .name = copy};
	return 1;
}

void shk_name_table_release(struct shk_name_table *t)
{
	size_t i;

	for (i = 0; i < t->len; i++)
		free(t->names[i].name);
	free(t->names);
	*t = (struct shk_name_table){0};
}
