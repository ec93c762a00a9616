# SPDX-License-Identifier: GPL-2.0
# Tests inside a kernel built for them, and those of the VM on every kernel that tests/vm/kernels names.

kernels := $(shell awk '!/^\#/ && NF { print $$1 }' tests/vm/kernels)
# User-Mode Linux is for the long forms: it has no BPF tracing, which much of the rest asks for.
other_kernels := $(filter-out $(firstword $(kernels)) uml,$(kernels))

# What test-vm runs is kept under this name.
vm = vm$(if $(KERNEL),-$(KERNEL))
VM_TIMEOUT = $(if $(filter debug kcsan,$(KERNEL)),14400,1800)
LONG_TIMEOUT = 36000

# $(call run_goals,GOALS): one after the other, a failure stops none, with the time that each took
run_goals = for goal in $(1); do from=$$(date +%s); $(MAKE) --no-print-directory $$goal || :; \
	printf '%6d s  %s\n' $$(($$(date +%s) - from)) $$goal >>$(results)/times; done; cat $(results)/times

test-kunit: | deps ## Run the KUnit suites of the module, by KUnit's own runner in a kernel built for them
	$(Q)$(call fresh_results,kunit)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/kunit prove -e '' tests/kunit/kunit.t && touch $(results)/kunit/.passed

# The module on another architecture, cross-built.
test-arm64: | deps ## Build the module for arm64 and test its device there, in QEMU
	$(Q)tests/deps.sh tests/arm64/packages
	$(Q)$(call fresh_results,arm64)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/arm64 prove --timer tests/arm64 && touch $(results)/arm64/.passed

test-full: ## Run every test, KUnit's and those of the VM on every kernel; says how long each took
	+$(Q)$(call run_goals,test test-kunit test-arm64 test-tsan test-litmus test-long-on-uml $(addprefix test-vm-on-,$(other_kernels)))
	$(Q)tests/summary $(results) kunit arm64 tsan litmus long-uml $(addprefix vm-,$(other_kernels))

test-vm-on-%:
	+$(Q)$(MAKE) --no-print-directory test-vm KERNEL=$*

# Does it load, does it see 20,000 connections as tcpdump does, can sockets be attached to?
smoke-on-%:
	+$(Q)$(MAKE) --no-print-directory test-vm KERNEL=$* \
		T='tests/vm/t/30-connections.t tests/vm/t/80-sockets.t tests/vm/t/99-dmesg.t'

long = $(subst vm,long,$(vm))
# Hours: tests of the VM that have a longer form than the one that test-vm runs.
long_tests := $(shell grep -l SHK_LONG tests/vm/t/*.t)

test-long: kmod userspace $(test_programs) ## Run the long forms: a million hostile calls, ten million packets, a flood (T=FILE: only one)
	$(Q)$(call fresh_results,$(long))
	$(Q)$(boot) --timeout $(LONG_TIMEOUT) --log $(B)/vm/$(long).log --share $(results)/$(long) --env SHK_LONG=1 \
		--env PERL_TEST_HARNESS_DUMP_TAP=$(results)/$(long) -- prove --timer $(or $(T),$(long_tests)) && \
		touch $(results)/$(long)/.passed

test-long-on-%:
	+$(Q)$(MAKE) --no-print-directory test-long KERNEL=$*

# The ring's memory ordering, for as long as it takes to believe it.
test-tsan: $(unit_tsan) ## Run the tests of memory ordering under the thread sanitizer, ten minutes each
	$(Q)$(call fresh_results,tsan)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/tsan CMOCKA_MESSAGE_OUTPUT=TAP TSAN_OPTIONS=halt_on_error=1 \
		SHK_TEST_SECONDS=$(or $(SECONDS),600) prove --timer -e tests/unit/run $(unit_tsan) && touch $(results)/tsan/.passed

test-litmus: | deps ## Check the ring's barriers in the kernel's memory model, by herd7
	$(Q)$(call fresh_results,litmus)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/litmus prove --timer tests/litmus && touch $(results)/litmus/.passed

.PHONY: test-full test-kunit test-arm64 test-tsan test-litmus test-long
