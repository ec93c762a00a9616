# SPDX-License-Identifier: GPL-2.0
"""
The application closes, the peer goes on to send: RST (RFC 9293 3.6, MAY-1).

	peer			host
	SYN, SYN+ACK, ACK
			<------	FIN+ACK		close()
	ACK		------>	FIN-WAIT-2
	ACK, 5 octets	------>
			<------	RST
"""
from shk import *


def play(s):
    listener = s.listen(7036)
    peer = s.peer(40036, to=7036)
    peer.open()
    s.accept(listener).close()
    peer.answer_fin()
    s.until("the orphan is in FIN-WAIT-2", lambda: s.counter("TcpExtTW") == 1)
    peer.send("PA", b"hello")
    peer.expect("R")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_RST_DATA_AFTER_CLOSE", "close.by": "server",
    "witness.confidence": one_of("inferred", "certain"),    # if the kernel tells what answered
    "close.flags": has("RST_AFTER_FIN"),
    "compat.conn_state": "RSTR", "compat.history": "ShAfDr",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpOutRsts": 1, "TcpExtTW": 1}
CONNTRACK = ["SS SR ES FW CW CL"]
TSHARK = [63]
