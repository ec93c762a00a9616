#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Namespaces come and go, with traffic in them and a reader attached.
. tests/vm/tap.sh

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
ok "unloads" rmmod tcpshake

done_testing
