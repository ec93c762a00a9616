#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Files that end too soon, or hold what cannot be: whatever comes before is told, then where it ends and why.

Every cut of every kind of file, lengths that lead nowhere, compressed files that are cut, and several files of
which one is damaged. The status is 4 and the complaint names the file, an octet and a reason; or 0, and no octet of
a packet is missing.
"""
import gzip
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import packet

TOOL = os.path.abspath(os.environ.get("TCPSHAKE", "build/tcpshake"))
DAMAGED, UNABLE = 4, 2
COMPLAINT = re.compile(r"^tcpshake read: ([^:]+): (.+) \((?:in the (?:packet|block)|near|after) .*?octet (\d+)", re.M)


def packets():
    client, server = packet.ipaddress.ip_address("192.0.2.1"), packet.ipaddress.ip_address("192.0.2.2")
    for mine, flags, seq, ack in ((True, "S", 100, 0), (False, "SA", 500, 101), (True, "A", 101, 501),
                                  (True, "FA", 101, 501), (False, "FA", 501, 102), (True, "A", 102, 502)):
        ends = (client, server, 4000, 80) if mine else (server, client, 80, 4000)
        yield packet.ipv4(ends[0], ends[1], packet.tcp(ends[0], ends[1], packet.flag_bits(flags), sport=ends[2],
                                                       dport=ends[3], seq=seq, ack=ack))


def make_pcap():
    out = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
    for i, one in enumerate(packets()):
        out += struct.pack("<IIII", 1700000000, i * 1000, len(one), len(one)) + one
    return out


def make_snoop():
    out = b"snoop\0\0\0" + struct.pack("!II", 2, 4)
    for i, one in enumerate(packets()):
        one = bytes(12) + b"\x08\0" + one
        padding = -len(one) % 4
        out += struct.pack("!IIIIII", len(one), len(one), 24 + len(one) + padding, 0, 1700000000, i * 1000)
        out += one + bytes(padding)
    return out


def block(kind, body):
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def make_pcapng():
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 101, 0, 262144))
    for i, one in enumerate(packets()):
        micros = 1700000000000000 + i * 1000
        out += block(6, struct.pack("<IIIII", 0, micros >> 32, micros & 0xFFFFFFFF, len(one), len(one)) + one)
    return out


def make_recording():
    write("whole.pcap", make_pcap())
    subprocess.run([TOOL, "read", "-w", "whole.shk", "-o", "/dev/null", "whole.pcap"], check=True, capture_output=True)
    with open("whole.shk", "rb") as file:
        return file.read()


def write(path, octets):
    with open(path, "wb") as file:
        file.write(octets)


def read(*paths):
    """Status, events seen, connections, and what was complained about: path, reason, octet."""
    done = subprocess.run([TOOL, "read", "--json", "--", *paths], capture_output=True, text=True, timeout=60)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    seen = sum(r["seen"] for r in records if r["type"] == "summary")
    connections = sum(r["type"] == "connection" for r in records)
    return done.returncode, seen, connections, COMPLAINT.findall(done.stderr), done.stderr


def check_cuts(path, whole, step=1):
    """Every cut; the number of events never falls with the length, and ends at all of them."""
    last = 0
    for length in range(0, len(whole), step):
        write(path, whole[:length])
        status, seen, _, complaints, said = read(path)
        if status not in (0, DAMAGED, UNABLE) or (status == DAMAGED) != bool(complaints):
            return f"cut at {length}: status {status}, said {said}"
        if status == DAMAGED and (complaints[0][0] != path or int(complaints[0][2]) > length):
            return f"cut at {length}: {complaints}"
        if status == UNABLE and seen or seen < last or seen > 6:
            return f"cut at {length}: status {status}, {seen} events after {last}"
        last = seen
    write(path, whole)
    status, seen, connections, *_ = read(path)
    return "" if (status, seen, connections) == (0, 6, 1) else f"whole: {status}, {seen} events, {connections}"


def check_lengths(path, whole, first, at):
    """A length that leads nowhere, in packet or block after packet or block: it begins at @first, stands at @at."""
    for value in (0, 1, 7, 0x7FFFFFF0, 0xFFFFFFFF):
        write(path, whole[:first + at] + struct.pack("<I", value) + whole[first + at + 4:])
        status, seen, _, complaints, said = read(path)
        if status not in (0, DAMAGED) or "terminated" in said:
            return f"length {value}: status {status}: {said}"
        if value > 1000 and (status != DAMAGED or seen != 2 or int(complaints[0][2]) != first):
            return f"length {value}: status {status}, {seen} events: {said}"
    return ""


def check_compressed(path, octets):
    """Cut in the middle and at the last octet."""
    for length in (len(octets) // 2, len(octets) - 1):
        write(path, octets[:length])
        status, _, _, complaints, said = read(path)
        if status != DAMAGED or "too soon" not in complaints[0][1] or "of the uncompressed data" not in said:
            return f"cut at {length}: status {status}: {said}"
    write(path, octets)
    return "" if read(path)[:3] == (0, 6, 1) else f"whole: {read(path)}"


def check_gzip():
    return check_compressed("cut.gz", gzip.compress(make_pcap()))


def check_zstd():
    write("plain", make_pcap())
    packed = subprocess.run(["zstd", "-qc", "plain"], capture_output=True, check=True).stdout
    return check_compressed("cut.zst", packed)


def check_several():
    """What can be read of each is read, in any order, and what cannot is said of the right one."""
    write("good.pcap", make_pcap())
    write("cut.pcap", make_pcap()[:-10])
    write("none.pcap", b"this is no capture, whatever its name says")
    for paths in (["good.pcap", "cut.pcap", "none.pcap"], ["none.pcap", "cut.pcap", "good.pcap"]):
        status, seen, _, complaints, said = read(*paths)
        if status != DAMAGED or seen != 11 or sorted(c[0] for c in complaints) != ["cut.pcap", "none.pcap"]:
            return f"{paths}: status {status}, {seen} events: {said}"
    status, _, _, _, said = read("good.pcap", "missing.pcap")
    return "" if status == UNABLE and "missing.pcap: No such file" in said else f"missing: {status}: {said}"


def check_no_files():
    """Nothing to read is damage too; what cannot be opened is not."""
    os.mkdir("folder.pcap")
    write("empty.pcap", b"")
    for path, wanted in (("empty.pcap", DAMAGED), ("folder.pcap", UNABLE)):
        status, seen, _, _, said = read(path)
        if status != wanted or seen or path not in said:
            return f"{path}: status {status}: {said}"
    return ""


CHECKS = [
    ("pcap, cut after every octet", lambda: check_cuts("cut.pcap", make_pcap())),
    ("pcapng, cut after every octet", lambda: check_cuts("cut.pcapng", make_pcapng())),
    ("snoop, cut after every octet", lambda: check_cuts("cut.snoop", make_snoop())),
    ("a recording, cut after every third octet", lambda: check_cuts("cut.shk", make_recording(), 3)),
    ("pcap, a packet's length", lambda: check_lengths("length.pcap", make_pcap(), 24 + 2 * 56, 8)),
    ("pcapng, a block's length", lambda: check_lengths("length.pcapng", make_pcapng(), 28 + 20 + 2 * 72, 4)),
    ("pcapng, a packet's length in its block", lambda: check_lengths("have.pcapng", make_pcapng(), 28 + 20 + 2 * 72, 20)),
    ("gzip, cut", check_gzip),
    ("zstd, cut", check_zstd),
    ("several files, of which some are damaged", check_several),
    ("an empty file, and a folder", check_no_files),
]


def main():
    print(f"1..{len(CHECKS)}")
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    for number, (words, check) in enumerate(CHECKS, 1):
        wrong = check()
        print(f"{'not ok' if wrong else 'ok'} {number} - {words}")
        for line in wrong.splitlines():
            print(f"#   {line}")
    shutil.rmtree(folder)


main()
