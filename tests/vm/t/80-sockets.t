#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The second witness on this kernel, where functions can be attached to as well as tracepoints.
. tests/vm/tap.sh

# witness_tests NAME: run them and keep what they say; of those that fail, show it
witness_tests()
{
	"build/sanitize/tests/unit/$1" >"$tap_dir/$1" 2>&1 && return
	grep -v '\[ RUN \|\[ *OK ' "$tap_dir/$1"
	return 1
}
for source in tests/unit/test_source_socket*.c; do
	name=$(basename "$source" .c)
	ok "the socket witness passes $name" witness_tests "$name"
	is "and none of it was skipped" "$(grep -c SKIPPED "$tap_dir/$name")" 0
done

load_module
"$tool" doctor --json >"$tap_dir/doctor.out"
is "doctor finds what it needs" $? 0

# state WAY: what doctor says of an attach point
state()
{
	json doctor ".findings[] | select(.through == \"$1\") | .state"
}
is "the module sees the test's connections" "$(state "the module tcpshake")" works
is "transitions are seen" "$(state "tp_btf inet_sock_set_state")" works
is "accept() is seen by the best way" "$(state "fentry security_sock_graft")" works
is "the others are spare" "$(state "tp_btf sys_exit")" spare
is "SYNs can be seen to be refused" "$(state "fentry tcp_conn_request")" works
is "nothing is silent" "$(json doctor '[.findings[] | select(.state == "silent")] | length')" 0
done_testing
