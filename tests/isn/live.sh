# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The audit of this kernel's own ISNs. Sourced after tests/vm/tap.sh:
#
#	audit_live SOURCE LATE	module or BPF: kmod, bpf; how late an ISN may be seen, in ns

ns=shk-isn-$$

traffic()
{
	ip netns exec "$ns" tests/isn/traffic.py "$@"
}

start_audit()
{
	"$tool" isn --json --netns "$ns" --source "$source" \
		>"$tap_dir/$1.out" 2>"$tap_dir/$1.err" &
	audit_pid=$!
	tap_pids+=("$audit_pid")
	wait_for grep -q watching "$tap_dir/$1.err"
}

stop_audit()
{
	kill -INT "$audit_pid"
	wait "$audit_pid"
}

# host RUN ROLE FILTER
host()
{
	json "$1" "select(.type == \"isn\" and .role == \"$2\") | $3"
}

# what_if RUN FILTER
what_if()
{
	json "$1" "select(.type == \"isn_what_if\") | $2"
}

# Since 6.10 a listener that takes a tuple out of TIME-WAIT numbers on from its last use; before, by the clock.
passive_steps()
{
	if [ "$(printf '%s\n' 6.10 "$(uname -r)" | sort -V | head -1)" = 6.10 ]; then
		echo "$1"
	else
		echo 0
	fi
}

audit_generator()
{
	local role

	start_audit ordinary
	traffic tuples 400
	traffic again 60
	traffic passive 21
	traffic active 21
	ip netns exec "$ns" sysctl -qw net.ipv4.tcp_syncookies=2
	traffic cookies 20
	ip netns exec "$ns" sysctl -qw net.ipv4.tcp_syncookies=1
	stop_audit
	is "the audit of 522 connections ends well" $? 0
	for role in client server; do
		is "the $role's ISNs are those of RFC 6528" "$(host ordinary $role .verdict)" RFC6528
		is "its clock runs at 15.625 MHz" "$(host ordinary $role .rate_hz)" 15625000
		ok "its ISNs are near the line" test "$(host ordinary $role .residual_ns)" -lt "$late_ns"
		echo "# $role: residual $(host ordinary $role .residual) counts," \
			"$(host ordinary $role .residual_ns) ns;" \
			"measured $(host ordinary $role .rate_measured_hz) Hz;" \
			"at least $(host ordinary $role .entropy_bits_at_least) bits;" \
			"nmap $(host ordinary $role '.nmap | tostring')"
		is "from tuple to tuple they look like chance" \
			"$(host ordinary $role .across_tuples.uniform)" true
		ok "all but a few that were held up are on it" \
			test "$(host ordinary $role .excluded.unknown)" -le 25
	done
	is "SYN cookies are left out" "$(host ordinary server .excluded.cookie)" 20
	is "the client's ISNs out of TIME-WAIT too" "$(host ordinary client .excluded.time_wait)" 20
	is "and the server's, where they are not by the clock" \
		"$(host ordinary server .excluded.time_wait)" "$(passive_steps 20)"
	is "every reuse was found" "$(what_if ordinary .reuses)" 99
	is "none was at risk" "$(json ordinary 'select(.type == "isn_risk") | .id' | wc -l)" 0
}

audit_reuses()
{
	ip netns exec "$ns" sysctl -qw net.ipv4.tcp_timestamps=0
	start_audit reuse
	traffic again 50
	stop_audit
	is "of 50 uses of one tuple 49 are reuses" "$(what_if reuse .reuses)" 49
	is "with ISNs of 0 all were at risk" "$(what_if reuse .at_risk.G0)" 49
	is "as it is none" "$(what_if reuse .at_risk.GL)" 0
	is "thanks to the ISNs" "$(what_if reuse .by_reuse.SAFE_ISN)" 49
}

# 256 MiB in 17.2 s are as fast as the clock: a connection that is faster leaves it behind.
audit_bulk()
{
	local begin=$SECONDS

	start_audit bulk
	traffic again 2 268435456
	stop_audit
	if ((SECONDS - begin > 15)); then
		skip "a reuse after 256 MiB" "this machine needs too long for them"
		return
	fi
	is "a reuse after 256 MiB overlaps with them, and the other end's ISN saves it" \
		"$(what_if bulk .by_reuse.SAFE_BY_PEER_ISN)" 1
	is "it is not at risk" "$(what_if bulk .risks)" 0
	ip netns exec "$ns" sysctl -qw net.ipv4.tcp_timestamps=1
	start_audit bulk
	traffic again 2 268435456
	stop_audit
	is "with timestamps too, or by them if they had the time to advance" \
		"$(what_if bulk '.by_reuse | .SAFE_TS + .SAFE_BY_PEER_ISN')" 1
}

audit_live()
{
	source=$1 late_ns=$2
	new_netns "$ns"
	audit_generator
	audit_reuses
	audit_bulk
	ip netns del "$ns"
}
