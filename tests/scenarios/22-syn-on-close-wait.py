# SPDX-License-Identifier: GPL-2.0
"""
The same in CLOSE-WAIT: the peer had closed, and connects again before the application has followed.

	peer			host
	SYN, SYN+ACK, ACK
	FIN+ACK		------>	CLOSE-WAIT
			<------	ACK
	SYN		------>			another number
			<------	ACK		of the old connection
	RST		------>			error EPIPE
"""
import errno

from shk import *


def play(s):
    listener = s.listen(7022)
    old = s.peer(40022, to=7022)
    old.open()
    app = s.accept(listener)
    old.fin()
    old.expect("A")
    peer = s.peer(40022, to=7022, isn=old.seq + 500000)
    peer.syn()
    stale = peer.expect_shape("A", seq=old.ack, ack=old.seq)
    peer.send("R", seq=stale.ack)
    s.until_state(app, "CLOSE")
    if s.error(app) != errno.EPIPE:
        raise Wrong("the application was not told")


RECORDS = [{
    "client.isn": 1000,
    "open.verdict": "O_3WHS",
    "close.verdict": "C_HALF_OPEN_RESET", "close.by": "client",
    "close.flags": has("RST_AFTER_FIN"),
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpEstabResets": 1, "TcpExtTCPChallengeACK": 1,
            "TcpExtTCPSYNChallenge": 1}
TSHARK = [23, 37]
