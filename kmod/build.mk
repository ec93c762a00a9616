# SPDX-License-Identifier: GPL-2.0
# The module, for the VM's kernel or for the running one.

# Kbuild leaves what it makes beside the sources, so it gets a tree of links to them.
# $(call kbuild,KDIR,RELEASE[,COMMAND THAT FINDS THE COMPILER])
kbuild = mkdir -p $(B)/kmod/$(2) && exec 9>$(B)/kmod/$(2)/.lock && flock 9 && \
	find $(B)/kmod/$(2) -xtype l -delete && cp -rsf $(CURDIR)/Kbuild $(CURDIR)/kmod $(B)/kmod/$(2)/ && \
	$(3) $(MAKE) --no-print-directory -C "$(1)" M=$(CURDIR)/$(B)/kmod/$(2) KCFLAGS=-Werror $(if $(V),V=1) $(sparse) modules

# make kmod SPARSE=1 has sparse look at every file, whether it needs compiling or not.
sparse = $(if $(SPARSE),C=2 CF=-D__CHECK_ENDIAN__)

kmod: | deps ## Build the module for the VM's kernel
	+$(Q)eval "$$(tests/vm/kernel.sh $(KERNEL))" && $(call kbuild,$$KDIR,$$KVER,$$BUILD_IN)

host_kdir := /lib/modules/$(shell uname -r)/build

kmod-host: | deps ## Build the module for the running kernel
	$(Q)if [ ! -e $(host_kdir)/Makefile ]; then \
		echo "No headers for the running kernel $$(uname -r): $(host_kdir) is missing."; \
		echo "On a Debian kernel, as root: apt-get install linux-headers-$$(uname -r)"; \
		exit 1; \
	fi >&2
	+$(Q)$(call kbuild,$(host_kdir),$(shell uname -r))

.PHONY: kmod kmod-host
