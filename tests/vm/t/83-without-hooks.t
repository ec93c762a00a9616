#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A live capture and the sockets, no hooks: a firewall drops a SYN+ACK before it comes to an interface.
. tests/vm/tap.sh

new_netns wall
ip netns exec wall nft -f - <<-NFT
	table inet wall {
		chain out { type filter hook output priority 0; tcp sport 7083 drop; }
	}
NFT
ip netns exec wall sysctl -qw net.ipv4.tcp_syn_retries=1 net.ipv4.tcp_synack_retries=1
start_watch wall --json --source pcap --netns "$(netns_inode wall)"
ip netns exec wall "$load" -n 5 -p 7001 >/dev/null
is "connections that the firewall lets through are made" $? 0
fails "one that it does not let through is not" "" ip netns exec wall "$load" -n 1 -p 7083
stop_watch "$watch_pid"
is "the reader ends well" $? 0

of_walled='select(.type == "connection" and .server.port == 7083)'
is "the listener took the SYN" "$(json wall "$of_walled | .open.verdict")" O_EMBRYO_EXPIRED
is "and its answer was dropped here" "$(json wall "$of_walled | .blame.where")" local_firewall
is "which nothing says of the others" \
	"$(json wall 'select(.type == "connection" and .server.port == 7001) | .open.verdict' | sort | uniq -c | tr -s ' ')" \
	" 5 O_3WHS"
is "each with both witnesses" \
	"$(json wall 'select(.type == "connection") | .witness | select(.wire and .socket) | .confidence' | wc -l)" 6
done_testing
