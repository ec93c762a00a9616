# SPDX-License-Identifier: GPL-2.0
"""
The server of a Fast Open closes before the third leg: FIN out of SYN-RECEIVED.

	peer			host
	SYN, 5 octets	------>	accept()	no cookie needed here
			<------	SYN+ACK		ack = ISN + 6
			<------	FIN+ACK		close()
	FIN+ACK		------>			covers both
			<------	ACK
"""
from shk import *


def play(s):
    s.sysctl(tcp_fastopen=0x202)
    listener = s.listen(7050, options=[(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 10)])
    peer = s.peer(40050, to=7050)
    peer.send("S", b"hello", mss=1460)
    peer.expect_shape("SA", ack=peer.isn + 6)
    app = s.accept(listener)
    app.recv(100)
    app.close()
    peer.expect("FA")
    peer.fin()
    peer.expect("A")


RECORDS = [{
    "open.verdict": "O_TFO_DATA", "open.flags": has("DATA_ON_SYN"),
    "close.verdict": "C_3SEG", "close.by": "server",
    "client.bytes": 5,
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtTCPFastOpenPassive": 1, "TcpExtTW": 1}
TSHARK = [31]
