# SPDX-License-Identifier: GPL-2.0
# The BPF programs, and the headers by which the tool embeds them.

bpf_src := $(wildcard bpf/*.bpf.c)
bpf_skeletons := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.skel.h,$(bpf_src))
# The BPF target has no folder of its own for the machine's <asm/types.h>.
bpf_cflags = -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Ikmod -Ibpf -I$(B)/libbpf/include \
	-idirafter /usr/include/$(shell uname -m)-linux-gnu

bpf: $(bpf_skeletons) ## Build the BPF programs
	$(Q)tests/checks/abi.sh bpf

$(B)/libbpf/libbpf.a: tests/libbpf.sh | deps
	$(Q)tests/libbpf.sh $(@D) && touch -h $(@D)/*

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(B)/libbpf/libbpf.a
	@mkdir -p $(@D)
	$(Q)$(call say,BPF) && clang $(bpf_cflags) -MMD -MP -c -o $@ $<

$(B)/bpf/%.skel.h: $(B)/bpf/%.bpf.o
	$(Q)$(call say,SKEL) && $(B)/libbpf/bpftool gen skeleton $< name $*_bpf >$@

.PHONY: bpf
