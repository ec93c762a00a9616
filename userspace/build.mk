# SPDX-License-Identifier: GPL-2.0
# The tool, its library for the tests, and programs of the tests. Every flavour of compilation has its own
# folder: build/FLAVOUR/PATH.o comes from PATH.c.

userspace_src := $(wildcard userspace/*.c userspace/*/*.c)
unit_src      := $(wildcard tests/unit/test_*.c)
program_src   := $(wildcard tests/bench/*.c tests/vm/*.c)
fuzz_src      := $(wildcard tests/fuzz/fuzz_*.c)

warnings := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wformat=2
shk_cppflags := -D_GNU_SOURCE -Ikmod -Iuserspace -Ibpf -I$(B)/bpf -isystem $(B)/libbpf/include
shk_cflags   := -std=gnu11 -O2 -g $(warnings)
libs         := $(B)/libbpf/libbpf.a -lelf -lz -lpcap -lmnl -lyajl -ljansson -lnettle -lzstd -lm

# Optimized as a whole when it is linked: a tenth less of the reader's time. What links the library for tests
# need not wait for that, hence the fat objects.
cc_gcc      := gcc -D_FORTIFY_SOURCE=2 -flto=auto -ffat-lto-objects
cc_clang    := clang -D_FORTIFY_SOURCE=2
cc_sanitize := gcc -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
cc_tsan     := gcc -fsanitize=thread
cc_fuzz     := clang -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

# $(call objects,FLAVOUR): the tool's objects but for main
objects = $(patsubst %.c,$(B)/$(1)/%.o,$(filter-out userspace/main.c,$(userspace_src)))

define flavour
$(B)/$(1)/%.o: %.c | deps $(bpf_skeletons)
	@mkdir -p $$(@D)
	$(Q)$$(call say,CC) && $(cc_$(1)) $$(shk_cppflags) $$(CPPFLAGS) $$(shk_cflags) $$(CFLAGS) -MMD -MP -c -o $$@ $$<

$(B)/$(1)/libtcpshake.a: $(call objects,$(1))
	$(Q)$$(call say,AR) && rm -f $$@ && ar rcs $$@ $$^

$(B)/$(1)/tcpshake: $(B)/$(1)/userspace/main.o $(B)/$(1)/libtcpshake.a
	$(Q)$$(call say,LD) && $(cc_$(1)) $$(LDFLAGS) -o $$@ $$^ $$(libs)

$(B)/$(1)/tests/unit/test_%: $(B)/$(1)/tests/unit/test_%.o $(B)/$(1)/libtcpshake.a
	$(Q)$$(call say,LD) && $(cc_$(1)) $$(LDFLAGS) -o $$@ $$^ $$(libs) -lcmocka -lpthread
endef
$(foreach f,gcc clang sanitize tsan fuzz,$(eval $(call flavour,$(f))))

# libFuzzer brings a main of its own.
$(B)/fuzz/fuzz_%: $(B)/fuzz/tests/fuzz/fuzz_%.o $(B)/fuzz/libtcpshake.a
	$(Q)$(call say,LD) && clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(libs)

$(B)/fuzz/seeds: $(B)/fuzz/tests/fuzz/seeds.o $(B)/fuzz/libtcpshake.a
	$(Q)$(call say,LD) && $(cc_fuzz) -fsanitize=address,undefined -o $@ $^ $(libs)

$(B)/tests/floor: program_libs := $(B)/libbpf/libbpf.a -lelf -lz

define test_program
$(B)/tests/$(notdir $(1)): $(B)/gcc/$(1).o
	@mkdir -p $$(@D)
	$(Q)$$(call say,LD) && gcc -fno-lto $$(LDFLAGS) -o $$@ $$^ $$(program_libs)
endef
$(foreach p,$(program_src:.c=),$(eval $(call test_program,$(p))))
# It measures the engine itself.
$(B)/tests/engine_scale: $(B)/gcc/libtcpshake.a

# Those that use the tool's own code.
$(B)/tests/isn_%: $(B)/gcc/tests/isn/%.o $(B)/gcc/libtcpshake.a
	@mkdir -p $(@D)
	$(Q)$(call say,LD) && gcc -fno-lto $(LDFLAGS) -o $@ $^ $(libs)

$(B)/tests/report_page: $(B)/gcc/tests/report/page.o $(B)/gcc/libtcpshake.a
	@mkdir -p $(@D)
	$(Q)$(call say,LD) && gcc -fno-lto $(LDFLAGS) -o $@ $^ $(libs)

isn_programs := $(patsubst tests/isn/%.c,$(B)/tests/isn_%,$(wildcard tests/isn/*.c))

$(B)/tcpshake: $(B)/gcc/tcpshake
	$(Q)ln -sf gcc/tcpshake $@

userspace: $(B)/tcpshake $(B)/clang/tcpshake ## Build the tool: build/tcpshake by gcc, build/clang/tcpshake by clang

# Tests of memory ordering run under the thread sanitizer, all others under those for memory and for
# undefined behaviour.
unit_tsan  := $(patsubst %.c,$(B)/tsan/%,$(filter %_tsan.c,$(unit_src)))
unit_tests := $(patsubst %.c,$(B)/sanitize/%,$(filter-out %_tsan.c,$(unit_src))) $(unit_tsan)
fuzzers    := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(fuzz_src)) $(B)/fuzz/seeds
test_programs := $(patsubst %.c,$(B)/tests/%,$(notdir $(program_src)))

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: userspace
