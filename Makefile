# SPDX-License-Identifier: GPL-2.0
# For people. What the module consists of is in Kbuild.
#
#	V=1		show commands
#	KERNEL=NAME	a line of tests/vm/kernels; default: its first
#	T='FILE...'	with test-unit, test-vm and test-cost: only these tests

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

B := build
Q := $(if $(V),,@)
# $(call say,WHAT): the one line for a command that is not shown.
say = $(if $(V),:,printf '  %-8s %s\n' $(1) $(patsubst $(B)/%,%,$@))

all: kmod bpf userspace ## Build everything (default)

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

deps: ## Install the Debian packages that are missing (root, once)
	$(Q)tests/deps.sh

clean: ## Remove everything that was built (the cache of kernels stays)
	rm -rf $(B)

include kmod/build.mk
include bpf/build.mk
include userspace/build.mk
include tests/build.mk
include tests/kernels.mk

.PHONY: all help deps clean
