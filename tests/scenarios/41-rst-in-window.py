# SPDX-License-Identifier: GPL-2.0
"""
Three RSTs (RFC 5961 3.2): one outside the window is ignored, one inside is challenged, one with exactly the
expected number ends the connection.

	peer			host
	SYN, SYN+ACK, ACK
	RST, seq + 10^7	------>
	RST, seq + 100	------>
			<------	ACK
	RST, exact	------>	error ECONNRESET
"""
from shk import *


def play(s):
    listener = s.listen(7041)
    peer = s.peer(40041, to=7041)
    peer.open()
    app = s.accept(listener)
    peer.send("R", seq=peer.seq + 10**7)
    peer.send("R", seq=peer.seq + 100)
    peer.expect("A")
    if s.state(app) != "ESTABLISHED":
        raise Wrong("an RST was heeded that should not be")
    s.wait(0.3)
    peer.send("R")
    s.until_state(app, "CLOSE")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_RST", "close.by": "client",
    "close.flags": has("RST_CHALLENGED"),
    "client.rst": 3,
    "compat.conn_state": "RSTO",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpEstabResets": 1, "TcpExtTCPChallengeACK": 1}
TSHARK = [39]
