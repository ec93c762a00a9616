# SPDX-License-Identifier: GPL-2.0
"""
Both connect at once (RFC 9293 3.5, figure 7).

	host			peer
	SYN		------>
			<------	SYN
	SYN+ACK		------>
			<------	SYN+ACK
	ACK		------>			Linux answers it
	FIN+ACK		------>
			<------	FIN+ACK
	ACK		------>
"""
from shk import *


def play(s):
    peer = s.peer(7014)
    sock = s.connect(s.addr + 1, 7014, wait=False)
    peer.expect("S")
    peer.syn()
    peer.expect("SA")
    peer.send("SA", seq=peer.isn, mss=1460)
    s.until_state(sock, "ESTABLISHED")
    sock.shutdown(socket.SHUT_WR)
    peer.expect("FA")
    peer.fin()
    peer.expect("A")


RECORDS = [{
    "open.verdict": "O_SIMULTANEOUS",
    "client.syn": 1, "server.syn": 1, "client.synack": 1, "server.synack": 1,
    "close.verdict": "C_3SEG", "close.by": "client",
    "local": "client",
    "compat.conn_state": "SF",
}]
COUNTERS = {"TcpActiveOpens": 1, "TcpExtTW": 1}
CONNTRACK = ["SS S2 SR ES FW LA TW"]
TSHARK = [23]
