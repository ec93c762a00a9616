// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for recordings: replays one into every sink, and into the packets that are exported of it.
 *
 * The first octet of an input says what the rest is: even, a file as it is; odd, a list of blocks (one octet
 * of type, two of length, and so much content), which are packed and sealed first, so that the checksums do
 * not keep the fuzzer out.
 */
#include <string.h>

#include "block.h"
#include "fuzz_file.h"
#include "replay.h"
#include "sink_notes.h"
#include "tap_packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

/* What the octets cannot know: versions and sizes. */
static void repair_head(uint8_t *raw, size_t len)
{
	struct shk_recording_head head;

	if (len < sizeof(head))
		return;
	memcpy(&head, raw, sizeof(head));
	head.head_size = sizeof(head);
	head.abi = SHK_ABI;
	head.event_size = sizeof(struct shk_event);
	memcpy(raw, &head, sizeof(head));
}

static const char *seal(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, 0);
	static uint8_t raw[UINT16_MAX];
	struct shk_block_writer *w;
	struct shk_error err;
	size_t len;
	int type;

	w = shk_block_writer_open(path, &err);
	check(w != NULL);
	while (size >= 3) {
		type = data[0] & 3;
		len = data[1] | data[2] << 8;
		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		memcpy(raw, data, len);
		if (type == SHK_BLOCK_HEAD)
			repair_head(raw, len);
		check(!shk_block_write(w, type, raw, len, &err));
		data += len;
		size -= len;
	}
	check(!shk_block_writer_close(w, &err));
	return path;
}

static void play(const char *path, struct shk_sink *sink, struct shk_tap *tap)
{
	struct shk_replay_config config = {
		.sink = sink,
		.tap = tap,
		.flows_max = 64,
		.stop_fd = -1,
		.out_fd = -1,
	};
	struct shk_error err = {0};
	struct shk_replay *r;

	config.cgroups = shk_cgroups_new(16);
	r = shk_replay_open(&path, 1, NULL, &err);
	if (r) {
		check(!shk_replay_start(r, &config, &err));
		check(!shk_replay_run(r, &err));
		check(!shk_replay_finish(r, &err));
	} else {
		check(err.code && err.text[0]);
	}
	shk_replay_free(r);
	shk_cgroups_free(config.cgroups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct shk_sink *(*const new[])(const struct shk_sink_config *config) = {
		shk_sink_line_new, shk_sink_ladder_new, shk_sink_json_new};
	static FILE *null;
	struct shk_sink_config config = {.utf8 = true};
	struct shk_sink *sink, *notes;
	struct shk_tap *tap;
	const char *path;

	if (size < 2)
		return 0;
	if (!null)
		null = fopen("/dev/null", "w");
	config.out = null;
	path = data[0] & 1 ? seal(data + 1, size - 1) : fuzz_file(data + 1, size - 1);

	sink = new[data[0] / 2 % 3](&config);
	notes = shk_sink_notes_new();
	tap = shk_tap_packets_new(null, notes);
	check(sink && notes && tap);
	play(path, sink, NULL);
	play(path, notes, NULL);
	shk_sink_notes_sort(notes);
	play(path, NULL, tap);
	shk_tap_packets_free(tap);
	notes->ops->free(notes);
	sink->ops->free(sink);
	return 0;
}
