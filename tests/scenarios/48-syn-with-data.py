# SPDX-License-Identifier: GPL-2.0
"""
A SYN carries data, without Fast Open: the host acknowledges the SYN only, and the data must come again.

	peer			host
	SYN, 5 octets	------>
			<------	SYN+ACK		ack = ISN + 1
	ACK, 5 octets	------>	accept()
"""
from shk import *


def play(s):
    listener = s.listen(7048)
    peer = s.peer(40048, to=7048)
    peer.send("S", b"hello", mss=1460)
    peer.expect_shape("SA", ack=peer.isn + 1)
    peer.send("PA", b"hello", seq=peer.isn + 1)
    app = s.accept(listener)
    if app.recv(100) != b"hello":
        raise Wrong("the data has not come")


RECORDS = [{
    "open.verdict": "O_3WHS", "open.flags": has("DATA_ON_SYN", "DATA_ON_ACK"),
    "client.tfo": False,
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpPassiveOpens": 1}
CONNTRACK = ["SS SR ES"]
TSHARK = [15]
