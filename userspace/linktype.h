/* SPDX-License-Identifier: GPL-2.0 */
/* What a capture file calls its link type, and libpcap a DLT: one number but for few. */
#ifndef SHK_LINKTYPE_H
#define SHK_LINKTYPE_H

#include <stdint.h>

int shk_dlt_of_linktype(uint16_t linktype);

/* RFC 1761, and what came later; -1 if there is no DLT for it. */
int shk_dlt_of_snoop(uint32_t type);

#endif /* SHK_LINKTYPE_H */
