# SPDX-License-Identifier: GPL-2.0
"""
The peer asks for a port where nobody listens.

	peer			host
	SYN		------>
			<------	RST+ACK		seq 0, ack ISN + 1
"""
from shk import *


def play(s):
    peer = s.peer(40007, to=7007)
    peer.syn()
    rst = peer.expect("RA")
    if (rst.seq, rst.ack) != (0, 1001):
        raise Wrong(f"not the shape of a reply to a SYN: {rst}")


RECORDS = [{
    "witness.socket": ANYTHING,     # of an RST without a socket Linux tells from 6.10 on
    "open.verdict": "O_REFUSED",
    "close.verdict": "C_NONE",
    "server.rst": 1, "local": "server",
    "compat.conn_state": "REJ", "compat.history": "Sr",
}]
COUNTERS = {"TcpOutRsts": 1}
CONNTRACK = ["SS"]
TSHARK = [37]
