# SPDX-License-Identifier: GPL-2.0
# The tests. Each kind is a target of its own; all of them speak TAP under prove, whose raw output is kept in
# build/results/KIND for tests/summary.

results = $(CURDIR)/$(B)/results
# $(call prove,KIND,FILES): keep the raw TAP, and whether the whole went well.
fresh_results = rm -rf $(results)/$(1) && mkdir -p $(results)/$(1)
boot = tests/vm/boot.sh $(if $(KERNEL),--kernel $(KERNEL))

test: ## Run every test; the last line counts them
	$(Q)rm -rf $(results)
	+$(Q)for part in check test-unit test-fuzz test-record test-isn test-report test-captures test-native test-scenarios test-vm test-cost; do $(MAKE) --no-print-directory $$part || :; done
	$(Q)tests/summary $(results) check unit fuzz record isn report captures native scenarios vm cost

test-unit: $(unit_tests) ## Run the unit tests, under sanitizers
	$(Q)$(call fresh_results,unit)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/unit CMOCKA_MESSAGE_OUTPUT=TAP TSAN_OPTIONS=halt_on_error=1 \
		prove -e tests/unit/run $(or $(T),$(unit_tests)) && touch $(results)/unit/.passed

test-isn: userspace $(isn_programs) ## Audit hosts whose ISNs are known, print the confusion matrix, and audit this kernel (root)
	$(Q)$(call fresh_results,isn)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/isn prove -e '' $(or $(T),$(isn_programs) tests/isn/live.t) && touch $(results)/isn/.passed

test-report: $(B)/tests/report_page ## Open the report of the audit in a browser: light, dark, on a phone, on paper (installs one)
	$(Q)tests/deps.sh tests/report/packages
	$(Q)$(call fresh_results,report)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/report prove tests/report && touch $(results)/report/.passed

test-fuzz: $(fuzzers) userspace ## Run the fuzzers of the readers and the engine, each for some seconds
	$(Q)$(call fresh_results,fuzz)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/fuzz prove --timer tests/fuzz && touch $(results)/fuzz/.passed

fuzz: $(fuzzers) userspace ## Run the fuzzers for longer: SECONDS each, 600 by default; FUZZ='NAME...': only these
	$(Q)SHK_FUZZ_SECONDS=$(or $(SECONDS),600) SHK_FUZZ='$(FUZZ)' prove -v tests/fuzz

test-record: userspace $(test_programs) ## Record real connections and compare the replay with what was shown (root); export
	$(Q)$(call fresh_results,record)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/record prove --timer $(or $(T),tests/record) && \
		touch $(results)/record/.passed

test-captures: userspace ## Compare what the tool says of captures with an independent answer, where there is one
	$(Q)$(call fresh_results,captures)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/captures prove tests/captures && touch $(results)/captures/.passed

test-native: userspace ## Observe on this very kernel (root): whose connections are these, and is nothing left behind
	$(Q)$(call fresh_results,native)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/native prove -e '' $(or $(T),$(wildcard tests/native/*.t)) && \
		touch $(results)/native/.passed

test-scenarios: userspace ## Play every way to open and close (root), and compare what the tool says; S=NAME: only one
	$(Q)$(call fresh_results,scenarios)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/scenarios prove $(if $(S),-v) tests/scenarios/run $(if $(S),:: $(S)) && \
		touch $(results)/scenarios/.passed

test-vm: kmod userspace $(test_programs) $(filter $(B)/sanitize/tests/unit/test_source_socket%,$(unit_tests)) ## Boot the VM and run the tests of the module and the tool in it
	$(Q)$(call fresh_results,$(vm))
	$(Q)$(boot) --timeout $(VM_TIMEOUT) --log $(B)/vm/$(vm).log --share $(results)/$(vm) --env PERL_TEST_HARNESS_DUMP_TAP=$(results)/$(vm) -- \
		prove --timer $(or $(T),tests/vm/t) && touch $(results)/$(vm)/.passed

test-cost: kmod userspace $(test_programs) ## Measure what the module costs, in a VM that counts instructions
	$(Q)$(call fresh_results,cost)
	$(Q)$(boot) --icount --timeout 900 --share $(results)/cost --env PERL_TEST_HARNESS_DUMP_TAP=$(results)/cost -- \
		prove $(or $(T),tests/vm/cost) && touch $(results)/cost/.passed

check: userspace ## Check the sources: sparse, clang-format, shellcheck, spelling, layers, ABI
	$(Q)$(call fresh_results,check)
	$(Q)PERL_TEST_HARNESS_DUMP_TAP=$(results)/check prove tests/checks && touch $(results)/check/.passed

vm: kmod userspace ## Open a shell in the VM, with the module built and the tool on PATH
	$(Q)$(boot) --interactive --allow-splat -- tests/vm/shell

run: kmod userspace ## Show the main job in the VM: real programs connect, tcpshake reports
	$(Q)$(boot) --timeout 300 -- tests/netns/demo

run-host: userspace ## The same on the running kernel (root), through the module or else through BPF
	+$(Q)$(MAKE) --no-print-directory kmod-host || echo "Going on without the module."
	$(Q)tests/netns/demo

.PHONY: test test-native test-unit test-isn test-report test-captures test-scenarios test-vm test-cost check vm run run-host
