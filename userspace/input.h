/* SPDX-License-Identifier: GPL-2.0 */
/* A file as a stream of octets: from a disk or a pipe, plain or compressed by gzip or zstd. */
#ifndef SHK_INPUT_H
#define SHK_INPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

struct shk_input;

/*
 * @path "-" is standard input. Compression is told by the first octets. The stream is in *file; closing it
 * does not end the input, which gives the reason when reading fails. NULL and *err on failure.
 */
struct shk_input *shk_input_open(const char *path, FILE **file, struct shk_error *err);

/*
 * Without the stream, and without copying: the next octets, at least @n of them (@n <= SHK_INPUT_LOOK_MAX)
 * unless fewer are left, and how many. They are valid until the next call, and come again until they are
 * taken.
 */
#define SHK_INPUT_LOOK_MAX 327680U
const uint8_t *shk_input_look(struct shk_input *in, size_t n, size_t *have);
void shk_input_take(struct shk_input *in, size_t n);	/* no more than there are */

/* Does what @path holds begin with this octet? Not if it cannot be opened: opening it then says why. */
bool shk_input_begins(const char *path, unsigned char octet);

/* After the stream was closed; accepts NULL. */
void shk_input_free(struct shk_input *in);

/* Why the stream ended before its end: NULL if it did not. */
const char *shk_input_damage(const struct shk_input *in);

/* Octets of the file that were read, compressed as they are. */
uint64_t shk_input_position(const struct shk_input *in);

bool shk_input_is_compressed(const struct shk_input *in);

#endif /* SHK_INPUT_H */
