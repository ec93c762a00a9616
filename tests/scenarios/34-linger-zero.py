# SPDX-License-Identifier: GPL-2.0
"""
The application closes with SO_LINGER 0: it wants an RST.

	peer			host
	SYN, SYN+ACK, ACK
			<------	RST+ACK		close()
"""
from shk import *


def play(s):
    listener = s.listen(7034)
    peer = s.peer(40034, to=7034)
    peer.open()
    s.abort(s.accept(listener))
    peer.expect("RA")


RECORDS = [{
    "witness.confidence": one_of("certain", "inferred"),
    "open.verdict": "O_3WHS",
    "close.verdict": "C_RST_LINGER0", "close.by": "server",
    "blame.where": "application",
    "compat.conn_state": "RSTR", "compat.history": "ShAr",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpEstabResets": 1, "TcpOutRsts": 1, "TcpExtTCPAbortOnData": 1}
CONNTRACK = ["SS SR ES CL"]
TSHARK = [39]
