# SPDX-License-Identifier: GPL-2.0
"""
An ACK of nothing reaches a listener: RST with its number, and no connection.

	peer			host
	ACK		------>
			<------	RST
"""
from shk import *


def play(s):
    s.listen(7045)
    peer = s.peer(40045, to=7045)
    peer.send("A", ack=123456)
    peer.expect_shape("R", seq=123456)


RECORDS = []
COUNTERS = {"TcpOutRsts": 1}
CONNTRACK = ["ES"]
TSHARK = [36]
