/* SPDX-License-Identifier: GPL-2.0 */
/* The blocks of a recording: packed, with a checksum, whole or not there. The format is in recording.h. */
#ifndef SHK_BLOCK_H
#define SHK_BLOCK_H

#include <stdio.h>

#include "error.h"
#include "recording.h"

struct shk_block_writer;

/* @path is copied; "-" is standard output. What was in the file is gone. NULL and *err on failure. */
struct shk_block_writer *shk_block_writer_open(const char *path, struct shk_error *err);

/* 0, or -errno and *err: then the file ends behind the block before, as far as it can be cut. */
int shk_block_write(struct shk_block_writer *w, enum shk_block_type type, const void *raw, uint32_t raw_len,
		    struct shk_error *err);

uint64_t shk_block_writer_size(const struct shk_block_writer *w);	/* octets of whole blocks */

/* Ends the file. 0, or -errno and *err. Accepts NULL. */
int shk_block_writer_close(struct shk_block_writer *w, struct shk_error *err);

struct shk_block_reader;

/* @file stays the caller's. NULL: no memory. */
struct shk_block_reader *shk_block_reader_new(FILE *file);
void shk_block_reader_free(struct shk_block_reader *r);	/* accepts NULL */

/* 1: a block of *type with *raw_len octets in *raw, valid until the next call. 0: the end. -1 and *reason. */
int shk_block_read(struct shk_block_reader *r, enum shk_block_type *type, const unsigned char **raw,
		   uint32_t *raw_len, const char **reason);

/* Where the block begins that was read last. */
uint64_t shk_block_reader_offset(const struct shk_block_reader *r);

#endif /* SHK_BLOCK_H */
