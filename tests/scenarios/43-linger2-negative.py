# SPDX-License-Identifier: GPL-2.0
"""
With TCP_LINGER2 = -1 the host does not wait for the other FIN: it resets as soon as its own is acknowledged.

	peer			host
	SYN, SYN+ACK, ACK
			<------	FIN+ACK		close()
	ACK		------>
			<------	RST
"""
from shk import *


def play(s):
    listener = s.listen(7043)
    peer = s.peer(40043, to=7043)
    peer.open()
    app = s.accept(listener)
    app.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, -1)
    app.close()
    peer.answer_fin()
    peer.expect("R")


RECORDS = [{
    "witness.confidence": one_of("certain", "inferred"),
    "open.verdict": "O_3WHS",
    "close.verdict": "C_RST_LINGER2", "close.by": "server",
    "close.flags": has("RST_AFTER_FIN"),
    "compat.conn_state": "RSTR", "compat.history": "ShAfr",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpOutRsts": 1, "TcpExtTCPAbortOnData": 1}
CONNTRACK = ["SS SR ES FW CW CL"]
TSHARK = [55]
