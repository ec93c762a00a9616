// SPDX-License-Identifier: GPL-2.0
/*
 * Plain strings, all but a few, are copied. The others go through yajl's generator, which knows what is
 * UTF-8 and what to escape.
 */
#include <errno.h>
#include <stdlib.h>

#include <yajl/yajl_gen.h>

#include "json_text.h"

#define FIRST_SIZE 4096

int shk_json_init(struct shk_json_text *w)
{
	*w = (struct shk_json_text){
		.text = malloc(FIRST_SIZE), .size = FIRST_SIZE, .gen = yajl_gen_alloc(NULL)};
	if (!w->text || !w->gen) {
		shk_json_release(w);
		return -ENOMEM;
	}
	yajl_gen_config(w->gen, yajl_gen_validate_utf8, 1);
	return 0;
}

void shk_json_release(struct shk_json_text *w)
{
	free(w->text);
	if (w->gen)
		yajl_gen_free(w->gen);
	memset(w, 0, sizeof(*w));
}

bool shk_json_grow(struct shk_json_text *w, size_t more)
{
	size_t size = w->size;
	char *bigger;

	while (size - w->len < more)
		size *= 2;
	bigger = realloc(w->text, size);
	if (!bigger) {
		w->error = -ENOMEM;
		return false;
	}
	w->text = bigger;
	w->size = size;
	return true;
}

/* How much of @s stands for itself between quotes. */
static size_t plain_len(const char *s)
{
	size_t len = 0;

	while (s[len] >= ' ' && s[len] < 0x7f && s[len] != '"' && s[len] != '\\')
		len++;
	return len;
}

/* Names of hosts and sources may hold any octet: what is not ASCII in an invalid string becomes '?'. */
static yajl_gen_status generate_repaired(yajl_gen gen, const char *s)
{
	char copy[256];
	size_t i;

	for (i = 0; s[i] && i < sizeof(copy); i++)
		copy[i] = (s[i] & 0x80) ? '?' : s[i];
	return yajl_gen_string(gen, (const unsigned char *)copy, i);
}

static void quote_by_yajl(struct shk_json_text *w, const char *s)
{
	const unsigned char *quoted;
	yajl_gen_status status;
	size_t len;

	status = yajl_gen_string(w->gen, (const unsigned char *)s, strlen(s));
	if (status == yajl_gen_invalid_string)
		status = generate_repaired(w->gen, s);
	if (status == yajl_gen_status_ok)
		status = yajl_gen_get_buf(w->gen, &quoted, &len);
	if (status != yajl_gen_status_ok)
		w->error = -EINVAL;
	else if (shk_json_room(w, len))
		shk_json_put(w, (const char *)quoted, len);
	yajl_gen_clear(w->gen);
	yajl_gen_reset(w->gen, NULL);
}

void shk_json_quote(struct shk_json_text *w, const char *s)
{
	size_t len = plain_len(s);

	if (s[len]) {
		quote_by_yajl(w, s);
		return;
	}
	if (!shk_json_room(w, len + 2))
		return;
	w->text[w->len++] = '"';
	shk_json_put(w, s, len);
	w->text[w->len++] = '"';
}
