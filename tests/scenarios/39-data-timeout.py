# SPDX-License-Identifier: GPL-2.0
"""
Data is never acknowledged; TCP_USER_TIMEOUT ends the connection, and nothing on the wire says so.

	peer			host
	SYN, SYN+ACK, ACK
			<------	ACK, 5 octets	and again, and again
						error ETIMEDOUT after 1.5 s
"""
import errno

from shk import *


def play(s):
    listener = s.listen(7039)
    peer = s.peer(40039, to=7039)
    peer.open()
    app = s.accept(listener)
    app.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
    app.send(b"hello")
    s.until_state(app, "CLOSE")
    if s.error(app) != errno.ETIMEDOUT:
        raise Wrong("the application was not told")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_RTO_TIMEOUT",
    "blame.where": one_of("network", "peer"),
}]
# How often it was sent again in that time depends on how long the first answers took.
COUNTERS = {"TcpPassiveOpens": 1, "TcpEstabResets": 1, "TcpRetransSegs": between(1, 9), "TcpExtTCPAbortOnTimeout": 1}
CONNTRACK = ["SS SR ES"]
TSHARK = [15]
