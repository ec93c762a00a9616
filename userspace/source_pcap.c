// SPDX-License-Identifier: GPL-2.0
#include "source_pcap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture_gate.h"

#define NS_PER_SECOND 1000000000ULL

/* Packets in a row, then the caller may look whether it was told to end. */
#define DRAIN_BATCH 8192

struct stream {
	struct shk_capture capture;
	uint64_t events;
	uint64_t filtered;
};

/* Packets that are looked at before the gate decides on the first of them: while memory comes to hand. */
#define AHEAD 16

/* A packet between these two. */
struct looked_at {
	struct shk_event ev; /* but for .ts_ns only if it is one */
	struct shk_capture_sight sight;
	unsigned int stream;
	bool is_event;
};

struct source_pcap {
	struct shk_source base;
	struct shk_dissector *dissector;
	struct shk_capture_gate gate;
	struct shk_capture_totals totals;
	uint64_t last_ns;  /* latest packet */
	uint64_t clock_ns; /* what the last SHK_EV_CLOCK said */
	struct {
		uint64_t ts_ns; /* 0: nothing is held back */
		unsigned int stream;
		bool is_event;
		struct shk_event ev;
	} doubtful;
	bool stopped;
	struct looked_at ahead[AHEAD];
	unsigned int looked, decided; /* counts that may wrap; a packet is at its count % AHEAD */
	struct stream of[];
};

static struct source_pcap *to_pcap(const struct shk_source *s)
{
	return (struct source_pcap *)s;
}

/*
 * ---- From packet to event ------------------------------------------------------------------------
 */

/*
 * The next packet of @st: fills *ev and returns true if it is a segment. Every segment goes to the engine,
 * which tells of a connection what all of them say; the gate only marks those that belong to a handshake.
 */
static bool look(struct source_pcap *s, struct stream *st, struct shk_event *ev)
{
	const struct shk_capture_link *link = &st->capture.links[st->capture.link];
	const struct shk_packet *packet = &st->capture.packet;
	struct shk_tcp_place at;
	enum shk_found found;

	s->totals.packets++;
	if (link->layer < 0) {
		s->totals.unknown_link++;
		return false;
	}
	if (link->filter.len &&
	    !shk_filter_passes(&link->filter, packet->octets, packet->len, packet->have)) {
		st->filtered++;
		s->totals.filtered++;
		return false;
	}
	found = shk_dissect(s->dissector, link->layer, packet, ev, &at);
	s->totals.found[found]++;
	if (found != SHK_FOUND_SEGMENT)
		return false;
	shk_dissect_options(ev, &at);
	return true;
}

/* The clock of a capture is real time. Said once a second, so that time passes also where nothing happens. */
static unsigned int tell_time(struct source_pcap *s, unsigned int stream, uint64_t now_ns, shk_source_fn *fn,
			      void *arg)
{
	struct shk_event ev = {.ts_ns = now_ns, .kind = SHK_EV_CLOCK, .clock.real_ns = now_ns};

	if (now_ns <= s->clock_ns)
		return 0;
	s->clock_ns = now_ns;
	fn(arg, stream, &ev);
	return 1;
}

/* The file whose next packet is the earliest, or NULL at the end; *until_ns: when it is another's turn. */
static struct stream *earliest(struct source_pcap *s, uint64_t *until_ns)
{
	struct stream *first = NULL;
	unsigned int i;

	*until_ns = UINT64_MAX;
	for (i = 0; i < s->base.streams; i++) {
		struct stream *st = &s->of[i];

		if (!st->capture.reader)
			continue;
		if (!first || st->capture.packet.ts_ns < first->capture.packet.ts_ns) {
			if (first)
				*until_ns = first->capture.packet.ts_ns;
			first = st;
		} else if (st->capture.packet.ts_ns < *until_ns) {
			*until_ns = st->capture.packet.ts_ns;
		}
	}
	return first;
}

/*
 * ---- The source ----------------------------------------------------------------------------------
 */

static int source_start(struct shk_source *s, struct shk_error *err)
{
	(void)s;
	(void)err;
	return 0;
}

static int source_stop(struct shk_source *s, struct shk_error *err)
{
	(void)err;
	to_pcap(s)->stopped = true;
	return 0;
}

/* The packet is at @ts_ns; @ev NULL: no segment. The number of events handed over. */
static int pass_on(struct source_pcap *s, unsigned int stream, uint64_t ts_ns, const struct shk_event *ev,
		   shk_source_fn *fn, void *arg)
{
	int n = 0;

	if (ts_ns > s->last_ns)
		s->last_ns = ts_ns;
	if (ts_ns >= s->clock_ns + NS_PER_SECOND)
		n += tell_time(s, stream, ts_ns, fn, arg);
	if (ev) {
		s->of[stream].events++;
		fn(arg, stream, ev);
		n++;
	}
	return n;
}

/* A pause of this length between two packets may be one, or the clock of the second is wrong. */
#define PAUSE_MAX_NS (3600 * NS_PER_SECOND)

/*
 * Hands over what was held back. @next_ns is the packet after it, UINT64_MAX if there is none: if that one is
 * back where we were, the clock was wrong that once, and the packet came between its neighbours.
 */
static int settle(struct source_pcap *s, uint64_t next_ns, shk_source_fn *fn, void *arg)
{
	uint64_t ts_ns = s->doubtful.ts_ns;

	if (!ts_ns)
		return 0;
	s->doubtful.ts_ns = 0;
	if (next_ns < ts_ns - PAUSE_MAX_NS)
		ts_ns = next_ns;
	s->doubtful.ev.ts_ns = ts_ns;
	return pass_on(s, s->doubtful.stream, ts_ns, s->doubtful.is_event ? &s->doubtful.ev : NULL, fn, arg);
}

static void hold_back(struct source_pcap *s, unsigned int stream, uint64_t ts_ns, const struct shk_event *ev)
{
	s->doubtful.ts_ns = ts_ns;
	s->doubtful.stream = stream;
	s->doubtful.is_event = ev;
	if (ev)
		s->doubtful.ev = *ev;
}

/* The next packet of @st is among those ahead from now on, which has room for it. */
static void look_ahead(struct source_pcap *s, struct stream *st)
{
	struct looked_at *at = &s->ahead[s->looked++ % AHEAD];

	at->stream = st - s->of;
	at->is_event = look(s, st, &at->ev);
	at->ev.ts_ns = st->capture.packet.ts_ns;
	if (at->is_event)
		shk_capture_gate_look(&s->gate, &at->ev, &at->sight);
}

/* The first of those ahead. The number of events handed over. */
static int decide(struct source_pcap *s, shk_source_fn *fn, void *arg)
{
	struct looked_at *at = &s->ahead[s->decided++ % AHEAD];
	struct shk_event *ev = at->is_event ? &at->ev : NULL;
	uint64_t ts_ns = at->ev.ts_ns;
	int n;

	n = settle(s, ts_ns, fn, arg);
	if (ev) {
		shk_capture_gate_decide(&s->gate, ev, &at->sight);
		if (ev->seg.why & ~(SHK_WHY_FIRST_DATA | SHK_WHY_FIRST_ACK))
			s->totals.handshake++;
	}
	if (!s->last_ns || ts_ns <= s->last_ns + PAUSE_MAX_NS)
		return n + pass_on(s, at->stream, ts_ns, ev, fn, arg);
	hold_back(s, at->stream, ts_ns, ev);
	return n;
}

/* One packet. The number of events handed over, or -errno. */
static int drain_packet(struct source_pcap *s, struct stream *st, shk_source_fn *fn, void *arg,
			struct shk_error *err)
{
	int n = 0, rc;

	if (s->looked - s->decided == AHEAD)
		n = decide(s, fn, arg);
	look_ahead(s, st);
	rc = shk_capture_next(&st->capture, err);
	return rc ? rc : n;
}

static int source_drain(struct shk_source *base, shk_source_fn *fn, void *arg, struct shk_error *err)
{
	struct source_pcap *s = to_pcap(base);
	unsigned int budget = DRAIN_BATCH;
	struct stream *st;
	uint64_t until_ns;
	int n = 0, rc;

	while (!s->stopped && budget && (st = earliest(s, &until_ns))) {
		for (; budget && st->capture.reader && st->capture.packet.ts_ns <= until_ns; budget--) {
			rc = drain_packet(s, st, fn, arg, err);
			if (rc < 0) {
				s->stopped = true;
				return rc;
			}
			n += rc;
		}
	}
	if (!budget)
		return n;
	while (s->looked != s->decided)
		n += decide(s, fn, arg);
	n += settle(s, UINT64_MAX, fn, arg);
	n += tell_time(s, 0, s->last_ns, fn, arg);
	return n ? n : -ENODATA;
}

static int source_account(struct shk_source *base, unsigned int stream, struct shk_account *account,
			  struct shk_error *err)
{
	const struct stream *st = &to_pcap(base)->of[stream];

	(void)err;
	*account = (struct shk_account){
		.seen = st->events,
		.delivered = st->events,
		.filtered = st->filtered,
		.read = st->events,
	};
	return 0;
}

static uint64_t source_position(const struct shk_source *base)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < base->streams; i++)
		sum += shk_capture_position(&to_pcap(base)->of[i].capture);
	return sum;
}

static void source_close(struct shk_source *base)
{
	struct source_pcap *s;
	unsigned int i;

	if (!base)
		return;
	s = to_pcap(base);
	for (i = 0; i < base->streams; i++)
		shk_capture_close(&s->of[i].capture);
	shk_dissector_free(s->dissector);
	shk_capture_gate_release(&s->gate);
	free(s);
}

static const struct shk_source_ops pcap_ops = {
	.name = "pcap",
	.start = source_start,
	.stop = source_stop,
	.drain = source_drain,
	.account = source_account,
	.position = source_position,
	.close = source_close,
};

/*
 * The key is no secret, so that a file gives the same records whenever it is read. An attacker who fills
 * a bucket displaces expectations, which is counted, and costs no time.
 */
static struct source_pcap *source_new(unsigned int n_paths)
{
	static const struct shk_hash_key key = {{0x7463707368616b65ULL, 0x63617074757265ULL}};
	struct source_pcap *s = calloc(1, sizeof(*s) + n_paths * sizeof(s->of[0]));

	if (!s)
		return NULL;
	s->base.ops = &pcap_ops;
	s->base.poll_fd = -1;
	s->base.streams = n_paths;
	snprintf(s->base.about, sizeof(s->base.about), "pcap, %u file%s", n_paths, n_paths == 1 ? "" : "s");
	s->dissector = shk_dissector_new();
	if (shk_capture_gate_init(&s->gate, &key) || !s->dissector) {
		source_close(&s->base);
		return NULL;
	}
	return s;
}

struct shk_source *shk_source_pcap_open(const char *const *paths, unsigned int n_paths,
					const struct shk_source_config *config, struct shk_error *err)
{
	struct source_pcap *s = source_new(n_paths);
	unsigned int i;

	if (!s) {
		shk_error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	for (i = 0; i < n_paths; i++) {
		if (shk_capture_open(&s->of[i].capture, paths[i], config->filter, err)) {
			source_close(&s->base);
			return NULL;
		}
	}
	return &s->base;
}

const struct shk_capture *shk_source_pcap_capture(const struct shk_source *s, unsigned int i)
{
	return &to_pcap(s)->of[i].capture;
}

void shk_source_pcap_totals(const struct shk_source *base, struct shk_capture_totals *totals)
{
	const struct source_pcap *s = to_pcap(base);

	*totals = s->totals;
	totals->unfinished = shk_dissector_unfinished(s->dissector);
}
