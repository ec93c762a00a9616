#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The price of the second witness: instructions that its programs add to a connection, both ends on this host,
# and which of them at which attach point. Runs in a VM of one CPU whose nanoseconds are instructions
# (boot.sh --icount). The reader stands still while connections are made, so that what it does is not counted.
. tests/vm/tap.sh

connections=500
slots=65536 # all that they leave behind fits

# Of all that runs, for one connection.
measure()
{
	"$load" -n $connections | awk '{ printf "%.0f", 1e9 / $6 }'
}

# measure_under NAME ARGUMENTS...: with a reader that has started, and stands still; sets $cost
measure_under()
{
	local name=$1
	shift

	start_watch "$name" --json --source kmod --ring-slots $slots "$@"
	kill -STOP "$watch_pid"
	[ "$name" != named ] || sysctl -qw kernel.bpf_stats_enabled=1
	measure >"$tap_dir/first"
	cost=$(measure)
	[ "$name" != named ] || bpftool prog show --json >"$tap_dir/programs"
	kill -CONT "$watch_pid"
	stop_watch "$watch_pid"
	is "$name: the reader's account is right" $? 0
	is "$name: every event fitted, so each was written" "$(json "$name" 'select(.type == "summary") | .lost')" 0
}

ip link set lo up
sysctl -qw net.ipv4.ip_local_port_range="10240 65535"
measure >"$tap_dir/first"
bare=$(measure)
load_module
measure_under wire --no-sockets
wire=$cost
measure_under both
both=$cost
sockets=$((both - wire))
is "every attach point is in use" \
	"$(json both 'select(.type == "header") | [.missing[].through] | join(", ")')" ""
is "both ends of every connection are told of" \
	"$(json both 'select(.type == "connection" and .client.process.pid and .server.process.pid) | .id' | wc -l)" \
	$((2 * connections))

# The kernel's own account of each program, its reading of the clock included.
measure_under named
rmmod tcpshake
again=$(measure)

echo "# instructions for a connection: $bare alone, $wire with the wire, $both with both witnesses, $again afterwards"
echo "# the socket witness adds $sockets to a connection, at all its attach points:"
jq -r --argjson n $((2 * connections)) '.[] | select(.run_cnt) |
	"#   \(.name): \(.run_time_ns / $n | round), in \(.run_cnt * 10 / $n | round / 10) calls"' "$tap_dir/programs" |
	sort -t: -k2 -rn
ok "the ruler is steady: within 2 % before and after" \
	awk -v a="$bare" -v b="$again" 'BEGIN { d = (a - b) / a; exit !(d < 0.02 && d > -0.02) }'
ok "the socket witness: under 15000 instructions for a connection" test "$sockets" -lt 15000
ok "and it costs something at all, so the ruler measures it" test "$sockets" -gt 0

done_testing
