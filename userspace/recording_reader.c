// SPDX-License-Identifier: GPL-2.0
#include "recording_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "input.h"

struct shk_recording_reader {
	struct shk_input *input;
	FILE *file;
	struct shk_block_reader *blocks;
	const unsigned char *at; /* what is left of the block */
	uint32_t left;
	char *strings; /* of the header, each with a NUL */
	const char *sources[SHK_RECORDING_SOURCES_MAX + 1];
	struct shk_facts facts;
};

void shk_recording_close(struct shk_recording *r)
{
	struct shk_recording_reader *reader = r->reader;

	if (!reader)
		return;
	shk_block_reader_free(reader->blocks);
	if (reader->file)
		fclose(reader->file);
	shk_input_free(reader->input);
	free(reader->strings);
	free(reader);
	r->reader = NULL;
}

uint64_t shk_recording_position(const struct shk_recording *r)
{
	return r->reader ? shk_input_position(r->reader->input) : 0;
}

static void damage(struct shk_recording *r, const char *reason)
{
	const char *input_reason = shk_input_damage(r->reader->input);

	snprintf(r->damage, sizeof(r->damage),
		 "%s: %s (in the block at octet %" PRIu64 "%s, after %" PRIu64 " event%s)", r->path,
		 input_reason ? input_reason : reason, shk_block_reader_offset(r->reader->blocks),
		 shk_input_is_compressed(r->reader->input) ? " of the uncompressed data" : "", r->events,
		 r->events == 1 ? "" : "s");
}

/*
 * ---- The head ------------------------------------------------------------------------------------
 */

/* Takes @len octets of the block, or nothing. */
static bool take(struct shk_recording_reader *reader, void *to, uint32_t len)
{
	if (len > reader->left)
		return false;
	memcpy(to, reader->at, len);
	reader->at += len;
	reader->left -= len;
	return true;
}

/* Copies the next string to *@to and moves that behind it. */
static const char *take_string(struct shk_recording_reader *reader, char **to)
{
	const char *string = *to;
	uint16_t len;

	if (!take(reader, &len, sizeof(len)) || !take(reader, *to, len))
		return NULL;
	(*to)[len] = '\0';
	*to += len + 1;
	return string;
}

static const char *none_if_empty(const char *string)
{
	return string && *string ? string : NULL;
}

/* What each of the facts does not see. Recordings of older versions have none. */
static const char *read_blind(struct shk_recording *r, char **to)
{
	struct shk_recording_reader *reader = r->reader;
	const char *blind;
	size_t i;

	if (!(r->head.flags & SHK_RECORDING_BLIND))
		return NULL;
	for (i = 0; i < reader->facts.n; i++) {
		blind = take_string(reader, to);
		if (!blind)
			return "its head is too short";
		reader->facts.of[i].blind = none_if_empty(blind);
	}
	return NULL;
}

static const char *read_facts(struct shk_recording *r, char **to)
{
	struct shk_recording_reader *reader = r->reader;
	struct shk_fact *fact;
	const char *through;
	uint32_t i;

	if (!(r->head.flags & SHK_RECORDING_FACTS))
		return NULL;
	if (r->head.n_facts > SHK_FACTS_MAX)
		return "its head has too many facts";
	for (i = 0; i < r->head.n_facts; i++) {
		fact = shk_facts_add(&reader->facts);
		fact->witness = take_string(reader, to);
		through = take_string(reader, to);
		fact->shows = take_string(reader, to);
		fact->without = none_if_empty(take_string(reader, to));
		fact->why = take_string(reader, to);
		if (!fact->witness || !through || !fact->shows || !fact->why)
			return "its head is too short";
		fact->why = none_if_empty(fact->why);
		snprintf(fact->through, sizeof(fact->through), "%s", through);
	}
	r->header.facts = &reader->facts;
	return read_blind(r, to);
}

static const char *read_strings(struct shk_recording *r)
{
	struct shk_recording_reader *reader = r->reader;
	unsigned int i;
	char *to;

	if (!r->head.n_sources || r->head.n_sources > SHK_RECORDING_SOURCES_MAX)
		return "its head names no sources, or too many";
	/* A length takes two octets, so there is room for the NULs. */
	reader->strings = to = malloc(reader->left + 1);
	if (!to)
		return "out of memory";
	r->header.version = take_string(reader, &to);
	r->header.host = take_string(reader, &to);
	r->header.kernel = take_string(reader, &to);
	for (i = 0; i < r->head.n_sources; i++) {
		reader->sources[i] = take_string(reader, &to);
		if (!reader->sources[i])
			return "its head is too short";
	}
	r->header.sources = reader->sources;
	r->header.real_offset_ns = r->head.real_offset_ns;
	if (!r->header.version || !r->header.host || !r->header.kernel)
		return "its head is too short";
	return read_facts(r, &to);
}

static const char *read_head(struct shk_recording *r)
{
	struct shk_recording_reader *reader = r->reader;
	enum shk_block_type type;
	const char *reason = "it is empty";
	uint32_t head_size;

	if (shk_block_read(reader->blocks, &type, &reader->at, &reader->left, &reason) <= 0)
		return reason;
	if (type != SHK_BLOCK_HEAD || reader->left < sizeof(r->head))
		return "it does not begin with a head";
	memcpy(&r->head, reader->at, sizeof(r->head));
	if (r->head.abi != SHK_ABI || r->head.event_size != sizeof(struct shk_event))
		return "its events are of another version of tcpshake, which this one cannot read";
	head_size = r->head.head_size;
	if (head_size < sizeof(r->head) || head_size > reader->left)
		return "its head is too short";
	reader->at += head_size;
	reader->left -= head_size;
	return read_strings(r);
}

int shk_recording_open(struct shk_recording *r, const char *path, struct shk_error *err)
{
	struct shk_recording_reader *reader = calloc(1, sizeof(*reader));
	const char *reason;

	*r = (struct shk_recording){.path = path, .reader = reader};
	if (!reader)
		return shk_error_set(err, -ENOMEM, "out of memory");
	reader->input = shk_input_open(path, &reader->file, err);
	if (!reader->input) {
		shk_recording_close(r);
		return err->code;
	}
	reader->blocks = shk_block_reader_new(reader->file);
	if (!reader->blocks) {
		shk_recording_close(r);
		return shk_error_set(err, -ENOMEM, "out of memory");
	}
	reason = read_head(r);
	if (!reason) {
		reader->left = 0;
		return 0;
	}
	damage(r, reason);
	shk_recording_close(r);
	return shk_error_set(err, -EBADMSG, "%s", r->damage);
}

/*
 * ---- Entries -------------------------------------------------------------------------------------
 */

/* NULL, or what is wrong with the entry. */
static const char *take_entry(struct shk_recording *r, struct shk_recording_entry *entry)
{
	static const char too_short[] = "an entry is longer than its block";
	struct shk_recording_reader *reader = r->reader;
	struct shk_entry head;

	if (!take(reader, &head, sizeof(head)))
		return too_short;
	entry->kind = head.kind;
	switch (head.kind) {
	case SHK_ENTRY_EVENT:
		if (head.value >= r->head.n_sources)
			return "an event is of a source that is not in the head";
		entry->late = head.flags & SHK_ENTRY_LATE;
		entry->source = head.value;
		r->events++;
		return take(reader, &entry->event, sizeof(entry->event)) ? NULL : too_short;
	case SHK_ENTRY_ADVANCE:
		return take(reader, &entry->now_ns, sizeof(entry->now_ns)) ? NULL : too_short;
	case SHK_ENTRY_NAME:
		if (head.value > SHK_NAME_MAX)
			return "a name is too long";
		entry->name[head.value] = '\0';
		if (!take(reader, &entry->id, sizeof(entry->id)) || !take(reader, entry->name, head.value))
			return too_short;
		return NULL;
	}
	return "an entry is of a kind that is not known here";
}

/* *more: the block has entries. NULL, or what is wrong. */
static const char *next_block(struct shk_recording *r, bool *more)
{
	struct shk_recording_reader *reader = r->reader;
	const char *reason = NULL;
	enum shk_block_type type;
	int rc;

	rc = shk_block_read(reader->blocks, &type, &reader->at, &reader->left, &reason);
	*more = rc > 0 && type == SHK_BLOCK_ENTRIES;
	if (rc < 0 || *more)
		return reason;
	if (!rc)
		return "it ends without its last block: the recorder did not come to its end";
	if (type != SHK_BLOCK_END || !take(reader, &r->end, sizeof(r->end)))
		return "a block is of a kind that is not known here";
	r->ended = true;
	return NULL;
}

int shk_recording_next(struct shk_recording *r, struct shk_recording_entry *entry)
{
	const char *reason = NULL;
	bool more = true;

	if (r->ended || r->damage[0])
		return 0;
	while (!r->reader->left && more && !reason)
		reason = next_block(r, &more);
	if (more && !reason)
		reason = take_entry(r, entry);
	if (reason)
		damage(r, reason);
	return more && !reason;
}
