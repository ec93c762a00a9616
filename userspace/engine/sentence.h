/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sentences of a limited size. What does not fit is cut off, never written beyond.
 */
#ifndef SHK_SENTENCE_H
#define SHK_SENTENCE_H

#include <stddef.h>
#include <stdint.h>

struct shk_sentence {
	char	*buf;
	size_t	size;		/* of @buf */
	size_t	len;
};

/* Appends as printf() does. */
void shk_sentence_add(struct shk_sentence *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends "0.25 ms", "3.0 s", "2.1 min". */
void shk_sentence_add_span(struct shk_sentence *s, uint64_t ns);

/* Appends "once", "twice", "3 times". */
void shk_sentence_add_times(struct shk_sentence *s, uint32_t n);

#endif /* SHK_SENTENCE_H */
