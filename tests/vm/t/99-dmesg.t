#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# After everything else: the kernel has nothing to complain about.
. tests/vm/tap.sh

splats='BUG:|WARNING:|Oops|general protection|page allocation failure|UBSAN|KASAN|KCSAN|lockdep is turned off|non-static key|suspicious RCU|stack-protector|hung_task|soft lockup|scheduling while atomic|sleeping function|refcount_t|list_(add|del) corruption|Bad page|leaked'

# Data races among the kernel's own functions are not ours; a report names both functions.
ok "no splat in the kernel log" sh -c "! dmesg | grep -E '$splats' | awk '/KCSAN/ && !/shk_/ { next } { print; n++ } END { exit !n }'"
ok "the module spoke when it was loaded" sh -c "dmesg | grep -q 'tcpshake: '"
ok "it taints as an out-of-tree module and nothing more" \
	sh -c '[ $(($(cat /proc/sys/kernel/tainted) & ~(4096 | 8192))) = 0 ]'

done_testing
