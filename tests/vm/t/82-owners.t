#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What also holds natively, here with the wire seen by the module: who owns a connection, and that nothing of an
# observer is left when it is killed.
. tests/vm/tap.sh

load_module
for part in owners killed; do
	"tests/native/$part.t" >"$tap_dir/$part" 2>&1
	is "tests/native/$part.t passes" $? 0
	is "and skips nothing" "$(grep -c SKIP "$tap_dir/$part")" 0
	sed 's/^/# /' "$tap_dir/$part"
done
done_testing
