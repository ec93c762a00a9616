/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One capture file, packet by packet, out of whatever input.h can read: pcap and snoop through packet_file.h,
 * pcapng through pcapng.h, and the odd relatives of pcap (older versions, the heads that some distributions
 * gave it) through libpcap. A file that is damaged ends where the damage is, and says so in .damage.
 */
#ifndef SHK_CAPTURE_H
#define SHK_CAPTURE_H

#include "dissect/dissect.h"
#include "error.h"
#include "filter.h"

/* The packets of one link type; a file of pcapng may have several. */
struct shk_capture_link {
	int dlt;
	int layer;			/* shk_dissect_link(); -1: not known here */
	struct shk_filter_program filter; /* .len 0: everything passes */
	uint64_t packets;
};

struct shk_capture_reader;

struct shk_capture {
	const char *path;
	const char *filter;		/* the expression, or NULL */
	struct shk_capture_reader *reader;	/* NULL: the file was read to its end */
	struct shk_capture_link *links;
	unsigned int n_links;
	uint64_t packets;		/* read, the next one included */
	uint64_t size;			/* of the file, once .reader is NULL */
	struct shk_packet packet;	/* the next one, already read; unless .reader is NULL */
	unsigned int link;		/* of the next one */
	char damage[1024];		/* empty: the file ended where it should */
};

/*
 * Opens @path and reads the first packet. 0, also for a file that is no capture, which is damage; -EINVAL:
 * @filter is wrong; -errno. @path and @filter stay the caller's. Ends with shk_capture_close().
 */
int shk_capture_open(struct shk_capture *c, const char *path, const char *filter, struct shk_error *err);

/* Reads the next packet, or ends. 0, or as above. */
int shk_capture_next(struct shk_capture *c, struct shk_error *err);

/* Octets of the file that were read, compressed as they are. */
uint64_t shk_capture_position(const struct shk_capture *c);

void shk_capture_close(struct shk_capture *c);

#endif /* SHK_CAPTURE_H */
