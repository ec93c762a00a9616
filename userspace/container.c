// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"

#define ID_LEN 64

/* A piece of the path between two slashes. */
struct component {
	const char *text;
	size_t len;
};

/*
 * What stands before the id, which may be followed by ".scope" where systemd made the cgroup. The runtimes'
 * monitors run outside of their containers and have names of their own ("libpod-conmon-...").
 */
static const char *const id_prefixes[] = {
	"",                /* docker, containerd and kubernetes without systemd */
	"docker-",         /* docker with systemd */
	"libpod-",         /* podman */
	"libpod-payload-", /* podman with --cgroups=split */
	"crio-",           /* CRI-O */
	"cri-containerd-", /* containerd with systemd */
	"nerdctl-",        /* nerdctl with systemd */
};

/* What stands around the name of a machine; systemd escapes what a unit's name may not hold. */
static const struct {
	const char *before, *after;
} machine_names[] = {
	{"systemd-nspawn@", ".service"},
	{"machine-", ".scope"},
	{"lxc.payload.", ""},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool has_suffix(const struct component *c, const char *suffix)
{
	size_t len = strlen(suffix);

	return c->len >= len && !memcmp(c->text + c->len - len, suffix, len);
}

static bool is_id(const char *s)
{
	return strspn(s, "0123456789abcdef") >= ID_LEN;
}

static bool find_id(struct component c, char id[SHK_CONTAINER_SIZE])
{
	const char *at;
	size_t before;

	if (has_suffix(&c, ".scope"))
		c.len -= strlen(".scope");
	if (c.len < ID_LEN)
		return false;
	before = c.len - ID_LEN;
	at = c.text + before;
	if (!is_id(at))
		return false;
	for (size_t i = 0; i < COUNT(id_prefixes); i++)
		if (strlen(id_prefixes[i]) == before && !memcmp(c.text, id_prefixes[i], before))
			goto found;
	/* containerd that was told of a systemd it does not use: "kubepods-pod1.slice:cri-containerd:ID" */
	if (at[-1] != ':')
		return false;
found:
	memcpy(id, at, ID_LEN);
	id[ID_LEN] = '\0';
	return true;
}

/* The octet that systemd has written as \xNN, or -1. */
static int escaped(const char *s, const char *end)
{
	char digits[3] = {0};

	if (end - s < 4 || s[0] != '\\' || s[1] != 'x')
		return -1;
	memcpy(digits, s + 2, 2);
	return strspn(digits, "0123456789abcdef") == 2 ? (int)strtoul(digits, NULL, 16) : -1;
}

static bool find_machine(struct component c, char name[SHK_CONTAINER_SIZE])
{
	const char *s = c.text, *end = c.text + c.len;
	size_t len = 0;
	size_t i;
	int octet;

	for (i = 0; i < COUNT(machine_names); i++)
		if (c.len > strlen(machine_names[i].before) + strlen(machine_names[i].after) &&
		    !strncmp(s, machine_names[i].before, strlen(machine_names[i].before)) &&
		    has_suffix(&c, machine_names[i].after))
			break;
	if (i == COUNT(machine_names))
		return false;
	s += strlen(machine_names[i].before);
	end -= strlen(machine_names[i].after);
	while (s < end && len < SHK_CONTAINER_SIZE - 1) {
		octet = escaped(s, end);
		name[len++] = octet < 0 ? *s : octet;
		s += octet < 0 ? 1 : 4;
	}
	name[len] = '\0';
	return true;
}

bool shk_container_of(const char *path, char id[SHK_CONTAINER_SIZE])
{
	struct component c;
	bool found = false;

	id[0] = '\0';
	for (c.text = path; *c.text; c.text += c.len + (c.text[c.len] == '/')) {
		c.len = strcspn(c.text, "/");
		found |= find_id(c, id) || find_machine(c, id);
	}
	return found;
}
