# SPDX-License-Identifier: GPL-2.0
"""
The host has ended its half; the peer still sends four octets before it ends its own.

	peer			host
	SYN, SYN+ACK, ACK
			<------	FIN+ACK		shutdown(SHUT_WR)
	ACK		------>
	ACK, 4 octets	------>
			<------	ACK
	FIN+ACK		------>
			<------	ACK
"""
from shk import *


def play(s):
    listener = s.listen(7037)
    peer = s.peer(40037, to=7037)
    peer.open()
    app = s.accept(listener)
    app.shutdown(socket.SHUT_WR)
    peer.answer_fin()
    peer.send("PA", b"data")
    peer.expect("A")
    s.wait(0.1)
    peer.fin()
    peer.expect("A")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_4SEG", "close.by": "server",
    "close.half_close.bytes": 4, "close.half_close.ns": ms(100, 800),
    "client.bytes": 4, "server.bytes": 0,
    "compat.conn_state": "SF", "compat.history": "ShAfDaF",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtTW": 1}
CONNTRACK = ["SS SR ES FW CW LA TW"]
TSHARK = [31]
