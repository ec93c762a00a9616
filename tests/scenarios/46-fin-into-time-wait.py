# SPDX-License-Identifier: GPL-2.0
"""
The last ACK is lost, so the peer repeats its FIN into TIME-WAIT and gets another ACK.

	peer			host
	SYN, SYN+ACK, ACK
			<------	FIN+ACK
	FIN+ACK		------>	TIME-WAIT
			<------	ACK		lost
	FIN+ACK		------>
			<------	ACK
"""
from shk import *


def play(s):
    listener = s.listen(7046)
    peer = s.peer(40046, to=7046)
    peer.open()
    peer.close_after(s.accept(listener))
    peer.send("FA", seq=peer.seq - 1)
    peer.expect("A")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "server", "close.flags": has("FIN_RETRANSMIT"),
    "client.fin": 2, "client.fin_retransmits": 1,
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtTW": 1}
CONNTRACK = ["SS SR ES FW LA TW"]
TSHARK = [23]
