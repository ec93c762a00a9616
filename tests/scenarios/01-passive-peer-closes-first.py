# SPDX-License-Identifier: GPL-2.0
"""
The peer opens, and closes first; the application takes 0.2 s to follow: four segments.

	peer			host
	SYN		------>
			<------	SYN+ACK
	ACK		------>	accept()
	FIN+ACK		------>	CLOSE-WAIT
			<------	ACK
			<------	FIN+ACK		close(), 0.2 s later
	ACK		------>
"""
from shk import *


def play(s):
    listener = s.listen(7001)
    peer = s.peer(40001, to=7001)
    peer.open()
    app = s.accept(listener)
    peer.fin()
    peer.expect("A")
    s.wait(0.25)
    app.close()
    peer.answer_fin()


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_4SEG", "close.by": "client",
    "close.half_close.bytes": 0,
    "close.legs_ns.fin_fin": ms(240, 800),
    "client.isn": 1000, "client.syn": 1, "client.fin": 1, "client.bytes": 0,
    "server.synack": 1, "server.fin": 1, "server.bytes": 0,
    "local": "server", "server.process.comm": "python3",
    "compat.conn_state": "SF", "compat.history": "ShAFaf",
}]
COUNTERS = {"TcpPassiveOpens": 1}
CONNTRACK = ["SS SR ES FW CW LA TW"]
TSHARK = [23]
