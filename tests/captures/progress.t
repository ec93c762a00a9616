#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What a terminal sees of the progress of a long capture: a line that is gone in the end, and only where it is not in
the way of the records. The capture comes through a pipe, and goes on until the line has been seen.
"""
import os
import pty
import select
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import packet

TOOL = os.environ.get("TCPSHAKE", "build/tcpshake")
PATIENCE = 120      # seconds; a second is what the tool itself waits
CLEAR = b"\r\x1b[K"


def header():
    return struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)


def packets():
    client, server = packet.ipaddress.ip_address("192.0.2.1"), packet.ipaddress.ip_address("192.0.2.2")
    syn = packet.ipv4(client, server, packet.tcp(client, server))
    return (struct.pack("<IIII", 1700000000, 0, len(syn), len(syn)) + syn) * 4000


def read_available(terminal, seconds):
    seen = b""
    while select.select([terminal], [], [], seconds)[0]:
        try:
            seen += os.read(terminal, 65536)
        except OSError:     # the other end is closed
            break
        seconds = 0
    return seen


def run(command, stdout_is_terminal=False, until=b"MB/s"):
    """What a terminal saw, fed until @until was seen or, if that is None, for as long as the line would have taken."""
    terminal, other = pty.openpty()
    tool = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=other if stdout_is_terminal else subprocess.DEVNULL,
                            stderr=other)
    os.close(other)
    seen, began, chunk = b"", time.monotonic(), packets()
    tool.stdin.write(header())
    while time.monotonic() - began < PATIENCE:
        tool.stdin.write(chunk)
        tool.stdin.flush()
        seen += read_available(terminal, 0.05)
        if until in seen if until else time.monotonic() - began > 3:
            break
    tool.stdin.close()
    while tool.poll() is None:
        seen += read_available(terminal, 0.05)
    seen += read_available(terminal, 0.05)
    os.close(terminal)
    return tool.returncode, seen


def check_shown():
    status, seen = run([TOOL, "read", "--json", "-"])
    line = seen.find(CLEAR + b"tcpshake read: ")
    cleared = seen.find(CLEAR, seen.rfind(b"MB/s"))
    told = seen.find(b"packets", cleared)
    return status == 0 and line >= 0 and cleared >= 0 and told > cleared, seen


def check_shown_beside_a_file():
    status, seen = run([TOOL, "read", "-o", "/dev/null", "-"], stdout_is_terminal=True)
    return status == 0 and b"MB/s" in seen, seen


def check_not_in_the_way():
    status, seen = run([TOOL, "read", "-"], stdout_is_terminal=True, until=None)
    return status == 0 and b"MB/s" not in seen and b"packets" in seen, seen


CHECKS = [
    ("on a terminal that shows no records, and gone in the end", check_shown),
    ("where the records go to a file", check_shown_beside_a_file),
    ("not on a terminal that shows records", check_not_in_the_way),
]


print(f"1..{len(CHECKS)}")
for number, (words, check) in enumerate(CHECKS, 1):
    good, what = check()
    print(f"{'ok' if good else 'not ok'} {number} - progress {words}")
    if not good:
        print(f"#   {what[-400:]!r}")
