#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Real connections on loopback in a network namespace, watched and recorded at the same time by several
# observers: what the replay prints is compared, byte for byte, with what the live run printed. Then what a
# recorder leaves that is killed, that finds no room, or whose reader goes away.
. tests/record/tap.sh

load=build/tests/load
ns=shk-record-$$
pids=()

cleanup() {
	local pid
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	ip netns del "$ns" 2>/dev/null
	rm -rf "$tap_dir"
}
trap cleanup EXIT

skip_all() {
	echo "1..0 # SKIP NOTHING WAS RECORDED LIVE: $*"
	exit 0
}

((EUID == 0)) || skip_all "observing takes root"
ip netns add "$ns" || skip_all "no network namespace can be made here"
ip -n "$ns" link set lo up

# observe NAME COMMAND OPTIONS...: runs beside the rest, until end NAME; ready when this returns
declare -A pid_of
observe() {
	local name=$1
	shift
	"$tool" "$@" --netns "$ns" >"$tap_dir/$name.out" 2>"$tap_dir/$name.err" &
	pid_of[$name]=$!
	pids+=("$!")
	wait_for grep -q 'Ctrl-C ends' "$tap_dir/$name.err"
}

end() {
	kill -"${2:-INT}" "${pid_of[$1]}" 2>/dev/null
	wait "${pid_of[$1]}" 2>/dev/null
}

connect() {
	ip netns exec "$ns" "$load" "$@" >"$tap_dir/load.out"
}

read_status() {
	"$tool" read "$@" >"$tap_dir/replay.out" 2>"$tap_dir/replay.err"
	echo $?
}

# same NAME OPTIONS... FILES...: the replay gives what the observer NAME printed, and that is not nothing
same() {
	local name=$1
	shift
	"$tool" read "$@" >"$tap_dir/$name.replay" 2>"$tap_dir/replay.err" || { cat "$tap_dir/replay.err"; return 1; }
	[[ $(wc -l <"$tap_dir/$name.out") -gt 100 ]] || { echo "too little was observed"; return 1; }
	cmp "$tap_dir/$name.out" "$tap_dir/$name.replay" || {
		diff "$tap_dir/$name.out" "$tap_dir/$name.replay" | head -n 6
		return 1
	}
}

connections() {
	jq -r 'select(.type == "connection") | "\(.server.ip) \(.client.port) \(.client.isn) \(.server.isn)"' "$1" | sort
}

# A machine that is busy with something else may lose events, which is told; nothing can then be said of all.
whole() {
	jq -se 'any(.type == "summary" and .lost == 0)' "$1" >/dev/null
}

# ---- What was shown is shown again -------------------------------------------------------------------

observe json watch --json -w "$tap_dir/json.shk" ||
	skip_all "this kernel lets nothing be observed: $(head -n 1 "$tap_dir/json.err")"
observe ladder watch --ladder --ascii -w "$tap_dir/ladder.shk"
observe line watch --color=always -w "$tap_dir/line.shk" --window 5
observe narrow watch --json --no-sockets -w "$tap_dir/narrow.shk" --ring-slots 64 port 7001
observe silent record -w "$tap_dir/silent.shk" --rotate-size 0.02
connect -n 1000 -c server
# How much a ring keeps that is too small is left to chance.
for ((try = 0; try < 50; try++)); do
	connect -n 500 -c client -p 7001
	[[ $(wc -l <"$tap_dir/narrow.out") -le 100 ]] || break
done
connect -n 500 -c reset -p 7002
for name in json ladder line narrow silent; do
	end "$name"
done
ok "JSON" same json --json "$tap_dir/json.shk"
ok "ladders" same ladder --ladder --ascii "$tap_dir/ladder.shk"
ok "lines, with a short window" same line --color=always "$tap_dir/line.shk"
ok "JSON of one witness, with a filter and a ring that is too small" same narrow --json "$tap_dir/narrow.shk"
ok "a pipe" same json --json - <"$tap_dir/json.shk"
connections "$tap_dir/json.out" >"$tap_dir/connections"
if whole "$tap_dir/json.out"; then
	ok "all connections are there" test "$(wc -l <"$tap_dir/connections")" -ge 2000
else
	skip "events were lost, so connections may be missing"
fi
ok "and their processes" grep -q '"comm":"load"' "$tap_dir/json.replay"

series=("$tap_dir"/silent-*.shk)
ok "a recorder without a sink makes a series" test ${#series[@]} -gt 3
is "which is read as one" "$(read_status --json "${series[@]}")" 0
connections "$tap_dir/replay.out" >"$tap_dir/connections.series"
if whole "$tap_dir/json.out" && whole "$tap_dir/replay.out"; then
	ok "and has the same connections" cmp "$tap_dir/connections" "$tap_dir/connections.series"
else
	skip "events were lost, so connections may be missing"
fi
is "each of it can be read by itself" "$(read_status --json "${series[2]}")" 0

# ---- What is left of a recording that did not come to its end ----------------------------------------

is_written() {
	(($(stat -c %s "$1") > 20000))
}

observe killed record -w "$tap_dir/killed.shk"
connect -n 500
wait_for is_written "$tap_dir/killed.shk"
end killed KILL
is "a recorder that was killed leaves what can be read" "$(read_status --json "$tap_dir/killed.shk")" 4
ok "as is said" grep -q 'killed.shk: .*octet.*after .* events' "$tap_dir/replay.err"
# No connection takes 2000 octets.
ok "with its connections" test "$(connections "$tap_dir/replay.out" | wc -l)" -gt 10

full() {
	ulimit -f 32
	exec "$tool" record -w "$tap_dir/full.shk" --netns "$ns" 2>"$tap_dir/full.err"
}
(full) &
pid_of[full]=$!
pids+=("$!")
wait_for grep -q 'Ctrl-C ends' "$tap_dir/full.err"
connect -n 1500
wait "${pid_of[full]}"
is "a disk that is full ends the recording" $? 2
ok "as is said" grep -q 'full.shk: File too large.*can be read' "$tap_dir/full.err"
is "what is there can be read" "$(read_status --json "$tap_dir/full.shk")" 4
ok "up to the last block" grep -q 'without its last block' "$tap_dir/replay.err"

mkfifo "$tap_dir/fifo"
head -c 100 "$tap_dir/fifo" >/dev/null &
"$tool" record -w - --netns "$ns" >"$tap_dir/fifo" 2>"$tap_dir/fifo.err" &
pid_of[fifo]=$!
pids+=("$!")
wait_for grep -q 'Ctrl-C ends' "$tap_dir/fifo.err"
until connect -n 20 && ! kill -0 "${pid_of[fifo]}" 2>/dev/null; do
	((SECONDS < 120)) || break
done
wait "${pid_of[fifo]}"
is "a pipe that nobody reads ends the recording" $? 2
ok "as is said" grep -q 'nobody reads the recording' "$tap_dir/fifo.err"
done_testing
