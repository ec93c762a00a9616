#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The arrows of dependency point one way:
#
#	tests ---> userspace ---> bpf ---> kmod's pure headers ---> kmod/uapi
#	                                   kmod ---'
#
# and within userspace: sources and sinks do not know each other, nor the engine any of them. Reads the
# #include lines, and looks for names that belong into one place.
set -u

bad=0
pure='(uapi/tcpshake|hash|tuple|gate|options|ring_core|layout|version)\.h'

complain() {
	[[ ! $2 ]] || { printf '%s:\n%s\n' "$1" "$2"; bad=1; }
}

# only PATTERN FILES...: every include of the files matches
only() {
	local pattern=$1
	shift
	complain "includes what is not below it" \
		"$(grep -HnE '^[ 	]*#[ 	]*include' "$@" | grep -vE "include [\"<]($pattern)[\">]")"
}

# never PATTERN FILES...: matches in none of the files, comments aside
never() {
	local pattern=$1
	shift
	complain "does not belong there" "$(grep -HnE "$pattern" "$@" | grep -vE '^[^:]*:[0-9]*:[ 	]*(/?\*|//)')"
}

# never_but_in HOMES PATTERN FILES...: the same, in all files but those that match HOMES
never_but_in() {
	local homes=$1 pattern=$2 files
	shift 2
	mapfile -t files < <(printf '%s\n' "$@" | grep -vE "^($homes)$")
	never "$pattern" "${files[@]}"
}

shopt -s nullglob globstar
kmod=(kmod/**/*.[ch]) bpf=(bpf/*.[ch]) userspace=(userspace/**/*.[ch])
# The pure headers that exist, as files
mapfile -t pure_files < <(printf '%s\n' "${kmod[@]}" | grep -E "^kmod/$pure$")

# What is below whom
only 'linux/(types|ioctl)\.h' kmod/uapi/tcpshake.h
only "$pure|(linux|asm)/[a-z0-9_]*\.h|std[a-z]*\.h|string\.h" "${pure_files[@]}"
never 'include "(\.\./|userspace/|bpf/|tests/|engine/)' "${kmod[@]}"
only "$pure|(account|path|kernel|[a-z_]*\.bpf)\.h|linux/(types|bpf)\.h|bpf/bpf_[a-z_]*\.h" "${bpf[@]}"
never 'include "(.*/)?(kmod|tests)/' "${userspace[@]}"
never 'include ".*tests/' "${kmod[@]}" "${bpf[@]}" "${userspace[@]}"

# The engine computes: no input, no output, no clock, and memory in three places
engine=(userspace/engine/*.[ch])
only "$pure|(engine/)?[a-z_]+\.(h|def)|linux/types\.h|(std[a-z]+|string|inttypes|limits|errno|assert|sys/mman)\.h" "${engine[@]}"
never_but_in 'userspace/engine/sentence\.c' '<stdio\.h>' "${engine[@]}"
never_but_in 'userspace/engine/(engine|flow|process)\.c' '\<(malloc|calloc|realloc|free)\(' "${engine[@]}"

# So does the audit of ISNs, which knows records and no events
isn=(userspace/isn/*.[ch])
only "hash\.h|engine/conn\.h|(isn/)?[a-z_]+\.(h|def)|(std[a-z]+|string|inttypes|limits|errno|math)\.h" "${isn[@]}"
never '<stdio\.h>' "${isn[@]}"
never 'include "(engine/engine|sink|source|merge|pipeline)\.h"' "${isn[@]}"

# Sources, merge and sinks do not know each other
never 'include "(engine/.*|sink|merge|pipeline)\.h"' userspace/source.h userspace/source_*.c
never 'include "(engine/.*|sink|pipeline)\.h"' userspace/merge.[ch]
never 'include "(source|merge|pipeline|engine/engine)\.h"' userspace/sink.h userspace/sink_*.[ch]

# Names with a home
code=("${kmod[@]}" "${bpf[@]}" "${userspace[@]}")
never_but_in 'kmod/compat/.*' 'LINUX_VERSION_CODE|KERNEL_VERSION\(' "${code[@]}"
never_but_in 'bpf/core_fixes\.bpf\.h' 'bpf_core_[a-z]+_exists' "${code[@]}"
never_but_in 'kmod/(ring_core\.h|gate\.h|ring\.c|session\.c)' \
	'\<(smp_(load|store|mb|rmb|wmb)[a-z_]*|__atomic_[a-z_]+|atomic_[a-z_]+|cmpxchg[a-z_]*|xchg)\(' "${code[@]}"

exit "$bad"
