// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>

#include "debugfs.h"
#include "device.h"
#include "gate_table.h"
#include "netns.h"
#include "ring.h"
#include "segment.h"
#include "uapi/tcpshake.h"
#include "version.h"

static int __init shk_init(void)
{
	int err;

	shk_segment_init();
	err = shk_ring_init();
	if (err)
		return err;
	err = shk_gate_table_init();
	if (err)
		return err;
	/* From here on packets come in and are counted. */
	err = shk_netns_init();
	if (err)
		goto exit_gate_table;
	/* From here on readers may come. */
	err = shk_device_init();
	if (err)
		goto exit_netns;
	shk_debugfs_init();
	pr_info("version %s, ABI %u: counters in %s, events from %s\n", SHK_VERSION, SHK_ABI, SHK_PROC,
		SHK_DEVICE);
	return 0;

exit_netns:
	shk_netns_exit();
exit_gate_table:
	shk_gate_table_exit();
	return err;
}

/* No session is open: each holds a reference to this module. */
static void __exit shk_exit(void)
{
	shk_debugfs_exit();
	shk_device_exit();
	shk_netns_exit();
	shk_gate_table_exit();
	pr_info("unloaded\n");
}

module_init(shk_init);
module_exit(shk_exit);

MODULE_DESCRIPTION("TCP handshake observer");
MODULE_AUTHOR("the tcpshake authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(SHK_VERSION);
