// SPDX-License-Identifier: GPL-2.0
#include "demo/wire.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dissect/dissect.h"
#include "engine/engine.h"
#include "gate.h"

#define WAIT_MS  10
#define PATIENCE 500 /* times WAIT_MS */

struct shk_wire {
	const struct shk_hosts *hosts;
	pcap_t *pcap;
	int replay_fd;
	int layer;
	struct shk_dissector *dissector;
	unsigned int n;
	struct shk_wire_segment segment[SHK_WIRE_SEGMENTS];
};

static int pcap_failed(const struct shk_wire *wire, struct shk_error *err)
{
	return shk_error_set(err, -EIO, "the capture: %s", pcap_geterr(wire->pcap));
}

/*
 * ---- Opening and closing -------------------------------------------------------------------------
 */

/* In the namespace where the thread is. */
static int open_capture(struct shk_wire *wire, struct shk_error *err)
{
	char reason[PCAP_ERRBUF_SIZE];
	struct bpf_program filter;
	int rc;

	wire->pcap = pcap_create(SHK_HOSTS_DEVICE, reason);
	if (!wire->pcap)
		return shk_error_set(err, -EIO, "the capture: %s", reason);
	pcap_set_snaplen(wire->pcap, SHK_WIRE_FRAME);
	pcap_set_immediate_mode(wire->pcap, 1);
	pcap_set_tstamp_precision(wire->pcap, PCAP_TSTAMP_PRECISION_NANO);
	if (pcap_activate(wire->pcap) < 0 || pcap_setnonblock(wire->pcap, 1, reason) < 0)
		return pcap_failed(wire, err);
	if (pcap_compile(wire->pcap, &filter, "tcp", 1, PCAP_NETMASK_UNKNOWN) < 0)
		return pcap_failed(wire, err);
	rc = pcap_setfilter(wire->pcap, &filter);
	pcap_freecode(&filter);
	wire->layer = shk_dissect_link(pcap_datalink(wire->pcap));
	return rc < 0 ? pcap_failed(wire, err) : 0;
}

int shk_wire_open(struct shk_wire **out, const struct shk_hosts *hosts, struct shk_error *err)
{
	struct shk_wire *wire = calloc(1, sizeof(*wire));
	int rc;

	*out = wire;
	if (!wire)
		return shk_error_set(err, -ENOMEM, "out of memory");
	wire->hosts = hosts;
	wire->replay_fd = -1;
	wire->dissector = shk_dissector_new();
	if (!wire->dissector)
		return shk_error_set(err, -ENOMEM, "out of memory");
	rc = shk_hosts_enter(hosts, SHK_SERVER, err);
	rc = rc ?: open_capture(wire, err);
	rc = rc ?: shk_hosts_enter(hosts, SHK_CLIENT, err);
	if (rc)
		return rc;
	/* Protocol 0: it only sends. */
	wire->replay_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	return wire->replay_fd < 0 ? shk_error_set(err, -errno, "packet socket: %s", strerror(errno)) : 0;
}

void shk_wire_close(struct shk_wire *wire)
{
	if (!wire)
		return;
	if (wire->pcap)
		pcap_close(wire->pcap);
	if (wire->replay_fd >= 0)
		close(wire->replay_fd);
	shk_dissector_free(wire->dissector);
	free(wire);
}

/*
 * ---- What passes ---------------------------------------------------------------------------------
 */

static void take(u_char *arg, const struct pcap_pkthdr *header, const u_char *octets)
{
	struct shk_wire *wire = (struct shk_wire *)arg;
	struct shk_wire_segment *segment;
	const struct shk_packet packet = {
		.octets = octets,
		.have = header->caplen,
		.len = header->len,
		.ts_ns = header->ts.tv_sec * 1000000000ULL + header->ts.tv_usec,
	};
	struct shk_tcp_place at;

	if (wire->n == SHK_WIRE_SEGMENTS || packet.have > SHK_WIRE_FRAME)
		return;
	segment = &wire->segment[wire->n];
	if (shk_dissect(wire->dissector, wire->layer, &packet, &segment->ev, &at) != SHK_FOUND_SEGMENT)
		return;
	shk_dissect_options(&segment->ev, &at);
	memcpy(segment->frame, octets, packet.have);
	segment->size = packet.have;
	wire->n++;
}

int shk_wire_read(struct shk_wire *wire, struct shk_error *err)
{
	return pcap_dispatch(wire->pcap, -1, take, (u_char *)wire) < 0 ? pcap_failed(wire, err) : 0;
}

int shk_wire_clear(struct shk_wire *wire, struct shk_error *err)
{
	int rc = shk_wire_read(wire, err);

	wire->n = 0;
	return rc;
}

unsigned int shk_wire_count(const struct shk_wire *wire)
{
	return wire->n;
}

const struct shk_wire_segment *shk_wire_segment(const struct shk_wire *wire, unsigned int i)
{
	return &wire->segment[i];
}

static const struct shk_wire_segment *find(const struct shk_wire *wire, uint16_t tcp_flags,
					   uint32_t payload_len)
{
	for (unsigned int i = 0; i < wire->n; i++) {
		const struct shk_segment *seg = &wire->segment[i].ev.seg;

		if (seg->tcp_flags == tcp_flags && seg->payload_len == payload_len)
			return &wire->segment[i];
	}
	return NULL;
}

const struct shk_wire_segment *shk_wire_wait(struct shk_wire *wire, uint16_t tcp_flags, uint32_t payload_len,
					     struct shk_error *err)
{
	struct pollfd fd = {.fd = pcap_get_selectable_fd(wire->pcap), .events = POLLIN};
	const struct shk_wire_segment *segment;

	for (int i = 0; i < PATIENCE; i++) {
		if (shk_wire_read(wire, err))
			return NULL;
		segment = find(wire, tcp_flags, payload_len);
		if (segment)
			return segment;
		poll(&fd, 1, WAIT_MS);
	}
	shk_error_set(err, -ETIMEDOUT, "waited in vain for a segment with flags 0x%03x and %u octets of data",
		      tcp_flags, payload_len);
	return NULL;
}

int shk_wire_replay(struct shk_wire *wire, const struct shk_wire_segment *segment, struct shk_error *err)
{
	const struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = wire->hosts->ifindex[SHK_CLIENT],
	};
	const struct sockaddr *addr = (const struct sockaddr *)&to;

	if (sendto(wire->replay_fd, segment->frame, segment->size, 0, addr, sizeof(to)) < 0)
		return shk_error_set(err, -errno, "sending the old segment again: %s", strerror(errno));
	return 0;
}

/*
 * ---- The ladder ----------------------------------------------------------------------------------
 */

struct drawing {
	struct shk_sink *sink;
	int rc;
};

static void on_opened(void *arg, const struct shk_conn *conn)
{
	(void)arg;
	(void)conn;
}

static void on_closed(void *arg, const struct shk_conn *conn)
{
	struct drawing *drawing = arg;

	if (!drawing->rc)
		drawing->rc = drawing->sink->ops->closed(drawing->sink, conn);
}

/* All segments, data too: the gate only says which of them answer something. */
static void feed_all(struct shk_wire *wire, struct shk_engine *engine)
{
	static const struct shk_hash_key key = {{0x64656d6fULL, 0x77697265ULL}};
	struct shk_gate_bucket bucket = {{0}}; /* one connection */

	for (unsigned int i = 0; i < wire->n; i++) {
		struct shk_event *ev = &wire->segment[i].ev;
		struct shk_gate_result result;
		struct shk_tuple tuple;

		shk_tuple_from_event(&tuple, ev);
		shk_gate_judge(&bucket, shk_tuple_hash(&tuple, &key), &tuple, &ev->seg, ev->where, ev->ts_ns,
			       &result);
		ev->seg.why = result.why;
		shk_engine_feed(engine, ev, false);
	}
}

int shk_wire_draw(struct shk_wire *wire, struct shk_sink *sink, struct shk_error *err)
{
	struct drawing drawing = {.sink = sink};
	const struct shk_engine_out out = {.opened = on_opened, .closed = on_closed, .arg = &drawing};
	const struct shk_engine_config config = {
		.flows_max = 1,
		.linger_ns = SHK_LINGER_FILE_NS,
		.arrows_max = sink->arrows_wanted,
		.arrows_of_all = true,
	};
	struct shk_engine *engine;
	int rc;

	rc = shk_wire_read(wire, err);
	if (rc)
		return rc;
	engine = shk_engine_new(&config, &out);
	if (!engine)
		return shk_error_set(err, -ENOMEM, "out of memory");
	feed_all(wire, engine);
	shk_engine_finish(engine);
	shk_engine_free(engine);
	return drawing.rc ? shk_error_set(err, drawing.rc, "cannot write: %s", strerror(-drawing.rc)) : 0;
}
