/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A source: where events come from. One file per source, behind this vtable.
 *
 * A source has one or more streams (the module: one per CPU), each nearly in order of time. It knows
 * nothing of the merge, the engine or the sinks.
 */
#ifndef SHK_SOURCE_H
#define SHK_SOURCE_H

#include <stdint.h>

#include "error.h"
#include "facts.h"
#include "uapi/tcpshake.h"

/* What came of the events of one stream: seen == delivered + lost once the source has stopped. */
struct shk_account {
	uint64_t seen;		/* offered to the stream, after the filter */
	uint64_t delivered;	/* written to it */
	uint64_t lost;		/* dropped because it was full */
	uint64_t filtered;	/* rejected by the filter; not in seen */
	uint64_t read;		/* handed to the caller of drain(), without SHK_EV_LOST and SHK_EV_CLOCK */
};

struct shk_source;

/* @ev is valid during the call. */
typedef void shk_source_fn(void *arg, unsigned int stream, const struct shk_event *ev);

struct shk_source_ops {
	const char *name;
	int (*start)(struct shk_source *s, struct shk_error *err);
	/* Events are no longer produced; what is already there can still be drained. */
	int (*stop)(struct shk_source *s, struct shk_error *err);
	/* Hands over what is there now: their number, 0 if none, -ENODATA at the end of a file, -errno. */
	int (*drain)(struct shk_source *s, shk_source_fn *fn, void *arg, struct shk_error *err);
	int (*account)(struct shk_source *s, unsigned int stream, struct shk_account *account,
		       struct shk_error *err);
	/* Adds what it observes, after start. NULL: nothing to say. */
	void (*facts)(const struct shk_source *s, struct shk_facts *facts);
	/* Octets of its files that were read, compressed as they are. NULL: it has no files. */
	uint64_t (*position)(const struct shk_source *s);
	/* Learns where the sockets do not agree with it, until it is closed. NULL: it keeps no count. */
	int (*tell_conflicts)(struct shk_source *s, const struct shk_conflicts *conflicts,
			      struct shk_error *err);
	void (*close)(struct shk_source *s);	/* accepts NULL */
};

/* "every SYN, SYN+ACK, ..." */
extern const char shk_shows_wire[];

struct shk_source {
	const struct shk_source_ops *ops;
	int poll_fd;		/* becomes readable when there is something to drain; -1: always drain */
	unsigned int streams;	/* numbered from 0; a stream may stay empty for ever */
	enum shk_witness witness;
	uint32_t hooks;		/* SHK_HOOK_BIT()s: a segment that it does not tell of did not come there */
	char about[96];		/* for people: "kmod 0.1.0, 2 CPUs, 32768 slots each" */
};

struct shk_cgroups;

struct shk_source_config {
	const char *filter;	/* in the language of tcpdump; NULL: everything */
	uint32_t hooks;		/* SHK_HOOK_BIT()s; 0: all */
	uint32_t netns;		/* inode number; 0: all */
	uint32_t ring_slots;	/* for each CPU; 0: the module's default */
	struct shk_cgroups *cgroups;	/* told of the owner's cgroup at each event of a socket; or NULL */
};

/* The wire as tcpshake.ko sees it. NULL and *err on failure. */
struct shk_source *shk_source_kmod_open(const struct shk_source_config *config, struct shk_error *err);

/* The same through BPF netfilter programs, where no module is loaded: Linux 6.4 and newer. */
struct shk_source *shk_source_bpf_open(const struct shk_source_config *config, struct shk_error *err);

/*
 * Where neither can be had: libpcap on @interface, or on all if it is NULL, of one network namespace: that of
 * this process if @config names none. @hooks are not looked at.
 */
struct shk_source *shk_source_live_open(const struct shk_source_config *config, const char *interface,
					struct shk_error *err);

/*
 * The second witness: what the sockets know, through BPF programs. @filter is not looked at; @hooks are those
 * of the first, 0 without one: what it shows anyway is not told again.
 */
struct shk_source *shk_source_socket_open(const struct shk_source_config *config, struct shk_error *err);

#endif /* SHK_SOURCE_H */
