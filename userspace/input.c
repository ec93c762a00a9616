// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "input.h"

#define RAW_SIZE    (1U << 16)
#define STREAM_SIZE (1U << 17)
#define READY_SIZE  (1U << 19)
#define READY_STEP  (1U << 17) /* so much at once stays in a cache near the core until it was looked at */

struct shk_input {
	int fd;
	bool ended;     /* nothing more to read from fd */
	bool inside;    /* compressed: in the middle of a member or frame */
	uint64_t given; /* octets handed out */
	uint64_t taken; /* octets read from fd */
	const char *damage;
	ssize_t (*read)(struct shk_input *in, char *to, size_t size);
	z_stream gzip;
	ZSTD_DStream *zstd;
	size_t at, len; /* of raw */
	size_t ready_at, ready_len;
	unsigned char raw[RAW_SIZE];
	unsigned char ready[READY_SIZE]; /* what was looked at, and waits to be taken */
};

_Static_assert(SHK_INPUT_LOOK_MAX + RAW_SIZE <= READY_SIZE, "a read of a whole RAW_SIZE needs no copy");

/* Reads on when everything was used. 0 at the end, -1 and .damage on failure. */
static ssize_t fill(struct shk_input *in)
{
	ssize_t n;

	if (in->at < in->len)
		return in->len - in->at;
	if (in->ended)
		return 0;
	do {
		n = read(in->fd, in->raw, sizeof(in->raw));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		in->damage = strerror(errno);
	in->ended = n <= 0;
	in->at = 0;
	in->len = n > 0 ? n : 0;
	in->taken += in->len;
	return n;
}

static ssize_t read_plain(struct shk_input *in, char *to, size_t size)
{
	ssize_t n;

	/* What was read to tell the format goes first; large reads then need no copy. */
	if (in->at == in->len && !in->ended && size >= sizeof(in->raw)) {
		do {
			n = read(in->fd, to, size);
		} while (n < 0 && errno == EINTR);
		if (n < 0)
			in->damage = strerror(errno);
		else
			in->taken += n;
		return n;
	}
	n = fill(in);
	if (n <= 0)
		return n;
	if ((size_t)n > size)
		n = size;
	memcpy(to, in->raw + in->at, n);
	in->at += n;
	return n;
}

static ssize_t damaged(struct shk_input *in, const char *why)
{
	in->damage = why;
	errno = EIO;
	return -1;
}

/* A file of gzip may consist of several members, one after the other. */
static ssize_t read_gzip(struct shk_input *in, char *to, size_t size)
{
	ssize_t n;
	int rc;

	in->gzip.next_out = (unsigned char *)to;
	in->gzip.avail_out = size;
	while (in->gzip.avail_out == size) {
		n = fill(in);
		if (n < 0)
			return -1;
		if (!n)
			return in->inside ? damaged(in, "its gzip data end too soon") : 0;
		if (!in->inside)
			inflateReset(&in->gzip);
		in->inside = true;
		in->gzip.next_in = in->raw + in->at;
		in->gzip.avail_in = n;
		rc = inflate(&in->gzip, Z_NO_FLUSH);
		in->at = in->len - in->gzip.avail_in;
		if (rc == Z_STREAM_END)
			in->inside = false;
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			return size > in->gzip.avail_out ? (ssize_t)(size - in->gzip.avail_out)
							 : damaged(in, "its gzip data are damaged");
	}
	return size - in->gzip.avail_out;
}

static ssize_t read_zstd(struct shk_input *in, char *to, size_t size)
{
	ZSTD_outBuffer out = {.dst = to, .size = size};
	ZSTD_inBuffer from;
	size_t rc;
	ssize_t n;

	while (!out.pos) {
		n = fill(in);
		if (n < 0)
			return -1;
		/* Output may still be inside the decoder although all input was used. */
		from = (ZSTD_inBuffer){.src = in->raw + in->at, .size = n};
		rc = ZSTD_decompressStream(in->zstd, &out, &from);
		in->at += from.pos;
		if (ZSTD_isError(rc))
			return damaged(in, "its zstd data are damaged");
		if (n || out.pos)
			in->inside = rc != 0;
		else
			return in->inside ? damaged(in, "its zstd data end too soon") : 0;
	}
	return out.pos;
}

static ssize_t read_more(struct shk_input *in, void *to, size_t size)
{
	if (in->damage) {
		errno = EIO;
		return -1;
	}
	return in->read(in, to, size);
}

/* What is ready goes to the front, to make room for more behind it. */
static void refill(struct shk_input *in, size_t n)
{
	size_t room;
	ssize_t more;

	in->ready_len -= in->ready_at;
	memmove(in->ready, in->ready + in->ready_at, in->ready_len);
	in->ready_at = 0;
	while (in->ready_len < n) {
		room = READY_SIZE - in->ready_len;
		more = read_more(in, in->ready + in->ready_len, room < READY_STEP ? room : READY_STEP);
		if (more <= 0)
			break;
		in->ready_len += more;
	}
}

const uint8_t *shk_input_look(struct shk_input *in, size_t n, size_t *have)
{
	if (in->ready_len - in->ready_at < n)
		refill(in, n);
	*have = in->ready_len - in->ready_at;
	return in->ready + in->ready_at;
}

void shk_input_take(struct shk_input *in, size_t n)
{
	in->ready_at += n;
	in->given += n;
}

static ssize_t cookie_read(void *cookie, char *to, size_t size)
{
	struct shk_input *in = cookie;
	ssize_t n = in->ready_len - in->ready_at;

	if (n) {
		if ((size_t)n > size)
			n = size;
		memcpy(to, in->ready + in->ready_at, n);
		in->ready_at += n;
	} else {
		n = read_more(in, to, size);
	}
	if (n > 0)
		in->given += n;
	return n;
}

/* Only to tell where it is. */
static int cookie_seek(void *cookie, off64_t *offset, int whence)
{
	struct shk_input *in = cookie;

	if (whence != SEEK_CUR || *offset) {
		errno = ESPIPE;
		return -1;
	}
	*offset = in->given;
	return 0;
}

static int choose_format(struct shk_input *in)
{
	static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

	in->read = read_plain;
	if (in->len >= sizeof(gzip) && !memcmp(in->raw, gzip, sizeof(gzip))) {
		in->read = read_gzip;
		return inflateInit2(&in->gzip, 16 + MAX_WBITS) == Z_OK ? 0 : -ENOMEM;
	}
	if (in->len >= sizeof(zstd) && !memcmp(in->raw, zstd, sizeof(zstd))) {
		in->read = read_zstd;
		in->zstd = ZSTD_createDStream();
		return in->zstd ? 0 : -ENOMEM;
	}
	return 0;
}

/* A pipe may give its first octets one by one. */
static int read_beginning(struct shk_input *in)
{
	ssize_t n;

	while (in->len < 4) {
		n = read(in->fd, in->raw + in->len, sizeof(in->raw) - in->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			in->ended = true;
			return 0;
		}
		in->len += n;
		in->taken += n;
	}
	return 0;
}

static FILE *open_stream(struct shk_input *in)
{
	static const cookie_io_functions_t functions = {.read = cookie_read, .seek = cookie_seek};
	FILE *file = fopencookie(in, "r", functions);

	if (file)
		setvbuf(file, NULL, _IOFBF, STREAM_SIZE);
	return file;
}

/* Standard input, which somebody looked at and nobody has opened since. It cannot be opened twice. */
static struct {
	struct shk_input *in;
	FILE *file;
} looked_at;

static struct shk_input *take_looked_at(FILE **file)
{
	struct shk_input *in = looked_at.in;

	*file = looked_at.file;
	looked_at.in = NULL;
	return in;
}

struct shk_input *shk_input_open(const char *path, FILE **file, struct shk_error *err)
{
	struct shk_input *in;
	int rc = -ENOMEM;

	if (looked_at.in && !strcmp(path, "-"))
		return take_looked_at(file);
	in = calloc(1, sizeof(*in));
	if (!in)
		goto err_told;
	in->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (in->fd < 0) {
		rc = -errno;
		goto err_free;
	}
	rc = read_beginning(in);
	if (rc)
		goto err_close;
	rc = choose_format(in);
	if (rc)
		goto err_close;
	*file = open_stream(in);
	if (*file)
		return in;
	rc = -errno;

err_close:
	shk_input_free(in);
	goto err_told;
err_free:
	free(in);
err_told:
	shk_error_set(err, rc, "%s: %s", path, strerror(-rc));
	return NULL;
}

void shk_input_free(struct shk_input *in)
{
	if (!in)
		return;
	if (in->read == read_gzip)
		inflateEnd(&in->gzip);
	ZSTD_freeDStream(in->zstd);
	if (in->fd != STDIN_FILENO)
		close(in->fd);
	free(in);
}

bool shk_input_begins(const char *path, unsigned char octet)
{
	struct shk_error err;
	struct shk_input *in;
	const uint8_t *first;
	size_t have;
	FILE *file;
	bool begins;

	in = shk_input_open(path, &file, &err);
	if (!in)
		return false;
	first = shk_input_look(in, 1, &have);
	begins = have && *first == octet;
	if (!strcmp(path, "-")) {
		looked_at.in = in;
		looked_at.file = file;
	} else {
		fclose(file);
		shk_input_free(in);
	}
	return begins;
}

const char *shk_input_damage(const struct shk_input *in)
{
	return in->damage;
}

uint64_t shk_input_position(const struct shk_input *in)
{
	return in->taken;
}

bool shk_input_is_compressed(const struct shk_input *in)
{
	return in->read != read_plain;
}
