# SPDX-License-Identifier: GPL-2.0
"""
PAWS (RFC 7323 5) drops data with an old timestamp and acknowledges again; an RST with an old one is heeded.

	peer			host
	SYN, SYN+ACK, ACK with timestamps
	ACK, 5 octets, old TSval ->
			<------	ACK		the data is not taken
	RST, old TSval	------>	error ECONNRESET
"""
from shk import *


def play(s):
    listener = s.listen(7054)
    peer = s.peer(40054, to=7054)
    peer.ts = 100000
    peer.open()
    app = s.accept(listener)
    peer.send("PA", b"hello", seq=peer.seq, ts=50000)
    peer.expect_shape("A", ack=peer.seq)
    peer.send("R", ts=50000)
    s.until_state(app, "CLOSE")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_RST", "close.by": "client",
    "client.timestamps": True, "server.timestamps": True,
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpEstabResets": 1, "TcpExtPAWSEstab": 1}
CONNTRACK = ["SS SR ES CL"]
TSHARK = [47]
