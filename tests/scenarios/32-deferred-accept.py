# SPDX-License-Identifier: GPL-2.0
"""
With TCP_DEFER_ACCEPT the third leg alone is dropped; the connection comes to be with the first data.

	peer			host
	SYN		------>
			<------	SYN+ACK
	ACK		------>			dropped
	ACK, 5 octets	------>	accept()
			<------	ACK
"""
from shk import *


def play(s):
    listener = s.listen(7032, options=[(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)])
    peer = s.peer(40032, to=7032)
    peer.open()
    s.until("the ACK is dropped", lambda: s.counter("TcpExtTCPDeferAcceptDrop") == 1)
    s.wait(0.1)
    peer.send("PA", b"hello")
    app = s.accept(listener)
    app.recv(100)
    peer.expect("A")


RECORDS = [{
    "witness.confidence": one_of("inferred", "certain"),    # the wait might have had another cause
    "open.verdict": "O_DEFER_ACCEPT",
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtTCPDeferAcceptDrop": 1}
TSHARK = [15]
