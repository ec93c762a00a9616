#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The device's manual (kmod/uapi/tcpshake.h), claim by claim, without the tool between.
. tests/vm/tap.sh

load_module
new_netns device
# They count segments, FINs too: one that a slow machine keeps is not to be sent again.
ip -n device route del local ::1 dev lo table local
for address in 127.0.0.1 ::1; do
	ip -n device route replace local $address dev lo table local rto_min 60s
done
adopt build/tests/device_calls
adopt build/tests/device_conflicts
adopt build/tests/device_maps
adopt ip netns exec device build/tests/device_events
adopt ip netns exec device build/tests/device_loss
adopt ip netns exec device build/tests/device_poll
ip netns del device
ok "no session is left" sh -c '! grep pid /sys/kernel/debug/tcpshake/sessions'
ok "unloads" rmmod tcpshake

done_testing
