#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Several readers, killed readers, readers without privilege.
. tests/vm/tap.sh

load_module
new_netns two
inode=$(netns_inode two)

# Two readers with filters of their own, one stream of traffic for each.
start_watch a --json --netns "$inode" 'port 7001'
a=$watch_pid
start_watch b --json --netns "$inode" 'port 7002'
b=$watch_pid
fails "unloading is refused while sessions are open" "in use" rmmod tcpshake
ok "debugfs shows two sessions" \
	sh -c '[ "$(cat /sys/kernel/debug/tcpshake/sessions | grep -c comm)" -ge 2 ] || { cat /sys/kernel/debug/tcpshake/sessions; false; }'

ip netns exec two "$load" -n 300 -p 7001 >/dev/null
ip netns exec two "$load" -n 200 -p 7002 >/dev/null
stop_watch "$a"
is "the first reader ends well" $? 0
stop_watch "$b"
is "the second reader ends well" $? 0
is "the first saw its 300 connections" "$(json a 'select(.type=="connection") | .server.port' | sort | uniq -c | tr -s ' ')" " 300 7001"
is "the second saw its 200" "$(json b 'select(.type=="connection") | .server.port' | sort | uniq -c | tr -s ' ')" " 200 7002"
is "neither lost anything" "$(json a 'select(.type=="summary") | .lost')$(json b 'select(.type=="summary") | .lost')" 00

# A reader that is killed takes nothing with it.
start_watch killed --json --netns "$inode"
ip netns exec two "$load" -n 100 >/dev/null
kill -9 "$watch_pid"
wait "$watch_pid" 2>/dev/null
ok "a killed reader's session is gone" \
	wait_for sh -c '! grep -q comm /sys/kernel/debug/tcpshake/sessions'
start_watch after --json --netns "$inode"
ip netns exec two "$load" -n 50 >/dev/null
stop_watch "$watch_pid"
is "the next reader sees everything" "$(json after 'select(.type=="connection") | .open.verdict' | grep -c O_3WHS)" 50

fails "no privilege, no device" "CAP_NET_ADMIN" \
	setpriv --reuid 65534 --clear-groups --bounding-set=-all "$tool" watch --count 1

chmod 666 /dev/tcpshake
fails "permissions alone do not help: the capability is asked for" "CAP_NET_ADMIN" \
	setpriv --reuid 65534 --clear-groups --bounding-set=-all "$tool" watch --count 1
chmod 600 /dev/tcpshake

fails "a filter that is no filter is explained" "filter" "$tool" watch --count 1 'port port'
ip netns del two
ok "unloads" rmmod tcpshake
fails "without the module the tool says what to do" "insmod" "$tool" watch --source kmod --count 1

done_testing
