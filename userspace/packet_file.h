/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Captures that consist of a head and then of packets, each behind a head of its own: pcap as nearly every
 * tool writes it (draft-ietf-opsawg-pcap: version 2.4, micro- or nanoseconds, either byte order), and snoop
 * (RFC 1761), which libpcap does not know.
 *
 * libpcap reads pcap too, and what is odd of it is left to libpcap, see capture.h. But it copies each packet
 * twice on its way, which costs more than all that is done here with most packets. Here they stay where they
 * were read to.
 */
#ifndef SHK_PACKET_FILE_H
#define SHK_PACKET_FILE_H

#include "dissect/dissect.h"
#include "input.h"

struct shk_packet_file {
	struct shk_input *input;
	const struct shk_packet_format *format;
	bool	 swapped;	/* the file's byte order is not ours */
	int	 dlt;		/* its link type, as libpcap numbers them */
	uint64_t at;		/* the packet that was read last, behind the octets of the file */
	uint64_t next;		/* the one behind it */
};

/*
 * Looks at the beginning of @in. 1: it is such a file, and what comes next is its first packet; 0: it is not,
 * and nothing was taken of it; -1: it is, but of a kind that cannot be read: then *reason says why.
 */
int shk_packet_file_begin(struct shk_packet_file *f, struct shk_input *in, const char **reason);

/*
 * The next packet, whose octets are valid until the next call. 1; 0 at the end; -1 if the file is damaged:
 * then *reason says how.
 */
int shk_packet_file_next(struct shk_packet_file *f, struct shk_packet *packet, const char **reason);

#endif /* SHK_PACKET_FILE_H */
