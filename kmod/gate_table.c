// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/vmalloc.h>

#include "gate.h"
#include "gate_table.h"

#define SHK_GATE_BUCKETS_MIN 64U
#define SHK_GATE_BUCKETS_MAX (1U << 20)

static unsigned int gate_buckets = 16384;
module_param(gate_buckets, uint, 0444);
MODULE_PARM_DESC(gate_buckets,
		 "size of the gate: buckets of 64 octets with 8 expectations each, a power of two from 64 to "
		 "1048576 (default 16384). About one bucket for each connection that opens or closes within "
		 "one round-trip time");

struct shk_gate_totals {
	u64 inserted;
	u64 met;
	u64 displaced;
	u64 first_displaced;
};

static struct shk_gate_bucket *shk_gate_table __ro_after_init;
static struct shk_hash_key shk_gate_key __ro_after_init;
static DEFINE_PER_CPU(struct shk_gate_totals, shk_gate_totals);

int __init shk_gate_table_init(void)
{
	if (!is_power_of_2(gate_buckets) || gate_buckets < SHK_GATE_BUCKETS_MIN ||
	    gate_buckets > SHK_GATE_BUCKETS_MAX) {
		pr_err("gate_buckets=%u: must be a power of two from %u to %u\n", gate_buckets,
		       SHK_GATE_BUCKETS_MIN, SHK_GATE_BUCKETS_MAX);
		return -EINVAL;
	}
	shk_gate_table = vzalloc(array_size(gate_buckets, sizeof(*shk_gate_table)));
	if (!shk_gate_table)
		return -ENOMEM;
	get_random_bytes(&shk_gate_key, sizeof(shk_gate_key));
	return 0;
}

void shk_gate_table_exit(void)
{
	vfree(shk_gate_table);
}

/* Forgets everything. No hook may be using the gate: no session runs and a grace period has passed. */
void shk_gate_table_clear(void)
{
	memset(shk_gate_table, 0, array_size(gate_buckets, sizeof(*shk_gate_table)));
}

/**
 * shk_gate_table_judge - does this segment belong to a handshake?
 * @ev:		identified; ts_ns is needed for SYN, FIN and RST only. .seg.why is set
 * @counters:	of its network namespace
 *
 * Any context.
 */
bool shk_gate_table_judge(struct shk_event *ev, struct shk_counters __percpu *counters)
{
	struct shk_gate_result result;
	struct shk_tuple tuple;
	u64 hash;

	shk_tuple_from_event(&tuple, ev);
	hash = shk_tuple_hash(&tuple, &shk_gate_key);
	shk_gate_judge(&shk_gate_table[hash & (gate_buckets - 1)], hash, &tuple, &ev->seg, ev->where,
		       ev->ts_ns, &result);
	ev->seg.why = result.why;
	if (!result.why)
		return false;
	if (result.why & ~SHK_WHY_CONTROL)
		this_cpu_inc(shk_gate_totals.met);
	if (result.inserted)
		this_cpu_add(shk_gate_totals.inserted, result.inserted);
	if (unlikely(result.displaced)) {
		this_cpu_add(shk_gate_totals.displaced, result.displaced);
		shk_stats_add(counters, SHK_STAT_gate_displaced, result.displaced);
	}
	if (unlikely(result.first_displaced)) {
		this_cpu_add(shk_gate_totals.first_displaced, result.first_displaced);
		shk_stats_add(counters, SHK_STAT_gate_first_displaced, result.first_displaced);
	}
	return true;
}

/* The table changes under our eyes: the figures are those of no single moment. */
void shk_gate_table_report(struct shk_gate_report *report)
{
	unsigned int i;
	u64 entry;
	int cpu;

	memset(report, 0, sizeof(*report));
	report->buckets = gate_buckets;
	for (i = 0; i < gate_buckets * SHK_GATE_WAYS; i++) {
		entry = shk_gate_load(&shk_gate_table[i / SHK_GATE_WAYS].entry[i % SHK_GATE_WAYS]);
		if (!entry) {
			report->empty++;
			continue;
		}
		report->occupied[shk_gate_kind(entry)]++;
		if (shk_gate_hooks(entry))
			report->met_somewhere++;
	}
	for_each_possible_cpu(cpu) {
		const struct shk_gate_totals *totals = per_cpu_ptr(&shk_gate_totals, cpu);

		report->inserted += READ_ONCE(totals->inserted);
		report->met += READ_ONCE(totals->met);
		report->displaced += READ_ONCE(totals->displaced);
		report->first_displaced += READ_ONCE(totals->first_displaced);
	}
}
