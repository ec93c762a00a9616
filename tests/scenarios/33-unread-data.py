# SPDX-License-Identifier: GPL-2.0
"""
The application closes without reading what has come: RST instead of FIN (RFC 2525 2.17).

	peer			host
	SYN, SYN+ACK, ACK
	ACK, 5 octets	------>
			<------	ACK
			<------	RST+ACK		close()
"""
from shk import *


def play(s):
    listener = s.listen(7033)
    peer = s.peer(40033, to=7033)
    peer.open()
    app = s.accept(listener)
    peer.send("PA", b"hello")
    peer.expect("A")
    app.close()
    peer.expect("RA")


RECORDS = [{
    "witness.confidence": one_of("certain", "inferred"),
    "open.verdict": "O_3WHS",
    "close.verdict": "C_RST_UNREAD", "close.by": "server",
    "blame.where": "application",
    "compat.conn_state": "RSTR", "compat.history": "ShADar",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpEstabResets": 1, "TcpOutRsts": 1, "TcpExtTCPAbortOnClose": 1}
CONNTRACK = ["SS SR ES CL"]
TSHARK = [47]
