// SPDX-License-Identifier: GPL-2.0
#include "block.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

/* The reader of the events waits meanwhile: the fastest that packs at all. */
#define LEVEL 1

struct shk_block_writer {
	int fd;
	uint64_t size; /* octets of whole blocks */
	uint64_t blocks;
	ZSTD_CCtx *zstd;
	unsigned char *stored;
	size_t stored_size;
	char path[];
};

static void writer_free(struct shk_block_writer *w)
{
	ZSTD_freeCCtx(w->zstd);
	free(w->stored);
	free(w);
}

static int open_path(const char *path)
{
	if (strcmp(path, "-"))
		return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

struct shk_block_writer *shk_block_writer_open(const char *path, struct shk_error *err)
{
	struct shk_block_writer *w = calloc(1, sizeof(*w) + strlen(path) + 1);

	if (!w)
		goto err_memory;
	strcpy(w->path, path);
	w->stored_size = ZSTD_compressBound(SHK_BLOCK_RAW_MAX);
	w->stored = malloc(w->stored_size);
	w->zstd = ZSTD_createCCtx();
	if (!w->stored || !w->zstd)
		goto err_free;
	w->fd = open_path(path);
	if (w->fd < 0) {
		shk_error_set(err, -errno, "%s: %s", path, strerror(errno));
		writer_free(w);
		return NULL;
	}
	return w;

err_free:
	writer_free(w);
err_memory:
	shk_error_set(err, -ENOMEM, "out of memory");
	return NULL;
}

/* 0 or -errno. */
static int write_all(int fd, struct iovec iov[2])
{
	ssize_t n;
	int i = 0;

	while (i < 2) {
		n = writev(fd, iov + i, 2 - i);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; i < 2 && (size_t)n >= iov[i].iov_len; i++)
			n -= iov[i].iov_len;
		if (i < 2) {
			iov[i].iov_base = (char *)iov[i].iov_base + n;
			iov[i].iov_len -= n;
		}
	}
	return 0;
}

/* Half a block helps nobody. A pipe cannot be cut, and there the reader finds out. */
static int take_back(struct shk_block_writer *w, int rc, struct shk_error *err)
{
	bool cut = ftruncate(w->fd, w->size) == 0 && lseek(w->fd, w->size, SEEK_SET) >= 0;

	if (rc == -EPIPE)
		return shk_error_set(err, -EIO,
				     "%s: nobody reads the recording any more; it ended after "
				     "%" PRIu64 " octets",
				     w->path, w->size);
	return shk_error_set(err, rc, "%s: %s; the recording ends here, and %s", w->path, strerror(-rc),
			     cut ? "what is in the file can be read" : "its last block may be incomplete");
}

int shk_block_write(struct shk_block_writer *w, enum shk_block_type type, const void *raw, uint32_t raw_len,
		    struct shk_error *err)
{
	struct shk_block block = {
		.magic = SHK_BLOCK_MAGIC,
		.order = SHK_BLOCK_ORDER,
		.version = SHK_RECORDING_VERSION,
		.type = type,
		.raw_len = raw_len,
		.index = w->blocks,
	};
	struct iovec iov[2] = {{&block, sizeof(block)}, {.iov_base = w->stored}};
	size_t stored_len;
	int rc;

	stored_len = ZSTD_compressCCtx(w->zstd, w->stored, w->stored_size, raw, raw_len, LEVEL);
	if (ZSTD_isError(stored_len))
		return shk_error_set(err, -ENOMEM, "%s: %s", w->path, ZSTD_getErrorName(stored_len));
	block.stored_len = stored_len;
	block.crc = crc32(crc32(0, (const void *)&block, sizeof(block)), w->stored, stored_len);
	iov[1].iov_len = stored_len;
	rc = write_all(w->fd, iov);
	if (rc)
		return take_back(w, rc, err);
	w->size += sizeof(block) + stored_len;
	w->blocks++;
	return 0;
}

uint64_t shk_block_writer_size(const struct shk_block_writer *w)
{
	return w->size;
}

int shk_block_writer_close(struct shk_block_writer *w, struct shk_error *err)
{
	int rc = 0;

	if (!w)
		return 0;
	if (close(w->fd) < 0)
		rc = shk_error_set(err, -errno, "%s: %s", w->path, strerror(errno));
	writer_free(w);
	return rc;
}
