#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the demonstration shows, this kernel does.
. tests/vm/tap.sh

before=$(ls /run/netns 2>/dev/null; lsns -nt net -o NS)
ok "demo isn ends as told" sh -c "$tool demo isn >$tap_dir/isn"
is "constant ISNs: the application reads what is old" \
	"$(grep -c 'NEW!, which was acknowledged; the application read OLD!' "$tap_dir/isn")" 1
is "else it never does" "$(grep -c 'NEW!, which was acknowledged; the application read NEW!' "$tap_dir/isn")" 2
is "timestamps: PAWS is why" "$(grep -c 'refused by PAWS' "$tap_dir/isn")" 1

# Its reader goes away in the middle.
$tool demo isn 2>/dev/null | head -n 1 >/dev/null
is "nothing is left behind" "$(ls /run/netns 2>/dev/null; lsns -nt net -o NS)" "$before"
fails "without root it says so" "take root" setpriv --reuid 65534 --clear-groups "$tool" demo isn
done_testing
