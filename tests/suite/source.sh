#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fetch the source of a kernel from a Debian suite and unpack it into the cache.
#
#	tests/suite/source.sh SUITE PACKAGE	for example trixie-backports linux-source-7.3
#
# Prints the folder. In it net/Kconfig and net/Makefile know a folder net/tcpshake, which is empty: who builds binds
# the checkout there, see tests/suite/run. That is how a module out of the tree is built as part of a kernel.
set -euo pipefail

suite=$1 package=$2
# shellcheck source=tests/suite/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"
sources=$suite_cache/source

# Fills the folder $1.
unpack_to() {
	local dir=$1
	mkdir "$dir/debs"
	suite_use "$suite" && suite_update && suite_download "$dir/debs" "$package" || return
	echo "source.sh: unpacking $package (about 1.5 GB)" >&2
	dpkg-deb --fsys-tarfile "$dir"/debs/*.deb | tar -xO "./usr/src/$package.tar.xz" | xz -dc |
		tar -x -C "$dir" --strip-components=1 || return
	mkdir -p "$dir/net/tcpshake" &&
		echo 'obj-$(CONFIG_TCPSHAKE) += tcpshake/' >>"$dir/net/Makefile" &&
		sed -i 's,^if INET$,&\nsource "net/tcpshake/kmod/Kconfig",' "$dir/net/Kconfig" &&
		rm -r "$dir/debs" && chmod 755 "$dir"
}

mkdir -p "$sources"
exec 9>"$sources/.lock"
flock 9
if [[ ! -d $sources/$package ]]; then
	dir=$(mktemp -d "$sources/tmp.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	unpack_to "$dir"
	mv -T "$dir" "$sources/$package"
	trap - EXIT
fi
echo "$sources/$package"
