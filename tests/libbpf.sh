#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fetch libbpf and bpftool from Debian's backports and unpack them into the cache: programs for netfilter
# need libbpf 1.3, and Debian 12 itself has 1.1. Nothing is installed; the tool is linked statically, so what
# is built runs on plain Debian 12. The mirror is the one that this machine's apt already uses.
#
#	tests/libbpf.sh DIR	fills DIR/include, DIR/libbpf.a and DIR/bpftool
set -euo pipefail

out=$1
suite=bookworm-backports
packages=(libbpf-dev bpftool)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tcpshake
state=$cache/apt/$suite
unpacked=$cache/libbpf

die() {
	echo "libbpf.sh: $*" >&2
	exit 1
}

# The source entry for $suite, made from the machine's own for the release it belongs to.
source_entry() {
	# shellcheck disable=SC2016	# apt's variable
	apt-get indextargets --format '$(REPO_URI)' \
		"Created-By: Packages" "Codename: ${suite%-backports}" "Component: main" |
		sed -n "1s,.*,deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] & $suite main,p"
}

fetch() {
	local tmp deb
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	source_entry >"$state/sources.list"
	[[ -s $state/sources.list ]] ||
		die "this machine's apt knows no Debian ${suite%-backports}, so not its backports either"
	apt=(-q=2 -o APT::Sandbox::User= -o Dir::Etc::sourcelist="$state/sources.list"
		-o Dir::Etc::sourceparts=- -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache")
	echo "libbpf.sh: downloading ${packages[*]} from Debian's backports" >&2
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	apt-get "${apt[@]}" update >&2
	(cd "$tmp" && apt-get "${apt[@]}" download "${packages[@]}" >&2)
	for deb in "$tmp"/*.deb; do
		dpkg -x "$deb" "$tmp"
	done
	rm "$tmp"/*.deb
	chmod 755 "$tmp"
	mv -T "$tmp" "$unpacked"
	trap - EXIT
}

mkdir -p "$cache"
exec 9>"$cache/.libbpf.lock"
flock 9
[[ -d $unpacked ]] || fetch
exec 9>&-

mkdir -p "$out"
ln -sfn "$unpacked/usr/include" "$out/include"
ln -sfn "$unpacked"/usr/lib/*/libbpf.a "$out/libbpf.a"
ln -sfn "$unpacked/usr/sbin/bpftool" "$out/bpftool"
