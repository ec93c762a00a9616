# SPDX-License-Identifier: GPL-2.0
"""
The peer still knows an old connection (RFC 9293 3.5.1, figure 10): it answers the SYN by an ACK of that. The host
resets it, and its next SYN, sent at once, opens.

	host			peer
	SYN		------>
			<------	ACK		of something else
	RST		------>
	SYN		------>
			<------	SYN+ACK
	ACK		------>
"""
from shk import *


def play(s):
    peer = s.peer(7024)
    sock = s.connect(s.addr + 1, 7024, wait=False)
    syn = peer.expect("S")
    peer.send("A", seq=777000, ack=syn.seq - 5000)
    peer.expect_shape("R", seq=syn.seq - 5000)
    peer.expect_shape("S", seq=syn.seq)
    peer.send("SA", mss=1460)
    peer.expect("A")
    s.until_state(sock, "ESTABLISHED")


RECORDS = [{
    "client.syn": 2, "client.rst": 1,
    "open.verdict": "O_3WHS", "open.flags": has("CHALLENGE", "SYN_RETRANSMIT"),
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpActiveOpens": 1, "TcpRetransSegs": 1, "TcpOutRsts": 1}
TSHARK = [39]
