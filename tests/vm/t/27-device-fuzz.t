#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A hostile user of the device: random calls from three threads and their children, under traffic. SHK_LONG=1: a
# million of them, by another seed every time. SHK_SEED repeats a run.
. tests/vm/tap.sh

operations=15000 seed=${SHK_SEED:-1}
if [ "${SHK_LONG-}" ]; then
	operations=1000000 seed=${SHK_SEED:-$(date +%s)}
fi

load_module
# Not by ip netns exec: that would hide cgroups.
new_netns hostile
adopt nsenter --net=/run/netns/hostile build/tests/device_fuzz -s "$seed" -n "$operations"
ip netns del hostile
ok "no session is left" sh -c '! grep pid /sys/kernel/debug/tcpshake/sessions'
ok "unloads" rmmod tcpshake

done_testing
