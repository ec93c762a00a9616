/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the oldest kernel we support, 6.1, and the newest, for which the code is
 * written. Each entry says which version and commit changed it; nothing else looks at the version.
 */
#ifndef SHK_COMPAT_H
#define SHK_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "tcpshake needs Linux 6.1 or newer"
#endif

/* 6.3, bc292ab00f6c ("mm: introduce vma->vm_flags wrapper functions"): the field became read-only. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#include <linux/mm.h>
#define vm_flags_mod(vma, set, clear) \
	((void)((vma)->vm_flags = ((vma)->vm_flags | (set)) & ~(clear)))
#endif

#endif /* SHK_COMPAT_H */
