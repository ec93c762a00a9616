#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where the sockets do not agree with the wire, the module counts what readers report: /proc beside the summaries.
. tests/vm/tap.sh

# A filter through which no FIN comes: the sockets close by FINs that the wire did not see.
blind='tcp[tcpflags] & tcp-fin == 0'

# reported NAMESPACE: its counters in the order of /proc, "isn 0 bytes 0 open 0 close 0 gap 20 "
reported()
{
	ip netns exec "$1" awk 'sub("^reported_conflict_", "") { printf "%s %s ", $1, $2 }' /proc/net/tcpshake
}

# summed RUN...: what their summaries say, in the same form
summed()
{
	local run

	for run; do
		json "$run" 'select(.type == "summary") | .by_conflict | to_entries[] | "\(.key) \(.value)"'
	done | awk '{ name = tolower($1); if (!(name in sum)) order[n++] = name; sum[name] += $2 }
		END { for (i = 0; i < n; i++) printf "%s %s ", order[i], sum[order[i]] }'
}

gaps()
{
	ip netns exec "$1" awk '$1 == "reported_conflict_gap" { print $2 }' /proc/net/tcpshake
}

is_reported()
{
	[ "$(gaps "$1")" -gt "$2" ]
}

load_module
new_netns one
new_netns two
inode=$(netns_inode one)
none="isn 0 bytes 0 open 0 close 0 gap 0 "

start_watch agreed --json --source kmod --netns "$inode"
ip netns exec one "$load" -n 20 -p 7001 >/dev/null
stop_watch "$watch_pid"
is "a reader for whom the witnesses agree ends well" $? 0
is "and has nothing to report" "$(reported one)$(summed agreed)" "$none$none"

start_watch blind --json --source kmod --netns "$inode" "$blind"
blind_pid=$watch_pid
ip netns exec one "$load" -n 20 -p 7002 >/dev/null
ok "conflicts are in /proc while their reader still runs" wait_for is_reported one 0
stop_watch "$blind_pid"
is "the reader whose FINs are hidden ends well" $? 0
is "at its end /proc counts by kind what the summary counts" "$(reported one)" "$(summed blind)"
is "in the namespace where they were and in no other" "$(reported two)" "$none"
is "the tool shows them" \
	"$(ip netns exec one "$tool" stats --json | jq -r '.. | .reported_conflict_gap? // empty' | head -1)" "$(gaps one)"

# Two readers, one of them of all namespaces: each reports what it found.
start_watch first --json --source kmod --netns "$inode" "$blind"
first_pid=$watch_pid
start_watch all --json --source kmod "port 7003 and $blind"
all_pid=$watch_pid
ip netns exec one "$load" -n 20 -p 7003 >/dev/null
ip netns exec two "$load" -n 20 -p 7003 >/dev/null
stop_watch "$first_pid"
stop_watch "$all_pid"
is "what two readers found is counted for each of them" "$(($(gaps one) + $(gaps two)))" \
	"$(summed blind first all | awk '{ print $NF }')"
ok "and in each namespace" is_reported two 0

ip netns del one
ip netns del two
done_testing
