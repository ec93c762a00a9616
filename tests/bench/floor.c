// SPDX-License-Identifier: GPL-2.0
/*
 * The floor of every observer that uses BPF: programs that do nothing, at the attach points it uses.
 *
 *	floor KIND TARGET [KIND TARGET...]
 *
 * KIND is tp_btf, fentry or fexit, as "tcpshake doctor" prints it, or netfilter with a hook's number as
 * TARGET, which is linked for IPv4 and IPv6 in the network namespace it is called in. Says "attached N" on
 * standard error when all are in place, and ends by a signal. What this kernel refuses is left out, and said.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* NF_ACCEPT is 1; tracing programs have to return 0, and netfilter programs 0 or 1. */
static int load(enum bpf_prog_type type, struct bpf_prog_load_opts *opts, int result)
{
	const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = result},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(type, "nothing", "GPL", nothing, 2, opts);
}

static int attach_tracing(const char *kind, const char *target)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	enum bpf_prog_type type;
	int fd, id;

	if (libbpf_prog_type_by_name(strcmp(kind, "tp_btf") ? strcmp(kind, "fexit") ? "fentry/" : "fexit/"
							    : "tp_btf/",
				     &type, &opts.expected_attach_type))
		return -EINVAL;
	id = libbpf_find_vmlinux_btf_id(target, opts.expected_attach_type);
	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	fd = load(type, &opts, 0);
	return fd < 0 ? fd : bpf_raw_tracepoint_open(NULL, fd);
}

static int attach_netfilter(int pf, int hook)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	LIBBPF_OPTS(bpf_link_create_opts, link, .netfilter.pf = pf, .netfilter.hooknum = hook,
		    .netfilter.priority = -1000);
	enum bpf_prog_type type;
	int fd;

	if (libbpf_prog_type_by_name("netfilter", &type, &opts.expected_attach_type))
		return -EINVAL;
	fd = load(type, &opts, 1);
	return fd < 0 ? fd : bpf_link_create(fd, 0, opts.expected_attach_type, &link);
}

static int attach(const char *kind, const char *target)
{
	int rc;

	if (strcmp(kind, "netfilter"))
		return attach_tracing(kind, target);
	rc = attach_netfilter(AF_INET, atoi(target));
	return rc < 0 ? rc : attach_netfilter(AF_INET6, atoi(target));
}

int main(int argc, char **argv)
{
	int attached = 0, rc;

	if (argc < 3 || argc % 2 == 0)
		errx(2, "usage: floor KIND TARGET [KIND TARGET...]");
	for (int i = 1; i < argc; i += 2) {
		rc = attach(argv[i], argv[i + 1]);
		if (rc < 0)
			warnx("%s %s: %s", argv[i], argv[i + 1], strerror(-rc));
		else
			attached++;
	}
	fprintf(stderr, "attached %d\n", attached);
	pause();
	return 0;
}
