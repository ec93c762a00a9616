#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run a command in a throwaway VM: one of Debian's kernels, this machine's programs, nothing kept.
#
#	tests/vm/boot.sh [OPTION...] [--] COMMAND [ARG...]
#
#	--kernel NAME	kernel from tests/vm/kernels; default: the first
#	--smp N		CPUs, default 2
#	--mem MB	memory; default: what kernel.sh says that this kernel should have
#	--icount	one CPU, and a clock that counts instructions: guest nanoseconds repeat
#	--timeout S	the VM is ended after this time, default 300
#	--env NAME=VALUE	set in the command's environment; may be given again
#	--share DIR	the only folder of the host that the command may write to
#	--log FILE	where the kernel's log goes in the end, default build/vm/kernel.log
#	--allow-splat	do not fail because the kernel complained in its log
#	--interactive	the command gets this terminal
#
# The command runs as root in the checkout, with the host's file system under it (read only below,
# writes go to memory), /lib/modules of the VM's kernel and no network but loopback. Its output is
# boot.sh's output, its exit status boot.sh's. SHK_KO is the path of the module built for that kernel.
#
# The status comes back over a serial port of its own, behind a word made up for this boot. Without that
# line the boot has failed, whatever was printed: 124 on timeout, 125 if the VM died or never came
# up, 126 if the command succeeded but the kernel log has a warning, an oops or the like.
#
# machine_qemu.sh and machine_uml.sh know how to start a kernel, boot.sh what it is for. Neither needs root or /dev/kvm:
# QEMU emulates, and a User-Mode Linux is a program.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)

die() {
	echo "boot.sh: $*" >&2
	exit 125
}

kernel='' smp=2 mem='' icount='' timeout=300 share='' log='' allow_splat='' interactive='' env=()
while [[ ${1-} == --* ]]; do
	case $1 in
	--kernel)	kernel=$2; shift ;;
	--smp)		smp=$2; shift ;;
	--mem)		mem=$2; shift ;;
	--timeout)	timeout=$2; shift ;;
	--env)		env+=("$2"); shift ;;
	--share)	share=$2; shift ;;
	--log)		log=$2; shift ;;
	--icount)	icount=1 ;;
	--allow-splat)	allow_splat=1 ;;
	--interactive)	interactive=1 ;;
	--)		shift; break ;;
	*)		die "unknown option $1; see the head of $0" ;;
	esac
	shift
done
(($#)) || die "no command; see the head of $0"

eval "$("$here/kernel.sh" ${kernel:+"$kernel"})"
# shellcheck source=tests/vm/machine_qemu.sh
. "$here/machine_$MACHINE.sh"
log=${log:-$tree/build/vm/kernel.log}
mkdir -p "$(dirname "$log")" ${share:+"$share"}
[[ ! $share ]] || share=$(cd "$share" && pwd)
tmp=$(mktemp -d)

# What reaches the root file system: busybox, a few modules in the order to load them, init. And what
# belongs to this boot: the command, its environment, the word that proves its end.
make_initramfs() {
	local root=$tmp/initramfs module path
	mkdir -p "$root"/{bin,lib,proc,dev,run,vm}
	cp "$(command -v busybox)" "$root/bin/busybox"
	for applet in sh cat cp insmod mkdir mount umount switch_root; do
		ln -s busybox "$root/bin/$applet"
	done
	: >"$root/lib/order"
	for module in "${machine_modules[@]}" overlay; do
		# The others are part of the kernel.
		modprobe -d "${MODULES%/lib/modules}" -S "$KVER" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'
	done | awk '!seen[$0]++' | while read -r path; do
		module=$(basename "${path%.ko*}").ko
		case $path in
		*.xz)	xz -dc "$path" >"$root/lib/$module" ;;
		*)	cp "$path" "$root/lib/$module" ;;
		esac
		echo "$module" >>"$root/lib/order"
	done
	cp "$here/init" "$root/init"
	echo "$token" >"$root/vm/token"
	write_env >"$root/vm/env"
	write_command "$@" >"$root/vm/command"
	(cd "$root" && find . -print0 | cpio --null -o -H newc -R 0:0 --quiet) >"$tmp/initramfs.cpio"
}

write_env() {
	printf '%s=%q\n' VM_TREE "$tree" VM_MODULES "$MODULES" VM_SHARE "$share"
	machine_env
	[[ ! $interactive ]] || echo "VM_TTY=$machine_tty"
}

write_command() {
	printf 'export %q\n' "SHK_KO=$tree/build/kmod/$KVER/tcpshake.ko" "TERM=${TERM:-dumb}" "${env[@]}"
	printf 'cd %q\n' "$tree"
	[[ ! $interactive ]] || stty size | xargs printf 'stty rows %d cols %d\n'
	printf '%q ' "$@"
	echo
}

# The kernel's own opinion. Loading a module from outside the tree taints, and says so; that is fine. So are data races
# among the kernel's own functions, of which it has many.
splats() {
	grep -aE 'BUG:|WARNING:|Oops|general protection|page allocation failure|KASAN|UBSAN|INFO: (rcu|task|possible|lockdep|trying)|refcount_t:|leaked' \
		"$tmp/kernel.log" | awk '/KCSAN/ && !/shk_/ { next } { print; n++ } END { exit !n }'
}

cleanup() {
	if [[ ${machine-} ]]; then
		kill "$machine" 2>/dev/null || :
		wait "$machine" 2>/dev/null || :
	fi
	[[ ! ${saved_tty-} ]] || stty "$saved_tty"
	[[ ! -e $tmp/kernel.log ]] || mv "$tmp/kernel.log" "$log"	# several VMs may run at once
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
make_initramfs "$@"

if [[ $interactive ]]; then
	saved_tty=$(stty -g)
	(machine_exec) || :
else
	# A pipe of the machine's own: it makes its descriptors non-blocking, and standard output may be shared.
	mkfifo "$tmp/output"
	cat "$tmp/output" &
	machine_exec timeout --kill-after=5 "$timeout" </dev/null &
	machine=$!
	ended=0
	wait "$machine" || ended=$?
	machine=
	wait
fi

status=$(sed -n "s/^exit $token \([0-9]\{1,3\}\)\r\{0,1\}\$/\1/p" "$tmp/status")
if [[ ! $status ]]; then
	echo "---- end of the kernel's log ($log):" >&2
	tail -n 40 "$tmp/kernel.log" >&2
	if [[ ${ended-} == 124 ]]; then
		echo "boot.sh: the VM was ended after $timeout s (--timeout); the command had not finished" >&2
		exit 124
	fi
	die "the VM ended without saying how its command did"
fi
if ((status == 0)) && [[ ! $allow_splat ]] && splats >&2; then
	echo "boot.sh: the command succeeded, but the kernel complained: see $log" >&2
	exit 126
fi
exit "$status"
