// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "command.h"
#include "doctor.h"

#define COLUMN 48 /* where the third begins */

static const struct argp_option option_table[] = {
	{"json", 'j', NULL, 0, "One JSON object", 0},
	{0},
};

static const char doc[] =
	"Shows what this host can observe, through which attach point, what is missing, what a record "
	"lacks without it, and how to get it. Each is tried on connections that tcpshake makes in a "
	"network namespace of its own. Takes root.";

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'j':
		*(bool *)state->input = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\": no arguments are expected", arg);
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

/*
 * ---- For people ----------------------------------------------------------------------------------
 */

/* Under the third column, however many lines it has. */
static void print_below(const char *label, const char *text)
{
	size_t len;

	for (; *text; text += len + strspn(text + len, "\n ")) {
		len = strcspn(text, "\n");
		printf("%*s%s%.*s\n", COLUMN, "", label, (int)len, text);
		label = "";
	}
}

/* What is wanting is explained; of what works one line is enough. */
static void print_finding(const struct shk_finding *f, const char **last_remedy)
{
	printf("  %-8s  %-34s  %s\n", shk_health_name(f->health), f->through, f->shows);
	if (f->witness == SHK_WITNESS_WIRE || f->without[0])
		print_below("", f->detail);
	if (f->without[0])
		print_below("records lack: ", f->without);
	if (f->blind[0])
		print_below("but not: ", f->blind);
	if (!f->remedy[0] || (f->witness == SHK_WITNESS_SOCKET && !f->without[0]))
		return;
	if (*last_remedy && !strcmp(*last_remedy, f->remedy))
		print_below("", "(as above)");
	else
		print_below("", f->remedy);
	*last_remedy = f->remedy;
}

static void print_witness(const struct shk_examination *x, enum shk_witness witness, const char *heading)
{
	const char *last_remedy = NULL;

	printf("\n%s\n", heading);
	for (unsigned int i = 0; i < x->n; i++)
		if (x->findings[i].witness == witness)
			print_finding(&x->findings[i], &last_remedy);
}

static void print_for_people(const struct shk_examination *x, const struct utsname *host)
{
	bool wire = shk_doctor_has(x, SHK_WITNESS_WIRE), sockets = shk_doctor_has(x, SHK_WITNESS_SOCKET);

	printf("%s, Linux %s, %s\n", host->nodename, host->release, host->machine);
	print_witness(x, SHK_WITNESS_WIRE, "The wire: the first of these that works is used");
	print_witness(x, SHK_WITNESS_SOCKET, "The sockets: all of these that work are used");
	printf("\n%s\n", wire && sockets ? "Both witnesses can be heard."
			 : wire    ? "Handshakes can be observed, but not what the sockets know of them."
			 : sockets ? "Sockets can be observed, but not the segments of their handshakes."
				   : "Nothing can be observed.");
}

/*
 * ---- For programs --------------------------------------------------------------------------------
 */

static void set_text(json_t *object, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(object, key, json_string(text));
}

static json_t *finding_object(const struct shk_finding *f)
{
	json_t *o = json_object();

	set_text(o, "witness", f->witness == SHK_WITNESS_WIRE ? "wire" : "socket");
	set_text(o, "state", shk_health_name(f->health));
	set_text(o, "through", f->through);
	set_text(o, "shows", f->shows);
	set_text(o, "detail", f->detail);
	set_text(o, "without", f->without);
	set_text(o, "remedy", f->remedy);
	set_text(o, "blind", f->blind);
	return o;
}

static void print_json(const struct shk_examination *x, const struct utsname *host)
{
	json_t *findings = json_array(), *all;

	for (unsigned int i = 0; i < x->n; i++)
		json_array_append_new(findings, finding_object(&x->findings[i]));
	all = json_pack("{s:s, s:s, s:s, s:o}", "host", host->nodename, "kernel", host->release, "machine",
			host->machine, "findings", findings);
	json_dumpf(all, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(all);
}

int shk_cmd_doctor(int argc, char **argv)
{
	static const struct argp argp = {.options = option_table, .parser = parse_one, .doc = doc};
	struct shk_examination x;
	struct shk_error err;
	struct utsname host;
	bool json = false;

	if (argp_parse(&argp, argc, argv, 0, NULL, &json))
		return SHK_EXIT_USAGE;
	uname(&host);
	if (shk_doctor_examine(&x, &err)) {
		fprintf(stderr, "%s: %s\n  Run it as root: it makes a network namespace of its own\n",
			argv[0], err.text);
		return SHK_EXIT_UNABLE;
	}
	if (json)
		print_json(&x, &host);
	else
		print_for_people(&x, &host);
	if (fflush(stdout))
		return SHK_EXIT_UNABLE;
	return shk_doctor_has(&x, SHK_WITNESS_WIRE) ? SHK_EXIT_OK : SHK_EXIT_UNABLE;
}
