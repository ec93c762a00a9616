#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# After everything else: no memory is left that nobody points to.
. tests/vm/tap.sh
. tests/vm/memory.sh

if [ ! -e $leaks ]; then
	skip "no memory is left that nobody points to" "this kernel does not look for leaks: KERNEL=debug does"
	done_testing
	exit
fi

is "no leak after all tests so far" "$(scan_for_leaks)" ""

new_netns leak
for i in 1 2 3; do
	load_module
	start_watch "round$i" --json --netns "$(netns_inode leak)" 'port 7000'
	ip netns exec leak "$load" -n 100 >/dev/null
	stop_watch "$watch_pid"
	ip netns add "leak$i"
	ip netns del "leak$i"
	cat /proc/net/tcpshake /sys/kernel/debug/tcpshake/* >/dev/null
	rmmod tcpshake
done
ip netns del leak
is "no leak after loading, watching and unloading three times" "$(scan_for_leaks)" ""

done_testing
