// SPDX-License-Identifier: GPL-2.0
#include "tap_packets.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"
#include "pcapng_write.h"
#include "sink_notes.h"

#define NOTES_MAX 8 /* of one segment */

struct interface {
	uint32_t netns;
	uint8_t hook;
};

struct tap_packets {
	struct shk_tap base;
	FILE *out;
	struct shk_sink *notes;
	int64_t real_offset_ns;
	uint64_t lost; /* since the last packet */
	struct shk_tap_packets_totals totals;
	unsigned int last; /* interface; packets come in rows */
	struct interface *interfaces;
};

static struct tap_packets *to_packets(const struct shk_tap *t)
{
	return (struct tap_packets *)t;
}

static int write_failed(int rc, struct shk_error *err)
{
	return rc ? shk_error_set(err, rc, "cannot write the packets: %s", strerror(-rc)) : 0;
}

static int describe(struct tap_packets *t, const struct interface *i)
{
	static const struct {
		const char *name, *words;
	} hooks[] = {
		[SHK_HOOK_PRE_ROUTING] = {"pre", "as received"},
		[SHK_HOOK_LOCAL_IN] = {"in", "about to enter the TCP stack"},
		[SHK_HOOK_FORWARD] = {"fwd", "routed through"},
		[SHK_HOOK_LOCAL_OUT] = {"out", "just left the TCP stack"},
		[SHK_HOOK_POST_ROUTING] = {"post", "about to leave the host"},
		[SHK_HOOK_CAPTURE] = {"capture", "in a capture"},
	};
	char name[32], description[96];

	if (i->netns)
		snprintf(name, sizeof(name), "%s@%" PRIu32, hooks[i->hook].name, i->netns);
	else
		snprintf(name, sizeof(name), "%s", hooks[i->hook].name);
	snprintf(description, sizeof(description), "control segments, %s%s%s", hooks[i->hook].words,
		 i->netns ? ", network namespace " : "", i->netns ? strchr(name, '@') + 1 : "");
	return shk_pcapng_write_interface(t->out, name, description);
}

/* The number of the interface of @ev in *number; a new one is described first. 0 or -errno. */
static int find_interface(struct tap_packets *t, const struct shk_event *ev, unsigned int *number)
{
	const struct interface wanted = {.netns = ev->netns, .hook = ev->where};
	struct interface *all;
	unsigned int n = t->totals.interfaces, i;

	for (i = 0; i < n; i++) {
		*number = (t->last + i) % n;
		if (t->interfaces[*number].netns == wanted.netns &&
		    t->interfaces[*number].hook == wanted.hook)
			break;
	}
	if (i == n) {
		all = reallocarray(t->interfaces, n + 1, sizeof(*all));
		if (!all)
			return -ENOMEM;
		t->interfaces = all;
		all[n] = wanted;
		*number = t->totals.interfaces++;
		t->last = *number;
		return describe(t, &wanted);
	}
	t->last = *number;
	return 0;
}

static int write_segment(struct tap_packets *t, const struct shk_event *ev)
{
	const char *comments[NOTES_MAX + 1];
	struct shk_pcapng_out packet = {.comments = comments, .lost = t->lost};
	unsigned int n = shk_sink_notes_find(t->notes, ev, comments, NOTES_MAX);
	struct shk_packet_made made;
	int rc;

	/* A capture tells the engine of all segments: here those are shown that belong to a handshake. */
	if (!n && !(ev->seg.why & ~(SHK_WHY_FIRST_DATA | SHK_WHY_FIRST_ACK)))
		return 0;
	rc = find_interface(t, ev, &packet.interface);
	if (rc)
		return rc;
	shk_packet_make(&made, ev);
	packet.real_ns = ev->ts_ns + t->real_offset_ns;
	packet.octets = made.octets;
	packet.len = made.len;
	packet.wire_len = made.wire_len;
	t->totals.comments += n;
	t->totals.packets++;
	t->lost = 0;
	return shk_pcapng_write_packet(t->out, &packet);
}

static int tap_begin(struct shk_tap *base, const struct shk_header *header,
		     const struct shk_engine_config *engine, struct shk_error *err)
{
	struct tap_packets *t = to_packets(base);
	char os[256], application[256];

	(void)engine;
	t->real_offset_ns = header->real_offset_ns;
	snprintf(os, sizeof(os), "Linux %s", header->kernel);
	snprintf(application, sizeof(application), "tcpshake %s", header->version);
	return write_failed(shk_pcapng_write_section(t->out, os, application), err);
}

static int tap_event(struct shk_tap *base, unsigned int source, const struct shk_event *ev, bool late,
		     struct shk_error *err)
{
	struct tap_packets *t = to_packets(base);

	(void)source;
	(void)late;
	switch (ev->kind) {
	case SHK_EV_SEGMENT:
		return ev->where < SHK_HOOK_COUNT ? write_failed(write_segment(t, ev), err) : 0;
	case SHK_EV_LOST:
		t->lost += ev->lost.count;
		break;
	case SHK_EV_CLOCK:
		t->real_offset_ns = (int64_t)(ev->clock.real_ns - ev->ts_ns);
		break;
	}
	return 0;
}

static int tap_advance(struct shk_tap *t, uint64_t now_ns, struct shk_error *err)
{
	(void)t;
	(void)now_ns;
	(void)err;
	return 0;
}

static int tap_end(struct shk_tap *base, uint64_t now_ns, const struct shk_summary *counts,
		   struct shk_error *err)
{
	(void)now_ns;
	(void)counts;
	return write_failed(fflush(to_packets(base)->out) ? -errno : 0, err);
}

static const struct shk_tap_ops packets_ops = {
	.begin = tap_begin,
	.event = tap_event,
	.advance = tap_advance,
	.end = tap_end,
};

struct shk_tap *shk_tap_packets_new(FILE *out, struct shk_sink *notes)
{
	struct tap_packets *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->base.ops = &packets_ops;
	t->out = out;
	t->notes = notes;
	return &t->base;
}

void shk_tap_packets_free(struct shk_tap *base)
{
	if (!base)
		return;
	free(to_packets(base)->interfaces);
	free(base);
}

void shk_tap_packets_totals(const struct shk_tap *t, struct shk_tap_packets_totals *totals)
{
	*totals = to_packets(t)->totals;
}
