#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build a kernel for the VM from Debian's source, once, in the cache.
#
#	tests/vm/kernel_build.sh SUITE PACKAGE FRAGMENT ARCH	for example trixie-backports linux-source-7.3 debug x86
#
# Its configuration is allnoconfig with config/base and config/FRAGMENT, whose word counts where both have one. A
# config/FRAGMENT.patch mends the source, without harm to other kernels that are built from it. Prints the folder it
# was built in, which serves as KDIR, and holds the kernel as arch/x86/boot/bzImage, or for ARCH=um as linux, and its
# modules below lib/modules. An interrupted build goes on where it was.
set -euo pipefail

suite=$1 package=$2 fragment=$3 arch=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/suite/apt.sh
. "$here/../suite/apt.sh"
config=("$here/config/base" "$here/config/$fragment")
patch=$here/config/$fragment.patch
[[ -e $patch ]] || patch=/dev/null
key=$(cat "${config[@]}" "$patch" | grep -v '^#' | sha256sum | cut -c1-12)
dir=$suite_cache/builds/$package-$fragment-$key

in_suite() {
	"$here/../suite/run" --tree "$source/net/tcpshake" "$suite" "$@"
}

kmake() {
	in_suite make --no-print-directory -C "$source" O="$dir" ARCH="$arch" "$@" >>"$dir/build.log" 2>&1 && return
	tail -n 30 "$dir/build.log" >&2
	return 1
}

# What was asked for and did not come about, for want of something else that it needs.
check_config() {
	! sed '/=n$/d' "$dir/asked.config" | grep -vxFf "$dir/.config" >&2 || {
		echo "kernel_build.sh: Kconfig dropped the above from $dir/.config" >&2
		return 1
	}
}

# The last word about each option.
asked_config() {
	cat "${config[@]}" | awk -F= '/^CONFIG_/ { last[$1] = $0 } END { for (name in last) print last[name] }'
}

# Once: the next kernel of this source finds it done.
mend_source() {
	patch -d "$source" -p1 -R -f -s --dry-run <"$patch" >/dev/null || patch -d "$source" -p1 -s <"$patch"
}

build() {
	local image=bzImage
	echo "kernel_build.sh: building $package-$fragment (up to an hour of one CPU); see $dir/build.log" >&2
	source=$("$here/../suite/source.sh" "$suite" "$package")
	[[ $patch = /dev/null ]] || mend_source
	: >"$dir/build.log"
	asked_config >"$dir/asked.config"
	[[ -e $dir/.config ]] || kmake KCONFIG_ALLCONFIG="$dir/asked.config" allnoconfig
	check_config
	[[ $arch != um ]] || image=linux
	kmake -j"$(nproc)" $image modules
	kmake INSTALL_MOD_PATH="$dir" modules_install
	rm -f "$dir"/lib/modules/*/{build,source}
	touch "$dir/.done"
}

mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9
[[ -e $dir/.done ]] || build
echo "$dir"
