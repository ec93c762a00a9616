/* SPDX-License-Identifier: GPL-2.0 */
/* The command lines of "tcpshake watch", "record", "read" and "isn", which have most in common. */
#ifndef SHK_WATCH_OPTIONS_H
#define SHK_WATCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "option_values.h"

enum shk_format { SHK_FORMAT_LINE, SHK_FORMAT_LADDER, SHK_FORMAT_JSON };

/* 0 and NULL stand for "not given": the default of whoever uses it. */
struct shk_watch_options {
	enum shk_format format;
	enum shk_source_choice source;
	enum shk_colour_when colour;
	bool ascii;
	bool no_sockets;	/* watch: without the second witness */
	const char *output;	/* a file; NULL: standard output */
	const char *report;	/* isn: a file for the page of HTML; NULL: none is wanted */
	const char *netns;
	char *filter;		/* watch: the words, joined by blanks; allocated */
	const char *interface;	/* of a live capture */
	uint32_t hooks;
	uint32_t ring_slots;
	uint32_t flows_max;
	uint64_t count;
	uint64_t duration_ns;
	uint64_t window_ns;
	const char *record;	/* a file; NULL: nothing is recorded */
	uint64_t rotate_size;
	uint64_t rotate_ns;
	uint64_t rotate_keep;
	bool every;		/* isn */
	bool verbose;		/* this and the following: read, isn */
	const char **files;	/* allocated */
	unsigned int n_files;
};

/*
 * 0, or a positive errno (EINVAL: the command line is wrong). @flags are argp's: with 0 it prints what
 * is wrong and exits. End with shk_watch_options_release(), also after a failure.
 */
int shk_watch_options_parse(int argc, char **argv, unsigned int flags, struct shk_watch_options *options);
int shk_record_options_parse(int argc, char **argv, unsigned int flags, struct shk_watch_options *options);
int shk_read_options_parse(int argc, char **argv, unsigned int flags, struct shk_watch_options *options);
int shk_isn_options_parse(int argc, char **argv, unsigned int flags, struct shk_watch_options *options);
void shk_watch_options_release(struct shk_watch_options *options);

#endif /* SHK_WATCH_OPTIONS_H */
