# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# TAP for the tests that run inside the VM, and the few things they all need. Sourced by t/*.t:
#
#	. tests/vm/tap.sh
#	ok "what must be true" command...
#	is "what must be equal" "$got" "$wanted"
#	done_testing
#
# Every test starts with no module loaded and leaves none behind; whatever it starts is ended by the trap.

set -u

tap_n=0
tap_failed=0
tap_dir=$(mktemp -d /tmp/shk-test.XXXXXX)
tap_pids=()

# shellcheck disable=SC2034 # for the tests
tool=build/tcpshake load=build/tests/load

tap_cleanup()
{
	local pid

	for pid in "${tap_pids[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	grep -q '^tcpshake ' /proc/modules && rmmod tcpshake
	rm -rf "$tap_dir"
}
trap tap_cleanup EXIT

ok()
{
	local text=$1 output
	shift

	tap_n=$((tap_n + 1))
	if output=$("$@" 2>&1); then
		echo "ok $tap_n - $text"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_n - $text"
	# To the standard error, which prove(1) shows of a test that it otherwise sums up.
	echo "#   failed: $*" >&2
	[ -n "$output" ] && sed 's/^/#   /' <<<"$output" >&2
	return 1
}

# The command must fail, and say the given words.
fails()
{
	local text=$1 words=$2
	shift 2

	ok "$text" fails_saying "$words" "$@"
}

fails_saying()
{
	local words=$1 output
	shift

	if output=$("$@" 2>&1); then
		echo "succeeded: $output"
		return 1
	fi
	grep -qF -- "$words" <<<"$output" && return 0
	echo "did not say '$words' but: $output"
	return 1
}

is()
{
	ok "$1" equal "$2" "$3"
}

equal()
{
	[ "$1" = "$2" ] && return 0
	echo "got    '$1'"
	echo "wanted '$2'"
	return 1
}

# adopt COMMAND...: runs a program that speaks TAP and counts its tests as ours.
adopt()
{
	local line status planned=0 ran=0 name

	name=$(printf '%s\n' "$@" | sed -n 's,^build/tests/,,p')
	while IFS= read -r line; do
		case $line in
		"ok "*)		tap_n=$((tap_n + 1)) ran=$((ran + 1)); echo "ok $tap_n - ${line#* - }" ;;
		"not ok "*)	tap_n=$((tap_n + 1)) ran=$((ran + 1)); echo "not ok $tap_n - ${line#* - }" ;;
		1..*)		planned=${line#1..} ;;
		*)		echo "$line" ;;
		esac
	done < <("$@" 2>&1)
	wait "$!"
	status=$?
	is "$name came to its end and passed" "$planned tests, status $status" "$ran tests, status 0"
}

skip()
{
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

done_testing()
{
	echo "1..$tap_n"
	[ "$tap_failed" = 0 ]
}

# Waits until the command succeeds: at most 30 s of the guest's time, looking every 50 ms.
wait_for()
{
	local i

	for ((i = 0; i < 600; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "# gave up waiting for: $*"
	return 1
}

load_module()
{
	insmod "$SHK_KO" "$@" && wait_for test -c /dev/tcpshake
}

# A namespace of its own for the traffic of a test, with lo up and a wide port range. A small machine has few
# TIME-WAIT buckets, and without one a late FIN is answered by RST: not what these tests are about.
new_netns()
{
	ip netns add "$1"
	ip -n "$1" link set lo up
	ip netns exec "$1" sysctl -qw net.ipv4.ip_local_port_range="10240 65535" net.ipv4.tcp_max_tw_buckets=100000
}

netns_inode()
{
	stat -Lc %i "/run/netns/$1"
}

# start_watch NAME ARGUMENTS...: runs the tool in the background and returns when events flow.
# Its records go to $tap_dir/NAME.out, what it says to $tap_dir/NAME.err, its pid into $watch_pid.
start_watch()
{
	local name=$1
	shift

	"$tool" watch "$@" >"$tap_dir/$name.out" 2>"$tap_dir/$name.err" &
	watch_pid=$!
	tap_pids+=("$watch_pid")
	wait_for grep -q watching "$tap_dir/$name.err"
}

# stop_watch PID: ends it and returns its exit status.
stop_watch()
{
	kill -INT "$1"
	wait "$1"
}

# json FILE FILTER: a value from the records of a run.
json()
{
	jq -r "$2" "$tap_dir/$1.out"
}

proc_counter()
{
	ip netns exec "$1" awk -v name="$2" '$1 == name { print $2 }' /proc/net/tcpshake
}
