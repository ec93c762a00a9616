/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a run observes through which attach point, and what it does not: told by the sources once they have
 * started, and written into the header, for a record says nothing of what nobody could see.
 */
#ifndef SHK_FACTS_H
#define SHK_FACTS_H

#include <stddef.h>

#define SHK_FACTS_MAX	32

/**
 * struct shk_fact - one attach point
 * @witness:	"wire" or "socket"
 * @through:	"tp_btf inet_sock_set_state"; "" ends a list
 * @shows:	the fact it observes, or would
 * @without:	NULL: it is observed; else what records lack
 * @why:	why it is not: for people; NULL if it is
 * @blind:	what it does not see although it is observed; NULL: nothing known
 */
struct shk_fact {
	const char	*witness;
	char		through[64];
	const char	*shows;
	const char	*without;
	const char	*why;
	const char	*blind;
};

/* Ends with one whose .through is "". */
struct shk_facts {
	struct shk_fact	of[SHK_FACTS_MAX + 1];
	size_t		n;
};

/* A place for one more, empty; of too many, the last. */
struct shk_fact *shk_facts_add(struct shk_facts *facts);

#endif /* SHK_FACTS_H */
