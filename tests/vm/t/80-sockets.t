#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The second witness on this kernel, where functions can be attached to as well as tracepoints.
. tests/vm/tap.sh

witness_tests()
{
	build/sanitize/tests/unit/test_source_socket >"$tap_dir/witness" 2>&1
}
ok "the socket witness passes its tests" witness_tests
is "and none of them was skipped" "$(grep -c SKIPPED "$tap_dir/witness")" 0

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
