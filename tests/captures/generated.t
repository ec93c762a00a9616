#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Captures that are made here, of what analysers of traffic stumble over, and the records that must come of them.

Each is a list of segments "who flags seq ack [octets]", numbers counted from the ISN of whoever sent what they
number, and the records "opening closing client-ISN server-ISN completeness SYNs SYN+ACKs", the last two of both
ends. tshark, where it is installed, must see as many streams, with the same ISNs and completeness; where it has
another opinion, that is written down too.
"""
import collections
import ipaddress
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import packet

TOOL = os.environ.get("TCPSHAKE", "build/tcpshake")
TSHARK = shutil.which("tshark")
CLIENT, SERVER = ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("192.0.2.2")
ISN = {"c": 1000000, "s": 5000000, "C": 1700000, "S": 5900000}
OPENED = "c S 0 0 / s SA 0 1 / c A 1 1 / "
CLOSED = "c FA 1 1 / s FA 1 2 / c A 2 2"
DATA = "c PA 1 1 10 / s A 1 11"
AGAIN = "C S 0 0 / S SA 0 1 / C A 1 1 / C FA 1 1 / S FA 1 2 / C A 2 2"
PAUSE = 1


def segment(text):
    """One segment as an IP packet. C and S are client and server in the next use of the tuple, with other ISNs."""
    who, flags, seq, ack, *octets = text.split()
    mine, other = ISN[who], ISN["sc"["cs".index(who)] if who.islower() else "SC"["CS".index(who)]]
    ends = (CLIENT, SERVER, 4000, 80) if who in "cC" else (SERVER, CLIENT, 80, 4000)
    payload = b"x" * int(octets[0]) if octets else b""
    acked = other + int(ack) if "A" in flags else 0
    return packet.ipv4(ends[0], ends[1], packet.tcp(ends[0], ends[1], packet.flag_bits(flags), payload=payload,
                                                    sport=ends[2], dport=ends[3], seq=mine + int(seq), ack=acked))


def segments(text):
    return [segment(one) for one in text.split(" / ") if one]


def icmp_error(quoted):
    """Port unreachable, from the server, about what the client sent."""
    body = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
    body = body[:2] + struct.pack("!H", packet.checksum(body)) + body[4:]
    return packet.ipv4(SERVER, CLIENT, body, protocol=packet.ICMP)


def carry(inner):
    """A whole packet as the payload of a segment, as tunnels over TCP have it; nobody can tell it from data."""
    return packet.ipv4(CLIENT, SERVER, packet.tcp(CLIENT, SERVER, packet.flag_bits("PA"), payload=inner, sport=4000,
                                                  dport=80, seq=ISN["c"] + 1, ack=ISN["s"] + 1))


def other_ports(p):
    """The same packet between other ports."""
    return p[:20] + struct.pack("!HH", *(port + 1 for port in struct.unpack("!HH", p[20:24]))) + p[24:]


def write_capture(path, packets):
    """Raw IP, a millisecond apart, or seconds where a number stands among the packets."""
    now = 1700000000.0
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        for one in packets:
            if isinstance(one, (int, float)):
                now += one
                continue
            out.write(struct.pack("<IIII", int(now), int(now % 1 * 1e6), len(one), len(one)) + one)
            now += 0.001


def records_of(path):
    done = subprocess.run([TOOL, "read", "--json", "--", path], capture_output=True, text=True, check=True)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted((r for r in records if r["type"] == "connection"), key=lambda r: r["ts"])


def summary_of(r):
    fins = r["close"].get("fins")
    counts = (f"{r['client'][what]}/{r['server'][what]}" for what in ("syn", "synack"))
    return " ".join(str(x) for x in (
        r["open"]["verdict"], fins or r["close"]["verdict"], r["client"]["isn"], r["server"]["isn"],
        r["compat"]["completeness"], *counts))


def tshark_sees(path):
    """Of each stream the ISNs and completeness."""
    fields = ["tcp.stream", "ip.src", "tcp.flags", "tcp.seq_raw", "tcp.completeness"]
    done = subprocess.run(["tshark", "-2", "-nr", path, "-Tfields", "-Y", "tcp.stream"] +
                          [word for field in fields for word in ("-e", field)],
                          capture_output=True, text=True, check=True)
    streams = collections.defaultdict(lambda: {"isn": {}, "completeness": 0})
    for line in done.stdout.splitlines():
        stream, source, flags, seq, completeness = line.split("\t")
        if int(flags, 16) & packet.FLAGS["S"]:
            streams[stream]["isn"].setdefault(source, seq)
        streams[stream]["completeness"] = max(int(completeness), streams[stream]["completeness"])
    return [" ".join((*(s["isn"].get(str(end), "None") for end in (CLIENT, SERVER)), str(s["completeness"])))
            for s in streams.values()]



# What is in it, its packets, its records, and what tshark sees if that is something else.
FIRST = "O_3WHS C_3SEG 1000000 5000000 23 1/0 0/1"
SECOND = "O_3WHS C_3SEG 1700000 5900000 23 1/0 0/1"
CAPTURES = [
    ("a split handshake of four segments", segments("c S 0 0 / s S 0 0 / c SA 0 1 / s A 1 1 / " + CLOSED),
     ["O_SIMULTANEOUS C_3SEG 1000000 5000000 23 1/1 1/0"]),
    # tshark takes the server's SYN for another connection, because of the ACK before it
    ("a split handshake of five segments",
     segments("c S 0 0 / s A 0 1 / s S 0 0 / c SA 0 1 / s A 1 1 / " + CLOSED),
     ["O_SIMULTANEOUS C_3SEG 1000000 5000000 23 1/1 1/0"], ["1000000 None 5", "1000000 5000000 23"]),
    ("a simultaneous open", segments("c S 0 0 / s S 0 0 / c SA 0 1 / s SA 0 1 / c A 1 1 / s A 1 1"),
     ["O_SIMULTANEOUS C_NONE 1000000 5000000 7 1/1 1/1"]),
    ("a simultaneous close", segments(OPENED + "c FA 1 1 / s FA 1 1 / c A 2 2 / s A 2 2"),
     ["O_3WHS C_SIMULTANEOUS 1000000 5000000 23 1/0 0/1"]),
    ("the SYN+ACK before the SYN", segments("s SA 0 1 / c S 0 0 / c A 1 1 / " + CLOSED),
     ["O_3WHS C_3SEG 1000000 5000000 22 1/0 0/1"]),
    ("data on the third ACK",
     segments("c S 0 0 / s SA 0 1 / c PA 1 1 10 / s A 1 11 / c FA 11 1 / s FA 1 12 / c A 12 2"),
     ["O_3WHS C_3SEG 1000000 5000000 31 1/0 0/1"]),
    # tshark's number is that of the first SYN+ACK; the ACK is of the last one
    ("SYN+ACKs of three numbers", segments("c S 0 0 / s SA 0 1 / s SA 70 1 / s SA 140 1 / c A 1 141"),
     ["O_3WHS C_NONE 1000000 5000140 7 1/0 0/3"], ["1000000 5000000 7"]),
    ("an ICMP error that quotes the SYN", segments("c S 0 0") + [icmp_error(segment("c S 0 0"))],
     ["O_NONE C_NONE 1000000 None 1 1/0 0/0"]),
    # tshark counts what is quoted
    ("an ICMP error about nothing that was seen",
     segments(OPENED) + [icmp_error(other_ports(segment("c S 0 0")))] + segments(CLOSED),
     [FIRST], ["1000000 5000000 23", "None None 1"]),
    ("TCP in TCP", segments(OPENED) + [carry(other_ports(p)) for p in segments(OPENED)] + segments("s A 1 121"),
     ["O_3WHS C_NONE 1000000 5000000 15 1/0 0/1"]),
    ("a tuple again, after a close", segments(OPENED + CLOSED) + [PAUSE] + segments(AGAIN), [FIRST, SECOND]),
    ("a tuple again, after a reset", segments(OPENED + "c RA 1 1") + [PAUSE] + segments(AGAIN),
     ["O_3WHS C_RST 1000000 5000000 39 1/0 0/1", SECOND]),
    ("a tuple again, after an end that was missed", segments(OPENED + DATA) + [PAUSE] + segments(AGAIN),
     ["O_3WHS C_NONE 1000000 5000000 15 1/0 0/1", SECOND]),
    ("a tuple again, after half an end", segments(OPENED + "c FA 1 1 / s A 1 2") + [PAUSE] + segments(AGAIN),
     ["O_3WHS C_HALF_CLOSED 1000000 5000000 23 1/0 0/1", SECOND]),
    ("a tuple again, refused", segments(OPENED + DATA) + [PAUSE] + segments("C S 0 0 / S RA 0 1"),
     ["O_3WHS C_NONE 1000000 5000000 15 1/0 0/1", "O_REFUSED C_NONE 1700000 None 37 1/0 0/0"]),
    ("a tuple again, not answered", segments(OPENED + DATA) + [PAUSE] + segments("C S 0 0 / C S 0 0"),
     ["O_3WHS C_NONE 1000000 5000000 15 1/0 0/1", "O_NONE C_NONE 1700000 None 1 2/0 0/0"]),
    ("a tuple again, which the server thinks open",
     segments(OPENED) + [PAUSE] + segments("C S 0 0 / s A 1 1 / c R 1 0") + [PAUSE] + segments(AGAIN),
     ["O_3WHS C_NONE 1000000 5000000 7 1/0 0/1", "O_3WHS C_3SEG 1700000 5900000 55 2/0 0/1"]),
    ("a tuple again, after a middle without a beginning", segments(DATA) + [PAUSE] + segments(AGAIN),
     ["O_PREEXISTING C_NONE None None 12 0/0 0/0", SECOND]),
    ("an attempt with another number", segments("c S 0 0") + [PAUSE] + segments("C S 0 0 / S SA 0 1 / C A 1 1"),
     ["O_TIMEOUT C_NONE 1000000 None 1 1/0 0/0", "O_3WHS C_NONE 1700000 5900000 7 1/0 0/1"]),
    ("a refusal, again and again with one number", segments("c S 0 0 / s RA 0 1 / c S 0 0 / s RA 0 1"),
     ["O_REFUSED C_NONE 1000000 None 37 2/0 0/0"]),
    ("everything twice, packet by packet", [p for p in segments(OPENED + CLOSED) for _ in range(2)],
     ["O_3WHS C_3SEG 1000000 5000000 23 2/0 0/2"]),
    ("everything twice, one after the other", segments(OPENED + CLOSED) * 2,
     ["O_3WHS C_3SEG 1000000 5000000 23 2/0 0/2"]),
    ("SYN and FIN in one segment", segments("c SF 0 0 / s RA 0 1"), ["O_REFUSED C_NONE 1000000 None 37 1/0 0/0"]),
    ("a FIN from nowhere", segments("c F 0 0 / s RA 0 1"), ["O_PREEXISTING C_RST None None 36 0/0 0/0"]),
]


def compare(path, records, streams):
    """What differs, or nothing."""
    told = [summary_of(r) for r in records_of(path)]
    wrong = [] if told == records else [f"records {told}", f"instead {records}"]
    if TSHARK:
        streams = streams or [" ".join(r.split()[2:5]) for r in records]
        seen = tshark_sees(path)
        wrong += [] if seen == streams else [f"tshark {seen}", f"instead {streams}"]
    return wrong


def main():
    print(f"1..{len(CAPTURES)}")
    if not TSHARK:
        print("# NOT COMPARED with tshark, which is not installed")
    with tempfile.TemporaryDirectory() as folder:
        for number, (words, packets, records, *streams) in enumerate(CAPTURES, 1):
            path = os.path.join(folder, "made.pcap")
            write_capture(path, packets)
            wrong = compare(path, records, streams[0] if streams else None)
            print(f"{'not ok' if wrong else 'ok'} {number} - {words}")
            for line in wrong:
                print(f"#   {line}")


main()
