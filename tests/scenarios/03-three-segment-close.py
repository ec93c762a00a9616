# SPDX-License-Identifier: GPL-2.0
"""
The peer's FIN acknowledges the host's: three segments.

	peer			host
	SYN, SYN+ACK, ACK
			<------	FIN+ACK		close()
	FIN+ACK		------>	TIME-WAIT	covers the FIN
			<------	ACK
"""
from shk import *


def play(s):
    listener = s.listen(7003)
    peer = s.peer(40003, to=7003)
    peer.open()
    app = s.accept(listener)
    app.shutdown(socket.SHUT_WR)
    peer.expect("FA")
    peer.fin()
    peer.expect("A")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "server",
    "close.half_close": ABSENT,
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtTW": 1}
CONNTRACK = ["SS SR ES FW LA TW"]
TSHARK = [23]
