#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A hostile network: handshakes spoiled in every way, through a TUN device and a veth pair, to this host and through
# it. SHK_LONG=1: ten million packets, by another seed every time. SHK_SEED repeats a run.
. tests/vm/tap.sh

packets=6000 seed=${SHK_SEED:-1}
if [ "${SHK_LONG-}" ]; then
	packets=5000000 seed=${SHK_SEED:-$(date +%s)}
fi

modprobe tun
modprobe veth
load_module
new_netns target
new_netns far
in_target=(ip netns exec target)
inode=$(netns_inode target)
"${in_target[@]}" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0

# attach DEVICE: packet_maker.h knows these addresses
attach()
{
	ip -n target addr add 10.9.0.1/24 dev "$1"
	ip -n target addr add fd00:9::1/64 dev "$1" nodad
	ip -n target link set "$1" mtu 9500 up
	ip -n target route add 10.9.0.0/16 dev "$1"
	ip -n target route add fd00:9::/32 dev "$1"
}

# Nobody answers ARP at the far end.
know_neighbours()
{
	local address

	for address in 10.9.{0,1,2}.2 fd00:9:{0,1,2}::2; do
		ip -n target neigh replace "$address" lladdr "$(ip netns exec far cat /sys/class/net/fz1/address)" \
			dev fz1 nud permanent
	done
}

# fuzz TEXT ARGUMENTS...: all but a few are taken by the device.
fuzz()
{
	local text=$1 status
	shift

	SECONDS=0
	"${in_target[@]}" build/tests/packet_fuzz -s "$seed" "$@" >"$tap_dir/fuzz" 2>&1
	status=$?
	echo "# $(<"$tap_dir/fuzz"), $SECONDS s"
	is "$text" "$status $(awk '{ print ($4 > 20 * $6) }' "$tap_dir/fuzz")" "0 1"
}

tcp_in_segments()
{
	"${in_target[@]}" nstat -asz TcpInSegs | awk '$1 == "TcpInSegs" { print $2 }'
}

# What arrived for TCP is the sum of its classes and of what is none.
classes_hold()
{
	"${in_target[@]}" awk '{ c[$1] = $2 } END {
		odd = c["segments_in"] - c["plain_in"] - c["syn_in"] - c["synack_in"] - c["fin_in"] - c["rst_in"]
		exit !(odd >= 0 && odd <= c["truncated"] + c["malformed"]) }' /proc/net/tcpshake
}

# Without a session LOCAL_IN counts alone, and the kernel counts the same packets behind it.
ip -n target tuntap add fz0 mode tun vnet_hdr
attach fz0
fuzz "IPv4 packets from a TUN device are sent" -d fz0 -4 -n $((packets / 2))
is "as many reached the module as reached TCP" "$(proc_counter target segments_in)" "$(tcp_in_segments)"
ok "many did" test "$(proc_counter target segments_in)" -gt $((packets / 10))
ok "each is of one class, or none" classes_hold

start_watch during --json -o /dev/null --netns "$inode"
fuzz "packets from a TUN device are sent under a session" -d fz0 -n "$packets"
ip -n target link del fz0
ip -n target link add fz1 type veth peer name fz1 netns far
ip -n far link set fz1 mtu 9500 up
attach fz1
know_neighbours
fuzz "and from the far end of a veth pair" -d fz1 -p /run/netns/far -n "$packets"
sed 's/^/# /' "$tap_dir/during.err"
stop_watch "$watch_pid"
is "the reader's account is right" $? 0

for counter in truncated malformed fragments ipv6_unfinished segments_forwarded syn_in synack_forwarded fin_in rst_in; do
	ok "some were $counter: $(proc_counter target $counter)" test "$(proc_counter target $counter)" -gt 0
done
ok "each is of one class, or none, still" classes_hold
start_watch after --json --window 500 --netns "$inode"
"${in_target[@]}" "$load" -p 7001 -n 20 >/dev/null
stop_watch "$watch_pid"
is "the next reader's account is right" $? 0
is "and connections are still seen as they are" \
	"$(json after 'select(.type=="connection" and .server.port==7001) | "\(.open.verdict) \(.witness.confidence)"' |
		sort | uniq -c | tr -s ' ')" " 20 O_3WHS certain"

ip netns del target
ip netns del far
ok "unloads" rmmod tcpshake

done_testing
