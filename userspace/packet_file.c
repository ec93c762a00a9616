// SPDX-License-Identifier: GPL-2.0
#include "packet_file.h"

#include <pcap/dlt.h>
#include <string.h>

#include "linktype.h"

#define PACKET_MAX    262144U /* libpcap's limit */
#define NS_PER_SECOND 1000000000ULL

#define PCAP_MICROSECONDS 0xa1b2c3d4U
#define PCAP_NANOSECONDS  0xa1b23c4dU
#define PCAP_HEAD         24U

#define SNOOP_HEAD    16U
#define SNOOP_VERSION 2U

/* Where it is in the head of a packet, in octets. */
struct shk_packet_format {
	uint32_t head_len;
	uint32_t have, len, seconds, fraction;
	uint32_t record; /* length of head, packet and padding; 0: there is neither this nor padding */
	uint32_t ns;     /* of a unit of the fraction */
};

static const struct shk_packet_format pcap_us = {16, 8, 12, 0, 4, 0, 1000};
static const struct shk_packet_format pcap_ns = {16, 8, 12, 0, 4, 0, 1};
static const struct shk_packet_format snoop = {24, 4, 0, 16, 20, 8, 1000};

static uint16_t get16(const struct shk_packet_file *f, const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return f->swapped ? __builtin_bswap16(value) : value;
}

static uint32_t get32(const struct shk_packet_file *f, const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return f->swapped ? __builtin_bswap32(value) : value;
}

static const struct shk_packet_format *pcap_format(struct shk_packet_file *f, const uint8_t *head)
{
	int swapped;

	for (swapped = 0; swapped < 2; swapped++) {
		f->swapped = swapped;
		if (get32(f, head) == PCAP_MICROSECONDS)
			return &pcap_us;
		if (get32(f, head) == PCAP_NANOSECONDS)
			return &pcap_ns;
	}
	return NULL;
}

/* Other versions have other heads, and NFLOG has numbers in the order of the machine that wrote it. */
static bool begin_pcap(struct shk_packet_file *f, const uint8_t *head)
{
	f->format = pcap_format(f, head);
	if (!f->format || get16(f, head + 4) != 2 || get16(f, head + 6) != 4)
		return false;
	/* above these 16 bits stands whether there is a checksum behind each packet */
	f->dlt = shk_dlt_of_linktype((uint16_t)get32(f, head + 20));
	f->next = PCAP_HEAD;
	return !f->swapped || f->dlt != DLT_NFLOG;
}

/* Network byte order. */
static int begin_snoop(struct shk_packet_file *f, const uint8_t *head, const char **reason)
{
	f->swapped = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	f->format = &snoop;
	f->dlt = shk_dlt_of_snoop(get32(f, head + 12));
	f->next = SNOOP_HEAD;
	*reason = "it is a snoop file of another version than 2";
	if (get32(f, head + 8) != SNOOP_VERSION)
		return -1;
	*reason = "it is a snoop file of a link type of which nothing is known here";
	return f->dlt < 0 ? -1 : 1;
}

int shk_packet_file_begin(struct shk_packet_file *f, struct shk_input *in, const char **reason)
{
	const uint8_t *head;
	size_t have;
	int rc = 0;

	*f = (struct shk_packet_file){.input = in};
	head = shk_input_look(in, PCAP_HEAD, &have);
	if (have >= SNOOP_HEAD && !memcmp(head, "snoop\0\0", 8))
		rc = begin_snoop(f, head, reason);
	else if (have >= PCAP_HEAD)
		rc = begin_pcap(f, head);
	if (rc == 1)
		shk_input_take(in, f->next);
	return rc;
}

/* The head is there: how long it is with its packet, or 0. */
static uint32_t record_len(const struct shk_packet_file *f, const uint8_t *head, uint32_t packet_len)
{
	uint32_t least = f->format->head_len + packet_len, len = least;

	if (f->format->record)
		len = get32(f, head + f->format->record);
	return packet_len > PACKET_MAX || len < least || len > SHK_INPUT_LOOK_MAX ? 0 : len;
}

/* Seconds are unsigned here, good until 2106. A fraction of a second or more is none. */
static uint64_t time_of(const struct shk_packet_file *f, const uint8_t *head)
{
	uint64_t seconds = get32(f, head + f->format->seconds);
	uint64_t fraction_ns = (uint64_t)get32(f, head + f->format->fraction) * f->format->ns;

	return seconds * NS_PER_SECOND + (fraction_ns < NS_PER_SECOND ? fraction_ns : 0);
}

int shk_packet_file_next(struct shk_packet_file *f, struct shk_packet *packet, const char **reason)
{
	const struct shk_packet_format *format = f->format;
	uint32_t packet_len, len;
	const uint8_t *head;
	size_t have;

	f->at = f->next;
	head = shk_input_look(f->input, format->head_len, &have);
	if (!have && !shk_input_damage(f->input))
		return 0;
	*reason = "it ends in the middle of a packet";
	if (have < format->head_len)
		return -1;
	packet_len = get32(f, head + format->have);
	len = record_len(f, head, packet_len);
	if (!len) {
		*reason = "a packet has a length that cannot be";
		return -1;
	}
	if (have < len) {
		head = shk_input_look(f->input, len, &have);
		if (have < len)
			return -1;
	}
	packet->octets = head + format->head_len;
	packet->have = packet_len;
	packet->len = get32(f, head + format->len);
	packet->ts_ns = time_of(f, head);
	shk_input_take(f->input, len);
	f->next += len;
	return 1;
}
