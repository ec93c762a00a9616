#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# This kernel's ISNs, seen by the module.
. tests/vm/tap.sh
. tests/isn/live.sh

load_module
# Its CPUs stand still at times.
audit_live kmod 50000000
done_testing
