// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pcap/pcap.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"

#define SNAPLEN 65535

/* libpcap's instructions are the kernel's under another name. */
_Static_assert(sizeof(struct bpf_insn) == sizeof(struct sock_filter) &&
		       offsetof(struct bpf_insn, k) == offsetof(struct sock_filter, k),
	       "bpf_insn differs from sock_filter");

static int copy_program(const char *expression, const struct bpf_program *bpf,
			struct shk_filter_program *program, struct shk_error *err)
{
	if (bpf->bf_len > BPF_MAXINSNS)
		return shk_error_set(err, -EINVAL,
				     "filter \"%s\": it compiles to %u instructions and the kernel takes %u; "
				     "name networks instead of single hosts",
				     expression, bpf->bf_len, BPF_MAXINSNS);
	program->insns = calloc(bpf->bf_len, sizeof(*program->insns));
	if (!program->insns)
		return shk_error_set(err, -ENOMEM, "filter \"%s\": out of memory", expression);
	memcpy(program->insns, bpf->bf_insns, bpf->bf_len * sizeof(*program->insns));
	program->len = bpf->bf_len;
	return 0;
}

static int compile(int dlt, const char *hint, const char *expression, struct shk_filter_program *program,
		   struct shk_error *err)
{
	struct bpf_program bpf;
	pcap_t *pcap;
	int rc;

	pcap = pcap_open_dead(dlt, SNAPLEN);
	if (!pcap)
		return shk_error_set(err, -ENOMEM, "filter \"%s\": out of memory", expression);
	if (pcap_compile(pcap, &bpf, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		rc = shk_error_set(err, -EINVAL,
				   "filter \"%s\": %s (see pcap-filter(7); packets begin with %s)",
				   expression, pcap_geterr(pcap), hint);
	} else {
		rc = copy_program(expression, &bpf, program, err);
		pcap_freecode(&bpf);
	}
	pcap_close(pcap);
	return rc;
}

int shk_filter_compile(const char *expression, struct shk_filter_program *program, struct shk_error *err)
{
	return compile(DLT_RAW, "their IP header", expression, program, err);
}

int shk_filter_compile_link(int dlt, const char *expression, struct shk_filter_program *program,
			    struct shk_error *err)
{
	const char *name = pcap_datalink_val_to_name(dlt);

	return compile(dlt, name ? name : "an unnamed link type", expression, program, err);
}

void shk_filter_release(struct shk_filter_program *program)
{
	free(program->insns);
	program->insns = NULL;
	program->len = 0;
}

bool shk_filter_passes(const struct shk_filter_program *program, const unsigned char *octets,
		       unsigned int wire_len, unsigned int len)
{
	return bpf_filter((const struct bpf_insn *)program->insns, octets, wire_len, len);
}
