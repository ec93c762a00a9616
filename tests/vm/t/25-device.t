#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The device's manual (kmod/uapi/tcpshake.h), claim by claim, without the tool between.
. tests/vm/tap.sh

# adopt COMMAND...: runs a program that speaks TAP and counts its tests as ours.
adopt()
{
	local line status planned=0 ran=0

	while IFS= read -r line; do
		case $line in
		"ok "*)		tap_n=$((tap_n + 1)) ran=$((ran + 1)); echo "ok $tap_n - ${line#* - }" ;;
		"not ok "*)	tap_n=$((tap_n + 1)) ran=$((ran + 1)); echo "not ok $tap_n - ${line#* - }" ;;
		1..*)		planned=${line#1..} ;;
		*)		echo "$line" ;;
		esac
	done < <("$@" 2>&1)
	wait "$!"
	status=$?
	is "$(basename "${*: -1}") came to its end and passed" "$planned tests, status $status" "$ran tests, status 0"
}

load_module
new_netns device
adopt build/tests/device_calls
adopt build/tests/device_maps
adopt ip netns exec device build/tests/device_events
adopt ip netns exec device build/tests/device_loss
adopt ip netns exec device build/tests/device_poll
ip netns del device
ok "no session is left" sh -c '! grep pid /sys/kernel/debug/tcpshake/sessions'
ok "unloads" rmmod tcpshake

done_testing
