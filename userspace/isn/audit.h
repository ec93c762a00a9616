/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The audit of initial sequence numbers: connections in, judgments out. Like the engine it does no I/O and
 * reads no clock.
 *
 * Three questions. Which generator chose the ISNs of a host, and can its next one be guessed (RFC 9293
 * 3.4.1)? When a tuple was used again, could an old segment have been taken for a new one (reuse.h)? And how
 * often would it have been, had the ISNs been chosen in another way?
 *
 * A host is an address in one role of one network namespace. Its samples are its ISNs with the time of day
 * at which they left it, as early as a hook saw them: ISNs of RFC 6528 tick with CLOCK_REALTIME. Numbers that
 * are off the clock by design are left out and counted.
 *
 * Memory: hosts_max hosts, the longest silent is given up and counted. Of each, SHK_ISN_RECENT_MAX samples in
 * order of time, and SHK_ISN_KEPT_MAX of whole tuples, chosen by a keyed hash that grows more selective as
 * they become more: so both the order over all tuples and the history of some are kept at any length of run.
 */
#ifndef SHK_ISN_AUDIT_H
#define SHK_ISN_AUDIT_H

#include "engine/conn.h"
#include "isn/nmap.h"
#include "isn/reuse.h"

#define SHK_ISN_HOSTS_MAX_DEFAULT	2048U
#define SHK_ISN_RECENT_MAX		512U
#define SHK_ISN_KEPT_MAX		4096U
#define SHK_ISN_RISKS_MAX		1024U	/* reuses told one by one */
#define SHK_ISN_MARGINS_MAX		4096U

/* Who chose the ISNs: SHK_ISN(code, predictable, words) of generators.def. */
enum shk_isn_verdict {
#define SHK_ISN(name, code, predictable, words) SHK_ISN_##name,
#include "isn/generators.def"
	SHK_ISN_VERDICT_COUNT
};
const char *shk_isn_code(enum shk_isn_verdict verdict);	/* "COUNTER+CLOCK": what JSON says */
const char *shk_isn_words(enum shk_isn_verdict verdict); /* a sentence on what it means */
bool shk_isn_predictable(enum shk_isn_verdict verdict);

/* Why a sample was left out. */
enum shk_isn_excluded {
	SHK_ISN_COOKIE,		/* a SYN cookie (RFC 4987 3.6) */
	SHK_ISN_TIME_WAIT,	/* follows from the earlier use, which was in TIME-WAIT: its end + 65537 */
	SHK_ISN_PROXIED,	/* the socket's ISN is not the one on the wire */
	SHK_ISN_UNKNOWN,	/* off the host's line for no known reason (a repaired socket, a stepped
				 * clock), or the segment that carried it was not seen or not alone */
	SHK_ISN_EXCLUDED_COUNT
};
const char *shk_isn_excluded_name(enum shk_isn_excluded why);	/* "cookie", ... */

/**
 * struct shk_isn_sample - one ISN
 * @real_ns:	time of day at the first hook that saw it, since the epoch
 * @tuple:	keyed hash of the other three of the tuple: equal for the same tuple
 * @isn:	the number
 * @own_port:	the host's port
 * @peer_port:	the other end's
 */
struct shk_isn_sample {
	int64_t		real_ns;
	uint64_t	tuple;
	uint32_t	isn;
	uint16_t	own_port, peer_port;
};

/*
 * Tests of the offsets F (RFC 6528) across tuples, or of the ISNs themselves where there is no clock, one for
 * each tuple. Of use from SHK_ISN_CROSS_MIN tuples.
 */
#define SHK_ISN_CROSS_MIN	16U
#define SHK_ISN_CHI2_MIN	80U
struct shk_isn_cross {
	uint32_t	n;		/* tuples */
	bool		chi2_known;	/* n >= SHK_ISN_CHI2_MIN */
	double		chi2;		/* of the 4 top bits; with 15 degrees of freedom 25.0 is 1 in 20 */
	double		serial_time;	/* correlation of neighbours, ordered by time; by port */
	double		serial_port;
	double		serial_limit;	/* 1.96 / sqrt(n) */
	double		bit_balance;	/* the worst z of all 32 bits */
	uint32_t	collisions;
	double		collisions_expected;
	double		linear_in_port;	/* share of neighbouring ports with one and the same difference */
	bool		uniform;	/* nothing above speaks against it */
};

/**
 * struct shk_isn_host - what is known of one host's ISNs
 * @addr:	as in struct shk_event
 * @netns:	where they were seen
 * @role:	SHK_CLIENT or SHK_SERVER
 * @verdict:	the generator
 * @needed:	for INSUFFICIENT: that many more samples
 * @needs_reuse: these must be of tuples that were used before
 * @samples:	ISNs seen, without those left out
 * @judged:	of these, those the verdict rests on; more were seen than are kept
 * @tuples:	different tuples among @judged; @reused of them more than once
 * @excluded:	left out, by enum shk_isn_excluded
 * @step:	FIXED_INCREMENT and COUNTER+CLOCK: added for each connection
 * @rate_hz:	clocks: counts per second; 0 if there is none
 * @rate_measured_hz: the same, fitted to the samples
 * @residual:	clocks: how far from the line 95 of 100 ISNs are at most, in counts
 * @residual_ns: the same in time
 * @entropy_bits: at least so many bits are unknown to who knows another ISN of the host
 * @entropy_cap_bits: so few samples cannot certify more
 * @cross:	tests across tuples
 * @nmap_known:	there were enough samples apart for nmap's formulas
 * @nmap:	GCD, ISR, SP
 * @recent:	the latest samples in order of time, all tuples
 * @kept:	samples of whole tuples, ordered by tuple, then time
 * @offset:	F of each of @kept, if @rate_hz; else NULL
 */
struct shk_isn_host {
	uint8_t		addr[16];
	uint32_t	netns;
	enum shk_side	role;
	enum shk_isn_verdict verdict;
	uint32_t	needed;
	bool		needs_reuse;
	uint64_t	samples;
	uint32_t	judged, tuples, reused;
	uint64_t	excluded[SHK_ISN_EXCLUDED_COUNT];
	uint32_t	step;
	double		rate_hz, rate_measured_hz;
	uint32_t	residual;
	uint64_t	residual_ns;
	double		entropy_bits, entropy_cap_bits;
	struct shk_isn_cross cross;
	bool		nmap_known;
	struct shk_nmap	nmap;
	const struct shk_isn_sample *recent, *kept;
	uint32_t	n_recent, n_kept;
	const uint32_t	*offset;
};

/* A reuse that was at risk. */
struct shk_isn_risk {
	uint64_t	id;		/* of the later connection */
	uint32_t	netns;
	uint8_t		addr[2][16];	/* its ends, by enum shk_side */
	uint16_t	port[2];
	int64_t		real_ns;	/* its beginning */
	struct shk_tuple_reuse reuse;	/* .earlier is NULL */
};

/* How the ISNs might have been chosen: SHK_WHAT_IF(code, words) of generators.def. */
enum shk_what_if {
#define SHK_WHAT_IF(code, words) SHK_##code,
#include "isn/generators.def"
	SHK_WHAT_IF_COUNT
};
const char *shk_what_if_code(enum shk_what_if g);	/* "G0", ... */
const char *shk_what_if_words(enum shk_what_if g);

/* The same trace with other ISNs. SHK_GR, uniform random, is an expectation; the others are counts. */
struct shk_counterfactual {
	uint64_t	reuses;
	uint64_t	quiet;		/* of these, so late that nothing old can be left */
	double		at_risk[SHK_WHAT_IF_COUNT];	/* had the ISN been alone */
	double		at_risk_ts[SHK_WHAT_IF_COUNT];	/* with the timestamps that were there */
};

struct shk_isn_totals {
	uint64_t	connections;
	uint64_t	hosts_evicted;
	uint64_t	reuses;
	uint64_t	by_reuse[SHK_REUSE_COUNT];
	uint64_t	by_reuse_30s[SHK_REUSE_COUNT];	/* with Linux's idea of the MSL */
	uint64_t	risks;			/* at risk; the first SHK_ISN_RISKS_MAX are kept */
	uint64_t	margins;		/* of reuses; the first SHK_ISN_MARGINS_MAX are kept */
};

struct shk_isn_config {
	uint32_t	hosts_max;	/* 0 means SHK_ISN_HOSTS_MAX_DEFAULT */
	uint64_t	hash_key[2];	/* secret, random in live use */
};

struct shk_isn;

struct shk_isn *shk_isn_new(const struct shk_isn_config *config);	/* NULL: no memory */
void shk_isn_free(struct shk_isn *a);	/* accepts NULL */

/* Every connection once as opened and once as closed, as the pipeline tells them. -ENOMEM: not taken. */
int shk_isn_opened(struct shk_isn *a, const struct shk_conn *conn);
int shk_isn_closed(struct shk_isn *a, const struct shk_conn *conn);

/* Hosts in order of namespace, address and role. What @host points to is valid until the next call. */
uint32_t shk_isn_hosts(struct shk_isn *a);
int shk_isn_judge(struct shk_isn *a, uint32_t index, struct shk_isn_host *host);

const struct shk_isn_risk *shk_isn_risks(const struct shk_isn *a, uint32_t *n);
const int32_t *shk_isn_margins(const struct shk_isn *a, uint32_t *n);
const struct shk_counterfactual *shk_isn_counterfactual(const struct shk_isn *a);
void shk_isn_totals(const struct shk_isn *a, struct shk_isn_totals *totals);

#endif /* SHK_ISN_AUDIT_H */
