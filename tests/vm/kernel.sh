#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fetch one of Debian's own kernels and its headers, and unpack them into the cache, or build one from Debian's
# source there (kernel_build.sh). Nothing is installed and no root is needed.
#
#	tests/vm/kernel.sh [NAME]	NAME as in the file "kernels" beside this one; default: its first
#
# Prints what a caller needs, fit for eval:
#
#	KVER=...	release, as uname -r says it
#	MACHINE=...	what starts it: qemu, or uml for a User-Mode Linux
#	SUITE=...	the Debian suite that it comes from
#	VMLINUX=...	the kernel, uncompressed if that can start: emulated, decompressing takes longer than booting
#	MODULES=...	a folder that can stand for /lib/modules: its modules, with modules.dep
#	KDIR=...	its headers, for make -C $KDIR M=...
#	BUILD_IN=...	what to put before that make: its suite's compiler, or nothing where this machine has it
#	MEM=...		memory in MB that a VM should have; what checks every access takes its share
#
# In the cache, ${XDG_CACHE_HOME:-~/.cache}/tcpshake/kernels/, a kernel lives under its version and a
# hash of the packages it came from; NAME.latest says which of them NAME leads to. Debian is asked
# once a day whether it leads elsewhere.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/suite/apt.sh
. "$here/../suite/apt.sh"
kernels=$suite_cache/kernels

say() {
	echo "kernel.sh: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# First package that a metapackage depends on with this prefix.
apt_depends() {
	apt-cache "${suite_apt[@]}" depends --important "$1" 2>/dev/null |
		awk -v prefix="$2" '$1 == "Depends:" && index($2, prefix) == 1 { print $2; exit }'
}

# Sets packages: all that make up the kernel, its image first.
resolve() {
	local image headers version=${name%-rt}
	image=$(apt_depends "$image_meta" "linux-image-$version.")
	headers=$(apt_depends "$headers_meta" "linux-headers-$version.")
	[[ $image && $headers ]] || return 1
	# How many parts there are differs from release to release.
	mapfile -t packages < <(echo "$image"
		apt-cache "${suite_apt[@]}" depends --recurse --important "$image" "$headers" 2>/dev/null |
			grep -E '^linux-(base|binary|modules|headers|kbuild)-[0-9]' | sort -u)
}

# Version and a hash of the packages' own hashes, which apt checks after the download.
resolved_key() {
	local version
	version=$(apt-cache "${suite_apt[@]}" show --no-all-versions "${packages[0]}" | sed -n 's/^Version: //p')
	printf '%s_%s-%s\n' "${packages[0]}" "$version" "$(
		apt-cache "${suite_apt[@]}" show --no-all-versions "${packages[@]}" |
			grep -E '^(Package|Version|SHA256):' | sha256sum | cut -c1-12)"
}

# The ELF image within a bzImage: Documentation/x86/boot.rst, payload_offset and payload_length.
extract_vmlinux() {
	local image=$1 offset len
	offset=$((($(field 0x1f1 1) + 1) * 512 + $(field 0x248 4)))
	len=$(field 0x24c 4)
	dd if="$image" iflag=skip_bytes,count_bytes bs=64k skip="$offset" count=$((len - 4)) status=none |
		case $(field "$offset" 4) in
		1484404733)	xz -dc ;;
		4247762216)	zstd -dc ;;
		*)		say "$image is compressed in a way not known here"; return 1 ;;
		esac
}

field() {
	od -An -j "$1" -N "$2" -t "u$2" "$image" | tr -d ' '
}

# Fills the folder $dir.
unpack_to() {
	local dir=$1 key=$2 kver=${packages[0]#linux-image-} deb
	say "downloading ${packages[*]} (about 120 MB)"
	mkdir "$dir/debs" && suite_download "$dir/debs" "${packages[@]}" || return
	say "unpacking to $kernels/$key"
	for deb in "$dir"/debs/*.deb; do
		dpkg -x "$deb" "$dir" || return
	done
	# Where /lib is a link to /usr/lib, packages bring no /lib. From 7.2 on the kernel lies among its modules.
	[[ -e $dir/lib/modules ]] || ln -s usr/lib "$dir/lib"
	mkdir -p "$dir/boot"
	[[ -e $dir/boot/vmlinuz-$kver ]] || mv "$dir/lib/modules/$kver/vmlinuz" "$dir/boot/vmlinuz-$kver" || return
	# The headers name their other half by the path it would be installed at, as do these two links.
	sed -i "s,/usr/src/linux-headers-,$kernels/$key/usr/src/linux-headers-,g" \
		"$dir/usr/src/linux-headers-$kver/Makefile" &&
		rm -rf "${dir:?}"/{debs,usr/share} "$dir/lib/modules/$kver"/{build,source} &&
		depmod -b "$dir" "$kver" &&
		extract_vmlinux "$dir/boot/vmlinuz-$kver" >"$dir/boot/vmlinux-$kver" &&
		chmod 755 "$dir"
}

unpack() {
	local key=$1 dir
	dir=$(mktemp -d "$kernels/tmp.XXXXXX")
	if unpack_to "$dir" "$key" && mv -T "$dir" "$kernels/$key"; then
		return
	fi
	rm -rf "$dir"
	return 1
}

# True if Debian was asked within the last day.
is_fresh() {
	local latest=$kernels/$name.latest
	[[ -f $latest && -d $kernels/$(<"$latest") && $(find "$latest" -mtime -1) ]]
}

# Prints the key of the kernel that Debian has for NAME now, once it is in the cache.
fetch() {
	local key
	resolve && key=$(resolved_key) || return
	[[ -d $kernels/$key ]] || unpack "$key" || return
	echo "$key"
}

update() {
	local latest=$kernels/$name.latest key
	if suite_use "$suite" && suite_update && key=$(fetch); then
		echo "$key" >"$latest.$$"
		mv "$latest.$$" "$latest"
	elif [[ -f $latest && -d $kernels/$(<"$latest") ]]; then
		say "cannot get Debian's packages; going on with $(<"$latest") from the cache until tomorrow"
		touch "$latest"
	else
		die "cannot get a kernel $name: no $image_meta and $headers_meta of Debian $suite lead to one, or" \
			"they cannot be downloaded. Is there a network? Does $here/kernels name a version that" \
			"the suite still has?"
	fi
}

# Downloads it, if Debian has another than yesterday.
find_packaged() {
	local key dir
	mkdir -p "$kernels"
	exec 9>"$kernels/.lock"
	flock 9	# several at once would each download the same
	is_fresh || update
	key=$(<"$kernels/$name.latest")
	exec 8>&- 9>&-
	dir=$kernels/$key
	kver=${key%%_*}
	kver=${kver#linux-image-}
	vmlinux=$dir/boot/vmlinux-$kver modules=$dir/lib/modules kdir=$dir/usr/src/linux-headers-$kver mem=1024
	[[ ${suite%-backports} == "$(. /etc/os-release && echo "$VERSION_CODENAME")" ]] || build_in=$suite_run
}

# Builds it, if it is not in the cache.
find_built() {
	kdir=$("$here/kernel_build.sh" "$suite" "$image_meta" "$name" "$arch") || exit
	kver=$(<"$kdir/include/config/kernel.release")
	modules=$kdir/lib/modules mem=3072
	build_in="$suite_run env ARCH=$arch"
	case $arch in
	um)	machine=uml vmlinux=$kdir/linux ;;
	# Started uncompressed, a kernel with KASAN dies at its first instructions.
	x86)	vmlinux=$kdir/arch/x86/boot/bzImage ;;
	esac
}

name=${1:-$(awk '!/^#/ && NF { print $1; exit }' "$here/kernels")}
read -r suite image_meta headers_meta < <(awk -v n="$name" '!/^#/ && $1 == n { print $2, $3, $4 }' "$here/kernels") ||
	die "no kernel called '$name' in $here/kernels"
suite_run="$(cd "$here/../suite" && pwd)/run $suite"
build_in='' machine=qemu
case $image_meta in
linux-source-*)	arch=${headers_meta:-x86} && find_built ;;
*)		find_packaged ;;
esac
printf '%s=%q\n' KVER "$kver" MACHINE "$machine" SUITE "$suite" VMLINUX "$vmlinux" MODULES "$modules" KDIR "$kdir" BUILD_IN "$build_in" MEM "$mem"
