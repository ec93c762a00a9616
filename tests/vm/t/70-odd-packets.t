#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Truncated, malformed, fragmented and random packets: each is counted by its kind, none does harm.
. tests/vm/tap.sh

modprobe tun
load_module
new_netns odd
inode=$(netns_inode odd)

inject()
{
	ip netns exec odd /usr/bin/python3 tests/vm/inject.py odd0 10.9.0.1 fd00:9::1 "$@" 2>"$tap_dir/inject.err" ||
		sed 's/^/# /' "$tap_dir/inject.err" >&2
}

# The counters that a command raised: "name amount" for each that is named.
raised()
{
	local before after name

	before=$(ip netns exec odd cat /proc/net/tcpshake)
	inject "$@" >/dev/null
	after=$(ip netns exec odd cat /proc/net/tcpshake)
	for name in segments_in syn_in truncated malformed fragments ipv6_unfinished; do
		echo "$name $(($(awk -v n=$name '$1 == n { print $2 }' <<<"$after") -
			$(awk -v n=$name '$1 == n { print $2 }' <<<"$before")))"
	done | awk '$2 { printf "%s%s %s", sep, $1, $2; sep = ", " }'
}

# Without a session only LOCAL_IN counts, so every packet counts once.
is "headers cut after every octet" "$(raised truncated)" "segments_in 22, truncated 22"
is "data offsets below five" "$(raised malformed)" "segments_in 10, malformed 10"
is "options of every shape: all are SYNs" "$(raised options)" "segments_in 14, syn_in 14"
is "two fragments arrive as one segment" "$(raised fragments)" "segments_in 1, syn_in 1"
is "IPv6 extension headers are stepped over, and those that lead nowhere are told apart" \
	"$(raised extensions)" "segments_in 2, syn_in 1, truncated 1, ipv6_unfinished 1"

# With a session the whole path sees them, at every hook.
start_watch odd --json --window 500 --netns "$inode"
for kind in truncated malformed options fragments extensions; do
	inject $kind >/dev/null
done
is "3000 random packets are taken in" "$(inject random 3000)" 3000
ip netns exec odd "$load" -n 20 >/dev/null
stop_watch "$watch_pid"
is "the reader's account is right" $? 0
is "and connections are still seen as they are" \
	"$(json odd 'select(.type=="connection" and .server.port==7000) | "\(.open.verdict) \(.witness.confidence)"' | sort | uniq -c | tr -s ' ')" \
	" 20 O_3WHS certain"
is "a SYN with any options to a closed port was refused" \
	"$(json odd 'select(.type=="connection" and .server.port==9 and .open.verdict=="O_REFUSED") | .id' | wc -l | awk '{ print ($1 >= 14) }')" 1
is "no counter contradicts another: every segment is of one class or odd" \
	"$(ip netns exec odd awk '{ c[$1] = $2 }
		END { n = c["plain_in"] + c["syn_in"] + c["synack_in"] + c["fin_in"] + c["rst_in"]
		      print (c["segments_in"] - n <= c["truncated"] + c["malformed"]) }' /proc/net/tcpshake)" 1

ip netns del odd
done_testing
