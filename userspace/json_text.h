/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One object of JSON as text, written front to back: no tree, no state but the text itself. Commas are put
 * where they belong. The caller opens and closes what it should; keys are plain ASCII of its own.
 *
 * A record has sixty members, and they come by the hundred thousand: what can be is inlined, so that a
 * constant key is a copy of constant size.
 */
#ifndef SHK_JSON_TEXT_H
#define SHK_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "format.h"

struct yajl_gen_t;

struct shk_json_text {
	char *text;
	size_t len;		/* of what is there */
	size_t size;		/* of the room */
	int error;		/* the first -errno since shk_json_clear(); then the text is not whole */
	struct yajl_gen_t *gen;	/* for strings that are not plain */
};

/* 0 or -ENOMEM. */
int shk_json_init(struct shk_json_text *w);
void shk_json_release(struct shk_json_text *w);	/* also if it is all zero */

static inline void shk_json_clear(struct shk_json_text *w)
{
	w->len = 0;
	w->error = 0;
}

/* False if there will not be that much room, which is remembered. */
bool shk_json_grow(struct shk_json_text *w, size_t more);

/* Any string: what is not UTF-8 is replaced. Without its comma. */
void shk_json_quote(struct shk_json_text *w, const char *s);

#define SHK_JSON_INLINE static inline __attribute__((always_inline))

SHK_JSON_INLINE bool shk_json_room(struct shk_json_text *w, size_t more)
{
	return w->size - w->len >= more || shk_json_grow(w, more);
}

/* There must be room. */
SHK_JSON_INLINE void shk_json_put(struct shk_json_text *w, const char *octets, size_t n)
{
	memcpy(w->text + w->len, octets, n);
	w->len += n;
}

/* Behind a value, or an object or array that was closed, comes a comma. There must be room. */
SHK_JSON_INLINE void shk_json_comma(struct shk_json_text *w)
{
	char last = w->len ? w->text[w->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		w->text[w->len++] = ',';
}

SHK_JSON_INLINE void shk_json_key(struct shk_json_text *w, const char *key)
{
	size_t len = strlen(key);

	if (!shk_json_room(w, len + 4))
		return;
	shk_json_comma(w);
	w->text[w->len++] = '"';
	shk_json_put(w, key, len);
	shk_json_put(w, "\":", 2);
}

/* "true", "{", "]": what needs no quotes and stands for itself. An opening or a value takes a comma. */
SHK_JSON_INLINE void shk_json_literal(struct shk_json_text *w, const char *s)
{
	size_t len = strlen(s);

	if (!shk_json_room(w, len + 1))
		return;
	if (*s != '}' && *s != ']')
		shk_json_comma(w);
	shk_json_put(w, s, len);
}

static inline void shk_json_u64(struct shk_json_text *w, uint64_t value)
{
	if (!shk_json_room(w, SHK_DECIMAL_SIZE + 1))
		return;
	shk_json_comma(w);
	w->len += shk_format_decimal(w->text + w->len, value);
}

static inline void shk_json_s64(struct shk_json_text *w, int64_t value)
{
	if (!shk_json_room(w, SHK_DECIMAL_SIZE + 2))
		return;
	shk_json_comma(w);
	if (value < 0)
		w->text[w->len++] = '-';
	w->len += shk_format_decimal(w->text + w->len, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static inline void shk_json_string(struct shk_json_text *w, const char *s)
{
	if (!shk_json_room(w, 1))
		return;
	shk_json_comma(w);
	shk_json_quote(w, s);
}

#endif /* SHK_JSON_TEXT_H */
