/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions: one for each open file of /dev/tcpshake. The manual of the device is uapi/tcpshake.h.
 *
 * The hooks walk the list of running sessions under RCU and touch nothing else that can change. All
 * that changes a session is done under one mutex; nothing that touches user memory or allocates
 * much happens while it is held.
 */
#ifndef SHK_SESSION_H
#define SHK_SESSION_H

#include <linux/filter.h>
#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "ring.h"
#include "stats.h"

#define SHK_SESSIONS_MAX 16U

/* Bits of shk_session.flags */
#define SHK_SESSION_DUE	0	/* records have waited for poll_ms: the next poll() reports them */

struct shk_session {
	struct list_head	all;		/* in shk_sessions; protected by shk_session_lock */
	struct list_head	running;	/* in shk_running while is_running; RCU */
	bool			is_running;	/* protected by shk_session_lock */
	struct shk_rings __rcu	*rings;		/* set once by SETUP, freed with the session */
	struct bpf_prog __rcu	*filter;
	u32			filter_len;	/* instructions as given; protected by shk_session_lock */
	u32			hooks;		/* SHK_HOOK_BIT()s to deliver */
	u32			netns;		/* the only one to deliver, or 0; set by SETUP, as the next */
	u32			watermark;
	u32			poll_ms;
	unsigned long		flags;
	wait_queue_head_t	readers;	/* in poll() */
	struct delayed_work	tick;		/* looks after them; armed by poll() alone */
	pid_t			pid;		/* who opened it */
	char			comm[TASK_COMM_LEN];
};

/* On while any session runs. */
DECLARE_STATIC_KEY_FALSE(shk_session_key);

/* The hooks that any running session wants. */
extern u32 shk_session_hooks;

static inline bool shk_session_wants(unsigned int hook)
{
	return READ_ONCE(shk_session_hooks) & SHK_HOOK_BIT(hook);
}

void shk_session_deliver(struct shk_event *ev, struct sk_buff *skb, struct shk_counters __percpu *counters);

typedef void shk_session_fn(struct shk_session *s, void *arg);
void shk_session_for_each(shk_session_fn *fn, void *arg);

/* The rings, or NULL before SETUP. They stay as long as the caller's reference to the file. */
static inline struct shk_rings *shk_session_rings(const struct shk_session *s)
{
	return rcu_dereference_check(s->rings, true);
}

/* What device.c asks for. Return 0 or the error that the manual names. */
struct shk_session *shk_session_open(void);
void shk_session_close(struct shk_session *s);
int shk_session_setup(struct shk_session *s, const struct shk_setup *setup);
int shk_session_set_filter(struct shk_session *s, struct bpf_prog *filter, u32 len);
int shk_session_set_hooks(struct shk_session *s, u32 hooks);
int shk_session_start(struct shk_session *s);
int shk_session_stop(struct shk_session *s);
int shk_session_add_conflicts(struct shk_session *s, const struct shk_conflicts *conflicts);

#endif /* SHK_SESSION_H */
