# SPDX-License-Identifier: GPL-2.0
"""
The application gives up before the answer comes; the late SYN+ACK is reset.

	host			peer
	SYN		------>
	close()
			<------	SYN+ACK
	RST		------>
"""
from shk import *


def play(s):
    peer = s.peer(7055)
    sock = s.connect(s.addr + 1, 7055, wait=False)
    syn = peer.expect("S")
    sock.close()
    peer.send("SA", mss=1460)
    peer.expect_shape("R", seq=syn.seq + 1)


RECORDS = [{
    "compat.conn_state": "RSTO", "compat.history": "ShR",
    "open.verdict": "O_ABORTED_LOCAL",   # depends on when the RST goes out
    "blame.where": "application",
}]
COUNTERS = {"TcpActiveOpens": 1, "TcpOutRsts": 1}
CONNTRACK = ["SS SR CL"]
TSHARK = [35]
