# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# A User-Mode Linux: the kernel is a program of this machine, its file system hostfs. See machine_qemu.sh for what is
# asked of this file.
#
# It runs among the libraries of the suite that it was built in, in a PID namespace: there is a process of this machine
# for every process that the kernel has, and none of them may stay, however it ends.

[[ ! $icount ]] || die "a User-Mode Linux cannot count instructions"
machine_modules=()
machine_tty=/dev/tty1

machine_env() {
	# Paths of hostfs begin below what hostfs= says.
	printf '%s=%q\n' VM_MOUNT_HOST "-t hostfs -o ro host" VM_MOUNT_SHARE "-t hostfs -o $share share" \
		VM_OUTPUT /dev/ttyS0
}

machine_exec() {
	# Several CPUs are to be had with seccomp only, not with ptrace.
	local args=(mem="${mem:-$MEM}M" ncpus="$smp" seccomp=on hostfs=/mnt initrd="/mnt$tmp/initramfs.cpio"
		panic=-1 noreboot con=null ssl=null console=tty0 "con0=null,fd:2" "ssl1=null,fd:3")

	ulimit -c 0
	exec 2>"$tmp/kernel.log" 3>"$tmp/status"
	if [[ $interactive ]]; then
		args+=("con1=fd:0,fd:1")
	else
		args+=("ssl0=null,fd:1")
		exec >"$tmp/output"
	fi
	exec "$@" "$here/../suite/run" --machine "$share" "$SUITE" "$VMLINUX" "${args[@]}"
}
