# SPDX-License-Identifier: GPL-2.0
"""A raw peer behind a TUN device: it sends what it is told, and nothing by itself."""
import os
import select
import socket
import time

import packet

REPLY_SECONDS = 15


class Wrong(Exception):
    """The exchange did not go as the scenario says."""


class Wire:
    """The TUN device, and what the host has sent to each port of the peer."""

    def __init__(self, name, host, peer):
        self.fd = packet.open_tun(name)
        self.host, self.peer = host, peer
        self.waiting = []

    def write(self, src, dst, segment, **ip):
        make = packet.ipv4 if src.version == 4 else packet.ipv6
        os.write(self.fd, make(src, dst, segment, **ip))

    def take(self, wanted, until):
        """The first segment for which wanted() holds, or None."""
        while True:
            for i, segment in enumerate(self.waiting):
                if wanted(segment):
                    return self.waiting.pop(i)
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return None
            segment = packet.read(os.read(self.fd, 70000))
            if segment:
                self.waiting.append(segment)


    def discard(self):
        """Take what the host has sent, and forget it: the device holds 500 packets, then it drops."""
        while select.select([self.fd], [], [], 0)[0]:
            os.read(self.fd, 70000)


class Peer:
    """One end of a connection. seq and ack are what it will send next: .seq moves on with every segment sent
    without a seq of its own, .ack with every segment that expect() returns."""

    def __init__(self, wire, port, to=None, isn=1000, version=4, window=65535):
        self.wire, self.port, self.to = wire, port, to
        self.host, self.addr = (wire.host, wire.peer) if version == 4 else (wire.host6, wire.peer6)
        self.isn = self.seq = isn
        self.ack = 0
        self.window = window
        self.ts = None          # TSval to send with every segment; None: no timestamps
        self.ts_recent = 0      # the host's last TSval
        self.wrap = lambda segment: [(segment, {})]     # IP payloads and what ipv4() or ipv6() is told of each
        self.last = None        # what expect() returned last

    def send(self, flags, data=b"", seq=None, ack=None, ts=None, window=None, **options):
        """Send a segment; flags are letters, as in "SA"."""
        ts = self.ts if ts is None else ts
        if ts is not None:
            options["ts"] = (ts, self.ts_recent)
        if ack is None:
            ack = self.ack if "A" in flags else 0
        segment = packet.tcp(self.addr, self.host, packet.flag_bits(flags), options=packet.make_options(**options),
                             payload=data, sport=self.port, dport=self.to, seq=(self.seq if seq is None else seq) % 2**32,
                             ack=ack % 2**32, window=self.window if window is None else window)
        if seq is None:
            self.seq = (self.seq + len(data) + ("S" in flags) + ("F" in flags)) % 2**32
        for payload, ip in self.wrap(segment):
            self.wire.write(self.addr, self.host, payload, **ip)

    def expect(self, flags, within=REPLY_SECONDS, data=None):
        """The next segment from the host with these flags (P does not count); others before it are passed over."""
        passed = []

        def wanted(segment):
            if segment.dport != self.port or segment.dst != self.addr:
                return False
            if set(segment.flags) - {"P"} == set(flags) and (data is None or segment.payload == data):
                return True
            if not any(segment is other for other in passed):
                passed.append(segment)
            return False

        segment = self.wire.take(wanted, time.monotonic() + within)
        if segment is None:
            seen = ", ".join(map(str, passed)) or "nothing"
            raise Wrong(f"peer port {self.port}: expected {flags} within {within} s, but the host sent {seen}")
        self.wire.waiting = [s for s in self.wire.waiting if not any(s is other for other in passed)]
        self.to = segment.sport
        if "R" not in flags:
            self.ack = (segment.seq + segment.length) % 2**32
        if segment.ts:
            self.ts_recent = segment.ts[0]
        self.last = segment
        return segment

    def silence(self, seconds):
        """The host must send nothing to this port for so long."""
        segment = self.wire.take(lambda s: s.dport == self.port and s.dst == self.addr, time.monotonic() + seconds)
        if segment is not None:
            raise Wrong(f"peer port {self.port}: expected silence, but the host sent {segment}")

    # The exchanges that most scenarios begin or end with.

    def syn(self, **options):
        self.send("S", **({"mss": 1460} | options))

    def open(self, **options):
        """Three-way handshake with a listener of the host."""
        self.syn(**options)
        self.expect("SA")
        self.send("A")

    def answer(self, **options):
        """Three-way handshake with a socket of the host that connects."""
        self.expect("S")
        self.send("SA", **({"mss": 1460} | options))
        self.expect("A")

    def fin(self, data=b""):
        self.send("FA", data)

    def answer_fin(self):
        """Acknowledge the host's FIN."""
        self.expect("FA")
        self.send("A")

    def close_after(self, sock):
        """Three-segment close that leaves the host in TIME-WAIT."""
        sock.shutdown(socket.SHUT_WR)
        self.expect("FA")
        self.send("FA")
        self.expect("A")
        sock.close()

    def expect_shape(self, flags, seq=None, ack=None, within=REPLY_SECONDS):
        """expect(), and the numbers in it must be these."""
        segment = self.expect(flags, within)
        for name, wanted in (("seq", seq), ("ack", ack)):
            if wanted is not None and getattr(segment, name) != wanted % 2**32:
                raise Wrong(f"{name} should be {wanted % 2**32}: {segment}")
        return segment
