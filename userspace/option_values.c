// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "option_values.h"
#include "uapi/tcpshake.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int shk_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value, struct shk_error *err)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	/* strtoull() itself would take blanks and signs. */
	if (*text < '0' || *text > '9' || *end || errno || number < min || number > max)
		return shk_error_set(err, -EINVAL,
				     "\"%s\": a whole number from %" PRIu64 " to %" PRIu64 " is needed", text,
				     min, max);
	*value = number;
	return 0;
}

int shk_parse_span(const char *text, uint64_t unit_ns, uint64_t max, uint64_t *span_ns, struct shk_error *err)
{
	double number;
	char *end;

	number = strtod(text, &end);
	if (((*text < '0' || *text > '9') && *text != '.') || *end || number > max)
		return shk_error_set(err, -EINVAL, "\"%s\": a number from 0 to %" PRIu64 " is needed", text,
				     max);
	*span_ns = (uint64_t)(number * unit_ns + 0.5);
	return 0;
}

static const struct {
	const char *name;
	uint32_t bits;
} hook_names[] = {
	{"pre", SHK_HOOK_BIT(SHK_HOOK_PRE_ROUTING)},   {"in", SHK_HOOK_BIT(SHK_HOOK_LOCAL_IN)},
	{"fwd", SHK_HOOK_BIT(SHK_HOOK_FORWARD)},       {"out", SHK_HOOK_BIT(SHK_HOOK_LOCAL_OUT)},
	{"post", SHK_HOOK_BIT(SHK_HOOK_POST_ROUTING)}, {"all", SHK_HOOKS_NETFILTER},
};

static uint32_t hook_bits(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < COUNT(hook_names); i++)
		if (strlen(hook_names[i].name) == len && !strncmp(hook_names[i].name, name, len))
			return hook_names[i].bits;
	return 0;
}

int shk_parse_hooks(const char *text, uint32_t *hooks, struct shk_error *err)
{
	const char *name = text;
	uint32_t bits, sum = 0;
	size_t len;

	for (;;) {
		len = strcspn(name, ",");
		bits = hook_bits(name, len);
		if (!bits)
			return shk_error_set(
				err, -EINVAL,
				"\"%.*s\" is no hook: a list of pre, in, fwd, out, post with commas, or "
				"all, is needed",
				(int)len, name);
		sum |= bits;
		if (!name[len])
			break;
		name += len + 1;
	}
	*hooks = sum;
	return 0;
}

/* The place of @text among @n words, or -1. */
static int choice(const char *const *names, int n, const char *text)
{
	int i;

	for (i = 0; i < n; i++)
		if (!strcmp(names[i], text))
			return i;
	return -1;
}

int shk_parse_colour(const char *text, enum shk_colour_when *colour, struct shk_error *err)
{
	static const char *const names[] = {
		[SHK_COLOUR_AUTO] = "auto",
		[SHK_COLOUR_ALWAYS] = "always",
		[SHK_COLOUR_NEVER] = "never",
	};
	int i = choice(names, COUNT(names), text);

	if (i < 0)
		return shk_error_set(err, -EINVAL, "\"%s\": auto, always or never is needed", text);
	*colour = i;
	return 0;
}

int shk_parse_source(const char *text, enum shk_source_choice *source, struct shk_error *err)
{
	static const char *const names[] = {
		[SHK_SOURCE_AUTO] = "auto",
		[SHK_SOURCE_KMOD] = "kmod",
		[SHK_SOURCE_BPF] = "bpf",
		[SHK_SOURCE_PCAP] = "pcap",
	};
	int i = choice(names, COUNT(names), text);

	if (i < 0)
		return shk_error_set(err, -EINVAL, "\"%s\": auto, kmod, bpf or pcap is needed", text);
	*source = i;
	return 0;
}
