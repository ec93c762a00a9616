#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module on arm64: built by a cross compiler, run on Debian's kernel in QEMU. The machine's clock counts
# instructions, so that no segment is sent again however slow QEMU is.
set -euo pipefail

here=tests/arm64
out=build/arm64
programs=(device_calls device_conflicts device_maps device_events device_loss device_poll)
n=0

# result STATUS TEXT: 0 is good
result() {
	n=$((n + 1))
	if (($1 == 0)); then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

# test_that TEXT COMMAND...
test_that() {
	local text=$1 status=0
	shift
	"$@" >"$out/said" 2>&1 || status=1
	result "$status" "$text"
	((status == 0)) || sed 's/^/#   /' "$out/said" >&2
}

build_module() {
	mkdir -p "$out/kmod" && cp -rsf "$PWD/Kbuild" "$PWD/kmod" "$out/kmod/" &&
		make --no-print-directory -C "$kernel"/usr/src/linux-headers-*-arm64 M="$PWD/$out/kmod" ARCH=arm64 \
			CROSS_COMPILE=aarch64-linux-gnu- KCFLAGS=-Werror modules
}

build_programs() {
	local name
	mkdir -p "$out/root/programs"
	for name in "${programs[@]}"; do
		aarch64-linux-gnu-gcc -static -std=gnu11 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -Ikmod -Iuserspace \
			-o "$out/root/programs/$name" "tests/vm/$name.c" || return
	done
}

boot() {
	cp "$here/init" "$out/root/init"
	mkdir -p "$out/root/bin" && cp "$kernel/bin/busybox" "$out/root/bin/" && ln -sf busybox "$out/root/bin/sh" &&
		cp "$out/kmod/tcpshake.ko" "$out/root/" || return
	(cd "$out/root" && find . | cpio -o -H newc --quiet) >"$out/initramfs.cpio" || return
	timeout --kill-after=5 1200 qemu-system-aarch64 -nodefaults -no-user-config -no-reboot -display none \
		-machine virt -cpu cortex-a72 -smp 2 -m 1024 -accel tcg -icount shift=2,sleep=off \
		-kernel "$kernel"/boot/vmlinuz-* -initrd "$out/initramfs.cpio" \
		-append "console=ttyAMA0 quiet loglevel=1 panic=-1 oops=panic" \
		-serial "file:$out/console" </dev/null && tr -d '\r' <"$out/console" >"$out/console.log"
}

said() {
	grep -qxE "$1" "$out/console.log" && return
	echo "the machine did not say '$1'; see $out/console.log"
	return 1
}

says_nothing_wrong() {
	said "log: read" && ! sed -n '/^module: unloaded$/,/^log: read$/p' "$out/console.log" |
		grep -vE '^(module|log): '
}

rm -rf "$out/root" "$out/console"*
mkdir -p "$out"
kernel=$("$here/kernel.sh")
test_that "the module builds without a warning" build_module
test_that "the programs build without a warning" build_programs
test_that "the machine comes up and goes down" boot
touch "$out/console.log"
test_that "it is arm64" said "machine: aarch64 .*"
test_that "the module loads" said "module: loaded"
# Each test of each program is one of ours.
while read -r status text; do
	result "$([[ $status == ok ]]; echo $?)" "$text"
done < <(sed -nE 's/^(not )?ok [0-9]+ - /\1ok /; T; s/^not ok/not/; p' "$out/console.log")
for name in "${programs[@]}"; do
	test_that "$name came to its end and passed" said "ended: $name 0"
done
test_that "the module unloads" said "module: unloaded"
test_that "the kernel has nothing to complain about" says_nothing_wrong
echo "1..$n"
