# SPDX-License-Identifier: GPL-2.0
"""TCP segments as octets and as values, and the TUN device that the tests write them to and read them from."""
import dataclasses
import fcntl
import ipaddress
import os
import struct

TCP, ICMP, HOP_BY_HOP, FRAGMENT, DESTINATION = 6, 1, 0, 44, 60

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000

# One letter for each flag, as tcpdump and this project's ladder name them; N is the AE bit of RFC 9768.
FLAGS = {"F": 0x001, "S": 0x002, "R": 0x004, "P": 0x008, "A": 0x010, "U": 0x020, "E": 0x040, "W": 0x080, "N": 0x100}


def flag_bits(letters):
    return sum(FLAGS[letter] for letter in letters)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp(src, dst, flags=FLAGS["S"], doff=None, options=b"", payload=b"", sport=4000, dport=9, seq=1000, ack=0,
        window=1024):
    doff = 5 + len(options) // 4 if doff is None else doff
    head = struct.pack("!HHIIHHHH", sport, dport, seq, ack, doff << 12 | flags, window, 0, 0)
    pseudo = src.packed + dst.packed
    length = len(head) + len(options) + len(payload)
    pseudo += struct.pack("!BBH", 0, TCP, length) if src.version == 4 else struct.pack("!IHBB", length, 0, 0, TCP)
    value = checksum(pseudo + head + options + payload)
    return head[:16] + struct.pack("!H", value) + head[18:] + options + payload


def ipv4(src, dst, payload, fragment=0, ident=1, protocol=TCP):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident, fragment, 64, protocol, 0)
    head += src.packed + dst.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(src, dst, payload, next_header=TCP):
    return struct.pack("!IHBB", 6 << 28, len(payload), next_header, 64) + src.packed + dst.packed + payload


def make_options(mss=None, wscale=None, sack=False, ts=None, tfo=None, mptcp=None, raw=b""):
    """Options of a segment. ts is (TSval, TSecr); tfo and mptcp are what follows kind and length."""
    out = raw
    if mss is not None:
        out += struct.pack("!BBH", 2, 4, mss)
    if sack:
        out += b"\4\2"
    if ts is not None:
        out += struct.pack("!BBII", 8, 10, ts[0] & 0xFFFFFFFF, ts[1] & 0xFFFFFFFF)
    if wscale is not None:
        out += struct.pack("!BBB", 3, 3, wscale)
    if tfo is not None:
        out += struct.pack("!BB", 34, 2 + len(tfo)) + tfo
    if mptcp is not None:
        out += struct.pack("!BB", 30, 2 + len(mptcp)) + mptcp
    return out + b"\1" * (-len(out) % 4)


@dataclasses.dataclass
class Segment:
    src: object
    dst: object
    sport: int
    dport: int
    seq: int
    ack: int
    flags: str      # letters in the order of FLAGS
    bits: int
    window: int
    options: dict   # kind: octets after the length
    payload: bytes

    @property
    def length(self):
        """What it takes of the sequence space."""
        return len(self.payload) + ("S" in self.flags) + ("F" in self.flags)

    @property
    def ts(self):
        return struct.unpack("!II", self.options[8]) if 8 in self.options else None

    def __str__(self):
        return f"{self.flags} seq={self.seq} ack={self.ack} len={len(self.payload)}"


def read_options(data):
    options = {}
    while data and data[0] != 0:
        if data[0] == 1:
            data = data[1:]
            continue
        options[data[0]] = data[2:data[1]]
        data = data[data[1]:]
    return options


def read(packet):
    """The TCP segment in an IP packet as a kernel sends it, or None."""
    if packet[0] >> 4 == 4:
        if packet[9] != TCP:
            return None
        src, dst = packet[12:16], packet[16:20]
        data = packet[(packet[0] & 15) * 4:]
    else:
        if packet[6] != TCP:
            return None
        src, dst = packet[8:24], packet[24:40]
        data = packet[40:]
    sport, dport, seq, ack, offset_flags, window = struct.unpack("!HHIIHH", data[:16])
    head = (offset_flags >> 12) * 4
    bits = offset_flags & 0xFFF
    letters = "".join(letter for letter, bit in FLAGS.items() if bits & bit)
    return Segment(ipaddress.ip_address(src), ipaddress.ip_address(dst), sport, dport, seq, ack, letters, bits, window,
                   read_options(data[20:head]), data[head:])


def open_tun(name):
    """A new device in the caller's network namespace; it goes when the descriptor is closed."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd
