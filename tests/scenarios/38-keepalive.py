# SPDX-License-Identifier: GPL-2.0
"""
The peer is gone without a word. Two keepalive probes, then the host resets (RFC 9293 3.8.4).

	peer			host
	SYN, SYN+ACK, ACK
			<------	ACK, seq - 1	after 1 s
			<------	ACK, seq - 1	after 2 s
			<------	RST+ACK		after 3 s; error ETIMEDOUT
"""
from shk import *


def play(s):
    listener = s.listen(7038)
    peer = s.peer(40038, to=7038)
    peer.open()
    app = s.accept(listener)
    app.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
        app.setsockopt(socket.IPPROTO_TCP, option, value)
    for _ in range(2):
        peer.expect_shape("A", seq=peer.ack - 1)
        peer.ack += 1   # expect() has taken the probe for news
    peer.expect("RA")


RECORDS = [{
    "witness.confidence": one_of("certain", "inferred"),
    "open.verdict": "O_3WHS",
    "close.verdict": "C_KEEPALIVE", "close.by": "server",
    "blame.where": one_of("network", "peer"),
    "compat.conn_state": "RSTR",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpEstabResets": 1, "TcpOutRsts": 1, "TcpExtTCPAbortOnTimeout": 1,
            "TcpExtTCPKeepAlive": 2}
CONNTRACK = ["SS SR ES CL"]
TSHARK = [39]
