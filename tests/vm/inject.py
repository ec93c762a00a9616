#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Packets that no kernel would send, injected through a TUN device.

usage: inject.py DEVICE LOCAL4 LOCAL6 KIND [COUNT]

Creates the device DEVICE, gives it the addresses, and once it is up writes the packets of KIND to it,
as if they came from a peer on the other side. Prints how many it wrote.
"""
import ipaddress
import os
import random
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from packet import DESTINATION, FRAGMENT, HOP_BY_HOP, TCP, ipv4, ipv6, open_tun, tcp  # noqa: E402


class Peer:
    def __init__(self, local4, local6):
        self.local4, self.local6 = ipaddress.ip_address(local4), ipaddress.ip_address(local6)
        self.peer4, self.peer6 = self.local4 + 1, self.local6 + 1

    def segment4(self, **kwargs):
        return tcp(self.peer4, self.local4, **kwargs)

    def segment6(self, **kwargs):
        return tcp(self.peer6, self.local6, **kwargs)

    def v4(self, payload, **kwargs):
        return ipv4(self.peer4, self.local4, payload, **kwargs)

    def v6(self, payload, **kwargs):
        return ipv6(self.peer6, self.local6, payload, **kwargs)

    def truncated(self, _count):
        whole = self.segment4()
        for length in range(20):  # the header ends after any octet
            yield self.v4(whole[:length])
        yield self.v4(self.segment4(doff=15))  # announces options that are not there
        yield self.v6(self.segment6()[:19])

    def malformed(self, _count):
        for doff in range(5):
            yield self.v4(self.segment4(doff=doff))
            yield self.v6(self.segment6(doff=doff))

    def options(self, _count):
        """SYNs to a closed port: each is a segment, whatever its options say."""
        for options in (
            b"\2\4\5\xb4", b"\2\0\0\0", b"\2\1\0\0", b"\2\xff\0\0", b"\2\3\0\0", b"\1\1\1\2", b"\0\xff\xff\xff",
            b"\x08\x0a" + b"\x11" * 8 + b"\1\1", b"\x05\x0a" + b"\x22" * 8 + b"\1\1", b"\xfe\4\xf9\x89",
            b"\x22\x0a" + b"\x33" * 8 + b"\1\1", b"\x1e\4\0\1", b"\x13\x12" + b"\x44" * 16 + b"\1\1", b"\1" * 40,
        ):
            yield self.v4(self.segment4(options=options, sport=random.randrange(5000, 60000)))

    def fragments(self, _count):
        whole = self.segment4(payload=b"x" * 36)
        yield self.v4(whole[:24], fragment=0x2000, ident=7)
        yield self.v4(whole[24:], fragment=3, ident=7)

    def extensions(self, _count):
        """A SYN behind two extension headers; one that leads beyond the packet; one that leads nowhere."""
        pad = struct.pack("!BB", DESTINATION, 0) + b"\1\4\0\0\0\0"
        pad += struct.pack("!BB", TCP, 0) + b"\1\4\0\0\0\0"
        yield self.v6(pad + self.segment6(sport=4001), next_header=HOP_BY_HOP)
        yield self.v6(struct.pack("!BB", DESTINATION, 0) + b"\1\4\0\0\0\0" + struct.pack("!BB", TCP, 9),
                      next_header=HOP_BY_HOP)
        yield self.v6(struct.pack("!BB", DESTINATION, 0) + b"\1\4\0\0\0\0", next_header=HOP_BY_HOP)

    def random(self, count):
        """Headers made of noise around addresses that are right, so that they reach the hooks."""
        rng = random.Random(1)
        for _ in range(count):
            noise = rng.randbytes(rng.randrange(0, 80))
            if rng.random() < 0.5:
                yield self.v4(noise, fragment=rng.choice((0, 0, 0, 0x2000, 5)), ident=rng.randrange(65536))
            else:
                yield self.v6(noise, next_header=rng.choice((TCP, TCP, HOP_BY_HOP, FRAGMENT, DESTINATION)))


def main():
    name, local4, local6, kind = sys.argv[1:5]
    count = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    fd = open_tun(name)
    for command in (f"ip addr add {local4}/30 dev {name}", f"ip -6 addr add {local6}/64 dev {name} nodad",
                    f"ip link set {name} up"):
        subprocess.run(command.split(), check=True)
    written = 0
    for packet in getattr(Peer(local4, local6), kind)(count):
        os.write(fd, packet)
        written += 1
    print(written)


if __name__ == "__main__":
    main()
