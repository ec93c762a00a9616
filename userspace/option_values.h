/* SPDX-License-Identifier: GPL-2.0 */
/* What stands after an option, read from text. */
#ifndef SHK_OPTION_VALUES_H
#define SHK_OPTION_VALUES_H

#include <stdint.h>

#include "error.h"

enum shk_source_choice { SHK_SOURCE_AUTO, SHK_SOURCE_KMOD, SHK_SOURCE_BPF, SHK_SOURCE_PCAP };
enum shk_colour_when { SHK_COLOUR_AUTO, SHK_COLOUR_ALWAYS, SHK_COLOUR_NEVER };

/* 0, or -EINVAL and *err, which then says what is needed instead. */

/* A whole decimal number from @min to @max, without sign or blanks. */
int shk_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value, struct shk_error *err);
/* A decimal number of units from 0 to @max; *span_ns: in @unit_ns, rounded. */
int shk_parse_span(const char *text, uint64_t unit_ns, uint64_t max, uint64_t *span_ns,
		   struct shk_error *err);
/* pre, in, fwd, out, post with commas between, or all; *hooks: SHK_HOOK_BIT() of each. */
int shk_parse_hooks(const char *text, uint32_t *hooks, struct shk_error *err);
int shk_parse_colour(const char *text, enum shk_colour_when *colour, struct shk_error *err);
int shk_parse_source(const char *text, enum shk_source_choice *source, struct shk_error *err);

#endif /* SHK_OPTION_VALUES_H */
