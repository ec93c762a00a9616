// SPDX-License-Identifier: GPL-2.0
/*
 * See text.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "sink.h"
#include "text.h"

/* ► and ◄ rather than ▶ and ◀: they are in the console font and never drawn as wide pictures. */
static const struct shk_signs signs_utf8 = {
	.right = "→",
	.left = "←",
	.tick = "✓",
	.cross = "✗",
	.opened = "●",
	.closed = "○",
	.failed = "✗",
	.still = "…",
	.bar = "│",
	.shaft = "─",
	.dash = "╌",
	.head_right = "►",
	.head_left = "◄",
	.rule = "══",
	.unequal = "≠",
};

static const struct shk_signs signs_ascii = {
	.right = "->",
	.left = "<-",
	.tick = "ok",
	.cross = "!!",
	.opened = "+",
	.closed = "-",
	.failed = "x",
	.still = ".",
	.bar = "|",
	.shaft = "-",
	.dash = ".",
	.head_right = ">",
	.head_left = "<",
	.rule = "==",
	.unequal = "!=",
};

static const char *const colours[] = {
	[SHK_PLAIN] = "\033[0m",  [SHK_BOLD] = "\033[1m",    [SHK_DIM] = "\033[2m",   [SHK_RED] = "\033[31m",
	[SHK_GREEN] = "\033[32m", [SHK_YELLOW] = "\033[33m", [SHK_CYAN] = "\033[36m",
};

void shk_text_init(struct shk_text *t, const struct shk_sink_config *config)
{
	t->out = config->out;
	t->colour = config->colour;
	t->utf8 = config->utf8;
	t->signs = config->utf8 ? &signs_utf8 : &signs_ascii;
	shk_text_clear(t);
}

void shk_text_clear(struct shk_text *t)
{
	t->columns = 0;
	t->size = 0;
	t->buf[0] = '\0';
}

unsigned int shk_text_columns(const char *s)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* Room for the newline stays free. */
static size_t text_room(const struct shk_text *t)
{
	return sizeof(t->buf) - 1 - t->size;
}

void shk_text_add(struct shk_text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->buf + t->size, text_room(t), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= text_room(t))
		return;
	t->columns += shk_text_columns(t->buf + t->size);
	t->size += n;
}

void shk_text_colour(struct shk_text *t, enum shk_colour colour)
{
	unsigned int columns = t->columns;

	if (!t->colour)
		return;
	shk_text_add(t, "%s", colours[colour]);
	t->columns = columns;
}

void shk_text_pad(struct shk_text *t, unsigned int column)
{
	if (column > t->columns)
		shk_text_add(t, "%*s", (int)(column - t->columns), "");
}

void shk_text_repeat(struct shk_text *t, const char *sign, unsigned int times)
{
	while (times--)
		shk_text_add(t, "%s", sign);
}

/* Octets of the first row of @s: up to the last comma that fits, or the last blank, or all that does. */
static size_t row_size(const char *s, unsigned int columns)
{
	size_t comma = 0, blank = 0, i;
	unsigned int taken = 0;

	for (i = 0; s[i]; i++) {
		if (s[i] == ' ') {
			blank = i;
			if (i && s[i - 1] == ',')
				comma = i;
		}
		taken += (s[i] & 0xc0) != 0x80;
		if (taken > columns)
			return comma ?: blank ?: i;
	}
	return i;
}

void shk_text_add_row(struct shk_text *t, const char **s, unsigned int columns)
{
	size_t size = row_size(*s, columns);

	shk_text_add(t, "%.*s", (int)size, *s);
	*s += size;
	*s += strspn(*s, " ");
}

int shk_text_end(struct shk_text *t)
{
	size_t size = t->size;
	int err = 0;

	while (size && t->buf[size - 1] == ' ')
		size--;
	t->buf[size++] = '\n';
	errno = 0;
	if (fwrite(t->buf, 1, size, t->out) != size)
		err = errno ? -errno : -EIO;
	shk_text_clear(t);
	return err;
}
