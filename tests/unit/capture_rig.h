/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Capture files made from nothing, in either byte order, and what the source "pcap" makes of them.
 *
 * A file is written into memory first. What it holds is one connection: opened by three segments, some data,
 * closed by three.
 */
#ifndef TEST_CAPTURE_RIG_H
#define TEST_CAPTURE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <errno.h>

#include "source_pcap.h"

#define SECOND	   1000000000ULL
#define START_NS   (1700000000 * SECOND)
#define FILE_MAX   65536
#define EVENTS_MAX 256

#define SYN SHK_TCP_SYN
#define FIN SHK_TCP_FIN
#define ACK SHK_TCP_ACK

struct segment {
	bool	 from_client;
	uint16_t flags;
	uint32_t seq, ack, payload_len;
};

static const struct segment segments[] = {
	{ true, SYN, 1000, 0, 0 },	    { false, SYN | ACK, 9000, 1001, 0 }, { true, ACK, 1001, 9001, 0 },
	{ true, ACK, 1001, 9001, 100 },	    { false, ACK, 9001, 1101, 0 },
	{ true, FIN | ACK, 1101, 9001, 0 },
	{ false, FIN | ACK, 9001, 1102, 0 }, { true, ACK, 1102, 9002, 0 },
};

#define SEGMENTS (sizeof(segments) / sizeof(segments[0]))
#define HANDSHAKE 6	/* of these: not the data, nor the ACK of them */

struct bytes {
	bool	     big;	/* byte order of what is put */
	unsigned int len;
	uint8_t	     octet[FILE_MAX];
};

static inline void put(struct bytes *b, const void *from, unsigned int n)
{
	assert_true(b->len + n <= FILE_MAX);
	memcpy(b->octet + b->len, from, n);
	b->len += n;
}

static inline void put16(struct bytes *b, uint16_t value)
{
	uint16_t ordered = b->big ? __builtin_bswap16(value) : value;

	put(b, &ordered, 2);
}

static inline void put32(struct bytes *b, uint32_t value)
{
	uint32_t ordered = b->big ? __builtin_bswap32(value) : value;

	put(b, &ordered, 4);
}

/* IPv4 and TCP, without payload: as if the capture had cut it off. */
static inline void put_headers(struct bytes *b, const struct segment *s, uint16_t client_port)
{
	uint16_t len = 40 + s->payload_len;
	bool big = b->big;

	b->big = true;	/* network byte order */
	put16(b, 0x4500);
	put16(b, len);
	put32(b, 0);
	put32(b, 0x40060000);
	put32(b, s->from_client ? 0x0a000001 : 0x0a000002);
	put32(b, s->from_client ? 0x0a000002 : 0x0a000001);
	put16(b, s->from_client ? client_port : 80);
	put16(b, s->from_client ? 80 : client_port);
	put32(b, s->seq);
	put32(b, s->ack);
	put16(b, 0x5000 | s->flags);
	put16(b, 0xffff);
	put32(b, 0);
	b->big = big;
}

static inline void put_pcap_header(struct bytes *b, bool nano, uint32_t linktype)
{
	put32(b, nano ? 0xa1b23c4d : 0xa1b2c3d4);
	put16(b, 2);
	put16(b, 4);
	put32(b, 0);
	put32(b, 0);
	put32(b, 65535);
	put32(b, linktype);
}

static inline void put_pcap_packet(struct bytes *b, bool nano, uint64_t ts_ns, const struct segment *s,
				   uint16_t client_port)
{
	put32(b, ts_ns / SECOND);
	put32(b, ts_ns % SECOND / (nano ? 1 : 1000));
	put32(b, 40);
	put32(b, 40 + s->payload_len);
	put_headers(b, s, client_port);
}

/* The connection, one segment each millisecond and a microsecond, of raw IP. */
#define STEP_NS 1001000ULL

static inline void put_pcap(struct bytes *b, bool nano, uint64_t start_ns, uint16_t client_port)
{
	put_pcap_header(b, nano, 101);
	for (size_t i = 0; i < SEGMENTS; i++)
		put_pcap_packet(b, nano, start_ns + i * STEP_NS, &segments[i], client_port);
}

/* A block of pcapng around @body. */
static inline void put_block(struct bytes *b, uint32_t type, const struct bytes *body)
{
	static const uint8_t zero[4];
	uint32_t padding = -body->len & 3;

	put32(b, type);
	put32(b, 12 + body->len + padding);
	put(b, body->octet, body->len);
	put(b, zero, padding);
	put32(b, 12 + body->len + padding);
}

static inline void put_section(struct bytes *b)
{
	static struct bytes body;

	body.big = b->big;
	body.len = 0;
	put32(&body, 0x1a2b3c4d);
	put16(&body, 1);
	put16(&body, 0);
	put32(&body, 0xffffffff);
	put32(&body, 0xffffffff);
	put_block(b, 0x0a0d0d0a, &body);
}

/* @resolution 0: without the option. */
static inline void put_interface(struct bytes *b, uint16_t linktype, uint32_t snaplen, uint8_t resolution,
				 int64_t offset_s)
{
	static struct bytes body;

	body.big = b->big;
	body.len = 0;
	put16(&body, linktype);
	put16(&body, 0);
	put32(&body, snaplen);
	put16(&body, 2);	/* if_name */
	put16(&body, 3);
	put(&body, "eth", 4);
	if (resolution) {
		put16(&body, 9);
		put16(&body, 1);
		put(&body, &resolution, 1);
		put(&body, "\0\0", 3);
	}
	if (offset_s) {
		put16(&body, 14);
		put16(&body, 8);
		put32(&body, b->big ? offset_s >> 32 : (uint32_t)offset_s);
		put32(&body, b->big ? (uint32_t)offset_s : offset_s >> 32);
	}
	put32(&body, 0);
	put_block(b, 1, &body);
}

static inline void put_enhanced(struct bytes *b, uint32_t interface, uint64_t ticks, const struct segment *s)
{
	static struct bytes body;

	body.big = b->big;
	body.len = 0;
	put32(&body, interface);
	put32(&body, ticks >> 32);
	put32(&body, (uint32_t)ticks);
	put32(&body, 40);
	put32(&body, 40 + s->payload_len);
	put_headers(&body, s, 1000);
	put_block(b, 6, &body);
}

static inline void write_file(const char *path, const void *octets, size_t n)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(octets, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

/* Tests write their files into a directory of their own, and remove them. */
static char directory[] = "/tmp/capture_rig.XXXXXX";

static inline int enter_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) && !chdir(directory) ? 0 : -1;
}

static inline int leave_directory(void **state)
{
	(void)state;
	return chdir("/") || rmdir(directory);
}

/*
 * ---- The source ----------------------------------------------------------------------------------
 */

struct result {
	struct shk_event	  events[EVENTS_MAX];	/* without those of the clock */
	unsigned int		  streams[EVENTS_MAX];
	unsigned int		  n, clocks;
	uint64_t		  last_clock_ns;
	struct shk_capture_totals totals;
	char			  damage[1024];		/* of the first file */
};

static inline void note_event(void *arg, unsigned int stream, const struct shk_event *ev)
{
	struct result *r = arg;

	if (ev->kind == SHK_EV_CLOCK) {
		assert_int_equal(ev->clock.real_ns, ev->ts_ns);
		r->clocks++;
		r->last_clock_ns = ev->ts_ns;
		return;
	}
	assert_true(r->n < EVENTS_MAX);
	r->streams[r->n] = stream;
	r->events[r->n++] = *ev;
}

/* What the accounts say must be what came. */
static inline void check_accounts(struct shk_source *s, const struct result *r)
{
	struct shk_account a;
	struct shk_error err;
	uint64_t read = 0, sum;
	unsigned int i;

	for (i = 0; i < s->streams; i++) {
		assert_int_equal(s->ops->account(s, i, &a, &err), 0);
		assert_int_equal(a.seen, a.delivered + a.lost);
		assert_int_equal(a.read, a.delivered);
		read += a.read;
	}
	assert_int_equal(read, r->n);
	assert_true(r->totals.handshake <= r->n);
	sum = r->totals.filtered + r->totals.unknown_link;
	for (i = 0; i < SHK_FOUND_COUNT; i++)
		sum += r->totals.found[i];
	assert_int_equal(sum, r->totals.packets);
}

/* Reads @paths to the end. 0, or what the source said. */
static inline int read_files(const char *const *paths, unsigned int n, const char *filter, struct result *r)
{
	const struct shk_source_config config = { .filter = filter };
	struct shk_error err = { 0 };
	struct shk_source *s;
	int rc;

	memset(r, 0, sizeof(*r));
	s = shk_source_pcap_open(paths, n, &config, &err);
	if (!s)
		return err.code;
	assert_int_equal(s->poll_fd, -1);
	assert_int_equal(s->streams, n);
	assert_int_equal(s->ops->start(s, &err), 0);
	do {
		rc = s->ops->drain(s, note_event, r, &err);
	} while (rc >= 0);
	assert_int_equal(rc, -ENODATA);
	assert_int_equal(s->ops->stop(s, &err), 0);
	shk_source_pcap_totals(s, &r->totals);
	check_accounts(s, r);
	strcpy(r->damage, shk_source_pcap_capture(s, 0)->damage);
	s->ops->close(s);
	return 0;
}

static inline int read_bytes(const struct bytes *b, struct result *r)
{
	const char *const path = "test_source_pcap.tmp";
	int rc;

	write_file(path, b->octet, b->len);
	rc = read_files(&path, 1, NULL, r);
	unlink(path);
	return rc;
}

/* The events of one connection, the first at @start_ns. */
static inline void check_connection(const struct result *r, uint64_t start_ns, uint64_t precision_ns)
{
	unsigned int i;

	assert_string_equal(r->damage, "");
	assert_int_equal(r->n, SEGMENTS);
	for (i = 0; i < SEGMENTS; i++) {
		const struct segment *s = &segments[i];
		uint64_t ts_ns = start_ns + i * STEP_NS;

		assert_int_equal(r->events[i].ts_ns, ts_ns - ts_ns % precision_ns);
		assert_int_equal(r->events[i].seg.seq, s->seq);
		assert_int_equal(r->events[i].seg.ack, s->ack);
		assert_int_equal(r->events[i].seg.tcp_flags, s->flags);
		assert_int_equal(r->events[i].sport, s->from_client ? 1000 : 80);
	}
	assert_int_equal(r->totals.packets, SEGMENTS);
	assert_int_equal(r->totals.handshake, HANDSHAKE);
	assert_int_equal(r->totals.found[SHK_FOUND_SEGMENT], SEGMENTS);
}

#endif /* TEST_CAPTURE_RIG_H */
