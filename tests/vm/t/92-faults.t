#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Memory runs short at each place in turn, whatever is asked of the module: each refusal is clean, and the next try works.
. tests/vm/tap.sh
. tests/vm/memory.sh

if [ ! -e /proc/self/fail-nth ]; then
	skip "memory runs short at each place in turn" "this kernel injects no faults: KERNEL=debug does"
	done_testing
	exit
fi

# set_faults NAME VALUE: for all kinds that know the attribute
set_faults()
{
	local kind

	for kind in failslab fail_page_alloc fail_usercopy; do
		[ ! -e "/sys/kernel/debug/$kind/$1" ] || echo "$2" >"/sys/kernel/debug/$kind/$1"
	done
}
set_faults verbose 0
set_faults ignore-gfp-wait N
set_faults ignore-gfp-highmem N
set_faults min-order 0

# Others than the first, so that what was done for some has to be undone; packets fly in one of them meanwhile.
new_netns one
new_netns two
ip netns exec two "$load" -n 100000000 >/dev/null 2>&1 &
traffic=$!
adopt build/tests/device_faults load "$SHK_KO"
ok "packets flew all the time" kill "$traffic"
wait "$traffic" 2>/dev/null
ip netns pids two | xargs -r kill 2>/dev/null
ip netns del one
ip netns del two
[ ! -e "$leaks" ] || is "no memory is left of loads that failed" "$(scan_for_leaks)" ""

load_module
adopt build/tests/device_faults device
ok "no session is left" sh -c '! grep pid /sys/kernel/debug/tcpshake/sessions'

# Of what makes a namespace only the module's part: what it calls, by the addresses on the stack.
if [ -e /sys/kernel/debug/failslab/require-start ]; then
	read -r size start < <(awk '$1 == "tcpshake" { print $2, $6 }' /proc/modules)
	set_faults require-start "$start"
	set_faults require-end "$(printf '0x%x' $((start + size)))"
	adopt build/tests/device_faults netns
	set_faults require-start 0
	set_faults require-end 0xffffffffffffffff
else
	skip "memory runs short while a namespace is made" "this kernel cannot tell our places from its own: KERNEL=debug does"
fi

ok "unloads" rmmod tcpshake

done_testing
