// SPDX-License-Identifier: GPL-2.0
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <generated/utsrelease.h>

#include "debugfs.h"
#include "gate.h"
#include "gate_table.h"
#include "session.h"
#include "stats.h"
#include "version.h"

static struct dentry *shk_debugfs_dir;

static void shk_show_ring(struct seq_file *m, const struct shk_rings *rings, int cpu)
{
	const struct shk_ring *ring = &per_cpu_ptr(rings->cpu, cpu)->ring;
	struct shk_stats stats = {.cpu = cpu};

	if (shk_rings_account(rings, &stats))
		return;
	seq_printf(m, "\tcpu %d head %llu tail %llu", cpu, shk_ring_load(&ring->meta->head),
		   shk_ring_load(&ring->control->tail));
	seq_printf(m, " seen %llu delivered %llu lost %llu filtered %llu notes %llu\n", stats.seen,
		   stats.delivered, stats.lost, stats.filtered, stats.notes);
}

static void shk_show_session(struct shk_session *s, void *arg)
{
	struct shk_rings *rings = shk_session_rings(s);
	struct seq_file *m = arg;
	int cpu;

	seq_printf(m, "pid %d comm %s state %s filter %u", s->pid, s->comm,
		   s->is_running ? "running" : "stopped", s->filter_len);
	if (!rings) {
		seq_puts(m, " slots 0\n");
		return;
	}
	seq_printf(m, " slots %u hooks 0x%x netns %u watermark %u poll_ms %u\n", rings->slots, s->hooks,
		   s->netns, s->watermark, s->poll_ms);
	for_each_possible_cpu(cpu)
		shk_show_ring(m, rings, cpu);
}

static int sessions_show(struct seq_file *m, void *v)
{
	shk_session_for_each(shk_show_session, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sessions);

static int gate_show(struct seq_file *m, void *v)
{
	struct shk_gate_report r;

	shk_gate_table_report(&r);
	seq_printf(m, "buckets %u\n", r.buckets);
	seq_printf(m, "entries %u\n", r.buckets * SHK_GATE_WAYS);
	seq_printf(m, "empty %llu\n", r.empty);
	seq_printf(m, "first %llu\n", r.occupied[SHK_EXPECT_FIRST]);
	seq_printf(m, "answer %llu\n", r.occupied[SHK_EXPECT_ANSWER]);
	seq_printf(m, "ack_of_synack %llu\n", r.occupied[SHK_EXPECT_ACK_OF_SYNACK]);
	seq_printf(m, "ack_of_fin %llu\n", r.occupied[SHK_EXPECT_ACK_OF_FIN]);
	seq_printf(m, "met_somewhere %llu\n", r.met_somewhere);
	seq_printf(m, "inserted %llu\n", r.inserted);
	seq_printf(m, "met %llu\n", r.met);
	seq_printf(m, "displaced %llu\n", r.displaced);
	seq_printf(m, "first_displaced %llu\n", r.first_displaced);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gate);

/* What every line of /proc/net/tcpshake means. */
static int counters_show(struct seq_file *m, void *v)
{
	unsigned int i;

	for (i = 0; i < SHK_STAT_COUNT; i++)
		seq_printf(m, "%s: %s\n", shk_stats_name(i), shk_stats_meaning(i));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int build_show(struct seq_file *m, void *v)
{
	seq_printf(m, "version %s\n", SHK_VERSION);
	seq_printf(m, "abi %u\n", SHK_ABI);
	seq_printf(m, "event_size %zu\n", sizeof(struct shk_event));
	seq_printf(m, "kernel %s\n", UTS_RELEASE);
	seq_printf(m, "ring_slots %u\n", shk_ring_default_slots());
	seq_printf(m, "sessions_max %u\n", SHK_SESSIONS_MAX);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(build);

/* A machine without debugfs does without; nothing depends on it. */
void __init shk_debugfs_init(void)
{
	shk_debugfs_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("sessions", 0400, shk_debugfs_dir, NULL, &sessions_fops);
	debugfs_create_file("gate", 0400, shk_debugfs_dir, NULL, &gate_fops);
	debugfs_create_file("counters", 0400, shk_debugfs_dir, NULL, &counters_fops);
	debugfs_create_file("build", 0400, shk_debugfs_dir, NULL, &build_fops);
}

void shk_debugfs_exit(void)
{
	debugfs_remove_recursive(shk_debugfs_dir);
}
