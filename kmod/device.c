// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "device.h"
#include "session.h"
#include "version.h"

static int shk_device_open(struct inode *inode, struct file *file)
{
	struct shk_session *s;

	/* Rings show traffic of every network namespace: the right over one of them is not enough. */
	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	s = shk_session_open();
	if (IS_ERR(s))
		return PTR_ERR(s);
	file->private_data = s;
	return nonseekable_open(inode, file);
}

static int shk_device_release(struct inode *inode, struct file *file)
{
	shk_session_close(file->private_data);
	return 0;
}

static long shk_device_info(void __user *arg)
{
	struct shk_info info = {
		.abi = SHK_ABI,
		.event_size = sizeof(struct shk_event),
		.nr_cpus = nr_cpu_ids,
		.default_slots = shk_ring_default_slots(),
		.min_slots = SHK_RING_SLOTS_MIN,
		.max_slots = SHK_RING_SLOTS_MAX,
		.hooks = SHK_HOOKS_NETFILTER,
		.version = SHK_VERSION,
	};

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long shk_device_setup(struct shk_session *s, const void __user *arg)
{
	struct shk_setup setup;

	if (copy_from_user(&setup, arg, sizeof(setup)))
		return -EFAULT;
	return shk_session_setup(s, &setup);
}

static long shk_device_filter(struct shk_session *s, const void __user *arg)
{
	struct bpf_prog *prog = NULL;
	struct sock_fprog program;
	struct shk_filter filter;
	int err;

	if (copy_from_user(&filter, arg, sizeof(filter)))
		return -EFAULT;
	/* sock_fprog has but 16 bits for the length. */
	if (filter.reserved || filter.len > BPF_MAXINSNS)
		return -EINVAL;
	if (filter.len) {
		program.len = filter.len;
		program.filter = u64_to_user_ptr(filter.insns);
		err = bpf_prog_create_from_user(&prog, &program, NULL, false);
		if (err)
			return err;
	}
	return shk_session_set_filter(s, prog, filter.len);
}

static long shk_device_hooks(struct shk_session *s, const u32 __user *arg)
{
	u32 hooks;

	if (get_user(hooks, arg))
		return -EFAULT;
	return shk_session_set_hooks(s, hooks);
}

static long shk_device_stats(struct shk_session *s, void __user *arg)
{
	struct shk_rings *rings = shk_session_rings(s);
	struct shk_stats stats;
	int err;

	if (copy_from_user(&stats, arg, sizeof(stats)))
		return -EFAULT;
	if (stats.reserved)
		return -EINVAL;
	if (!rings)
		return -ENODATA;
	err = shk_rings_account(rings, &stats);
	if (err)
		return err;
	return copy_to_user(arg, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static long shk_device_conflicts(struct shk_session *s, const void __user *arg)
{
	struct shk_conflicts conflicts;

	if (copy_from_user(&conflicts, arg, sizeof(conflicts)))
		return -EFAULT;
	return shk_session_add_conflicts(s, &conflicts);
}

static long shk_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct shk_session *s = file->private_data;
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case SHK_IOC_INFO:
		return shk_device_info(user);
	case SHK_IOC_SETUP:
		return shk_device_setup(s, user);
	case SHK_IOC_FILTER:
		return shk_device_filter(s, user);
	case SHK_IOC_START:
		return shk_session_start(s);
	case SHK_IOC_STOP:
		return shk_session_stop(s);
	case SHK_IOC_HOOKS:
		return shk_device_hooks(s, user);
	case SHK_IOC_STATS:
		return shk_device_stats(s, user);
	case SHK_IOC_CONFLICTS:
		return shk_device_conflicts(s, user);
	}
	return -ENOTTY;
}

static int shk_device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct shk_rings *rings = shk_session_rings(file->private_data);

	return rings ? shk_rings_mmap(rings, vma) : -ENODATA;
}

/*
 * Ready at once if a ring has reached the watermark or nothing more will come. Otherwise the tick comes
 * within poll_ms and, if there is anything, makes it due.
 */
static __poll_t shk_device_poll(struct file *file, struct poll_table_struct *wait)
{
	struct shk_session *s = file->private_data;
	struct shk_rings *rings = shk_session_rings(s);
	u64 fullest;

	if (!rings)
		return EPOLLERR;
	poll_wait(file, &s->readers, wait);
	fullest = shk_rings_fullest(rings);
	if (fullest >= s->watermark || (fullest && !READ_ONCE(s->is_running)))
		return EPOLLIN | EPOLLRDNORM;
	if (test_and_clear_bit(SHK_SESSION_DUE, &s->flags) && fullest)
		return EPOLLIN | EPOLLRDNORM;
	schedule_delayed_work(&s->tick, msecs_to_jiffies(s->poll_ms));
	return 0;
}

static const struct file_operations shk_device_fops = {
	.owner = THIS_MODULE,
	.open = shk_device_open,
	.release = shk_device_release,
	.unlocked_ioctl = shk_device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = shk_device_mmap,
	.poll = shk_device_poll,
	.llseek = noop_llseek,
};

static struct miscdevice shk_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tcpshake",
	.fops = &shk_device_fops,
	.mode = 0600,
};

int __init shk_device_init(void)
{
	return misc_register(&shk_device);
}

void shk_device_exit(void)
{
	misc_deregister(&shk_device);
}
