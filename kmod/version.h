/* SPDX-License-Identifier: GPL-2.0 */
/* The one version of the module, the BPF programs and the tool: they are built and shipped together. */
#ifndef SHK_VERSION_H
#define SHK_VERSION_H

#define SHK_VERSION	"0.1.0"

#endif /* SHK_VERSION_H */
