# SPDX-License-Identifier: GPL-2.0
"""
IPv6: a SYN behind destination options, and a SYN in two fragments, which no netfilter hook can read in one piece.

	peer			host
	A: SYN with destination options ->
			<------	A: SYN+ACK
	A: ACK		------>
	B: SYN, header and MSS	------>		RFC 7112: the header must be in the first fragment
	B: the other options	------>
			<------	B: SYN+ACK
	B: ACK		------>
"""
import packet
from shk import *


def with_destination_options(segment):
    return [(struct.pack("!BB", packet.TCP, 0) + b"\1\4\0\0\0\0" + segment, {"next_header": packet.DESTINATION})]


def in_two_fragments(segment):
    def fragment(data, offset, more):
        return struct.pack("!BBHI", packet.TCP, 0, offset | more, 71) + data, {"next_header": packet.FRAGMENT}
    return [fragment(segment[:24], 0, 1), fragment(segment[24:], 24, 0)]


def play(s):
    listener = s.listen(7069, family=socket.AF_INET6)
    for port, wrap in ((40069, with_destination_options), (41069, in_two_fragments)):
        peer = s.peer(port, to=7069, version=6)
        plain, peer.wrap = peer.wrap, wrap
        peer.syn(sack=True, wscale=7)
        peer.expect("SA")
        peer.wrap = plain
        peer.send("A")
        s.accept(listener)


RECORDS = [{
    "client.ip": "fd71:69::2", "client.syn": 1, "client.isn": 1000,
    "open.verdict": "O_3WHS",
}, {
    "client.port": 41069, "client.syn": 0, "client.isn": 1000,      # from the SYN+ACK
    "open.verdict": "O_3WHS",
    "witness.confidence": "partial",
}]
COUNTERS = {"TcpPassiveOpens": 2}
