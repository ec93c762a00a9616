# SPDX-License-Identifier: GPL-2.0
"""
The third leg acknowledges a wrong number: the host resets that, keeps its request, and the right ACK still opens.

	peer			host
	SYN		------>
			<------	SYN+ACK
	ACK, wrong	------>
			<------	RST		seq = that number
	ACK, right	------>	accept()
"""
from shk import *


def play(s):
    listener = s.listen(7025)
    peer = s.peer(40025, to=7025)
    peer.syn()
    synack = peer.expect("SA")
    peer.send("A", ack=synack.seq - 100000)
    peer.expect_shape("R", seq=synack.seq - 100000)
    peer.send("A")
    s.accept(listener)


RECORDS = [{
    "server.rst": 1,
    "open.verdict": "O_3WHS", "open.flags": has("BAD_ACK"),
    "open.checks.ack_acks_synack": True,
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpOutRsts": 1}
CONNTRACK = ["SS SR ES"]
TSHARK = [39]
