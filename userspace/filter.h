/* SPDX-License-Identifier: GPL-2.0 */
/* Filter expressions: the language of pcap-filter(7), compiled by libpcap to classic BPF. */
#ifndef SHK_FILTER_H
#define SHK_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>

#include "error.h"

struct shk_filter_program {
	unsigned int len;		/* instructions */
	struct sock_filter *insns;
};

/*
 * Compiles @expression for packets that begin with their IP header. 0; -EINVAL if it is wrong, with
 * libpcap's reason in *err; -ENOMEM. Ends with shk_filter_release().
 */
int shk_filter_compile(const char *expression, struct shk_filter_program *program, struct shk_error *err);

/* Likewise for packets of a capture, whose link type is @dlt (DLT_*, <pcap/dlt.h>). */
int shk_filter_compile_link(int dlt, const char *expression, struct shk_filter_program *program,
			    struct shk_error *err);

/* Runs it here: does a packet of @wire_len octets pass, of which the first @len are at @octets? */
bool shk_filter_passes(const struct shk_filter_program *program, const unsigned char *octets,
		       unsigned int wire_len, unsigned int len);

void shk_filter_release(struct shk_filter_program *program);

#endif /* SHK_FILTER_H */
