#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What may happen to a host while an observer runs: a CPU goes and comes back, the clock is set, the network namespace
# that it watches dies. The disk that is full, the pipe that is broken and the reader that sleeps are tested in
# tests/record/, tests/unit/ and 40-loss.t.
. tests/vm/tap.sh

cpu1=/sys/devices/system/cpu/cpu1/online
load_module

# start_traffic NAMESPACE: connections without end, in a namespace of their own
start_traffic()
{
	new_netns "$1"
	ip netns exec "$1" "$load" -n 1000000 >/dev/null 2>&1 &
	traffic=$!
}

stop_traffic()
{
	kill "$traffic"
	wait "$traffic" 2>/dev/null
	ip netns pids "$1" | xargs -r kill 2>/dev/null
	ip netns del "$1"
}

events()
{
	awk '$1 == "cpu" { n += $8 } END { print n + 0 }' /sys/kernel/debug/tcpshake/sessions
}

# Waits until the reader's session has seen so many events more.
seen_more()
{
	[ "$(events)" -gt "$1" ]
}

await_events()
{
	wait_for seen_more "$(($(events) + $1))"
}

# How many of a run's connections took less than no time or more than a minute.
strange_times()
{
	json "$1" 'select(.type == "connection" and .open.legs_ns.total != null) |
		select(.open.legs_ns.total < 0 or .open.legs_ns.total > 60e9 or .last_ts < .ts) | .id' | wc -l
}

start_traffic hotplug
start_watch hotplug --json --window 500 --netns "$(netns_inode hotplug)"
unplug()
{
	local i

	for ((i = 0; i < 5; i++)); do
		await_events 100 && echo 0 >$cpu1 && await_events 100 && echo 1 >$cpu1 || return 1
	done
	await_events 100
}
ok "a CPU goes and comes five times while events flow" unplug
stop_watch "$watch_pid"
is "the reader's account is right" $? 0
ok "connections were told of" test "$(json hotplug 'select(.type == "connection") | .id' | wc -l)" -gt 100
stop_traffic hotplug

start_traffic clock
start_watch clock --json --window 500 --netns "$(netns_inode clock)"

# told_of_future SECONDS: of one of the last connections, that it opened after that time
told_of_future()
{
	[ "$(tail -n 20 "$tap_dir/clock.out" | jq -Rn --argjson ns "${1}000000000" \
		'[inputs | fromjson? | select(.type == "connection" and .ts > $ns)] | length')" -gt 0 ]
}

step()
{
	local future=$(($(date +%s) + 3000))

	await_events 200 && date -s "+1 hour" && wait_for told_of_future $future && date -s "-2 hours" &&
		await_events 200
	local status=$?

	date -s "+1 hour"
	return "$status"
}
ok "the clock is set an hour ahead, then an hour back, while events flow" step
stop_watch "$watch_pid"
is "the reader's account is right, too" $? 0
is "no connection took a strange time" "$(strange_times clock)" 0
ok "although some opened in the future" test "$(json clock 'select(.type == "connection") | .ts' | sort -n |
	awk 'NR == 1 { first = $1 } END { print ($1 - first > 3000e9) }')" = 1
stop_traffic clock

start_traffic dies
start_watch dies --json --window 500 --netns "$(netns_inode dies)"
ok "events flow" await_events 200
stop_traffic dies
ok "the namespace is gone" test ! -e /run/netns/dies
ok "its reader is not" kill -0 "$watch_pid"
stop_watch "$watch_pid"
is "and its account is right" $? 0
ok "unloads" rmmod tcpshake

done_testing
