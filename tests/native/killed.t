#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""An observer that is killed leaves nothing in the kernel: no program, link or map. TAP. Needs root."""
import ctypes
import errno
import os
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402

SYS_BPF = {"x86_64": 321, "aarch64": 280}
# From an id to a descriptor, by what /proc/PID/fdinfo calls the id.
GET_FD_BY_ID = {"prog_id": 13, "map_id": 14, "link_id": 30}
ROUNDS = 6

libc = ctypes.CDLL(None, use_errno=True)


def ids_of(pid):
    """What the process holds: its programs, maps and links."""
    ids = set()
    directory = f"/proc/{pid}/fdinfo"
    try:
        for fd in os.listdir(directory):
            with open(os.path.join(directory, fd), encoding="ascii") as f:
                for line in f:
                    key, _, value = line.partition(":")
                    if key in GET_FD_BY_ID:
                        ids.add((key, int(value)))
    except OSError:
        pass
    return ids


def exists(thing):
    kind, number = thing
    attr = (ctypes.c_uint32 * 32)(number)
    fd = libc.syscall(SYS_BPF[os.uname().machine], GET_FD_BY_ID[kind], attr, 12)
    if fd < 0:
        return ctypes.get_errno() != errno.ENOENT
    os.close(fd)
    return True


def traffic(netns):
    script = """
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(64)
while True:
    c = socket.create_connection(s.getsockname()); a, _ = s.accept(); c.close(); a.close()
"""
    return netns.start([sys.executable, "-c", script])


def kill_at(netns, number):
    """Start, kill as soon as it holds so many programs, links and maps. Those it held."""
    process = subprocess.Popen([tap.TOOL, "watch", "--json", "--netns", netns.name], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    held = set()
    tap.wait_for(f"{number} of them", lambda: held.update(ids_of(process.pid)) or len(held) >= number)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return held


def main():
    if os.geteuid():
        tap.skip_all("root is needed to observe")
    netns = tap.Netns("killed")
    watch = tap.Watch(netns)
    most = len(ids_of(watch.process.pid))
    watch.stop()
    tap.ok("a running observer holds programs, links and maps", most > 10, most)
    worker = traffic(netns)
    for i in range(1, ROUNDS + 1):
        held = kill_at(netns, most * i // ROUNDS)
        tap.wait_for("the kernel to clean up", lambda h=held: not [t for t in h if exists(t)])
        left = [t for t in held if exists(t)]
        tap.ok(f"killed with {len(held)} of them: none is left", not left, *left)
    worker.kill()
    worker.wait()
    netns.remove()
    tap.done()


main()
