#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 20,000 real connections, each compared with what tcpdump saw beside us.
. tests/vm/tap.sh

connections=20000

load_module
new_netns many
inode=$(netns_inode many)

# SYN and SYN+ACK only, each once, so that tcpdump keeps up; it ends by itself when it has them all.
ip netns exec many tcpdump -Q in -c $((2 * connections)) -n -i lo -B 65536 -s 96 -w "$tap_dir/syn.pcap" \
	'tcp[tcpflags] & tcp-syn != 0' 2>"$tap_dir/tcpdump.err" &
tcpdump=$!
tap_pids+=("$tcpdump")
wait_for grep -q "listening on" "$tap_dir/tcpdump.err"

# An emulated CPU may stand still for long while the host is busy: the wide window waits for its events.
start_watch many --json --window 500 --netns "$inode"
ip netns exec many "$load" -n "$connections" | sed 's/^/# /'
stop_watch "$watch_pid"
is "the reader's account is right" $? 0
wait_for sh -c "! kill -0 $tcpdump"
sed 's/^/# tcpdump: /' "$tap_dir/tcpdump.err"
sed 's/^/# tcpshake: /' "$tap_dir/many.err"

# One pass of jq: it is slow here. Fields as named below.
json many 'select(.type=="connection") | [.client.ip, .client.port, .server.ip, .server.port, .client.isn,
	.server.isn, .local, .open.verdict, .open.checks.synack_acks_syn, .open.checks.ack_acks_synack,
	.close.verdict, .close.by, .client.bytes, .server.bytes, .witness.confidence] | @tsv' >"$tap_dir/records"

# The values of some fields and how often each occurs.
tally()
{
	cut -f "$1" "$tap_dir/records" | sort | uniq -c | awk '{ $1 = $1; print }'
}

is "one record for each connection, though both ends are here" "$(tally 7)" "$connections both"
is "all opened by a three-way handshake, and its numbers fit" \
	"$(tally 8-10 | grep -vE ' O_(3WHS|TW_RECYCLE_PASSIVE) true true$')" ""
reused=$((connections - $(cut -f 1-4 "$tap_dir/records" | sort -u | wc -l)))
recycled=$(cut -f 8 "$tap_dir/records" | grep -c RECYCLE)
ok "only tuples that came up again are out of TIME-WAIT: $recycled, of $reused" [ "$recycled" -le "$reused" ]
is "all closed in three or four segments, by the server" \
	"$(tally 11,12 | grep -vE ' C_[34]SEG server$')" ""
is "64 octets each way" "$(tally 13,14)" "$connections 64 64"
# What a kernel before 6.10 makes of a TIME-WAIT does not show in its ISN.
is "no doubt about any of them" \
	"$(tally 8,15 | grep -vE ' (O_3WHS certain|O_TW_RECYCLE_PASSIVE (certain|inferred))$')" ""
is "nothing lost" "$(tail -1 "$tap_dir/many.out" | jq .lost)" 0

# A tuple may come up again: a SYN+ACK belongs to the SYN that it acknowledges.
cut -f 1-6 "$tap_dir/records" | tr '\t' ' ' | sort >"$tap_dir/ours"
tcpdump -n -S -tt -r "$tap_dir/syn.pcap" 2>/dev/null | awk '
	function place(s) { sub(/:$/, "", s); match(s, /\.[0-9]+$/); return substr(s, 1, RSTART - 1) " " substr(s, RSTART + 1) }
	function value(name, i) { for (i = 6; i < NF; i++) if ($i == name) return sprintf("%.0f", $(i + 1)) }
	$7 ~ /\./ { synack[place($5) " " place($3) " " sprintf("%.0f", (value("ack") + 4294967295) % 4294967296)] = value("seq"); next }
	{ syn[place($3) " " place($5) " " value("seq")] = 1 }
	END { for (k in syn) print k, synack[k] }' | sort >"$tap_dir/theirs"
is "tcpdump saw them all" "$(wc -l <"$tap_dir/theirs")" "$connections"
ok "every ISN, both directions, is what tcpdump saw" cmp "$tap_dir/ours" "$tap_dir/theirs"

ip netns del many
done_testing
