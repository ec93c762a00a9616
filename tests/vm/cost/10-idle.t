#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The price of being loaded: instructions that a data segment pays at one hook. Runs in a VM of one CPU
# whose nanoseconds are instructions (boot.sh --icount).
. tests/vm/tap.sh

rounds=3000
passages=8 # hooks that the two data segments of a round pass

ip link set lo up
bare=$(build/tests/rounds -n $rounds)
load_module
idle=$(build/tests/rounds -n $rounds)
start_watch busy --json
busy=$(build/tests/rounds -n $rounds)
stop_watch "$watch_pid"
is "a session was watching meanwhile, and its account is right" $? 0
rmmod tcpshake
again=$(build/tests/rounds -n $rounds)

per_hook()
{
	awk -v a="$1" -v b="$bare" -v p="$passages" 'BEGIN { printf "%.0f", (a - b) / p }'
}

echo "# instructions for a round: $bare without the module, $idle idle, $busy with a session, $again after unloading"
echo "# for a data segment at one hook: $(per_hook "$idle") idle, $(per_hook "$busy") with a session"
ok "the ruler is steady: within 1 % before and after" \
	awk -v a="$bare" -v b="$again" 'BEGIN { d = (a - b) / a; exit !(d < 0.01 && d > -0.01) }'
ok "idle: under 300 instructions" test "$(per_hook "$idle")" -lt 300
ok "idle costs something at all, so the ruler measures the module" test "$(per_hook "$idle")" -gt 0

done_testing
