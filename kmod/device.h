/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/tcpshake: its file operations translate system calls into those of session.h and ring.h. */
#ifndef SHK_KMOD_DEVICE_H
#define SHK_KMOD_DEVICE_H

int shk_device_init(void);
void shk_device_exit(void);

#endif /* SHK_KMOD_DEVICE_H */
