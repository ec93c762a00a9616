// SPDX-License-Identifier: GPL-2.0
#include "sentence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void shk_sentence_add(struct shk_sentence *s, const char *format, ...)
{
	size_t room = s->size - s->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(s->buf + s->len, room, format, args);
	va_end(args);
	if (len > 0)
		s->len += (size_t)len < room ? (size_t)len : room - 1;
}

void shk_sentence_add_span(struct shk_sentence *s, uint64_t ns)
{
	uint64_t us = ns / 1000;

	if (us < 1000000)
		shk_sentence_add(s, "%" PRIu64 ".%02u ms", us / 1000, (unsigned int)(us % 1000) / 10);
	else if (us < 100 * 1000000ULL)
		shk_sentence_add(s, "%" PRIu64 ".%u s", us / 1000000, (unsigned int)(us % 1000000) / 100000);
	else
		shk_sentence_add(s, "%" PRIu64 ".%u min", us / 60000000,
				 (unsigned int)(us % 60000000 / 6000000));
}

void shk_sentence_add_times(struct shk_sentence *s, uint32_t n)
{
	if (n == 1)
		shk_sentence_add(s, "once");
	else if (n == 2)
		shk_sentence_add(s, "twice");
	else
		shk_sentence_add(s, "%" PRIu32 " times", n);
}
