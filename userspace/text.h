/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One line of text for people, put together piece by piece: knows how many columns it takes on a
 * terminal whatever colours and UTF-8 sequences are in it, and reaches the file in one write.
 */
#ifndef SHK_TEXT_H
#define SHK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Signs that differ between UTF-8 and ASCII. */
struct shk_signs {
	const char *right, *left;		/* from client to server, and back */
	const char *tick, *cross;
	const char *opened, *closed, *failed, *still;	/* one column each */
	const char *bar, *shaft, *dash, *head_right, *head_left;	/* of the ladder; one column each */
	const char *rule;			/* around a verdict in the ladder */
	const char *unequal;
};

enum shk_colour { SHK_PLAIN, SHK_BOLD, SHK_DIM, SHK_RED, SHK_GREEN, SHK_YELLOW, SHK_CYAN };

struct shk_sink_config;

struct shk_text {
	FILE *out;
	bool colour;
	bool utf8;
	const struct shk_signs *signs;
	unsigned int columns;	/* taken so far */
	size_t size;		/* octets so far */
	char buf[2048];
};

void shk_text_init(struct shk_text *t, const struct shk_sink_config *config);

/* Forgets what was added; .buf is "" then. */
void shk_text_clear(struct shk_text *t);

/* A piece that does not fit into .buf any more is left out. */
void shk_text_add(struct shk_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void shk_text_colour(struct shk_text *t, enum shk_colour colour);
void shk_text_pad(struct shk_text *t, unsigned int column);	/* with spaces; nothing if already there */
void shk_text_repeat(struct shk_text *t, const char *sign, unsigned int times);

/* As much of *@s as fits into @columns, broken after a comma or at a blank; moves *@s behind it. */
void shk_text_add_row(struct shk_text *t, const char **s, unsigned int columns);

/* Writes the line, blanks at its end left out, and begins the next: 0 or -errno. */
int shk_text_end(struct shk_text *t);

/* Columns that @s takes: code points, that is, octets that do not continue one. */
unsigned int shk_text_columns(const char *s);

#endif /* SHK_TEXT_H */
