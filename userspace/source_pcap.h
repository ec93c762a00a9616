/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The source "pcap": captures that somebody wrote into files, each a stream of its own, read side by side
 * so that together they are one timeline. What is read becomes events as the module would have made them,
 * through the same gate; times are those of the capture, ns since the epoch.
 *
 * A file that is damaged ends where the damage is. That stops neither the others nor the run: it is told
 * afterwards, by shk_capture.damage.
 */
#ifndef SHK_SOURCE_PCAP_H
#define SHK_SOURCE_PCAP_H

#include "capture.h"
#include "source.h"

/* packets == filtered + unknown_link + the sum of found[]. */
struct shk_capture_totals {
	uint64_t packets;
	uint64_t filtered;
	uint64_t unknown_link;
	uint64_t found[SHK_FOUND_COUNT];
	uint64_t handshake;	/* of found[SHK_FOUND_SEGMENT], those that belong to an opening or a close */
	uint64_t unfinished;	/* of found[SHK_FOUND_FRAGMENT], those whose others never came */
};

/*
 * @paths stay the caller's and must outlive the source; "-" is standard input. Of @config only the filter
 * counts. NULL and *err if a file cannot be opened, or the filter is wrong (-EINVAL).
 */
struct shk_source *shk_source_pcap_open(const char *const *paths, unsigned int n_paths,
					const struct shk_source_config *config, struct shk_error *err);

/* How the file @i fared; complete once drain() has returned -ENODATA. */
const struct shk_capture *shk_source_pcap_capture(const struct shk_source *s, unsigned int i);

void shk_source_pcap_totals(const struct shk_source *s, struct shk_capture_totals *totals);

#endif /* SHK_SOURCE_PCAP_H */
