/* SPDX-License-Identifier: GPL-2.0 */
/* /sys/kernel/debug/tcpshake/: the module's insides, for people. Free to change. */
#ifndef SHK_DEBUGFS_H
#define SHK_DEBUGFS_H

void shk_debugfs_init(void);
void shk_debugfs_exit(void);

#endif /* SHK_DEBUGFS_H */
