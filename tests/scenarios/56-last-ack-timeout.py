# SPDX-License-Identifier: GPL-2.0
"""
The host's FIN, the second, is never acknowledged: the orphan gives up in LAST-ACK. Not a complete close.

	peer			host
	SYN, SYN+ACK, ACK
	FIN+ACK		------>
			<------	ACK
			<------	FIN+ACK		close(), and again
						gives up
"""
from shk import *


def play(s):
    s.sysctl(tcp_orphan_retries=1)
    listener = s.listen(7056)
    peer = s.peer(40056, to=7056)
    peer.open()
    app = s.accept(listener)
    peer.fin()
    peer.expect("A")
    app.close()
    peer.expect("FA")
    s.until("the orphan is gone", lambda: not s.sockets_of(40056))


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_LASTACK_TIMEOUT",
    "server.fin": between(2, 4),
    "witness.confidence": "certain",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpRetransSegs": between(1, 3), "TcpExtTCPAbortOnTimeout": 1}
CONNTRACK = ["SS SR ES FW CW LA"]
TSHARK = [23]
