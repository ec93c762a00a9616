#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fetch Debian's kernel for arm64, its headers and a busybox, and unpack them into the cache. They are of the suite
# of the default kernel of tests/vm/kernels.
#
#	tests/arm64/kernel.sh	prints the folder: boot/vmlinuz-*, usr/src/linux-headers-*-arm64, bin/busybox
#
# The headers' other half, programs of the machine that builds, is that of the default kernel, too: the same
# package. A folder is used for a week, then Debian is asked again.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/suite/apt.sh
. "$here/../suite/apt.sh"
# apt would throw away the lists of the other architecture.
suite_cache=$suite_cache/arm64
dir=$suite_cache/kernel

eval "$("$here/../vm/kernel.sh")"

# Fills the folder $1.
unpack_to() {
	local root=$1 headers half deb
	# shellcheck disable=SC2153
	suite_use "$SUITE" || return
	suite_apt+=(-o APT::Architecture=arm64 -o APT::Architectures::=arm64)
	suite_update || return
	headers=$(apt-cache "${suite_apt[@]}" depends --important linux-headers-arm64 |
		awk '$1 == "Depends:" && /linux-headers-[0-9]/ { print $2; exit }') || return
	echo "arm64/kernel.sh: downloading ${headers/headers/image} and its headers (about 75 MB)" >&2
	mkdir "$root/debs"
	suite_download "$root/debs" "${headers/headers/image}" "$headers" "${headers%-arm64}-common" \
		busybox-static || return
	for deb in "$root"/debs/*.deb; do
		dpkg -x "$deb" "$root" || return
	done
	half=$(dirname "$(readlink "$root/usr/src/$headers/scripts")")
	cp -a "$(dirname "$(readlink -f "$KDIR/scripts")")" "$root/usr/lib/$(basename "$half")" &&
		sed -i "s,/usr/src/,$dir&," "$root/usr/src/$headers/Makefile" &&
		rm -r "${root:?}"/{debs,usr/share} && chmod 755 "$root" && touch "$root"
}

mkdir -p "$suite_cache"
exec 9>"$suite_cache/.lock"
flock 9
if [[ ! $(find "$dir" -maxdepth 0 -mtime -7 2>/dev/null) ]]; then
	new=$(mktemp -d "$suite_cache/tmp.XXXXXX")
	trap 'rm -rf "$new"' EXIT
	if ! unpack_to "$new"; then
		echo "arm64/kernel.sh: cannot get Debian's kernel for arm64. Is there a network?" >&2
		exit 1
	fi
	rm -rf "$dir"
	mv -T "$new" "$dir"
fi
echo "$dir"
