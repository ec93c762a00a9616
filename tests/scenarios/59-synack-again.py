# SPDX-License-Identifier: GPL-2.0
"""
The SYN+ACK comes once more when the connection is long established: a challenge ACK.

	host			peer
	SYN, SYN+ACK, ACK
			<------	SYN+ACK
	ACK		------>
"""
from shk import *


def play(s):
    peer = s.peer(7059)
    sock = s.connect(s.addr + 1, 7059, wait=False)
    peer.answer()
    s.until_state(sock, "ESTABLISHED")
    s.wait(1)
    peer.send("SA", seq=peer.isn, mss=1460)
    peer.expect("A")


RECORDS = [{
    "server.synack": 2, "server.synack_retransmits": 1,
    "open.verdict": "O_3WHS",
    "open.legs_ns.total": ms(0, 1000),
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpActiveOpens": 1, "TcpInErrs": 1, "TcpExtTCPChallengeACK": 1, "TcpExtTCPSYNChallenge": 1}
CONNTRACK = ["SS SR ES"]
TSHARK = [7]
