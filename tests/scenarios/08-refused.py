# SPDX-License-Identifier: GPL-2.0
"""
The host connects to a peer that refuses.

	host			peer
	SYN		------>
			<------	RST+ACK
	connect() fails: ECONNREFUSED
"""
import errno

from shk import *


def play(s):
    peer = s.peer(7008)
    sock = s.connect(s.addr + 1, 7008, wait=False)
    peer.expect("S")
    peer.send("RA", seq=0)
    s.until("connect() has failed", lambda: s.state(sock) == "CLOSE")
    if s.error(sock) != errno.ECONNREFUSED:
        raise Wrong("connect() failed otherwise")


RECORDS = [{
    "open.verdict": "O_REFUSED",
    "server.rst": 1, "local": "client", "client.process.comm": "python3",
    "compat.conn_state": "REJ", "compat.history": "Sr",
}]
COUNTERS = {"TcpActiveOpens": 1, "TcpAttemptFails": 1}
CONNTRACK = ["SS"]
TSHARK = [37]
