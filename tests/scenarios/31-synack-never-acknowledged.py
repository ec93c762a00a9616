# SPDX-License-Identifier: GPL-2.0
"""
The client does not answer the SYN+ACK. After one retransmission the host forgets the request, silently.

	peer			host
	SYN		------>
			<------	SYN+ACK
			<------	SYN+ACK		after 1 s
						forgotten after 3 s
"""
from shk import *


def play(s):
    s.sysctl(tcp_synack_retries=1)
    s.listen(7031)
    peer = s.peer(40031, to=7031)
    peer.syn()
    peer.expect("SA")
    peer.expect("SA")


EXPIRES = 1
RECORDS = [{
    "server.synack": 2, "server.synack_retransmits": 1,
    "open.verdict": "O_EMBRYO_EXPIRED",
    "open.checks.synack_acks_syn": True,
    "witness.confidence": one_of("certain", "inferred"),    # where the timer itself can be seen
    "compat.conn_state": "S1", "compat.history": "Sh",
}]
COUNTERS = {"TcpRetransSegs": 1}
CONNTRACK = ["SS SR"]
TSHARK = [3]
