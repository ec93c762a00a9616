#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# /proc/net/tcpshake beside the kernel's own SNMP counters, for the same traffic in one namespace.
. tests/vm/tap.sh

load_module
new_netns count

snmp()
{
	ip netns exec count nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

ip netns exec count "$load" -n 300 -p 7001 >/dev/null
ip netns exec count "$load" -n 200 -p 7002 -c client >/dev/null
ip netns exec count "$load" -n 100 -p 7003 -c reset >/dev/null
ip netns exec count "$load" -n 100 -p 7004 -6 >/dev/null
for i in 1 2 3 4 5; do
	ip netns exec count nc -z -w 1 127.0.0.1 9 && echo "# port 9 answers?"
done

is "segments_in is TcpInSegs" "$(proc_counter count segments_in)" "$(snmp TcpInSegs)"
is "segments_out is TcpOutSegs and TcpRetransSegs" "$(proc_counter count segments_out)" \
	"$(($(snmp TcpOutSegs) + $(snmp TcpRetransSegs)))"
is "syn_out is TcpActiveOpens" "$(proc_counter count syn_out)" "$(snmp TcpActiveOpens)"
is "synack_out is the connections made" "$(proc_counter count synack_out)" 700
# Two CPUs may each make a socket of the third ACK and of the data behind it; one of the two is thrown away.
ok "and TcpPassiveOpens, but for sockets made twice" test "$(snmp TcpPassiveOpens)" -ge 700
is "rst_out is TcpOutRsts" "$(proc_counter count rst_out)" "$(snmp TcpOutRsts)"
is "705 connections were tried" "$(proc_counter count syn_out)" 705
is "no other namespace counted them" "$(awk '$1 == "syn_out" { print $2 }' /proc/net/tcpshake)" 0
is "the tool shows the same" \
	"$(ip netns exec count "$tool" stats --json | jq -r '.. | .syn_out? // empty' | head -1)" 705

ip netns del count
done_testing
