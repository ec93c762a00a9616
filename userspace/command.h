/* SPDX-License-Identifier: GPL-2.0 */
/* The sub-commands, one file each. */
#ifndef SHK_COMMAND_H
#define SHK_COMMAND_H

/* What tcpshake exits with; documented in tcpshake(1). */
enum shk_exit {
	SHK_EXIT_OK		= 0,
	SHK_EXIT_USAGE		= 1,	/* the command line is wrong */
	SHK_EXIT_UNABLE		= 2,	/* cannot observe, or cannot write what was observed */
	SHK_EXIT_MISMATCH	= 3,	/* events are missing that nobody has reported as lost;
					   demo: the kernel did not do what it was shown for */
	SHK_EXIT_INPUT		= 4,	/* an input is damaged or unknown; what could be read was reported */
};

/* argv[0] is what messages begin with: "tcpshake watch". */
int shk_cmd_watch(int argc, char **argv);
int shk_cmd_record(int argc, char **argv);
int shk_cmd_read(int argc, char **argv);
int shk_cmd_export(int argc, char **argv);
int shk_cmd_isn(int argc, char **argv);
int shk_cmd_stats(int argc, char **argv);
int shk_cmd_doctor(int argc, char **argv);
int shk_cmd_demo(int argc, char **argv);
int shk_cmd_version(int argc, char **argv);

#endif /* SHK_COMMAND_H */
