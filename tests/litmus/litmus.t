#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The barriers of the ring (kmod/ring_core.h) in the kernel's memory model, checked by herd7 for everything that any
# architecture of the kernel's may do. Then each barrier in turn is left out of the program, and the model must find
# what it was good for: a record that is seen half, or overwritten while it is read.
#
# What writers do that interrupt each other on one CPU is no question of the memory's order; see
# tests/unit/test_ring_nested.c.
# shellcheck disable=SC2317 # ok() calls the functions
. tests/record/tap.sh
trap 'rm -rf "$tap_dir"' EXIT

here=tests/litmus

# says WORDS FILE: what herd7 found in it
says() {
	"$here/herd" "$2" >"$tap_dir/herd.out" 2>&1
	grep -q "^$1" "$tap_dir/herd.out" || { cat "$tap_dir/herd.out"; return 1; }
}

# A race on plain memory is flagged before anything else is asked.
is_safe() {
	says "Observation .* Never" "$1" && ! grep "^Flag" "$tap_dir/herd.out"
}

is_unsafe() {
	says "\(Observation .* Sometimes\|Flag data-race\)" "$1"
}

# without LETTER FILE: the barrier there becomes a plain access, as the compiler may not tear it
without() {
	local weak=$tap_dir/without_$1.litmus
	sed -E "/\/\/ $1\$/ { s/smp_store_release\(([a-z]+), /WRITE_ONCE(*\1, /; s/smp_load_acquire\(([a-z]+)\)/READ_ONCE(*\1)/ }" \
		"$2" >"$weak"
	! cmp -s "$2" "$weak" && echo "$weak"
}

for file in "$here"/*.litmus; do
	name=$(basename "$file" .litmus)
	ok "$name: with its barriers nothing is seen half or too late" is_safe "$file"
	while read -r letter; do
		ok "$name: without $letter it may be" is_unsafe "$(without "$letter" "$file")"
	done < <(grep -o '// [A-D]$' "$file" | cut -c4 | sort -u)
done
done_testing
