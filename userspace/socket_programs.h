/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket programs (bpf/socket.bpf.c) and where each attaches. Every attach point is optional but the
 * first: what a kernel lacks or refuses is left out, and remembered with the reason.
 */
#ifndef SHK_SOCKET_PROGRAMS_H
#define SHK_SOCKET_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "facts.h"

struct socket_bpf;
struct bpf_link;

enum shk_point_state {
	SHK_POINT_PRESENT,	/* this kernel has the function or tracepoint; nothing was tried yet */
	SHK_POINT_ATTACHED,
	SHK_POINT_ABSENT,	/* this kernel has no such function or tracepoint */
	SHK_POINT_REFUSED,	/* it has, and refuses; see rc */
	SHK_POINT_NOT_NEEDED,	/* a better one for the same fact is attached, or hooks show it */
};

/* One attach point, whatever came of it. */
struct shk_point {
	const char *program;	/* its name in the object */
	const char *kind;	/* "tp_btf", "fentry", "fexit" */
	const char *target;
	const char *shows;	/* the fact it observes */
	const char *without;	/* what a record lacks without it */
	const char *second;	/* the program's second instance (bpf/second.bpf.h); NULL: there is none */
	const char *blind;	/* what it does not see although it is attached; NULL: nothing known */
	bool unhooked;		/* hooks show the same: only of use without them */
	bool rare;		/* takes a failure, or a minute: no self-test makes it run */
	enum shk_point_state state;
	int rc;			/* with REFUSED: -errno */
	int fd;			/* of the program, -1 if it is not loaded */
	struct bpf_link *link;
	struct bpf_link *second_link;
};

#define SHK_POINTS_MAX 24

struct shk_socket_programs {
	struct socket_bpf *skel;
	struct shk_point points[SHK_POINTS_MAX];
	unsigned int n;
	char *logs;		/* of the verifier, during load */
};

/* Sets maps and constants of the open object; runs again for each try. 0 or -errno. */
typedef int shk_prepare_fn(void *arg, struct socket_bpf *skel);

/*
 * Loads every program that this kernel's BTF has a place for and the verifier accepts. @hooked: a hook sees
 * what sockets of this host send. 0, or -errno if not even the state of sockets can be observed.
 */
int shk_socket_programs_load(struct shk_socket_programs *p, bool hooked, shk_prepare_fn *prepare, void *arg,
			     struct shk_error *err);

/* Likewise. */
int shk_socket_programs_attach(struct shk_socket_programs *p, struct shk_error *err);

/* After attaching: which points observe, and what is missing of those that do not. */
void shk_socket_programs_facts(const struct shk_socket_programs *p, struct shk_facts *facts);

void shk_socket_programs_detach(struct shk_socket_programs *p);
void shk_socket_programs_release(struct shk_socket_programs *p);

/* How often it ran, while somebody has BPF_STATS_RUN_TIME enabled. */
uint64_t shk_point_runs(const struct shk_point *point);

/*
 * How often a program of ours was called while it was interrupting itself, and so did not run; second
 * instances apart, which have made up for some of these.
 */
uint64_t shk_socket_programs_missed(const struct shk_socket_programs *p);

#endif /* SHK_SOCKET_PROGRAMS_H */
