// SPDX-License-Identifier: GPL-2.0
#include "block.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

struct shk_block_reader {
	FILE *file;
	uint64_t at, next; /* the block that was read last, and the one behind it */
	uint64_t blocks;
	ZSTD_DCtx *zstd;
	unsigned char *stored, *raw;
	size_t stored_size;
};

struct shk_block_reader *shk_block_reader_new(FILE *file)
{
	struct shk_block_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->file = file;
	r->stored_size = ZSTD_compressBound(SHK_BLOCK_RAW_MAX);
	r->stored = malloc(r->stored_size);
	r->raw = malloc(SHK_BLOCK_RAW_MAX);
	r->zstd = ZSTD_createDCtx();
	if (!r->stored || !r->raw || !r->zstd) {
		shk_block_reader_free(r);
		return NULL;
	}
	return r;
}

void shk_block_reader_free(struct shk_block_reader *r)
{
	if (!r)
		return;
	ZSTD_freeDCtx(r->zstd);
	free(r->stored);
	free(r->raw);
	free(r);
}

uint64_t shk_block_reader_offset(const struct shk_block_reader *r)
{
	return r->at;
}

/* NULL, or why this cannot be the head of the next block. */
static const char *check_head(const struct shk_block_reader *r, const struct shk_block *block)
{
	if (memcmp(block->magic, SHK_BLOCK_MAGIC, SHK_BLOCK_MAGIC_SIZE))
		return r->blocks ? "what should be a block is none" : "it is no recording";
	if (block->order == __builtin_bswap32(SHK_BLOCK_ORDER))
		return "it was recorded on a host of the other byte order; read it on one like that";
	if (block->order != SHK_BLOCK_ORDER)
		return "a block is damaged";
	if (block->version != SHK_RECORDING_VERSION)
		return "it was recorded by another version of tcpshake, in a format that is not known here";
	if (block->stored_len > r->stored_size || block->raw_len > SHK_BLOCK_RAW_MAX)
		return "a block has a length that cannot be";
	return NULL;
}

static bool is_intact(const struct shk_block_reader *r, const struct shk_block *block)
{
	struct shk_block head = *block;

	head.crc = 0;
	return crc32(crc32(0, (const void *)&head, sizeof(head)), r->stored, block->stored_len) == block->crc;
}

static const char *unpack(struct shk_block_reader *r, const struct shk_block *block)
{
	size_t len;

	if (!is_intact(r, block))
		return "a block is damaged: its checksum is wrong";
	if (block->index != r->blocks)
		return "a block is missing, or not in its place";
	len = ZSTD_decompressDCtx(r->zstd, r->raw, SHK_BLOCK_RAW_MAX, r->stored, block->stored_len);
	return ZSTD_isError(len) || len != block->raw_len ? "a block does not unpack" : NULL;
}

int shk_block_read(struct shk_block_reader *r, enum shk_block_type *type, const unsigned char **raw,
		   uint32_t *raw_len, const char **reason)
{
	struct shk_block block;
	size_t n;

	r->at = r->next;
	n = fread(&block, 1, sizeof(block), r->file);
	if (!n && !ferror(r->file))
		return 0;
	*reason = "it ends in the middle of a block";
	if (n != sizeof(block))
		return -1;
	*reason = check_head(r, &block);
	if (!*reason && fread(r->stored, 1, block.stored_len, r->file) != block.stored_len)
		*reason = "it ends in the middle of a block";
	if (!*reason)
		*reason = unpack(r, &block);
	if (*reason)
		return -1;
	r->next = r->at + sizeof(block) + block.stored_len;
	r->blocks++;
	*type = block.type;
	*raw = r->raw;
	*raw_len = block.raw_len;
	return 1;
}
