#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A flood of SYNs from everywhere to a listener that answers with cookies, as fast as this VM can. The module takes no
# memory, nor does the reader beyond its cap; every event is delivered or counted, and honest connections to
# the same listener are still told of. SHK_LONG=1: for a minute, instead of by count.
. tests/vm/tap.sh

syns=15000 honest=50 rounds=1 cap_kb=65536
modprobe tun
load_module
new_netns flooded
in_flooded=(ip netns exec flooded)
inode=$(netns_inode flooded)
"${in_flooded[@]}" sysctl -qw net.ipv4.tcp_syncookies=2 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
ip -n flooded tuntap add fz0 mode tun vnet_hdr
ip -n flooded addr add 10.9.0.1/24 dev fz0
ip -n flooded link set fz0 up
ip -n flooded route add 10.9.0.0/16 dev fz0

# What the module has allocated, in octets: gate and rings. Its counters are the rest, and have a fixed size.
module_memory()
{
	awk '/\[tcpshake\]/ { n += $2 } END { print n }' /proc/vmallocinfo
}

memory_kb()
{
	awk -v name="$1:" '$1 == name { print $2 }' "/proc/$2/status"
}

# To its end, which the listener brings.
connect_once()
{
	exec {connection}<>/dev/tcp/127.0.0.1/7000 || return 1
	read -r <&"$connection"
	exec {connection}>&-
}

connect_honestly()
{
	local i

	for ((i = 0; i < honest; i++)); do
		connect_once || return 1
	done
}

flooded_by()
{
	[ "$(proc_counter flooded syn_in)" -gt "$1" ]
}

start_watch all --json -o /dev/null --netns "$inode" --flows-max 4096
all=$watch_pid
start_watch honest --json --window 500 --netns "$inode" --no-sockets host 127.0.0.1
only_honest=$watch_pid
memory=$(module_memory)
percpu=$(awk '$1 == "Percpu:" { print $2 }' /proc/meminfo)
before_kb=$(memory_kb VmRSS "$all")

SECONDS=0
"${in_flooded[@]}" build/tests/packet_fuzz -d fz0 -f -n 1000000000 >"$tap_dir/flood" 2>&1 &
flood=$!
tap_pids+=("$flood")
ok "the flood has begun" wait_for flooded_by 1000
export -f connect_honestly connect_once
ok "honest connections succeed meanwhile" "${in_flooded[@]}" env honest=$honest bash -c connect_honestly
ok "it goes on" wait_for flooded_by $syns
while [ "${SHK_LONG-}" ] && [ "$SECONDS" -lt 60 ]; do
	ok "more honest connections succeed" "${in_flooded[@]}" env honest=$honest bash -c connect_honestly
	rounds=$((rounds + 1))
done
is "the module takes no memory while it goes on" "$(module_memory)" "$memory"
kill "$flood"
wait "$flood"
echo "# $(<"$tap_dir/flood"), $SECONDS s"

is "nor afterwards" "$(module_memory)" "$memory"
echo "# per-CPU memory of all the kernel: $percpu kB before, $(awk '$1 == "Percpu:" { print $2 }' /proc/meminfo) kB after"
peak_kb=$(memory_kb VmHWM "$all")
ok "the reader took at most $cap_kb kB: $before_kb kB, at most $peak_kb kB" test $((peak_kb - before_kb)) -lt "$cap_kb"
ok "most were answered by cookies" test "$("${in_flooded[@]}" nstat -asz TcpExtSyncookiesSent |
	awk '$1 ~ /Syncookies/ { print $2 }')" -gt "$syns"
stop_watch "$only_honest"
is "the account of the reader of honest connections is right" $? 0
stop_watch "$all"
is "and that of the reader of all: each event was delivered or counted" $? 0
sed 's/^/# /' "$tap_dir/all.err"
# A SYN into the listener's own TIME-WAIT gets no cookie: of a port that was used before, it may have been one.
is "every honest connection is told of as it was" \
	"$(json honest 'select(.type=="connection") |
			"\(.client.port) \(.open.verdict) \(.close.by) \(.witness.confidence)"' |
		awk 'used[$1]++ { sub("O_TW_RECYCLE_PASSIVE", "O_COOKIE") } { $1 = ""; print }' |
		sort | uniq -c | tr -s ' ')" " $((rounds * honest)) O_COOKIE server certain"

ip netns del flooded
ok "unloads" rmmod tcpshake

done_testing
