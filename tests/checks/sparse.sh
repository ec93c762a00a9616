#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Sparse over the module, with its checks of byte order: a build of its own, in which a warning is an error.
set -euo pipefail

log=build/sparse.log
make --no-print-directory kmod SPARSE=1 >"$log" 2>&1 || { cat "$log"; exit 1; }
! grep -E '(kmod/[^ ]*): (warning|error):' "$log"
