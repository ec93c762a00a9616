# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# TAP for the tests of recordings, which run on this machine and not in the VM. Sourced:
#
#	. tests/record/tap.sh
#	ok "what must be true" command...
#	is "what must be equal" "$got" "$wanted"
#	done_testing
set -u

tap_n=0
tap_failed=0
# shellcheck disable=SC2034 # for the tests
tap_dir=$(mktemp -d /tmp/shk-record.XXXXXX)
# shellcheck disable=SC2034
tool=build/tcpshake corpus=${SHK_CORPUS:-../shared/corpus}

ok() {
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
	[[ ! $output ]] || head -n 20 <<<"$output" | sed 's/^/#   /' >&2
	return 1
}

is() {
	ok "$1" test "$2" = "$3"
}

skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n # SKIP $1"
}

# At most 60 s, looking every 20 ms.
wait_for() {
	local deadline=$((SECONDS + 60))
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || return 1
		sleep 0.02
	done
}

done_testing() {
	echo "1..$tap_n"
	exit $((tap_failed > 0))
}
