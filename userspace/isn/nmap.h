/* SPDX-License-Identifier: GPL-2.0 */
/* What nmap's OS detection says of a host's ISNs, by the formulas of its source (osscan2.cc, makeTSeqFP). */
#ifndef SHK_NMAP_H
#define SHK_NMAP_H

#include <stdbool.h>
#include <stdint.h>

#define SHK_NMAP_SAMPLES_MIN	4U
#define SHK_NMAP_SAMPLES_MAX	6U
#define SHK_NMAP_DELAY_NS	100000000LL	/* nmap sends its probes 100 ms apart */

struct shk_nmap {
	uint32_t gcd;		/* of the differences */
	uint32_t isr;		/* 8 times the binary logarithm of the mean rate per second */
	uint32_t sp;		/* 8 times that of the rates' standard deviation: difficulty to predict */
};

/* @n ISNs at times @ns. False if fewer than four are left without those that are 0. */
bool shk_nmap_compute(const uint32_t *isn, const int64_t *ns, uint32_t n, struct shk_nmap *out);

/* "Good luck!": nmap's words for an SP */
const char *shk_nmap_words(uint32_t sp);

#endif /* SHK_NMAP_H */
