/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file format .shk: what the engine was told, call by call, so that telling it again gives the same bytes
 * of output. Documented for people in tcpshake-shk(5); this header is for the two who read and write it.
 *
 *	file  = block...	the first is SHK_BLOCK_HEAD, the last SHK_BLOCK_END
 *	block = struct shk_block, then .stored_len octets: one frame of zstd, .raw_len octets when unpacked
 *
 * A block is written whole and never changed, so what a crash leaves is readable up to the last whole one.
 * Its checksum covers its head and what is stored, thus nothing damaged is ever unpacked.
 *
 * All numbers are in the byte order of the host that recorded, as in the events themselves.
 *
 * A long recording may be a series of files. Each has a head and the names that its own events need, and can
 * be read by itself; read together they are the whole again.
 */
#ifndef SHK_RECORDING_H
#define SHK_RECORDING_H

#include <stdint.h>

#include "uapi/tcpshake.h"

/* Not text, and not what a transfer as text leaves of it. No other format begins with its first octet. */
#define SHK_BLOCK_MAGIC		"\x93SHK\r\n\x1a\n"
#define SHK_BLOCK_MAGIC_SIZE	8
#define SHK_BLOCK_ORDER		0x01020304U

/* Changes with every change that an older reader would misread. */
#define SHK_RECORDING_VERSION	1

#define SHK_BLOCK_RAW_MAX	(1U << 20)

enum shk_block_type {
	SHK_BLOCK_HEAD		= 1,	/* struct shk_recording_head, then its strings */
	SHK_BLOCK_ENTRIES	= 2,	/* entries: struct shk_entry and what belongs to it */
	SHK_BLOCK_END		= 3,	/* struct shk_recording_end */
};

/**
 * struct shk_block - begins every block
 * @magic:	SHK_BLOCK_MAGIC
 * @order:	SHK_BLOCK_ORDER, as the recording host has it in memory
 * @version:	SHK_RECORDING_VERSION
 * @type:	enum shk_block_type
 * @stored_len:	octets that follow
 * @raw_len:	octets they unpack to, at most SHK_BLOCK_RAW_MAX
 * @index:	of this block in its file, from 0
 * @reserved:	0
 * @crc:	CRC-32 as in zlib, over this struct with 0 here and the octets that follow
 */
struct shk_block {
	uint8_t		magic[SHK_BLOCK_MAGIC_SIZE];
	uint32_t	order;
	uint16_t	version;
	uint16_t	type;
	uint32_t	stored_len;
	uint32_t	raw_len;
	uint64_t	index;
	uint32_t	reserved;
	uint32_t	crc;
};

/* shk_recording_head.flags */
#define SHK_RECORDING_ALL_NETNS	0x1U	/* records show their network namespace */
#define SHK_RECORDING_CAPTURE	0x2U	/* the source was a capture, somebody else's packets */
#define SHK_RECORDING_SOCKETS	0x4U	/* of the engine: .sockets_begin */
#define SHK_RECORDING_FACTS	0x8U	/* it is known what was observed: there is a list of facts */
#define SHK_RECORDING_BLIND	0x10U	/* and for each fact what it does not see: not in the first files */
#define SHK_RECORDING_HOOKS	0x3f00U	/* of the engine: .hooks */
#define SHK_RECORDING_HOOKS_SHIFT 8

/**
 * struct shk_recording_head - what has to be known before the first entry
 * @head_size:	sizeof(struct shk_recording_head) of the writer: members may be added at the end
 * @abi:	SHK_ABI of the events
 * @event_size:	sizeof(struct shk_event)
 * @flags:	SHK_RECORDING_*
 * @run:	random, the same in all files of a series
 * @file:	place of this file in the series, from 0
 * @hash_key:	of the engine
 * @linger_ns:	of the engine
 * @flows_max:	of the engine
 * @n_sources:	number of sources
 * @real_offset_ns: CLOCK_REALTIME - CLOCK_MONOTONIC when the recording began
 * @begin_ns:	when this file began, by the last the engine was told
 * @begin_real_ns: CLOCK_REALTIME at @begin_ns
 * @n_facts:	number of facts
 * @reserved:	0
 *
 * Behind it come strings, each a uint16_t length and that many octets: version of the tool, host, kernel,
 * the sources' names, and five for each struct shk_fact, where an empty one stands for NULL; with
 * SHK_RECORDING_BLIND behind all of them a sixth for each. A reader skips what may still follow.
 */
struct shk_recording_head {
	uint32_t	head_size;
	uint32_t	abi;
	uint32_t	event_size;
	uint32_t	flags;
	uint8_t		run[16];
	uint64_t	file;
	uint64_t	hash_key[2];
	uint64_t	linger_ns;
	uint32_t	flows_max;
	uint32_t	n_sources;
	int64_t		real_offset_ns;
	uint64_t	begin_ns;
	uint64_t	begin_real_ns;
	uint32_t	n_facts;
	uint32_t	reserved;
};

enum shk_entry_kind {
	SHK_ENTRY_EVENT		= 1,	/* then struct shk_event; .value: place of the source */
	SHK_ENTRY_ADVANCE	= 2,	/* then uint64_t: time has come to that */
	SHK_ENTRY_NAME		= 3,	/* then uint64_t: an id, and .value octets: its name from now on */
};

#define SHK_ENTRY_LATE	0x01	/* EVENT: it came after the merge window */

struct shk_entry {
	uint8_t		kind;	/* enum shk_entry_kind */
	uint8_t		flags;	/* SHK_ENTRY_* */
	uint16_t	value;
};

#define SHK_NAME_MAX	4096

/**
 * struct shk_recording_end - the last block of a file
 * @continued:	1: the series goes on in the next file, and the rest of this struct is 0
 * @reserved:	0
 * @now_ns:	time when the input ended
 * @seen:	this and the following: the sums of all sources and of the merge
 */
struct shk_recording_end {
	uint32_t	continued;
	uint32_t	reserved;
	uint64_t	now_ns;
	uint64_t	seen, delivered, lost, filtered, late;
};

_Static_assert(sizeof(struct shk_block) == 40 && sizeof(struct shk_recording_head) == 104 &&
	       sizeof(struct shk_entry) == 4 && sizeof(struct shk_recording_end) == 56,
	       "these are a file format");

#endif /* SHK_RECORDING_H */
