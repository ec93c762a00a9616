#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Namespaces come and go, with traffic in them and a reader attached.
# SHK_LONG=1: ten thousand more, and the kernel's memory must be as before.
. tests/vm/tap.sh
. tests/vm/memory.sh

load_module
start_watch storm --json

# Three at a time, each with connections of its own, some destroyed while those still run.
storm()
{
	local i

	for ((i = 0; i < 100; i++)); do
		ip netns add "storm$i" || return 1
		ip -n "storm$i" link set lo up
		if [ $((i % 4)) = 0 ]; then
			ip netns exec "storm$i" "$load" -n 20 >/dev/null || return 1
		elif [ $((i % 4)) = 1 ]; then
			ip netns exec "storm$i" timeout 5 "$load" -n 200 >/dev/null 2>&1 &
		fi
		[ "$i" -ge 3 ] && ip netns del "storm$((i - 3))"
	done
	for ((i = 97; i < 100; i++)); do
		ip netns del "storm$i"
	done
	wait_for sh -c '! pgrep -x load'
}
ok "100 namespaces created and destroyed under traffic" storm
ok "the reader is still there" kill -0 "$watch_pid"
stop_watch "$watch_pid"
is "and its account is right" $? 0
# Numbers of namespaces are used again, so connections are counted, those of the 25 that came to their end.
ok "it saw the 500 connections that were waited for" \
	test "$(json storm 'select(.type=="connection" and .close.verdict!="C_NONE") | .id' | wc -l)" -ge 500

# One after the other, with a connection in each, as fast as they go but never many that wait to be destroyed.
many_namespaces()
{
	start_watch many --json 'port 1'	# takes part, and keeps nothing
	sysctl -qw user.max_net_namespaces=40
	is "200 namespaces with a connection each" "$(build/tests/netns_storm 200)" 200
	memory_note
	is "10000 more" "$(build/tests/netns_storm 10000)" 10000
	memory_is_as_noted 10000
	stop_watch "$watch_pid"
	is "that reader's account is right" $? 0
}
[ -z "${SHK_LONG-}" ] || many_namespaces
ok "unloads" rmmod tcpshake
[ -z "${SHK_LONG-}" ] || [ ! -e "$leaks" ] ||
	is "no memory is left that nobody points to" "$(scan_for_leaks)" ""

done_testing
