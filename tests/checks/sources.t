#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What can be said about the sources without running them. Each check says what is wrong as TAP comments.
# Run from the top of the tree, by "make check".

n=0
check() {
	local text=$1 output
	shift
	n=$((n + 1))
	if output=$("$@" 2>&1); then
		echo "ok $n - $text"
	else
		echo "not ok $n - $text"
		printf '%s\n' "$output" | sed 's/^/#   /' >&2
	fi
}

# One line for each place, not a drawing of it.
formatting() {
	! clang-format --dry-run -Werror "$@" 2>&1 | grep error:
}

list() {
	find Kbuild Makefile README.md .ci bpf kmod tests userspace -type f "$@" -print 2>/dev/null
}

# What they source is looked at with them.
mapfile -t shell < <(list | xargs grep -lE '^#!/bin/(ba)?sh')
mapfile -t c < <(list -name '*.[ch]'; list -name '*.def')
# Headers and tables are aligned by hand.
mapfile -t formatted < <(list -name '*.c' | grep -E '^(userspace|tests)/')

check "sparse finds nothing in the module" tests/checks/sparse.sh
check "clang-format would change nothing" formatting "${formatted[@]}"
check "shellcheck finds nothing" shellcheck -x -S warning "${shell[@]}"
check "codespell finds nothing" codespell -I tests/checks/words Makefile README.md Kbuild bpf kmod tests userspace
check "the rules of style hold" tests/checks/style.pl "${c[@]}"
check "dependencies point one way" tests/checks/layers.sh
check "the manual knows all that JSON can say" tests/checks/manual.sh
for world in c c++ 32bit bpf; do
	check "the ABI has one layout: $world" tests/checks/abi.sh "$world"
done
echo "1..$n"
