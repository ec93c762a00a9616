/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this host can observe: each way is tried, and sees a little traffic of our own in a network
 * namespace of our own.
 */
#ifndef SHK_DOCTOR_H
#define SHK_DOCTOR_H

#include <stdbool.h>

#include "error.h"
#include "uapi/tcpshake.h"

enum shk_health {
	SHK_HEALTH_WORKS,	/* it saw the test's traffic */
	SHK_HEALTH_UNTESTED,	/* attached; what it waits for is too rare for a test */
	SHK_HEALTH_SPARE,	/* works or would, but a better one is in use */
	SHK_HEALTH_SILENT,	/* attached, yet saw nothing of the test's traffic */
	SHK_HEALTH_MISSING,
	SHK_HEALTH_COUNT,
};

/* "works", "untested", "spare", "silent", "missing" */
const char *shk_health_name(enum shk_health health);

/**
 * struct shk_finding - one way to observe something
 * @witness:	the wire or the sockets
 * @health:	what came of it
 * @through:	the attach point: "tp_btf inet_sock_set_state"
 * @shows:	the fact
 * @detail:	what the test saw, or why it could not
 * @without:	what a record lacks; empty if nothing
 * @remedy:	how to get it; empty if there is nothing to do
 * @blind:	what it does not see although it works; empty if nothing is known
 */
struct shk_finding {
	enum shk_witness witness;
	enum shk_health health;
	char through[64];
	char shows[128];
	char detail[512];
	char without[128];
	char remedy[384];
	char blind[128];
};

#define SHK_FINDINGS_MAX 32

struct shk_examination {
	struct shk_finding findings[SHK_FINDINGS_MAX];
	unsigned int n;
};

/* Moves this process into another network namespace. 0, or -errno and *err if nothing can be tested. */
int shk_doctor_examine(struct shk_examination *x, struct shk_error *err);

/* Whether anything of this kind works. */
bool shk_doctor_has(const struct shk_examination *x, enum shk_witness witness);

#endif /* SHK_DOCTOR_H */
