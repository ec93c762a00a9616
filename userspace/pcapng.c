// SPDX-License-Identifier: GPL-2.0
#include "pcapng.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "linktype.h"

#define BLOCK_SECTION   0x0a0d0d0aU
#define BLOCK_INTERFACE 1U
#define BLOCK_PACKET    2U /* obsolete, and still found */
#define BLOCK_SIMPLE    3U
#define BLOCK_ENHANCED  6U

#define BYTE_ORDER_MAGIC 0x1a2b3c4dU

#define OPTION_TSRESOL  9U
#define OPTION_TSOFFSET 14U

/* libpcap's limit. A block without packets may be anything, for instance the keys of a TLS session. */
#define BLOCK_MAX      (16U << 20)
#define INTERFACES_MAX 65536U

#define NS_PER_SECOND 1000000000ULL

struct interface {
	int dlt;
	uint32_t snaplen; /* 0: no limit */
	uint64_t ticks_per_second;
	int64_t offset_s;
};

struct shk_pcapng {
	FILE *file;
	bool swapped;   /* the section's byte order is not ours */
	uint64_t at;    /* the block that was read last */
	uint64_t next;  /* the one behind it */
	uint32_t first; /* interface of this section */
	uint32_t n_interfaces;
	struct interface *interfaces;
	uint8_t *block; /* body: without type and both lengths */
	uint32_t block_len, block_size;
};

struct shk_pcapng *shk_pcapng_new(FILE *file)
{
	struct shk_pcapng *r = calloc(1, sizeof(*r));

	if (r)
		r->file = file;
	return r;
}

void shk_pcapng_free(struct shk_pcapng *r)
{
	if (!r)
		return;
	free(r->interfaces);
	free(r->block);
	free(r);
}

uint64_t shk_pcapng_offset(const struct shk_pcapng *r)
{
	return r->at;
}

static uint16_t get16(const struct shk_pcapng *r, const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return r->swapped ? __builtin_bswap16(value) : value;
}

static uint32_t get32(const struct shk_pcapng *r, const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return r->swapped ? __builtin_bswap32(value) : value;
}

/* The high bit tells powers of 2 from powers of 10. 0 if the resolution is finer than time is here. */
static uint64_t ticks_of_resolution(uint8_t resolution)
{
	unsigned int exponent = resolution & 0x7f;
	uint64_t ticks = 1;

	if (resolution & 0x80)
		return exponent < 64 ? 1ULL << exponent : 0;
	if (exponent > 19)
		return 0;
	while (exponent--)
		ticks *= 10;
	return ticks;
}

static void read_interface_option(const struct shk_pcapng *r, struct interface *i, uint16_t code,
				  const uint8_t *value, uint16_t len)
{
	uint32_t word[2];

	if (code == OPTION_TSRESOL && len == 1) {
		i->ticks_per_second = ticks_of_resolution(value[0]);
	} else if (code == OPTION_TSOFFSET && len == 8) {
		word[0] = get32(r, value + (r->swapped ? 4 : 0));
		word[1] = get32(r, value + (r->swapped ? 0 : 4));
		memcpy(&i->offset_s, word, sizeof(i->offset_s));
	}
}

static const char *add_interface(struct shk_pcapng *r)
{
	struct interface *all, *i;
	uint32_t at = 8;
	uint16_t len;

	if (r->block_len < 8)
		return "its interface block is too short";
	if (r->n_interfaces == INTERFACES_MAX)
		return "it has more interfaces than can be";
	all = reallocarray(r->interfaces, r->n_interfaces + 1, sizeof(*all));
	if (!all)
		return "out of memory";
	r->interfaces = all;
	i = &all[r->n_interfaces++];
	*i = (struct interface){
		.dlt = shk_dlt_of_linktype(get16(r, r->block)),
		.snaplen = get32(r, r->block + 4),
		.ticks_per_second = 1000000,
	};
	for (; r->block_len - at >= 4; at += 4 + ((len + 3U) & ~3U)) {
		len = get16(r, r->block + at + 2);
		if (((len + 3U) & ~3U) > r->block_len - at - 4)
			return "an option leads out of its interface block";
		read_interface_option(r, i, get16(r, r->block + at), r->block + at + 4, len);
	}
	return i->ticks_per_second ? NULL : "an interface has a resolution of time that cannot be";
}

/* Ticks to ns, without overflow in between: ticks_per_second may be anything up to 2^63. */
static uint64_t time_of(const struct interface *i, uint64_t ticks)
{
	uint64_t seconds = ticks / i->ticks_per_second + (uint64_t)i->offset_s;
	__extension__ typedef unsigned __int128 wide;
	wide ns = (wide)(ticks % i->ticks_per_second) * NS_PER_SECOND / i->ticks_per_second;

	/* A clock before 1970 or after 2262 is wrong: let it stand still. */
	if (seconds > INT64_MAX / NS_PER_SECOND - 1)
		return (int64_t)seconds < 0 ? 0 : INT64_MAX;
	return seconds * NS_PER_SECOND + (uint64_t)ns;
}

static const char *fill_packet(struct shk_pcapng *r, struct shk_pcapng_packet *packet, uint32_t interface,
			       uint32_t head)
{
	if (interface >= r->n_interfaces - r->first)
		return "a packet is of an interface that was not described";
	if (packet->have > r->block_len - head)
		return "a packet is longer than its block";
	packet->interface = r->first + interface;
	packet->dlt = r->interfaces[packet->interface].dlt;
	packet->octets = r->block + head;
	return NULL;
}

static const char *read_timed_packet(struct shk_pcapng *r, struct shk_pcapng_packet *packet,
				     uint32_t interface)
{
	uint64_t ticks = (uint64_t)get32(r, r->block + 4) << 32 | get32(r, r->block + 8);
	const char *reason;

	packet->have = get32(r, r->block + 12);
	packet->len = get32(r, r->block + 16);
	reason = fill_packet(r, packet, interface, 20);
	if (!reason)
		packet->ts_ns = time_of(&r->interfaces[packet->interface], ticks);
	return reason;
}

/* It has no time, and as much of the packet as the snap length lets through. */
static const char *read_simple_packet(struct shk_pcapng *r, struct shk_pcapng_packet *packet)
{
	uint32_t snaplen;

	if (r->first == r->n_interfaces)
		return "a packet is of an interface that was not described";
	snaplen = r->interfaces[r->first].snaplen;
	packet->ts_ns = 0;
	packet->len = get32(r, r->block);
	packet->have = packet->len;
	if (snaplen && packet->have > snaplen)
		packet->have = snaplen;
	return fill_packet(r, packet, 0, 4);
}

/* *done: the block was a packet. */
static const char *read_body(struct shk_pcapng *r, uint32_t type, struct shk_pcapng_packet *packet,
			     bool *done)
{
	switch (type) {
	case BLOCK_SECTION:
		r->first = r->n_interfaces;
		return NULL;
	case BLOCK_INTERFACE:
		return add_interface(r);
	case BLOCK_ENHANCED:
	case BLOCK_PACKET:
		if (r->block_len < 20)
			return "its packet block is too short";
		*done = true;
		return read_timed_packet(r, packet,
					 type == BLOCK_ENHANCED ? get32(r, r->block) : get16(r, r->block));
	case BLOCK_SIMPLE:
		if (r->block_len < 4)
			return "its packet block is too short";
		*done = true;
		return read_simple_packet(r, packet);
	}
	return NULL;
}

static const char *reserve(struct shk_pcapng *r, uint32_t size)
{
	uint8_t *block;

	if (size <= r->block_size)
		return NULL;
	block = realloc(r->block, size);
	if (!block)
		return "out of memory";
	r->block = block;
	r->block_size = size;
	return NULL;
}

/* The byte order of a section stands behind the length that is in it. */
static const char *read_byte_order(struct shk_pcapng *r, uint8_t magic[4])
{
	if (fread(magic, 1, 4, r->file) != 4)
		return "it ends in the middle of a block";
	r->swapped = false;
	if (get32(r, magic) == BYTE_ORDER_MAGIC)
		return NULL;
	r->swapped = true;
	return get32(r, magic) == BYTE_ORDER_MAGIC ? NULL : "a section has no byte order";
}

/* A body and the length behind it, which we do not need. */
static const char *read_block(struct shk_pcapng *r, const uint8_t head[8], uint32_t *type)
{
	uint8_t magic[4], trailer[4];
	uint32_t had = 0, total;
	const char *reason = NULL;

	*type = get32(r, head);
	if (*type == BLOCK_SECTION) {
		reason = read_byte_order(r, magic);
		had = 4;
	}
	if (reason)
		return reason;
	total = get32(r, head + 4);
	if (total < 12 + had || total > BLOCK_MAX || total % 4)
		return "a block has a length that cannot be";
	r->block_len = total - 12;
	reason = reserve(r, total); /* more than the body, which may be empty */
	if (reason)
		return reason;
	if (had)
		memcpy(r->block, magic, had);
	if (fread(r->block + had, 1, r->block_len - had, r->file) != r->block_len - had ||
	    fread(trailer, 1, 4, r->file) != 4)
		return "it ends in the middle of a block";
	r->next = r->at + total;
	return NULL;
}

int shk_pcapng_next(struct shk_pcapng *r, struct shk_pcapng_packet *packet, const char **reason)
{
	bool done = false;
	uint8_t head[8];
	uint32_t type;
	size_t n;

	while (!done) {
		r->at = r->next;
		n = fread(head, 1, sizeof(head), r->file);
		if (!n && !ferror(r->file))
			return 0;
		*reason = "it ends in the middle of a block";
		if (n == sizeof(head))
			*reason = read_block(r, head, &type);
		if (!*reason)
			*reason = read_body(r, type, packet, &done);
		if (*reason)
			return -1;
	}
	return 1;
}
