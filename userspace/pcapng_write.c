// SPDX-License-Identifier: GPL-2.0
#include "pcapng_write.h"

#include <errno.h>
#include <string.h>

#define BLOCK_SECTION   0x0a0d0d0aU
#define BLOCK_INTERFACE 1U
#define BLOCK_ENHANCED  6U
#define BYTE_ORDER      0x1a2b3c4dU
#define LINKTYPE_RAW    101U

enum {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_IF_NAME = 2,
	OPTION_IF_DESCRIPTION = 3,
	OPTION_OS = 3,
	OPTION_APPLICATION = 4,
	OPTION_DROPCOUNT = 4,
	OPTION_TSRESOL = 9,
};

#define TEXT_MAX 2048U

/* A block is put together here: its two lengths are known last. */
struct block {
	uint32_t len;
	unsigned char octets[16384];
};

static void put(struct block *b, const void *octets, uint32_t len)
{
	static const unsigned char padding[4];
	uint32_t pad = -len & 3;

	memcpy(b->octets + b->len, octets, len);
	memcpy(b->octets + b->len + len, padding, pad);
	b->len += len + pad;
}

static void put32(struct block *b, uint32_t value)
{
	put(b, &value, sizeof(value));
}

static void put_option(struct block *b, uint16_t code, const void *value, uint16_t len)
{
	const uint16_t head[] = {code, len};

	put(b, head, sizeof(head));
	put(b, value, len);
}

static void put_text(struct block *b, uint16_t code, const char *text)
{
	put_option(b, code, text, strnlen(text, TEXT_MAX));
}

static void begin(struct block *b, uint32_t type)
{
	b->len = 0;
	put32(b, type);
	put32(b, 0);
}

/* Options are ended by one of their own. 0 or -errno. */
static int end(struct block *b, FILE *out)
{
	uint32_t len;

	put_option(b, OPTION_END, "", 0);
	len = b->len + sizeof(len);
	memcpy(b->octets + 4, &len, sizeof(len));
	put32(b, len);
	errno = 0;
	return fwrite(b->octets, 1, b->len, out) == b->len ? 0 : errno ? -errno : -EIO;
}

int shk_pcapng_write_section(FILE *out, const char *os, const char *application)
{
	static const uint16_t version[] = {1, 0};
	static const uint64_t unknown_len = UINT64_MAX;
	struct block b;

	begin(&b, BLOCK_SECTION);
	put32(&b, BYTE_ORDER);
	put(&b, version, sizeof(version));
	put(&b, &unknown_len, sizeof(unknown_len));
	put_text(&b, OPTION_OS, os);
	put_text(&b, OPTION_APPLICATION, application);
	return end(&b, out);
}

int shk_pcapng_write_interface(FILE *out, const char *name, const char *description)
{
	static const uint16_t linktype[] = {LINKTYPE_RAW, 0};
	static const unsigned char nanoseconds = 9;
	struct block b;

	begin(&b, BLOCK_INTERFACE);
	put(&b, linktype, sizeof(linktype));
	put32(&b, 0); /* no limit to what is captured */
	put_text(&b, OPTION_IF_NAME, name);
	put_text(&b, OPTION_IF_DESCRIPTION, description);
	put_option(&b, OPTION_TSRESOL, &nanoseconds, sizeof(nanoseconds));
	return end(&b, out);
}

int shk_pcapng_write_packet(FILE *out, const struct shk_pcapng_out *packet)
{
	struct block b;
	unsigned int i;

	begin(&b, BLOCK_ENHANCED);
	put32(&b, packet->interface);
	put32(&b, packet->real_ns >> 32);
	put32(&b, packet->real_ns & UINT32_MAX);
	put32(&b, packet->len);
	put32(&b, packet->wire_len);
	put(&b, packet->octets, packet->len);
	if (packet->lost)
		put_option(&b, OPTION_DROPCOUNT, &packet->lost, sizeof(packet->lost));
	for (i = 0; packet->comments[i] && b.len + TEXT_MAX < sizeof(b.octets) / 2; i++)
		put_text(&b, OPTION_COMMENT, packet->comments[i]);
	return end(&b, out);
}
