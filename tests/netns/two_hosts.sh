# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Two hosts on one cable, each a network namespace. Sourced.
#
#	   shk-client                                shk-server
#	┌────────────────┐          veth          ┌────────────────┐
#	│  10.77.0.1/24  │────────────────────────│  10.77.0.2/24  │
#	│  fd77::1/64    │                        │  fd77::2/64    │
#	└────────────────┘                        └────────────────┘
#	        │
#	        └── 10.77.0.66, fd77::66: a neighbour that the client knows by its MAC address, so that
#	            segments leave, but no such host is there: nobody ever answers

client_ns=shk-client
server_ns=shk-server
server_ip4=10.77.0.2
server_ip6=fd77::2
silent_ip4=10.77.0.66
silent_ip6=fd77::66

client() {
	ip netns exec "$client_ns" "$@"
}

server() {
	ip netns exec "$server_ns" "$@"
}

two_hosts_up() {
	local ns n=0 silent_mac=02:00:00:00:00:66

	ip netns add "$client_ns"
	ip netns add "$server_ns"
	ip link add veth0 netns "$client_ns" type veth peer name veth0 netns "$server_ns"
	for ns in "$client_ns" "$server_ns"; do
		n=$((n + 1))
		ip -n "$ns" addr add "10.77.0.$n/24" dev veth0
		ip -n "$ns" addr add "fd77::$n/64" dev veth0 nodad
		ip -n "$ns" link set lo up
		ip -n "$ns" link set veth0 up
	done
	ip -n "$client_ns" neigh add "$silent_ip4" lladdr "$silent_mac" dev veth0 nud permanent
	ip -n "$client_ns" neigh add "$silent_ip6" lladdr "$silent_mac" dev veth0 nud permanent
}

# Ends what runs there, then the namespaces themselves.
two_hosts_down() {
	local ns
	for ns in "$client_ns" "$server_ns"; do
		ip netns pids "$ns" 2>/dev/null | xargs -r kill 2>/dev/null
		ip netns del "$ns" 2>/dev/null
	done
	return 0
}
