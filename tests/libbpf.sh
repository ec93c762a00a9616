#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fetch libbpf and bpftool from Debian's backports and unpack them into the cache: programs for netfilter
# need libbpf 1.3, and Debian 12 itself has 1.1. Nothing is installed; the tool is linked statically, so what
# is built runs on plain Debian 12. The mirror is the one that this machine's apt already uses.
#
#	tests/libbpf.sh DIR	fills DIR/include, DIR/libbpf.a and DIR/bpftool
set -euo pipefail

# shellcheck source=tests/suite/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite/apt.sh"

out=$1
packages=(libbpf-dev bpftool)
unpacked=$suite_cache/libbpf

fetch() {
	local tmp deb
	suite_use bookworm-backports
	echo "libbpf.sh: downloading ${packages[*]} from Debian's backports" >&2
	suite_update
	tmp=$(mktemp -d "$suite_cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	suite_download "$tmp" "${packages[@]}"
	for deb in "$tmp"/*.deb; do
		dpkg -x "$deb" "$tmp"
	done
	rm "$tmp"/*.deb
	chmod 755 "$tmp"
	mv -T "$tmp" "$unpacked"
	trap - EXIT
}

mkdir -p "$suite_cache"
exec 9>"$suite_cache/.libbpf.lock"
flock 9
[[ -d $unpacked ]] || fetch
exec 8>&- 9>&-

mkdir -p "$out"
ln -sfn "$unpacked/usr/include" "$out/include"
ln -sfn "$unpacked"/usr/lib/*/libbpf.a "$out/libbpf.a"
ln -sfn "$unpacked/usr/sbin/bpftool" "$out/bpftool"
