# SPDX-License-Identifier: GPL-2.0
"""
The SYN+ACK acknowledges a number that was never sent: the host resets that and goes on with its SYN at once.

	host			peer
	SYN		------>
			<------	SYN+ACK, ack = ISN + 1000
	RST		------>			seq = ISN + 1000
	SYN		------>
	connect() fails: ETIMEDOUT
"""
from shk import *


def play(s):
    s.sysctl(tcp_syn_retries=1)
    if s.kernel >= (6, 5):
        s.sysctl(tcp_syn_linear_timeouts=0)
    peer = s.peer(7023)
    sock = s.connect(s.addr + 1, 7023, wait=False)
    syn = peer.expect("S")
    peer.send("SA", ack=syn.seq + 1000, mss=1460)
    peer.expect_shape("R", seq=syn.seq + 1000)
    peer.expect_shape("S", seq=syn.seq)
    s.until_state(sock, "CLOSE")


EXPIRES = 1
RECORDS = [{
    "client.rst": 1,
    "open.verdict": "O_BAD_SYNACK", "open.flags": has("BAD_SYNACK"),
    "open.checks.synack_acks_syn": False,
}]
TSHARK = [35]
