// SPDX-License-Identifier: GPL-2.0
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "conflicts.h"
#include "gate_table.h"
#include "session.h"

DEFINE_STATIC_KEY_FALSE(shk_session_key);
u32 shk_session_hooks __read_mostly;

static DEFINE_MUTEX(shk_session_lock);
static LIST_HEAD(shk_sessions);
static LIST_HEAD(shk_running);
static unsigned int shk_session_count; /* protected by shk_session_lock */

/*
 * ---- The hook's side: any context, inside rcu_read_lock() -----------------------------------------
 */

/* Preemption is off: that makes the ring ours, see ring_core.h. */
static void shk_session_offer(struct shk_session *s, const struct shk_event *ev, struct sk_buff *skb,
			      struct shk_counters __percpu *counters)
{
	struct shk_cpu_ring *mine = this_cpu_ptr(shk_session_rings(s)->cpu);
	struct bpf_prog *filter = rcu_dereference(s->filter);

	if (filter && !bpf_prog_run_save_cb(filter, skb)) {
		shk_ring_add(&mine->filtered, 1);
		return;
	}
	if (!shk_ring_put(&mine->ring, ev))
		shk_stats_inc(counters, SHK_STAT_events_lost);
}

/**
 * shk_session_deliver - hand an event to every session that wants it
 * @ev:		complete but for .cpu
 * @skb:	the packet, for the sessions' filters: skb->data is its IP header
 * @counters:	of its network namespace
 */
void shk_session_deliver(struct shk_event *ev, struct sk_buff *skb, struct shk_counters __percpu *counters)
{
	struct shk_session *s;

	preempt_disable();
	ev->cpu = smp_processor_id();
	list_for_each_entry_rcu(s, &shk_running, running) {
		if (!(READ_ONCE(s->hooks) & SHK_HOOK_BIT(ev->where)))
			continue;
		if (s->netns && s->netns != ev->netns)
			continue;
		shk_session_offer(s, ev, skb, counters);
	}
	preempt_enable();
}

/*
 * ---- The reader's side: process context -----------------------------------------------------------
 */

static void shk_session_update_hooks(void)
{
	struct shk_session *s;
	u32 hooks = 0;

	lockdep_assert_held(&shk_session_lock);
	list_for_each_entry(s, &shk_running, running)
		hooks |= s->hooks;
	WRITE_ONCE(shk_session_hooks, hooks);
}

/* Looks after readers that sleep, so that no hook ever has to wake them. */
static void shk_session_tick(struct work_struct *work)
{
	struct shk_session *s = container_of(to_delayed_work(work), struct shk_session, tick);

	if (shk_rings_fullest(shk_session_rings(s))) {
		set_bit(SHK_SESSION_DUE, &s->flags);
		wake_up_interruptible_poll(&s->readers, EPOLLIN | EPOLLRDNORM);
	} else if (waitqueue_active(&s->readers)) {
		schedule_delayed_work(&s->tick, msecs_to_jiffies(s->poll_ms));
	}
	/* Who joins @readers later arms the tick again: shk_device_poll() does it in that order. */
}

struct shk_session *shk_session_open(void)
{
	struct shk_session *s;

	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return ERR_PTR(-ENOMEM);
	init_waitqueue_head(&s->readers);
	INIT_DELAYED_WORK(&s->tick, shk_session_tick);
	s->pid = task_tgid_nr(current);
	get_task_comm(s->comm, current);

	mutex_lock(&shk_session_lock);
	if (shk_session_count == SHK_SESSIONS_MAX) {
		mutex_unlock(&shk_session_lock);
		kfree(s);
		return ERR_PTR(-EBUSY);
	}
	shk_session_count++;
	list_add_tail(&s->all, &shk_sessions);
	mutex_unlock(&shk_session_lock);
	return s;
}

static int shk_setup_check(const struct shk_setup *setup)
{
	u32 slots = setup->slots ?: shk_ring_default_slots();

	if (setup->abi != SHK_ABI)
		return -EPROTO;
	if (setup->reserved[0] || setup->reserved[1])
		return -EINVAL;
	if (!is_power_of_2(slots) || slots < SHK_RING_SLOTS_MIN || slots > SHK_RING_SLOTS_MAX)
		return -EINVAL;
	if (setup->hooks & ~SHK_HOOKS_NETFILTER || setup->watermark > slots || setup->poll_ms > 1000)
		return -EINVAL;
	return 0;
}

int shk_session_setup(struct shk_session *s, const struct shk_setup *setup)
{
	u32 slots = setup->slots ?: shk_ring_default_slots();
	struct shk_rings *rings;
	int err;

	err = shk_setup_check(setup);
	if (err)
		return err;
	if (rcu_access_pointer(s->rings))
		return -EBUSY;
	rings = shk_rings_new(slots);
	if (!rings)
		return -ENOMEM;

	mutex_lock(&shk_session_lock);
	if (rcu_access_pointer(s->rings)) {
		mutex_unlock(&shk_session_lock);
		shk_rings_free(rings);
		return -EBUSY;
	}
	s->hooks = setup->hooks ?: SHK_HOOKS_NETFILTER;
	s->netns = setup->netns;
	s->watermark = setup->watermark ?: slots / 4;
	s->poll_ms = setup->poll_ms ?: 10;
	rcu_assign_pointer(s->rings, rings);
	mutex_unlock(&shk_session_lock);
	return 0;
}

/* @filter is ours from now on. NULL and 0 remove the one that is there. */
int shk_session_set_filter(struct shk_session *s, struct bpf_prog *filter, u32 len)
{
	struct bpf_prog *old;

	mutex_lock(&shk_session_lock);
	old = rcu_replace_pointer(s->filter, filter, lockdep_is_held(&shk_session_lock));
	s->filter_len = len;
	mutex_unlock(&shk_session_lock);
	if (old) {
		synchronize_rcu();
		bpf_prog_destroy(old);
	}
	return 0;
}

int shk_session_set_hooks(struct shk_session *s, u32 hooks)
{
	int err = 0;

	if (hooks & ~SHK_HOOKS_NETFILTER)
		return -EINVAL;
	mutex_lock(&shk_session_lock);
	if (rcu_access_pointer(s->rings)) {
		WRITE_ONCE(s->hooks, hooks ?: SHK_HOOKS_NETFILTER);
		shk_session_update_hooks();
	} else {
		err = -ENODATA;
	}
	mutex_unlock(&shk_session_lock);
	return err;
}

/* Caller holds the lock. From the last line on, hooks write into this session's rings. */
static int shk_session_start_locked(struct shk_session *s)
{
	if (!rcu_access_pointer(s->rings))
		return -ENODATA;
	if (s->is_running)
		return -EALREADY;
	/* What the gate still holds from the last session is out of date, and nobody uses it now. */
	if (list_empty(&shk_running))
		shk_gate_table_clear();
	s->is_running = true;
	list_add_tail_rcu(&s->running, &shk_running);
	shk_session_update_hooks();
	static_branch_inc(&shk_session_key);
	return 0;
}

int shk_session_start(struct shk_session *s)
{
	int err;

	mutex_lock(&shk_session_lock);
	err = shk_session_start_locked(s);
	mutex_unlock(&shk_session_lock);
	return err;
}

/*
 * The grace period passes while the lock is held: a session that was put back into the list before
 * would send a hook that stands on it through the list again, and the gate could be cleared under it.
 */
int shk_session_stop(struct shk_session *s)
{
	mutex_lock(&shk_session_lock);
	if (!s->is_running) {
		mutex_unlock(&shk_session_lock);
		return -EALREADY;
	}
	list_del_rcu(&s->running);
	shk_session_update_hooks();
	static_branch_dec(&shk_session_key);
	synchronize_rcu();
	WRITE_ONCE(s->is_running, false);
	mutex_unlock(&shk_session_lock);
	/* What is in the rings now is all there will be. */
	wake_up_interruptible_poll(&s->readers, EPOLLIN | EPOLLRDNORM);
	return 0;
}

/* A reader says of a namespace only what it could have seen of it. */
int shk_session_add_conflicts(struct shk_session *s, const struct shk_conflicts *conflicts)
{
	int err = shk_conflicts_check(conflicts);

	if (err)
		return err;
	if (!shk_session_rings(s))
		return -ENODATA;
	if (s->netns && s->netns != conflicts->netns)
		return -EPERM;
	return shk_conflicts_add(conflicts);
}

/* The file is gone, and with it every mapping, poll() and ioctl(). */
void shk_session_close(struct shk_session *s)
{
	shk_session_stop(s);
	cancel_delayed_work_sync(&s->tick);

	mutex_lock(&shk_session_lock);
	list_del(&s->all);
	shk_session_count--;
	mutex_unlock(&shk_session_lock);

	shk_session_set_filter(s, NULL, 0);
	shk_rings_free(shk_session_rings(s));
	kfree(s);
}

/* Calls @fn for every session, under the lock. */
void shk_session_for_each(shk_session_fn *fn, void *arg)
{
	struct shk_session *s;

	mutex_lock(&shk_session_lock);
	list_for_each_entry(s, &shk_sessions, all)
		fn(s, arg);
	mutex_unlock(&shk_session_lock);
}
