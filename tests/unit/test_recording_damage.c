// SPDX-License-Identifier: GPL-2.0
/*
 * Recordings that are cut, altered or foreign, and disks that fill up: whatever is whole is shown, the rest
 * is told, and nothing damaged is taken for good.
 */
#include <signal.h>
#include <sys/resource.h>
#include <zlib.h>
#include <zstd.h>

#include "recording_rig.h"

struct file {
	unsigned char *octets;
	size_t size;
};

static struct file recorded(struct recording_rig *r)
{
	struct file f;

	record_something(r);
	f.octets = load_file(r->path, &f.size);
	return f;
}

/* Blocks begin at any octet. */
static struct shk_block block_at(const struct file *f, size_t at)
{
	struct shk_block block;

	memcpy(&block, f->octets + at, sizeof(block));
	return block;
}

/* The offset behind the block at @at. */
static size_t behind(const struct file *f, size_t at)
{
	return at + sizeof(struct shk_block) + block_at(f, at).stored_len;
}

/* Was a prefix of the events shown, and nothing else? The last line is the summary. */
static void assert_shown_as_far_as(const struct recording_rig *r, uint64_t events)
{
	char words[64];

	assert_int_equal(r->totals.events, events);
	snprintf(words, sizeof(words), "\"delivered\":%u,", (unsigned int)events);
	assert_non_null(strstr(r->replayed.text, words));
	assert_non_null(strstr(r->replayed.text, "\"header\""));
}

/* Events in the whole blocks that are in the first @size octets. */
static uint64_t events_within(struct recording_rig *r, const struct file *f, size_t size)
{
	size_t at = 0;

	while (at < f->size && behind(f, at) <= size)
		at = behind(f, at);
	store_file(r->path, f->octets, at);
	assert_int_equal(replay(r), 0);
	return r->totals.events;
}

static void test_cut_at_every_octet(void **state)
{
	struct recording_rig *r = *state;
	struct file f = recorded(r);
	size_t head = behind(&f, 0), size, last_block = 0;
	uint64_t events = 0, most = 0;

	assert_true(behind(&f, behind(&f, head)) < f.size);
	for (size = 0; size < f.size; size++) {
		if (size < head) {
			store_file(r->path, f.octets, size);
			assert_int_equal(replay(r), -EBADMSG);
			continue;
		}
		if (size == head || size == behind(&f, last_block)) {
			last_block = size == head ? head : behind(&f, last_block);
			events = events_within(r, &f, size);
			assert_true(events >= most);
			most = events;
			if (last_block < size)
				last_block = size;
		}
		store_file(r->path, f.octets, size);
		assert_int_equal(replay(r), 0);
		assert_shown_as_far_as(r, events);
		assert_non_null(strstr(r->damage, size == last_block ? "without its last block"
								     : "in the middle of a block"));
		assert_non_null(strstr(r->damage, r->path));
		assert_non_null(strstr(r->damage, "at octet"));
	}
	assert_int_equal(most, r->counts.delivered);
	free(f.octets);
}

static void test_every_octet_altered(void **state)
{
	struct recording_rig *r = *state;
	struct file f = recorded(r);
	size_t head = behind(&f, 0), at;

	for (at = 0; at < f.size; at++) {
		f.octets[at] ^= 1 << at % 8;
		store_file(r->path, f.octets, f.size);
		f.octets[at] ^= 1 << at % 8;
		if (at < head) {
			assert_int_equal(replay(r), -EBADMSG);
			continue;
		}
		assert_int_equal(replay(r), 0);
		assert_string_not_equal(r->damage, "");
		assert_true(r->totals.events <= r->counts.delivered);
	}
	free(f.octets);
}

/* As the first block, with a checksum that is right, so that what it covers is looked at. */
static void put_first(const struct file *f, struct shk_block block)
{
	block.crc = 0;
	block.crc = crc32(crc32(0, (const void *)&block, sizeof(block)), f->octets + sizeof(block),
			  block.stored_len);
	memcpy(f->octets, &block, sizeof(block));
}

static void expect_refusal(struct recording_rig *r, const struct file *f, const char *words)
{
	store_file(r->path, f->octets, f->size);
	free(f->octets);
	assert_int_equal(replay(r), -EBADMSG);
	assert_non_null(strstr(r->err.text, r->path));
	assert_non_null(strstr(r->err.text, words));
}

/* The file with another head. */
static struct file with_head(const struct file *f, const void *raw, size_t size)
{
	size_t rest = behind(f, 0), space = ZSTD_compressBound(size);
	struct file new = {.octets = malloc(sizeof(struct shk_block) + space + f->size)};
	struct shk_block block = block_at(f, 0);

	assert_non_null(new.octets);
	block.raw_len = size;
	block.stored_len = ZSTD_compress(new.octets + sizeof(block), space, raw, size, 1);
	assert_false(ZSTD_isError(block.stored_len));
	put_first(&new, block);
	new.size = sizeof(block) + block.stored_len;
	memcpy(new.octets + new.size, f->octets + rest, f->size - rest);
	new.size += f->size - rest;
	return new;
}

/* As it was before what an attach point does not see was recorded: without the last string of each fact. */
static void test_recording_of_an_older_version(void **state)
{
	static const char blind[] = "calls of another kind",
			  member[] = ",\"blind\":\"calls of another kind\"";
	const size_t strings = 3 * sizeof(uint16_t) + strlen(blind);
	struct recording_rig *r = *state;
	struct file f = recorded(r), old;
	struct shk_recording_head head;
	unsigned char raw[4096];
	char *at;
	size_t size;

	size = ZSTD_decompress(raw, sizeof(raw), f.octets + sizeof(struct shk_block),
			       block_at(&f, 0).stored_len);
	assert_false(ZSTD_isError(size));
	assert_memory_equal(raw + size - strlen(blind), blind, strlen(blind));
	memcpy(&head, raw, sizeof(head));
	head.flags &= ~SHK_RECORDING_BLIND;
	memcpy(raw, &head, sizeof(head));
	old = with_head(&f, raw, size - strings);
	store_file(r->path, old.octets, old.size);
	assert_int_equal(replay(r), 0);
	assert_string_equal(r->damage, "");
	/* All but that is the same. */
	at = strstr(r->live.text, member);
	assert_non_null(at);
	memmove(at, at + strlen(member), strlen(at + strlen(member)) + 1);
	assert_string_equal(r->replayed.text, r->live.text);
	free(old.octets);
	free(f.octets);
}

/* Its last octets are missing, and the checksum is right. */
static void test_head_without_its_last_strings(void **state)
{
	struct recording_rig *r = *state;
	struct file f = recorded(r), cut;
	unsigned char raw[4096];
	size_t size;

	size = ZSTD_decompress(raw, sizeof(raw), f.octets + sizeof(struct shk_block),
			       block_at(&f, 0).stored_len);
	assert_false(ZSTD_isError(size));
	cut = with_head(&f, raw, size - 1);
	free(f.octets);
	expect_refusal(r, &cut, "its head is too short");
}

static void test_other_version(void **state)
{
	struct recording_rig *r = *state;
	struct file f = recorded(r);
	struct shk_block block = block_at(&f, 0);

	block.version++;
	put_first(&f, block);
	expect_refusal(r, &f, "another version");
}

static void test_other_byte_order(void **state)
{
	struct recording_rig *r = *state;
	struct file f = recorded(r);
	struct shk_block block = block_at(&f, 0);

	block.order = __builtin_bswap32(SHK_BLOCK_ORDER);
	put_first(&f, block);
	expect_refusal(r, &f, "other byte order");
}

static void test_something_else(void **state)
{
	struct recording_rig *r = *state;
	struct file f = {calloc(1, 1000), 1000};

	memcpy(f.octets, "\x93SHK is not what it goes on with", 33);
	expect_refusal(r, &f, "no recording");
}

static void test_block_missing_in_the_middle(void **state)
{
	struct recording_rig *r = *state;
	struct file f = recorded(r);
	size_t head = behind(&f, 0), next = behind(&f, head);

	memmove(f.octets + head, f.octets + next, f.size - next);
	store_file(r->path, f.octets, f.size - (next - head));
	free(f.octets);
	assert_int_equal(replay(r), 0);
	assert_non_null(strstr(r->damage, "a block is missing"));
	assert_shown_as_far_as(r, 0);
}

static void test_series_ends_at_its_damage(void **state)
{
	struct recording_rig *r = *state;
	char path[2][PATH_SIZE + 16];
	const char *const paths[] = {path[0], path[1]};
	struct file f;
	int i;

	r->config.rotate_ns = 2 * SECOND;
	record_something(r);
	for (i = 0; i < 2; i++)
		snprintf(path[i], sizeof(path[i]), "%s/a-%05d.shk", r->dir, i);
	f.octets = load_file(path[0], &f.size);
	store_file(path[0], f.octets, f.size - 1);
	free(f.octets);
	assert_int_equal(replay_files(r, paths, 2, NULL), 0);
	assert_non_null(strstr(r->damage, path[0]));
	assert_non_null(strstr(r->damage, "files behind it were not read"));
	assert_int_equal(r->totals.files, 1);
}

/*
 * ---- Writing -------------------------------------------------------------------------------------
 */

static void test_no_room_at_all(void **state)
{
	struct recording_rig *r = *state;

	r->config.path = "/dev/full";
	assert_int_equal(begin_recording(r), -ENOSPC);
	assert_non_null(strstr(r->err.text, "/dev/full: No space left on device"));
}

static void test_no_such_place(void **state)
{
	struct recording_rig *r = *state;

	r->config.path = "/nowhere/a.shk";
	assert_int_equal(begin_recording(r), -ENOENT);
	assert_non_null(strstr(r->err.text, "/nowhere/a.shk"));
}

/* Files may grow to @octets only, as on a disk that is full. */
static void limit_files(rlim_t octets)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_no_room_left(void **state)
{
	struct recording_rig *r = *state;
	struct file f;
	size_t at = 0;

	assert_int_equal(begin_recording(r), 0);
	limit_files(700);
	while (!shk_outlet_ended(r->outlet)) {
		tell_connection(r, 40000 + r->now_ns % 1000);
		tell_time(r, 2 * SECOND);
	}
	assert_int_equal(end_recording(r), -EFBIG);
	limit_files(RLIM_INFINITY);
	assert_non_null(strstr(r->err.text, "what is in the file can be read"));

	/* It ends behind a whole block, and all of it can be read. */
	f.octets = load_file(r->path, &f.size);
	assert_in_range(f.size, 1, 700);
	while (at < f.size)
		at = behind(&f, at);
	assert_int_equal(at, f.size);
	free(f.octets);
	assert_int_equal(replay(r), 0);
	assert_non_null(strstr(r->damage, "without its last block"));
	assert_true(r->totals.events > 0);
}

static void test_reader_of_the_pipe_gone(void **state)
{
	struct recording_rig *r = *state;
	int fds[2], saved = dup(STDOUT_FILENO);

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	fflush(stdout);
	dup2(fds[1], STDOUT_FILENO);
	r->config.path = "-";
	assert_int_equal(begin_recording(r), 0);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	tell_connection(r, 40000);
	assert_false(shk_outlet_ended(r->outlet));
	tell_time(r, 2 * SECOND);
	assert_true(shk_outlet_ended(r->outlet));
	assert_int_equal(end_recording(r), -EIO);
	assert_non_null(strstr(r->err.text, "nobody reads the recording"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, recording_setup, recording_teardown)
		TEST(test_cut_at_every_octet),
		TEST(test_every_octet_altered),
		TEST(test_recording_of_an_older_version),
		TEST(test_head_without_its_last_strings),
		TEST(test_other_version),
		TEST(test_other_byte_order),
		TEST(test_something_else),
		TEST(test_block_missing_in_the_middle),
		TEST(test_series_ends_at_its_damage),
		TEST(test_no_room_at_all),
		TEST(test_no_such_place),
		TEST(test_no_room_left),
		TEST(test_reader_of_the_pipe_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
