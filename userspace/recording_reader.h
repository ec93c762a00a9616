/* SPDX-License-Identifier: GPL-2.0 */
/* One file of a recording, entry by entry. It ends where it is damaged, and says so in .damage. */
#ifndef SHK_RECORDING_READER_H
#define SHK_RECORDING_READER_H

#include <stdbool.h>

#include "error.h"
#include "recording.h"
#include "sink.h"

#define SHK_RECORDING_SOURCES_MAX 16

struct shk_recording_reader;

struct shk_recording {
	const char *path;
	struct shk_recording_reader *reader;
	struct shk_recording_head head;
	struct shk_header header;	/* as the sink got it; what it points to lives as long as this */
	struct shk_recording_end end;
	bool ended;			/* its last block was read; .end is valid */
	uint64_t events;		/* read so far */
	char damage[1024];		/* empty: the file was read as far as was asked */
};

/* What an entry says; the members of its kind are valid, until the next call. */
struct shk_recording_entry {
	enum shk_entry_kind kind;
	bool late;
	unsigned int source;		/* less than head.n_sources */
	struct shk_event event;
	uint64_t now_ns;
	uint64_t id;
	char name[SHK_NAME_MAX + 1];
};

/*
 * Opens @path, which stays the caller's, and reads its head. 0, or -errno and *err: -EBADMSG if this is no
 * recording, or not one of this version, ABI or byte order. Ends with shk_recording_close().
 */
int shk_recording_open(struct shk_recording *r, const char *path, struct shk_error *err);

/* 1, or 0 at the end of the file or of what can be read of it. */
int shk_recording_next(struct shk_recording *r, struct shk_recording_entry *entry);

/* Octets of the file that were read, compressed as they are; 0 if it is closed. */
uint64_t shk_recording_position(const struct shk_recording *r);

void shk_recording_close(struct shk_recording *r);

#endif /* SHK_RECORDING_READER_H */
