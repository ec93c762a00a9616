// SPDX-License-Identifier: GPL-2.0
#include "isn/audit.h"

static const char *const codes[] = {
#define SHK_ISN(name, code, predictable, words) [SHK_ISN_##name] = code,
#include "isn/generators.def"
};

static const char *const words_of[] = {
#define SHK_ISN(name, code, predictable, words) [SHK_ISN_##name] = words,
#include "isn/generators.def"
};

static const bool predictables[] = {
#define SHK_ISN(name, code, predictable, words) [SHK_ISN_##name] = predictable,
#include "isn/generators.def"
};

static const char *const what_if_codes[] = {
#define SHK_WHAT_IF(code, words) [SHK_##code] = #code,
#include "isn/generators.def"
};

static const char *const what_if_words[] = {
#define SHK_WHAT_IF(code, words) [SHK_##code] = words,
#include "isn/generators.def"
};

static const char *const excluded_names[] = {
	[SHK_ISN_COOKIE] = "cookie",
	[SHK_ISN_TIME_WAIT] = "time_wait",
	[SHK_ISN_PROXIED] = "proxied",
	[SHK_ISN_UNKNOWN] = "unknown",
};

const char *shk_isn_code(enum shk_isn_verdict verdict)
{
	return codes[verdict];
}

const char *shk_isn_words(enum shk_isn_verdict verdict)
{
	return words_of[verdict];
}

bool shk_isn_predictable(enum shk_isn_verdict verdict)
{
	return predictables[verdict];
}

const char *shk_isn_excluded_name(enum shk_isn_excluded why)
{
	return excluded_names[why];
}

const char *shk_what_if_code(enum shk_what_if g)
{
	return what_if_codes[g];
}

const char *shk_what_if_words(enum shk_what_if g)
{
	return what_if_words[g];
}
