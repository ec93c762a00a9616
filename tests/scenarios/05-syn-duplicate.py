# SPDX-License-Identifier: GPL-2.0
"""
The SYN arrives twice and the third leg is lost, so the SYN+ACK is sent three times. In the end the peer resets.

	peer			host
	SYN		------>
			<------	SYN+ACK
	SYN		------>			the same
			<------	SYN+ACK		at once
			<------	SYN+ACK		by the timer, after 1 s
	ACK		------>	accept()
			<------	FIN+ACK		close()
	RST		------>
"""
from shk import *


def play(s):
    listener = s.listen(7005)
    peer = s.peer(40005, to=7005)
    peer.syn()
    peer.expect("SA")
    peer.send("S", seq=peer.isn, mss=1460)
    peer.expect("SA")
    peer.expect("SA")
    peer.send("A")
    app = s.accept(listener)
    app.close()
    peer.expect("FA")
    peer.send("R")


RECORDS = [{
    "open.verdict": "O_3WHS", "open.flags": ["SYN_RETRANSMIT", "SYNACK_RETRANSMIT"],
    "client.syn": 2, "client.syn_retransmits": 1, "client.rst": 1,
    "server.synack": 3, "server.synack_retransmits": 2,
    "open.legs_ns.total": ms(900, 2500),
    "close.verdict": "C_RST", "close.by": "client", "close.flags": has("RST_AFTER_FIN"),
    "compat.conn_state": "RSTO", "compat.history": "ShAfR",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpRetransSegs": 2}
CONNTRACK = ["SS SR SR ES FW CL"]
TSHARK = [55]
