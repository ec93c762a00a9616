# SPDX-License-Identifier: GPL-2.0
"""
Nobody answers. With one retransmission allowed, connect() fails after 3 s.

	host			peer
	SYN		------>
	SYN		------>			after 1 s
	(SYN		------>			after 2 s: Linux 6.5 and later)
	connect() fails: ETIMEDOUT
"""
import errno

from shk import *


def play(s):
    s.sysctl(tcp_syn_retries=1)
    peer = s.peer(7009)
    sock = s.connect(s.addr + 1, 7009, wait=False)
    peer.expect("S")
    s.until("connect() has failed", lambda: s.state(sock) == "CLOSE")
    if s.error(sock) != errno.ETIMEDOUT:
        raise Wrong("connect() failed otherwise")


EXPIRES = 1
RECORDS = [{
    "open.verdict": "O_TIMEOUT",
    "client.syn": since("6.5", 3, before=2),
    "client.syn_retransmits": since("6.5", 2, before=1),
    "compat.conn_state": "S0", "compat.history": "S",
}]
COUNTERS = {"TcpActiveOpens": 1, "TcpAttemptFails": 1, "TcpRetransSegs": since("6.5", 2, before=1),
            "TcpExtTCPAbortOnTimeout": 1}
CONNTRACK = ["SS"]
TSHARK = [1]
