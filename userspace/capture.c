// SPDX-License-Identifier: GPL-2.0
#include "capture.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "packet_file.h"
#include "pcapng.h"

#define NS_PER_SECOND 1000000000ULL
#define SECONDS_MAX   (INT64_MAX / NS_PER_SECOND - 1)
#define PCAPNG_BEGINS 0x0a /* and no other format does */

/* Who reads it: .packets if its format is set, else one of the other two. */
struct shk_capture_reader {
	struct shk_input *input;
	FILE *file; /* libpcap's if there is .pcap */
	struct shk_packet_file packets;
	struct shk_pcapng *pcapng;
	pcap_t *pcap;
};

static void reader_free(struct shk_capture_reader *r)
{
	if (!r)
		return;
	shk_pcapng_free(r->pcapng);
	if (r->pcap)
		pcap_close(r->pcap); /* and the stream with it */
	else if (r->file)
		fclose(r->file);
	shk_input_free(r->input);
	free(r);
}

/* Where the reader is, and in the words before it how exactly it knows. */
static uint64_t place(const struct shk_capture_reader *r, const char **words)
{
	*words = "in the packet at octet";
	if (r->packets.format)
		return r->packets.at;
	*words = "in the block at octet";
	if (r->pcapng)
		return shk_pcapng_offset(r->pcapng);
	*words = "near octet";
	return ftello(r->file);
}

/* The file ends here. @reason is the reader's; if the octets could not be had, there is a better one. */
static void end(struct shk_capture *c, const char *reason)
{
	const struct shk_capture_reader *r = c->reader;
	const char *input_reason = shk_input_damage(r->input), *where;
	uint64_t at = place(r, &where);

	if (reason)
		snprintf(c->damage, sizeof(c->damage),
			 "%s: %s (%s %" PRIu64 "%s, after %" PRIu64 " packet%s)", c->path,
			 input_reason ? input_reason : reason, where, at,
			 shk_input_is_compressed(r->input) ? " of the uncompressed data" : "", c->packets,
			 c->packets == 1 ? "" : "s");
	c->size = shk_input_position(r->input);
	reader_free(c->reader);
	c->reader = NULL;
}

uint64_t shk_capture_position(const struct shk_capture *c)
{
	return c->reader ? shk_input_position(c->reader->input) : c->size;
}

/*
 * ---- Link types ----------------------------------------------------------------------------------
 */

static int add_link(struct shk_capture *c, int dlt, struct shk_error *err)
{
	struct shk_capture_link *links = reallocarray(c->links, c->n_links + 1, sizeof(*links)), *link;

	if (!links)
		return shk_error_set(err, -ENOMEM, "out of memory");
	c->links = links;
	link = &links[c->n_links++];
	*link = (struct shk_capture_link){.dlt = dlt, .layer = shk_dissect_link(dlt)};
	if (!c->filter || link->layer < 0)
		return 0;
	return shk_filter_compile_link(dlt, c->filter, &link->filter, err);
}

/* Packets of one interface mostly come in a row. */
static int choose_link(struct shk_capture *c, int dlt, struct shk_error *err)
{
	int rc = 0;

	if (c->link >= c->n_links || c->links[c->link].dlt != dlt) {
		for (c->link = 0; c->link < c->n_links; c->link++)
			if (c->links[c->link].dlt == dlt)
				break;
		if (c->link == c->n_links)
			rc = add_link(c, dlt, err);
	}
	if (!rc)
		c->links[c->link].packets++;
	return rc;
}

/*
 * ---- Packets -------------------------------------------------------------------------------------
 */

/* Seconds of 32 bits are unsigned, good until 2106, but libpcap takes them for signed. */
static uint64_t time_of(const struct pcap_pkthdr *header)
{
	uint64_t seconds = header->ts.tv_sec < 0 ? (uint32_t)header->ts.tv_sec : header->ts.tv_sec;

	if (seconds > SECONDS_MAX)
		seconds = SECONDS_MAX;
	return seconds * NS_PER_SECOND + (uint32_t)header->ts.tv_usec;
}

/* 1, 0 at the end, -1 and *reason; so do those below. */
static int read_pcapng(struct shk_pcapng *pcapng, struct shk_packet *packet, int *dlt, const char **reason)
{
	struct shk_pcapng_packet next;
	int rc;

	rc = shk_pcapng_next(pcapng, &next, reason);
	if (rc <= 0)
		return rc;
	*dlt = next.dlt;
	*packet = (struct shk_packet){next.octets, next.have, next.len, next.ts_ns};
	return 1;
}

static int read_by_libpcap(pcap_t *pcap, struct shk_packet *packet, int *dlt, const char **reason)
{
	struct pcap_pkthdr *header;
	int rc;

	rc = pcap_next_ex(pcap, &header, &packet->octets);
	if (rc != 1) {
		*reason = pcap_geterr(pcap);
		return rc == PCAP_ERROR_BREAK ? 0 : -1;
	}
	*dlt = pcap_datalink(pcap);
	packet->have = header->caplen;
	packet->len = header->len;
	packet->ts_ns = time_of(header);
	return 1;
}

static int read_packet(struct shk_capture *c, int *dlt, const char **reason)
{
	struct shk_capture_reader *r = c->reader;
	uint64_t last_ns = c->packet.ts_ns ? c->packet.ts_ns : 1;
	int rc;

	*dlt = r->packets.dlt;
	if (r->packets.format)
		rc = shk_packet_file_next(&r->packets, &c->packet, reason);
	else if (r->pcapng)
		rc = read_pcapng(r->pcapng, &c->packet, dlt, reason);
	else
		rc = read_by_libpcap(r->pcap, &c->packet, dlt, reason);
	/* 0 stands for "not seen" in what follows. A packet without a time came after the one before it. */
	if (rc == 1 && !c->packet.ts_ns)
		c->packet.ts_ns = last_ns;
	return rc;
}

int shk_capture_next(struct shk_capture *c, struct shk_error *err)
{
	const char *reason = NULL;
	int rc, dlt;

	rc = read_packet(c, &dlt, &reason);
	if (rc <= 0) {
		end(c, rc ? reason : NULL);
		return 0;
	}
	c->packets++;
	return choose_link(c, dlt, err);
}

/*
 * ---- Opening and closing -------------------------------------------------------------------------
 */

/* 0; -ENOMEM; -EIO and *reason: it is no capture, or none that can be read; @text is room for a reason. */
static int open_reader(struct shk_capture_reader *r, char text[PCAP_ERRBUF_SIZE], const char **reason)
{
	const uint8_t *first;
	size_t have;
	int rc;

	rc = shk_packet_file_begin(&r->packets, r->input, reason);
	if (rc)
		return rc < 0 ? -EIO : 0;
	r->packets.format = NULL;
	first = shk_input_look(r->input, 1, &have);
	if (have && *first == PCAPNG_BEGINS) {
		r->pcapng = shk_pcapng_new(r->file);
		return r->pcapng ? 0 : -ENOMEM;
	}
	r->pcap = pcap_fopen_offline_with_tstamp_precision(r->file, PCAP_TSTAMP_PRECISION_NANO, text);
	*reason = text;
	return r->pcap ? 0 : -EIO;
}

int shk_capture_open(struct shk_capture *c, const char *path, const char *filter, struct shk_error *err)
{
	char text[PCAP_ERRBUF_SIZE];
	const char *reason;
	int rc;

	*c = (struct shk_capture){.path = path, .filter = filter};
	c->reader = calloc(1, sizeof(*c->reader));
	if (!c->reader)
		return shk_error_set(err, -ENOMEM, "out of memory");
	c->reader->input = shk_input_open(path, &c->reader->file, err);
	if (!c->reader->input) {
		rc = err->code;
		goto err_reader;
	}
	rc = open_reader(c->reader, text, &reason);
	if (rc == -EIO) {
		end(c, reason);
		return 0;
	}
	if (!rc)
		return shk_capture_next(c, err);
	shk_error_set(err, rc, "out of memory");

err_reader:
	reader_free(c->reader);
	c->reader = NULL;
	return rc;
}

void shk_capture_close(struct shk_capture *c)
{
	unsigned int i;

	reader_free(c->reader);
	c->reader = NULL;
	for (i = 0; i < c->n_links; i++)
		shk_filter_release(&c->links[i].filter);
	free(c->links);
	c->links = NULL;
	c->n_links = 0;
}
