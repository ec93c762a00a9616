#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loading, unloading, parameters, and that both are safe while packets fly.
. tests/vm/tap.sh

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

cycles_under_traffic()
{
	local i traffic flowing=yes

	new_netns cycle
	ip netns exec cycle "$load" -n 2000000 >/dev/null 2>&1 &
	traffic=$!
	for ((i = 0; i < 200; i++)); do
		insmod "$SHK_KO" || break
		# Every tenth time with a session, so that the whole path is alive when it ends.
		if [ $((i % 10)) = 0 ]; then
			"$tool" watch --source kmod --count 3 >/dev/null 2>&1 || break
		fi
		rmmod tcpshake || break
	done
	kill "$traffic" || flowing=no
	wait "$traffic" 2>/dev/null
	pkill -x load
	ip netns del cycle
	[ "$i" = 200 ] || { echo "stopped after $i cycles"; return 1; }
	[ "$flowing" = yes ] || { echo "the traffic had ended before the cycles did"; return 1; }
}
ok "200 load and unload cycles under traffic" cycles_under_traffic
ok "nothing is left loaded" sh -c '! grep -q "^tcpshake " /proc/modules'

done_testing
