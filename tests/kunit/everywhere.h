/* SPDX-License-Identifier: GPL-2.0 */
/* Run something on all CPUs at once. */
#ifndef TEST_EVERYWHERE_H
#define TEST_EVERYWHERE_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/completion.h>
#include <kunit/test.h>

struct everywhere {
	void			(*run)(unsigned int cpu, void *arg);
	void			*arg;
	atomic_t		missing;	/* CPUs that have not arrived yet */
	atomic_t		working;
	struct completion	done;
};

static inline int everywhere_thread(void *arg)
{
	struct everywhere *all = arg;

	/* Start together, or the first is done before the last begins. */
	atomic_dec(&all->missing);
	while (atomic_read(&all->missing))
		cond_resched();
	all->run(raw_smp_processor_id(), all->arg);
	if (atomic_dec_and_test(&all->working))
		complete(&all->done);
	return 0;
}

/* Calls run(cpu, arg) on every CPU, in a thread bound to it, and returns when all are done. */
static inline void everywhere(struct kunit *test, void (*run)(unsigned int cpu, void *arg), void *arg)
{
	struct everywhere all = { .run = run, .arg = arg };
	struct task_struct *thread[NR_CPUS] = {};
	int cpu;

	atomic_set(&all.missing, num_online_cpus());
	atomic_set(&all.working, num_online_cpus());
	init_completion(&all.done);
	for_each_online_cpu(cpu) {
		thread[cpu] = kthread_create_on_cpu(everywhere_thread, &all, cpu, "everywhere/%u");
		KUNIT_ASSERT_FALSE(test, IS_ERR(thread[cpu]));
	}
	for_each_online_cpu(cpu)
		wake_up_process(thread[cpu]);
	wait_for_completion(&all.done);
}

#endif /* TEST_EVERYWHERE_H */
