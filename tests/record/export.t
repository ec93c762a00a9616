#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What tcpshake export writes is read by tshark: every segment is there, none is malformed, every checksum that
# can be right is, and the comments say of each connection what the record of the same id says.
. tests/record/tap.sh
trap 'rm -rf "$tap_dir"' EXIT
out=$tap_dir/out.pcapng

if ! command -v tshark >/dev/null; then
	echo "1..0 # SKIP tshark is not installed"
	exit 0
fi

# As root, tshark warns; what it cannot read at all it says by its status.
shark() {
	tshark -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -r "$out" "$@" 2>"$tap_dir/shark.err"
}

# "id open-verdict" and "id close-verdict" of each record, of the one kind or the other
told() {
	"$tool" read --json "$1" 2>/dev/null |
		jq -r 'select(.type == "connection") | .id as $id |
		       "\($id) \(.open.verdict)", (select(.close.verdict != "C_NONE") | "\($id) \(.close.verdict)")' |
		sort
}

commented() {
	shark -T fields -E aggregator=/s -e frame.comment | grep -o 'tcpshake [0-9a-f]\{16\} [OC]_[0-9A-Z_]*' |
		cut -d ' ' -f 2- | sort
}

# Of one file: everything.
check_export() {
	local file=$1 segments packets plain bad
	"$tool" export -o "$out" "$file" 2>"$tap_dir/err" || (($? == 4)) || { cat "$tap_dir/err"; return 1; }
	segments=$("$tool" read "$file" 2>&1 >/dev/null | sed -n 's/.*, \([0-9]*\) of them part of a handshake/\1/p')
	packets=$(shark -T fields -e frame.number | wc -l)
	plain=$(shark -Y '!frame.comment' -T fields -e frame.number | wc -l)
	# A verdict may have been decided by a segment that is none of a handshake: that has a comment.
	if ((packets < ${segments:-0} || plain > ${segments:-0})); then
		echo "$file: $packets packets, $plain of them without a comment, of $segments segments: $(cat "$tap_dir/shark.err")"
		return 1
	fi
	bad=$(shark -Y '_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0')
	if [[ $bad ]]; then
		echo "$file: $bad"
		return 1
	fi
	told "$file" >"$tap_dir/told"
	commented >"$tap_dir/commented"
	diff "$tap_dir/told" "$tap_dir/commented" >"$tap_dir/diff" || { echo "$file:"; cat "$tap_dir/diff"; return 1; }
}

check_all() {
	local file bad=0
	for file; do
		check_export "$file" || bad=1
	done
	((!bad))
}

# A few of each: tshark takes half a second for each file.
files=()
if [[ -e $corpus/oracle.tsv ]]; then
	mapfile -t files < <(sed 1d "$corpus/oracle.tsv" | cut -f 1 | sort -u | awk 'NR % 60 == 1' | sed "s|^|$corpus/|")
	ok "${#files[@]} captures become packets that tshark understands, with our verdicts" check_all "${files[@]}"
	"$tool" export -o "$out" "${files[0]}" 2>/dev/null
	"$tool" read -w "$tap_dir/a.shk" "${files[0]}" >/dev/null 2>&1
	"$tool" export -o "$tap_dir/again.pcapng" "$tap_dir/a.shk" 2>/dev/null
	ok "a recording of a capture gives the same packets" cmp "$out" "$tap_dir/again.pcapng"
	times_of() {
		tshark -r "$1" -T fields -e frame.time_epoch 2>/dev/null
	}
	is "and the times are those of the capture" "$(times_of "$out" | grep -vxFf <(times_of "${files[0]}") | wc -l)" 0
else
	skip "NO CAPTURES EXPORTED: $corpus/oracle.tsv is not there; SHK_CORPUS may name another place"
fi

# refused WORDS ARGUMENTS...: the exit status, and whether it said so
refused() {
	local words=$1
	shift
	"$tool" export "$@" >"$tap_dir/refused" 2>&1
	echo "$? $(grep -c -- "$words" "$tap_dir/refused")"
}
is "standard input is refused" "$(refused 'standard input' -o "$out" -)" "1 1"
is "a file that is not there is told" "$(refused 'No such file' -o "$out" "$tap_dir/none.shk")" "2 1"
is "what is no recording is told" "$(printf '\x93SHKnothing' >"$tap_dir/bad.shk"; refused 'no recording\|in the middle' -o "$out" "$tap_dir/bad.shk")" "4 1"
done_testing
