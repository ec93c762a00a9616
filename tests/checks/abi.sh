#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Compile the proof of the ABI's layout, kmod/layout.h, for one of the worlds that share it. (The kernel is
# proved by every build of the module.)
#
#	tests/checks/abi.sh c | c++ | 32bit | bpf
set -euo pipefail

multiarch=(-idirafter "/usr/include/$(uname -m)-linux-gnu")
flags=(-Wall -Wextra -Werror -Wpadded -fsyntax-only -Ikmod -include layout.h)
source=/dev/null

case $1 in
c)	exec gcc -std=gnu11 "${flags[@]}" -x c "$source" ;;
c++)	exec g++ -std=c++11 "${flags[@]}" -x c++ "$source" ;;
32bit)	exec gcc -m32 -std=gnu11 "${flags[@]}" "${multiarch[@]}" -x c "$source" ;;
bpf)	exec clang -target bpf -mcpu=v3 -std=gnu11 "${flags[@]}" "${multiarch[@]}" -x c "$source" ;;
*)	echo "usage: $0 c|c++|32bit|bpf" >&2; exit 2 ;;
esac
