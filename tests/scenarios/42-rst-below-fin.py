# SPDX-License-Identifier: GPL-2.0
"""
After its FIN a peer may reset with the number of the FIN itself: Linux takes that in CLOSE-WAIT.

	peer			host
	SYN, SYN+ACK, ACK
	FIN+ACK		------>	CLOSE-WAIT
			<------	ACK
	RST, seq of FIN	------>	error EPIPE
"""
import errno

from shk import *


def play(s):
    listener = s.listen(7042)
    peer = s.peer(40042, to=7042)
    peer.open()
    app = s.accept(listener)
    peer.fin()
    peer.expect("A")
    peer.send("R", seq=peer.seq - 1)
    s.until_state(app, "CLOSE")
    if s.error(app) != errno.EPIPE:
        raise Wrong("the application was not told")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_RST", "close.by": "client", "close.flags": has("RST_AFTER_FIN"),
    "compat.conn_state": "RSTO", "compat.history": "ShAFaR",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpEstabResets": 1}
CONNTRACK = ["SS SR ES FW CW CL"]
TSHARK = [55]
