// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the seeds of the fuzzers out of captures and recordings, each in the form that its fuzzer takes.
 *
 *	seeds DIR FILE...	writes DIR/dissect/, DIR/options/, DIR/engine/ and DIR/shk/, which are there;
 *				packets of packet_maker.h besides
 *	seeds DIR		writes DIR/base.pcapng, a capture to begin with where there is no other
 */
#include <err.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "capture.h"
#include "input.h"
#include "packet_maker.h"
#include "sink_notes.h"
#include "tap_packets.h"

#define PACKETS_MAX 16U
#define SEED_SIZE   8192U
#define MADE_SEEDS  50U
#define STEP_SIZE   12U

struct seed {
	uint8_t octets[SEED_SIZE];
	size_t len;
};

static const char *dir;
static unsigned int serial;

static void put(struct seed *s, const void *octets, size_t len)
{
	if (len > SEED_SIZE - s->len)
		return;
	memcpy(s->octets + s->len, octets, len);
	s->len += len;
}

static void store(const struct seed *s, const char *kind)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/seed-%05u", dir, kind, serial++);
	file = fopen(path, "w");
	if (!file || fwrite(s->octets, 1, s->len, file) != s->len || fclose(file))
		err(2, "%s", path);
}

/*
 * ---- Captures ------------------------------------------------------------------------------------
 */

/* As fuzz_dissect.c takes them: link type, then each with its length. */
static void add_packet(struct seed *s, const struct shk_packet *packet, int dlt)
{
	uint32_t more = packet->len > packet->have ? packet->len - packet->have : 0;
	const uint8_t link[] = {dlt >> 8, dlt & 0xff};
	const uint8_t head[] = {packet->have >> 8 & 0xff, packet->have & 0xff, more > 255 ? 255 : more};

	if (packet->have > SEED_SIZE - s->len || packet->have < 1)
		return;
	if (!s->len)
		put(s, link, sizeof(link));
	put(s, head, sizeof(head));
	put(s, packet->octets, packet->have);
}

static void store_options(const struct shk_tcp_place *at)
{
	static const uint8_t whole[2];
	struct seed s = {.len = 0};

	put(&s, whole, sizeof(whole));
	put(&s, at->tcp, at->have < at->header_len ? at->have : at->header_len);
	store(&s, "options");
}

/* As fuzz_engine.c takes them: a step that says that a whole event follows. */
static void add_event(struct seed *s, const struct shk_event *ev)
{
	static const uint8_t raw[STEP_SIZE] = {0x40};

	if (!s->len)
		put(s, "", 1);
	if (s->len + sizeof(raw) + sizeof(*ev) > SEED_SIZE)
		return;
	put(s, raw, sizeof(raw));
	put(s, ev, sizeof(*ev));
}

static void read_capture(const char *path)
{
	struct seed packets = {.len = 0}, events = {.len = 0};
	struct shk_dissector *d = shk_dissector_new();
	struct shk_error error;
	struct shk_tcp_place at;
	struct shk_event ev;
	struct shk_capture c;
	unsigned int n;
	int rc;

	rc = shk_capture_open(&c, path, NULL, &error);
	for (n = 0; !rc && c.reader && n < PACKETS_MAX; n++, rc = shk_capture_next(&c, &error)) {
		add_packet(&packets, &c.packet, c.links[c.link].dlt);
		if (c.links[c.link].layer < 0 ||
		    shk_dissect(d, c.links[c.link].layer, &c.packet, &ev, &at) != SHK_FOUND_SEGMENT)
			continue;
		store_options(&at);
		shk_dissect_options(&ev, &at);
		add_event(&events, &ev);
	}
	if (packets.len)
		store(&packets, "dissect");
	if (events.len)
		store(&events, "engine");
	shk_capture_close(&c);
	shk_dissector_free(d);
}

/*
 * ---- Made by chance --------------------------------------------------------------------------------
 */

/* Packets that no capture has: handshakes spoiled in every way. */
static void store_made(void)
{
	static struct packet_maker m;
	static struct made_packet made;
	struct seed s;
	unsigned int i, n;

	maker_init(&m, (struct chance){.rng = {1}}, false);
	for (i = 0; i < MADE_SEEDS; i++) {
		for (s.len = 0, n = 0; n < PACKETS_MAX; n++) {
			maker_make(&m, &made);
			add_packet(&s, &(struct shk_packet){made.octets, made.len, made.len, 0}, DLT_RAW);
		}
		store(&s, "dissect");
	}
}

/*
 * ---- Recordings ----------------------------------------------------------------------------------
 */

/* A block with one name, as long as can be. */
static void add_name(struct seed *s)
{
	static const char name[SHK_NAME_MAX];
	const struct shk_entry entry = {.kind = SHK_ENTRY_NAME, .value = sizeof(name)};
	const uint64_t id = 1;
	const size_t len = sizeof(entry) + sizeof(id) + sizeof(name);
	const uint8_t head[] = {SHK_BLOCK_ENTRIES, len & 0xff, len >> 8};

	put(s, head, sizeof(head));
	put(s, &entry, sizeof(entry));
	put(s, &id, sizeof(id));
	put(s, name, sizeof(name));
}

/* As fuzz_shk.c takes them: unpacked, and packed. */
static void read_recording(const char *path)
{
	struct seed unpacked = {.octets = {1}, .len = 1}, packed = {.octets = {0}, .len = 1};
	enum shk_block_type type;
	const unsigned char *raw;
	struct shk_block_reader *r;
	struct shk_error error;
	struct shk_input *in;
	const char *reason;
	uint8_t head[3];
	uint32_t len;
	FILE *file;
	size_t n;

	in = shk_input_open(path, &file, &error);
	if (!in)
		errx(2, "%s", error.text);
	r = shk_block_reader_new(file);
	while (shk_block_read(r, &type, &raw, &len, &reason) > 0 && len < SEED_SIZE) {
		head[0] = type;
		head[1] = len & 0xff;
		head[2] = len >> 8;
		put(&unpacked, head, sizeof(head));
		put(&unpacked, raw, len);
	}
	shk_block_reader_free(r);
	fclose(file);
	shk_input_free(in);
	store(&unpacked, "shk");
	if (unpacked.len < SEED_SIZE - SHK_NAME_MAX) {
		add_name(&unpacked);
		store(&unpacked, "shk");
	}

	file = fopen(path, "r");
	n = file ? fread(packed.octets + 1, 1, SEED_SIZE - 1, file) : 0;
	packed.len += n;
	store(&packed, "shk");
	fclose(file);
}

/*
 * ---- A capture to begin with ---------------------------------------------------------------------
 */

static void write_segment(struct shk_tap *tap, unsigned int n, bool from_client, uint16_t flags, uint32_t seq,
			  uint32_t ack)
{
	struct shk_event ev = {.ts_ns = 1000000000ULL + n, .kind = SHK_EV_SEGMENT, .where = SHK_HOOK_CAPTURE};
	struct shk_error error;

	ev.saddr[10] = ev.saddr[11] = ev.daddr[10] = ev.daddr[11] = 0xff;
	ev.saddr[15] = from_client ? 1 : 2;
	ev.daddr[15] = from_client ? 2 : 1;
	ev.sport = from_client ? 40000 : 443;
	ev.dport = from_client ? 443 : 40000;
	ev.seg = (struct shk_segment){.seq = seq, .ack = ack, .tcp_flags = flags, .ttl = 64, .gso_segs = 1};
	if (flags & SHK_TCP_SYN) {
		ev.seg.options = SHK_OPT_MSS | SHK_OPT_WSCALE | SHK_OPT_TIMESTAMPS | SHK_OPT_SACK_PERMITTED;
		ev.seg.mss = 1460;
		ev.seg.wscale = 7;
	}
	if (tap->ops->event(tap, 0, &ev, false, &error))
		errx(2, "%s", error.text);
}

static void write_base(void)
{
	static const char *const sources[] = {"seeds", NULL};
	const struct shk_header header = {.version = "0", .host = "host", .kernel = "6", .sources = sources};
	const struct shk_engine_config engine = {0};
	struct shk_sink *notes = shk_sink_notes_new();
	struct shk_summary counts = {0};
	struct shk_error error;
	struct shk_tap *tap;
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/base.pcapng", dir);
	file = fopen(path, "w");
	if (!file)
		err(2, "%s", path);
	tap = shk_tap_packets_new(file, notes);
	tap->ops->begin(tap, &header, &engine, &error);
	write_segment(tap, 0, true, SHK_TCP_SYN, 100, 0);
	write_segment(tap, 1, false, SHK_TCP_SYN | SHK_TCP_ACK, 900, 101);
	write_segment(tap, 2, true, SHK_TCP_ACK, 101, 901);
	write_segment(tap, 3, true, SHK_TCP_FIN | SHK_TCP_ACK, 101, 901);
	write_segment(tap, 4, false, SHK_TCP_FIN | SHK_TCP_ACK, 901, 102);
	write_segment(tap, 5, true, SHK_TCP_ACK, 102, 902);
	tap->ops->end(tap, 0, &counts, &error);
	shk_tap_packets_free(tap);
	notes->ops->free(notes);
	fclose(file);
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 2)
		errx(2, "usage: seeds DIR [FILE...]");
	dir = argv[1];
	if (argc == 2)
		write_base();
	else
		store_made();
	for (i = 2; i < argc; i++) {
		if (shk_input_begins(argv[i], (unsigned char)SHK_BLOCK_MAGIC[0]))
			read_recording(argv[i]);
		else
			read_capture(argv[i]);
	}
	return 0;
}
