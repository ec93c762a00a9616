# SPDX-License-Identifier: GPL-2.0
"""
Both send their FIN before they have the other's (RFC 9293 3.6, figure 13).

	peer			host
	SYN, SYN+ACK, ACK
			<------	FIN+ACK		close()
	FIN+ACK		------>	CLOSING		does not cover the FIN
			<------	ACK
	ACK		------>	TIME-WAIT
"""
from shk import *


def play(s):
    listener = s.listen(7004)
    peer = s.peer(40004, to=7004)
    peer.open()
    app = s.accept(listener)
    app.shutdown(socket.SHUT_WR)
    fin = peer.expect("FA")
    peer.send("FA", ack=fin.seq)
    peer.expect("A")
    peer.send("A", ack=fin.seq + 1)


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_SIMULTANEOUS", "close.by": "both",
    "close.half_close": ABSENT,
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtTW": 1, "TcpRetransSegs": between(0, 9)}    # who is slow gets the FIN again
CONNTRACK = ["SS SR ES FW LA TW"]
TSHARK = [23]
