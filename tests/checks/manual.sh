#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every member, verdict and flag that can be in the JSON is in its manual page, and no verdict with other words.
page=userspace/man/tcpshake-json.5
missing=0

complain() {
	echo "$page: $*"
	missing=1
}

members() {
	sed -nE 's/.*(member_[a-z0-9_]+|open_(object|array))\((j|w), "([a-z0-9_]+)".*/\4/p' userspace/sink_json.c userspace/isn_json.c
}

flags() {
	sed -nE '/(conflicts|open_flags|close_flags|blame_names|fates)\[/,/;/p' userspace/engine/names.c | grep -oE '"[A-Za-z_]+"' | tr -d '"'
	sed -nE 's/^SHK_WHAT_IF\(([A-Z0-9]+),.*/\1/p' userspace/isn/generators.def
}

verdicts() {
	sed -nE 's/^SHK_(OPEN|CLOSE|REUSE)\((\w+),.*"(.*)"\)$/\2\t\3/p' userspace/engine/verdicts.def
}

mapfile -t names < <({ members; flags; } | sort -u)
mapfile -t codes < <(verdicts)
# Whoever writes the sources in another way has to see that this still finds what they say.
((${#names[@]} > 100 && ${#codes[@]} == $(grep -cE '^SHK_(OPEN|CLOSE|REUSE)\(' userspace/engine/verdicts.def))) ||
	complain "cannot be compared: ${#names[@]} names and ${#codes[@]} verdicts were found in the sources"

for name in "${names[@]}"; do
	grep -qwF -- "$name" "$page" || complain "says nothing of $name"
done
while IFS=$'\t' read -r code words; do
	grep -A 1 -xF ".It Cm $code" "$page" | grep -qxF -- "$words" || complain "says not of $code: $words"
done < <(printf '%s\n' "${codes[@]}")
exit $missing
