# SPDX-License-Identifier: GPL-2.0
"""
The peer opens; the host ends its half first, the peer 0.25 s later: four segments.

	peer			host
	SYN, SYN+ACK, ACK
			<------	FIN+ACK		shutdown(SHUT_WR)
	ACK		------>	FIN-WAIT-2
	FIN+ACK		------>	TIME-WAIT	0.25 s later
			<------	ACK
"""
from shk import *


def play(s):
    listener = s.listen(7002)
    peer = s.peer(40002, to=7002)
    peer.open()
    app = s.accept(listener)
    app.shutdown(socket.SHUT_WR)
    peer.answer_fin()
    s.wait(0.25)
    peer.fin()
    peer.expect("A")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_4SEG", "close.by": "server",
    "close.half_close.ns": ms(250, 800), "close.half_close.bytes": 0,
    "close.legs_ns.fin_fin": ms(250, 800),
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtTW": 1}
CONNTRACK = ["SS SR ES FW CW LA TW"]
TSHARK = [23]
