// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

static int cmd_help(int argc, char **argv);

static const struct command {
	const char *name;
	const char *full_name;
	int (*run)(int argc, char **argv);
	const char *words;
} commands[] = {
	{"watch", "tcpshake watch", shk_cmd_watch,
	 "show handshakes as they happen (what tcpshake does if not told)"},
	{"record", "tcpshake record", shk_cmd_record, "write down what is seen, to be read later"},
	{"read", "tcpshake read", shk_cmd_read,
	 "show the handshakes in captures (pcap, pcapng) and recordings"},
	{"export", "tcpshake export", shk_cmd_export,
	 "write captures and recordings as packets for Wireshark"},
	{"isn", "tcpshake isn", shk_cmd_isn,
	 "audit initial sequence numbers: who chose them, and what they prevent"},
	{"stats", "tcpshake stats", shk_cmd_stats, "show the counters of the kernel module"},
	{"doctor", "tcpshake doctor", shk_cmd_doctor, "show what this host can observe, and what is missing"},
	{"demo", "tcpshake demo", shk_cmd_demo,
	 "show why ISNs are what they are: tcpshake demo isn, on hosts of its own (root)"},
	{"version", "tcpshake version", shk_cmd_version,
	 "show the versions of the tool and of the loaded module"},
	{"help", "tcpshake help", cmd_help, "show this, or the options of a command: tcpshake help watch"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static void print_usage(FILE *out)
{
	size_t i;

	fprintf(out, "Usage: tcpshake [COMMAND] [OPTIONS] [ARGUMENTS]\n\nCommands:\n");
	for (i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].words);
	fprintf(out, "\nFirst steps:\n"
		     "  sudo tcpshake                             every connection of this host\n"
		     "  sudo tcpshake watch --ladder port 443     some, segment by segment\n"
		     "\nEverything else is in the manual: man tcpshake\n");
}

static int run_command(const struct command *command, int argc, char **argv)
{
	argv[0] = (char *)command->full_name;
	return command->run(argc, argv);
}

static int unknown_command(const char *name)
{
	fprintf(stderr,
		"tcpshake: there is no command \"%s\" (tcpshake help lists them); "
		"a filter goes after \"watch\": tcpshake watch %s ...\n",
		name, name);
	return SHK_EXIT_USAGE;
}

static int cmd_help(int argc, char **argv)
{
	char option[] = "--help";
	char *help[] = {NULL, option, NULL};
	const struct command *command;

	if (argc < 2 || argv[1][0] == '-') {
		print_usage(stdout);
		return SHK_EXIT_OK;
	}
	command = find_command(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	return run_command(command, 2, help);
}

/* Options that stand where a command would. */
static const char *command_of_option(const char *option)
{
	if (!strcmp(option, "--help") || !strcmp(option, "-h") || !strcmp(option, "-?"))
		return "help";
	if (!strcmp(option, "--version") || !strcmp(option, "-V"))
		return "version";
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *command;
	const char *name = argc > 1 ? argv[1] : "watch";

	setlocale(LC_CTYPE, ""); /* for what the terminal can show; numbers stay as they are */
	argp_err_exit_status = SHK_EXIT_USAGE;

	if (argc > 1 && name[0] == '-') {
		name = command_of_option(argv[1]);
		/* tcpshake --json means tcpshake watch --json. */
		if (!name)
			return run_command(&commands[0], argc, argv);
	}
	command = find_command(name);
	if (!command)
		return unknown_command(name);
	return argc > 1 ? run_command(command, argc - 1, argv + 1) : run_command(command, argc, argv);
}
