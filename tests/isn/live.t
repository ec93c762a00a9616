#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The running kernel's ISNs, seen through BPF.
. tests/vm/tap.sh
. tests/isn/live.sh

# Unlike in the VM, a module that is loaded is not ours.
cleanup()
{
	local pid

	for pid in "${tap_pids[@]}"; do
		kill "$pid" 2>/dev/null
	done
	ip netns del "$ns" 2>/dev/null
	rm -rf "$tap_dir"
}
trap cleanup EXIT

can_watch()
{
	timeout 20 "$tool" isn --source bpf --duration 0.1 -o /dev/null
}

if [ "$(id -u)" != 0 ]; then
	skip "the running kernel's ISNs" "needs root"
elif ! can_watch >"$tap_dir/probe" 2>&1; then
	skip "the running kernel's ISNs" "BPF cannot watch here: $(tail -1 "$tap_dir/probe")"
else
	audit_live bpf 1000000
fi
done_testing
