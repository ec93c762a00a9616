# SPDX-License-Identifier: GPL-2.0
"""
A router answers the SYN: host unreachable.

	host			router
	SYN		------>
			<------	ICMP host unreachable
	connect() fails: EHOSTUNREACH
"""
import errno

import packet
from shk import *


def play(s):
    peer = s.peer(7052)
    sock = s.connect(s.addr + 1, 7052, wait=False)
    syn = peer.expect("S")
    head = struct.pack("!HHI", syn.sport, syn.dport, syn.seq)
    quoted = packet.ipv4(s.addr, s.addr + 1, head)
    message = struct.pack("!BBHI", 3, 1, 0, 0) + quoted
    message = message[:2] + struct.pack("!H", packet.checksum(message)) + message[4:]
    peer.wire.write(s.addr + 1, s.addr, message, protocol=packet.ICMP)
    s.until_state(sock, "CLOSE")
    if s.error(sock) != errno.EHOSTUNREACH:
        raise Wrong("connect() failed otherwise")


EXPIRES = 1
RECORDS = [{
    "client.syn": 1,
    "open.verdict": "O_UNREACH",
    "blame.where": "network",
}]
COUNTERS = {"TcpActiveOpens": 1, "TcpAttemptFails": 1}
CONNTRACK = ["SS"]
TSHARK = [1]
