#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build a kernel for the VM from Debian's source, once, in the cache.
#
#	tests/vm/kernel_build.sh SUITE PACKAGE FRAGMENT	for example trixie-backports linux-source-7.3 debug
#
# Its configuration is allnoconfig with config/base and config/FRAGMENT. Prints the folder it was built in, which
# serves as KDIR, and holds the kernel as arch/x86/boot/bzImage and its modules below lib/modules. An interrupted
# build goes on where it was.
set -euo pipefail

suite=$1 package=$2 fragment=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/suite/apt.sh
. "$here/../suite/apt.sh"
config=("$here/config/base" "$here/config/$fragment")
key=$(cat "${config[@]}" | grep -v '^#' | sha256sum | cut -c1-12)
dir=$suite_cache/builds/$package-$fragment-$key

in_suite() {
	"$here/../suite/run" --tree "$source/net/tcpshake" "$suite" "$@"
}

kmake() {
	in_suite make --no-print-directory -C "$source" O="$dir" "$@" >>"$dir/build.log" 2>&1 && return
	tail -n 30 "$dir/build.log" >&2
	return 1
}

# What was asked for and did not come about, for want of something else that it needs.
check_config() {
	! cat "${config[@]}" | grep -E '^CONFIG_[A-Z0-9_]+=' | sed '/=n$/d' | grep -vxFf "$dir/.config" >&2 || {
		echo "kernel_build.sh: Kconfig dropped the above from $dir/.config" >&2
		return 1
	}
}

build() {
	echo "kernel_build.sh: building $package-$fragment (an hour of one CPU); see $dir/build.log" >&2
	source=$("$here/../suite/source.sh" "$suite" "$package")
	: >"$dir/build.log"
	cat "${config[@]}" >"$dir/asked.config"
	[[ -e $dir/.config ]] || kmake KCONFIG_ALLCONFIG="$dir/asked.config" allnoconfig
	check_config
	kmake -j"$(nproc)" bzImage modules
	kmake INSTALL_MOD_PATH="$dir" modules_install
	rm -f "$dir"/lib/modules/*/{build,source}
	touch "$dir/.done"
}

mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9
[[ -e $dir/.done ]] || build
echo "$dir"
