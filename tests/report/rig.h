/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Judged hosts for the tests of the report, with ISNs as their generators give them and the delay between
 * the kernel's clock and a hook. The judgments are filled in by hand: the report does not judge.
 */
#ifndef REPORT_RIG_H
#define REPORT_RIG_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "../unit/prng.h"
#include "../unit/sample_conn.h"

#define RIG_TUPLES	400U	/* used once each */
#define RIG_USES	60U	/* of each of RIG_OFTEN more */
#define RIG_OFTEN	4U
#define RIG_SAMPLES	(RIG_TUPLES + RIG_OFTEN * RIG_USES)
#define RIG_HOSTS	5U
#define RIG_MARGINS	500U
#define RIG_LINUX_HZ	15625000.0
#define RIG_BEGIN_NS	1700000000000000000LL

struct rig_host {
	struct shk_isn_host host;
	struct shk_isn_sample kept[RIG_SAMPLES], recent[SHK_ISN_RECENT_MAX];
	uint32_t offset[RIG_SAMPLES];
};

struct rig {
	struct rig_host of[RIG_HOSTS];
	uint32_t n_hosts;
	struct shk_isn_risk risks[30];
	int32_t margins[RIG_MARGINS];
	struct shk_counterfactual counterfactual;
	struct shk_isn_totals totals;
	struct shk_header header;
	struct shk_report report;
	struct prng random;
};

static inline uint32_t rig_random(struct rig *rig)
{
	return prng_next(&rig->random) >> 32;
}

static inline uint32_t rig_clock(int64_t real_ns, double rate_hz)
{
	return (uint32_t)(uint64_t)fmod((real_ns - RIG_BEGIN_NS) / 1e9 * rate_hz, 4294967296.0);
}

/* The ISN of the @number-th connection of the host, a tuple of secret @secret. */
static inline uint32_t rig_isn(struct rig *rig, enum shk_isn_verdict generator, uint32_t number,
			       int64_t read_ns, uint32_t secret)
{
	switch (generator) {
	case SHK_ISN_RFC6528:
		return secret + rig_clock(read_ns, RIG_LINUX_HZ);
	case SHK_ISN_GLOBAL_CLOCK:
		return 12345 + rig_clock(read_ns, 250000);
	case SHK_ISN_COUNTER_CLOCK:
		return number * 64000 + rig_clock(read_ns, 128000);
	case SHK_ISN_RANDOM:
		return rig_random(rig);
	default:
		return 7;
	}
}

static inline int rig_by_time(const void *a, const void *b)
{
	const struct shk_isn_sample *x = a, *y = b;

	return x->real_ns < y->real_ns ? -1 : x->real_ns > y->real_ns;
}

/* Uses are spread over 40 s; a hook sees a segment 1 to 4 us after the clock was read, now and then later. */
static inline void rig_fill_samples(struct rig *rig, struct rig_host *h, enum shk_isn_verdict generator)
{
	uint32_t n = 0, uses, number;

	for (uint32_t tuple = 0; tuple < RIG_TUPLES + RIG_OFTEN; tuple++) {
		uint32_t secret = rig_random(rig);

		uses = tuple < RIG_OFTEN ? RIG_USES : 1;
		for (uint32_t use = 0; use < uses; use++, n++) {
			double at_s = uses > 1 ? use * 0.65 + tuple * 0.1
					       : rig_random(rig) / 4294967296.0 * 40;
			int64_t read_ns = RIG_BEGIN_NS + (int64_t)(at_s * 1e9);
			uint32_t late_ns = 1000 + rig_random(rig) % 3000 +
					   (rig_random(rig) % 50 ? 0 : rig_random(rig) % 90000);

			number = (uint32_t)(at_s * RIG_SAMPLES / 40);
			h->kept[n] = (struct shk_isn_sample){
				.real_ns = read_ns + late_ns,
				.tuple = tuple,
				.isn = rig_isn(rig, generator, number, read_ns, secret),
				.own_port = 80,
				.peer_port = 1024 + tuple,
			};
		}
	}
	memcpy(h->recent, h->kept + RIG_SAMPLES - SHK_ISN_RECENT_MAX, sizeof(h->recent));
	qsort(h->recent, SHK_ISN_RECENT_MAX, sizeof(h->recent[0]), rig_by_time);
}

static inline void rig_fill_offsets(struct rig_host *h)
{
	for (uint32_t i = 0; i < RIG_SAMPLES; i++)
		h->offset[i] = h->kept[i].isn - rig_clock(h->kept[i].real_ns, h->host.rate_hz);
	h->host.offset = h->offset;
}

static inline void rig_add_host(struct rig *rig, const char *address, enum shk_isn_verdict verdict,
				double rate_hz)
{
	struct rig_host *h = &rig->of[rig->n_hosts++];
	struct shk_end end;

	sample_end(&end, address, 80);
	h->host = (struct shk_isn_host){
		.netns = 4026531840U,
		.role = rig->n_hosts & 1 ? SHK_SERVER : SHK_CLIENT,
		.verdict = verdict,
		.samples = RIG_SAMPLES,
		.judged = RIG_SAMPLES,
		.tuples = RIG_TUPLES + RIG_OFTEN,
		.reused = RIG_OFTEN,
		.rate_hz = rate_hz,
		.rate_measured_hz = rate_hz * 1.000002,
		.residual = 41,
		.residual_ns = 4200,
		.entropy_bits = 15.6,
		.entropy_cap_bits = 16.3,
		.cross = {.n = RIG_TUPLES + RIG_OFTEN, .chi2_known = true, .chi2 = 16.9, .uniform = true},
		.nmap_known = true,
		.nmap = {.gcd = 1, .isr = 262, .sp = 257},
		.recent = h->recent,
		.kept = h->kept,
		.n_recent = SHK_ISN_RECENT_MAX,
		.n_kept = RIG_SAMPLES,
	};
	memcpy(h->host.addr, end.addr, sizeof(h->host.addr));
	rig_fill_samples(rig, h, verdict);
	if (rate_hz)
		rig_fill_offsets(h);
}

static inline int rig_host(void *arg, uint32_t index, struct shk_isn_host *host)
{
	const struct rig *rig = arg;

	*host = rig->of[index].host;
	return 0;
}

static inline void rig_fill_reuses(struct rig *rig)
{
	rig->totals = (struct shk_isn_totals){
		.connections = 3210,
		.reuses = 549,
		.by_reuse = {[SHK_SAFE_QUIET] = 49, [SHK_SAFE_TS] = 380, [SHK_SAFE_ISN] = 100,
			     [SHK_AT_RISK_DATA] = 20},
		.by_reuse_30s = {[SHK_SAFE_QUIET] = 60, [SHK_SAFE_TS] = 369, [SHK_SAFE_ISN] = 100,
				 [SHK_AT_RISK_DATA] = 20},
		.risks = 1030,
		.margins = 549,
	};
	rig->counterfactual = (struct shk_counterfactual){
		.reuses = 549,
		.quiet = 49,
		.at_risk = {[SHK_G0] = 500, [SHK_G42] = 497, [SHK_G44] = 210, [SHK_G793] = 88, [SHK_GL] = 20,
			    [SHK_GR] = 0.0031},
		.at_risk_ts = {[SHK_G0] = 120, [SHK_G42] = 119, [SHK_G44] = 51, [SHK_G793] = 20,
			       [SHK_GL] = 20},
	};
	for (uint32_t i = 0; i < RIG_MARGINS; i++)
		rig->margins[i] = (i % 25 ? 1 : -1) *
				  (int32_t)exp(rig_random(rig) / 4294967296.0 * 4 + (i % 25 ? 13 : 5));
	for (uint32_t i = 0; i < sizeof(rig->risks) / sizeof(rig->risks[0]); i++) {
		struct shk_isn_risk *risk = &rig->risks[i];
		struct shk_end end;

		sample_end(&end, "2001:db8::1", 40000 + i);
		memcpy(risk->addr[SHK_CLIENT], end.addr, sizeof(end.addr));
		risk->port[SHK_CLIENT] = end.port;
		sample_end(&end, "2001:db8::2", 443);
		memcpy(risk->addr[SHK_SERVER], end.addr, sizeof(end.addr));
		risk->port[SHK_SERVER] = end.port;
		risk->real_ns = RIG_BEGIN_NS + i * 1000000000LL;
		risk->reuse.verdict = SHK_AT_RISK_DATA;
		risk->reuse.gap_ns = 1200000 * (i + 1);
		risk->reuse.margin = -100 - i;
	}
}

/* A host for each of the generators there are, and reuses of all kinds. */
static inline void rig_open(struct rig *rig)
{
	static const char *const sources[] = {"capture <a&b>.pcap", NULL};

	memset(rig, 0, sizeof(*rig));
	rig->random.state = 42;
	rig_add_host(rig, "192.0.2.1", SHK_ISN_RFC6528, RIG_LINUX_HZ);
	rig_add_host(rig, "192.0.2.77", SHK_ISN_CONSTANT, 0);
	rig_add_host(rig, "2001:db8::99", SHK_ISN_GLOBAL_CLOCK, 250000);
	rig_add_host(rig, "198.51.100.3", SHK_ISN_COUNTER_CLOCK, 0);
	rig_add_host(rig, "2001:db8:1111:2222:3333:4444:5555:6666", SHK_ISN_RANDOM, 0);
	rig->of[3].host.step = 64000;
	rig->of[0].host.excluded[SHK_ISN_COOKIE] = 3;
	rig_fill_reuses(rig);
	rig->header = (struct shk_header){
		.version = "0.1.0",
		.host = "web1",
		.kernel = "6.1.0-49-amd64",
		.sources = sources,
	};
	rig->report = (struct shk_report){
		.header = &rig->header,
		.made_ns = RIG_BEGIN_NS,
		.n_hosts = rig->n_hosts,
		.host = rig_host,
		.arg = rig,
		.risks = rig->risks,
		.n_risks = sizeof(rig->risks) / sizeof(rig->risks[0]),
		.margins = rig->margins,
		.n_margins = RIG_MARGINS,
		.counterfactual = &rig->counterfactual,
		.totals = &rig->totals,
	};
}

#endif /* REPORT_RIG_H */
