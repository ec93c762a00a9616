// SPDX-License-Identifier: GPL-2.0
#include "linktype.h"

#include <pcap/dlt.h>

int shk_dlt_of_linktype(uint16_t linktype)
{
	switch (linktype) {
	case 100:
		return DLT_ATM_RFC1483;
	case 101:
		return DLT_RAW;
	case 106:
		return DLT_ATM_CLIP;
	}
	return linktype;
}

int shk_dlt_of_snoop(uint32_t type)
{
	switch (type) {
	case 0: /* IEEE 802.3 */
	case 4: /* Ethernet */
		return DLT_EN10MB;
	case 2:
		return DLT_IEEE802;
	case 8:
		return DLT_FDDI;
	case 18:
		return DLT_SUNATM;
	case 26:
		return DLT_IPOIB;
	}
	return -1;
}
