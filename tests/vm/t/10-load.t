#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loading, unloading, parameters, and that both are safe while packets fly.
# SHK_LONG=1: a thousand times more, with readers, and the kernel's memory must be as before.
. tests/vm/tap.sh
. tests/vm/memory.sh

ok "modinfo names a licence, a description and every parameter" \
	sh -c "modinfo $SHK_KO | grep -q '^license: *GPL' && modinfo $SHK_KO | grep -q '^description:' &&
	       modinfo $SHK_KO | grep -q 'parm: *gate_buckets:' && modinfo $SHK_KO | grep -q 'parm: *ring_slots:'"

ok "loads" load_module
ok "the device is there, for root alone" sh -c '[ "$(stat -c %a%F /dev/tcpshake)" = "600character special file" ]'
ok "/proc/net/tcpshake is name value lines" \
	sh -c "! grep -vE '^[a-z0-9_]+ [0-9]+\$' /proc/net/tcpshake && grep -q . /proc/net/tcpshake"
ok "debugfs has its directory" test -d /sys/kernel/debug/tcpshake
ok "unloads" rmmod tcpshake
ok "the device is gone" test ! -e /dev/tcpshake
ok "/proc/net/tcpshake is gone" test ! -e /proc/net/tcpshake

for bad in gate_buckets=3 gate_buckets=0 gate_buckets=4000000000 ring_slots=1000 ring_slots=1 ring_slots=1073741824; do
	fails "refuses $bad" "Invalid" insmod "$SHK_KO" "$bad"
done
ok "and says in the log what would be right" sh -c "dmesg | tail -20 | grep -q 'tcpshake: .*power of two'"

# Somebody looks at all that the module shows, again and again.
look_on()
{
	while :; do
		ip netns exec cycle cat /proc/net/tcpshake
		cat /sys/kernel/debug/tcpshake/*
	done >/dev/null 2>&1
}

# Unloads while somebody reads, who holds the module for the moment that a file of debugfs is open.
unload_under_reader()
{
	local reader unloaded=yes

	look_on &
	reader=$!
	wait_for rmmod tcpshake || unloaded=no
	kill "$reader"
	wait "$reader" 2>/dev/null
	[ "$unloaded" = yes ]
}

# cycles_under_traffic NUMBER [EVERY]: every so many times unloads while somebody reads
cycles_under_traffic()
{
	local i traffic flowing=yes

	new_netns cycle
	ip netns exec cycle "$load" -n 100000000 >/dev/null 2>&1 &
	traffic=$!
	for ((i = 0; i < $1; i++)); do
		insmod "$SHK_KO" || break
		# Every tenth time with a session, so that the whole path is alive when it ends.
		if [ $((i % 10)) = 0 ]; then
			"$tool" watch --source kmod --count 3 >/dev/null 2>&1 || break
		fi
		if [ "${2-}" ] && [ $((i % $2)) = 0 ]; then
			unload_under_reader || break
		else
			rmmod tcpshake || break
		fi
	done
	kill "$traffic" || flowing=no
	wait "$traffic" 2>/dev/null
	pkill -x load
	ip netns del cycle
	[ "$i" = "$1" ] || { echo "stopped after $i cycles"; return 1; }
	[ "$flowing" = yes ] || { echo "the traffic had ended before the cycles did"; return 1; }
}
ok "200 load and unload cycles under traffic" cycles_under_traffic 200
if [ "${SHK_LONG-}" ]; then
	memory_note
	ok "1000 more, with a reader every fifth time" cycles_under_traffic 1000 5
	memory_is_as_noted 1000
	[ ! -e "$leaks" ] || is "no memory is left that nobody points to" "$(scan_for_leaks)" ""
fi
ok "nothing is left loaded" sh -c '! grep -q "^tcpshake " /proc/modules'

done_testing
