# SPDX-License-Identifier: GPL-2.0
"""
The FIN is the third leg: accept() returns a socket in CLOSE-WAIT.

	peer			host
	SYN		------>
			<------	SYN+ACK
	FIN+ACK		------>	accept()
			<------	ACK
			<------	FIN+ACK		close()
	ACK		------>
"""
from shk import *


def play(s):
    listener = s.listen(7053)
    peer = s.peer(40053, to=7053)
    peer.syn()
    peer.expect("SA")
    peer.fin()
    peer.expect("A")
    app = s.accept(listener)
    if s.state(app) != "CLOSE_WAIT":
        raise Wrong(f"accepted in {s.state(app)}")
    app.close()
    peer.answer_fin()


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_4SEG", "close.by": "client",
    "compat.conn_state": "SF", "compat.history": "ShFafA",
}]
COUNTERS = {"TcpPassiveOpens": 1}
CONNTRACK = ["SS SR FW CW LA TW"]
TSHARK = [23]
