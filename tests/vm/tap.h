/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TAP for the programs that run inside the VM, as tap.sh is for its scripts:
 *
 *	ok(condition, "what must be %s", "true");
 *	is(got, wanted, "what must be equal");
 *	is_error(errno, EPERM, "what must be refused");
 *	return done_testing();
 */
#ifndef TEST_TAP_H
#define TEST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(a)	(sizeof(a) / sizeof((a)[0]))

static struct {
	unsigned int done;
	unsigned int failed;
} tap;

__attribute__((format(printf, 2, 0)))
static inline void tap_print(bool holds, const char *format, va_list args)
{
	tap.done++;
	tap.failed += !holds;
	printf("%sok %u - ", holds ? "" : "not ", tap.done);
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);		/* a child of fork() must not print it again */
}

__attribute__((format(printf, 2, 3)))
static inline bool ok(bool holds, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_print(holds, format, args);
	va_end(args);
	return holds;
}

__attribute__((format(printf, 3, 4)))
static inline bool is(uint64_t got, uint64_t wanted, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_print(got == wanted, format, args);
	va_end(args);
	if (got != wanted)
		printf("#   got %llu, wanted %llu\n", (unsigned long long)got, (unsigned long long)wanted);
	return got == wanted;
}

/* Did a system call do what it should? Both are an errno, or 0 for success. */
static inline bool is_error(int got, int wanted, const char *claim)
{
	const char *word = wanted > 0 ? strerrorname_np(wanted) : "success";

	if (ok(got == wanted, wanted ? "%s (%s)" : "%s", claim, word))
		return true;
	printf("#   got %s\n", got > 0 ? strerrorname_np(got) : got < 0 ? "killed" : "success");
	return false;
}

/* The plan, and the program's exit status. */
static inline int done_testing(void)
{
	printf("1..%u\n", tap.done);
	return tap.failed != 0;
}

#endif /* TEST_TAP_H */
