// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for the engine: any events in any order, into every sink.
 *
 * An input is a list of steps of struct step. The numbers in it are small, so that segments meet: few ends,
 * few sequence numbers. Besides what the sanitizers find, a record that contradicts itself is an error.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One event, or that time has come. */
struct step {
	uint8_t kind; /* enum shk_kind; the high bits: late, and as it is */
	uint8_t where;
	uint8_t ends;  /* two bits each: address and port of both */
	uint8_t after; /* time since the step before: an exponent and a mantissa of four bits each */
	uint16_t flags;
	uint8_t seq, ack;
	uint8_t payload, options, why, state;
};

#define LATE 0x80
#define RAW  0x40 /* struct shk_event follows, and is taken as it is */

static void check(int holds)
{
	if (!holds)
		abort();
}

static void check_conn(const struct shk_conn *conn)
{
	check(conn->open < SHK_O_COUNT && conn->close < SHK_C_COUNT);
	check(conn->first_ns <= conn->last_ns);
	check(conn->close_by <= SHK_NEITHER && conn->local <= SHK_NEITHER);
	check(memchr(conn->compat.history, 0, sizeof(conn->compat.history)) != NULL);
	check(memchr(conn->compat.conn_state, 0, sizeof(conn->compat.conn_state)) != NULL);
	check(memchr(conn->blame.why, 0, sizeof(conn->blame.why)) != NULL);
	check(conn->arrows || !conn->n_arrows);
}

static void on_opened(void *arg, const struct shk_conn *conn)
{
	struct shk_sink *sink = arg;

	check_conn(conn);
	check(!sink->ops->opened(sink, conn));
}

static void on_closed(void *arg, const struct shk_conn *conn)
{
	struct shk_sink *sink = arg;

	check_conn(conn);
	check(!sink->ops->closed(sink, conn));
}

static uint64_t span_of(uint8_t after)
{
	return (uint64_t)(after & 15) << after / 16 * 3;
}

static void make_socket(struct shk_event *ev, const struct step *s)
{
	ev->sock.cookie = s->ends & 3;
	ev->sock.iss = s->seq;
	ev->sock.irs = s->ack;
	ev->sock.old_state = s->state & 15;
	ev->sock.new_state = s->state >> 4;
	ev->sock.flags = s->flags;
	ev->sock.owner = s->options % SHK_OWNER_COUNT;
	ev->sock.tgid = s->options;
	ev->sock.sk_err = s->why;
	ev->sock.reason = s->payload;
	ev->sock.value = (uint64_t)s->flags << 32 | s->payload;
}

static void make_segment(struct shk_event *ev, const struct step *s)
{
	ev->seg.tcp_flags = s->flags & 0xfff;
	ev->seg.seq = (int8_t)s->seq;
	ev->seg.ack = (int8_t)s->ack;
	ev->seg.payload_len = s->payload;
	ev->seg.options = s->options;
	ev->seg.why = s->why;
	ev->seg.sock_state = s->state & 15;
	ev->seg.ip_id = s->state;
	ev->seg.gso_segs = 1;
}

static void make_event(struct shk_event *ev, const struct step *s, uint64_t now_ns)
{
	*ev = (struct shk_event){.ts_ns = now_ns, .kind = s->kind & 7, .where = s->where & 15};
	ev->saddr[15] = s->ends & 3;
	ev->daddr[15] = s->ends >> 2 & 3;
	ev->sport = s->ends >> 4 & 3;
	ev->dport = s->ends >> 6 & 3;
	switch (ev->kind) {
	case SHK_EV_SEGMENT:
		make_segment(ev, s);
		break;
	case SHK_EV_SOCKET:
		make_socket(ev, s);
		break;
	case SHK_EV_LOST:
		ev->lost.count = s->seq;
		break;
	case SHK_EV_CLOCK:
		ev->clock.real_ns = now_ns + s->seq;
		break;
	}
}

static void play(const uint8_t *data, size_t size, struct shk_engine *e)
{
	uint64_t now_ns = 1;
	struct shk_event ev;
	struct step s;

	while (size >= sizeof(s)) {
		memcpy(&s, data, sizeof(s));
		data += sizeof(s);
		size -= sizeof(s);
		now_ns += span_of(s.after);
		if (s.kind & RAW && size >= sizeof(ev)) {
			memcpy(&ev, data, sizeof(ev));
			data += sizeof(ev);
			size -= sizeof(ev);
		} else {
			make_event(&ev, &s, now_ns);
		}
		if (ev.kind == SHK_EV_NONE)
			shk_engine_advance(e, now_ns);
		else
			shk_engine_feed(e, &ev, s.kind & LATE);
	}
	shk_engine_advance(e, now_ns);
	shk_engine_finish(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct shk_sink *(*const new[])(const struct shk_sink_config *config) = {
		shk_sink_line_new, shk_sink_ladder_new, shk_sink_json_new};
	struct shk_engine_config config = {.linger_ns = 1000, .arrows_max = 16};
	struct shk_engine_out out = {.opened = on_opened, .closed = on_closed};
	struct shk_sink_config sink_config = {.utf8 = true, .numeric_netns = true};
	struct shk_engine_stats stats;
	struct shk_engine *e;
	struct shk_sink *sink;
	static FILE *null;

	if (!size)
		return 0;
	if (!null)
		null = fopen("/dev/null", "w");
	sink_config.out = null;
	config.flows_max = data[0] % 8 + 1;
	config.sockets_begin = data[0] & 0x80;
	sink = out.arg = new[data[0] / 8 % 3](&sink_config);
	e = shk_engine_new(&config, &out);
	check(sink && e);
	play(data + 1, size - 1, e);
	shk_engine_stats(e, &stats);
	check(!stats.flows_live);
	shk_engine_free(e);
	sink->ops->free(sink);
	return 0;
}
