# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# A kernel in QEMU. Sourced by boot.sh, with its options in variables, for
#
#	machine_modules	what the kernel may have as modules, and init needs
#	machine_tty	the terminal, if the VM is interactive
#	machine_env	prints what init and guest must know: how to mount the host's folders, where output goes
#	machine_exec [COMMAND...]	becomes the machine, below COMMAND if there is one

machine_modules=(virtio_pci virtio_console 9pnet_virtio 9p)
machine_tty=/dev/hvc0

machine_env() {
	local options=trans=virtio,version=9p2000.L,msize=512000
	printf '%s=%q\n' VM_MOUNT_HOST "-t 9p -o $options,cache=loose,ro host" \
		VM_MOUNT_SHARE "-t 9p -o $options,cache=none share" VM_OUTPUT ''
}

machine_exec() {
	local args=(
		-nodefaults -no-user-config -no-reboot -display none -vga none
		-machine pc -cpu "qemu64,+rdrand" -m "${mem:-$MEM}"
		-kernel "$VMLINUX" -initrd "$tmp/initramfs.cpio"
		-append "console=ttyS0 panic=-1 oops=panic mitigations=off nokaslr no_timer_check tsc=reliable random.trust_cpu=on"
		-chardev "file,id=log,path=$tmp/kernel.log" -serial chardev:log
		-chardev "file,id=status,path=$tmp/status" -serial chardev:status
		-fsdev "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"
		-device "virtio-9p-pci,fsdev=host,mount_tag=host"
		-device virtio-serial-pci
	)
	if [[ $icount ]]; then
		args+=(-accel tcg -smp 1 -icount "shift=0,sleep=off")
	else
		# CPUs take turns: with a host thread for each, QEMU 7.2 now and then keeps executing code that the
		# other CPU has just patched, and netfilter's static branches spin for ever.
		args+=(-accel "tcg,thread=single" -smp "$smp")
	fi
	if [[ $share ]]; then
		args+=(-fsdev "local,id=share,path=$share,security_model=none,multidevs=remap"
			-device "virtio-9p-pci,fsdev=share,mount_tag=share")
	fi
	if [[ $interactive ]]; then
		args+=(-chardev "stdio,id=tty,signal=off" -device "virtconsole,chardev=tty")
	else
		args+=(-chardev "file,id=output,path=$tmp/output" -device "virtserialport,chardev=output,name=output")
	fi
	exec "$@" qemu-system-x86_64 "${args[@]}"
}
