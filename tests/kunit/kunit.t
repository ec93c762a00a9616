#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run the KUnit suites and say of each case, by its name in the sources, how it did. A case that was not run, or a
# suite that is not part of the kernel, fails: its line is missing. All of it again in a kernel with KASAN.

mapfile -t cases < <(grep -hoP '^\tKUNIT_CASE(_PARAM)?\(\K[a-z0-9_]+' tests/kunit/*_test.c)
mapfile -t suites < <(grep -hoP '^\t\.name = "\Ktcpshake_[a-z_]+' tests/kunit/*_test.c)
splats='BUG:|WARNING:|Oops|Call Trace|INFO: (rcu|task|possible)|refcount_t:|Kernel panic'

n=0
# said NAME: the result line of a case (deeper than its suite's) or of a suite
said() {
	n=$((n + 1))
	if grep -qE "^ *ok [0-9]+ -? ?$1( |\$)" "$log"; then
		if grep -qE "^ *ok [0-9]+ -? ?$1 # SKIP" "$log"; then
			echo "ok $n - $1$with # SKIP see $log"
		else
			echo "ok $n - $1$with"
		fi
		return
	fi
	echo "not ok $n - $1$with"
	if grep -qE "^ *not ok [0-9]+ -? ?$1( |\$)" "$log"; then
		grep -B 30 -E "^ *not ok [0-9]+ -? ?$1( |\$)" "$log" | grep '# ' | sed 's/^ */#   /' >&2
	else
		echo "#   it was not run; see $log" >&2
	fi
}

# run_all LOG WITH [OPTION]: WITH is said behind every name
run_all() {
	local name status

	log=$1 with=$2
	shift 2
	tests/kunit/run "$@" "$log" >&2
	status=$?
	for name in "${suites[@]}" "${cases[@]}"; do
		said "$name"
	done
	n=$((n + 1))
	if ((status == 0)) && ! grep -E "$splats" "$log" >&2; then
		echo "ok $n - the runner and the kernel have nothing to complain about$with"
	else
		echo "not ok $n - the runner (status $status) and the kernel have nothing to complain about$with"
	fi
}

run_all build/kunit/kernel.log ""
run_all build/kunit/kasan.log " (KASAN)" --kasan
echo "1..$n"
