# SPDX-License-Identifier: GPL-2.0
"""
The peer has lost its memory and connects again from the same port (RFC 9293 3.5.1, figure 9). The host answers the
SYN by a challenge ACK (RFC 5961 4.2), the peer resets that, and its next SYN opens.

	peer			host
	SYN, SYN+ACK, ACK
	(forgets)
	SYN		------>			another number
			<------	ACK		of the old connection
	RST		------>			error ECONNRESET
	SYN		------>
			<------	SYN+ACK
	ACK		------>
"""
import errno

from shk import *


def play(s):
    listener = s.listen(7021)
    old = s.peer(40021, to=7021)
    old.open()
    app = s.accept(listener)
    peer = s.peer(40021, to=7021, isn=old.seq + 500000)
    peer.syn()
    stale = peer.expect_shape("A", seq=old.ack, ack=old.seq)
    peer.send("R", seq=stale.ack)
    s.until_state(app, "CLOSE")
    if s.error(app) != errno.ECONNRESET:
        raise Wrong("the application was not told of a reset")
    peer.send("S", seq=peer.isn, mss=1460)
    peer.expect("SA")
    peer.send("A")
    s.accept(listener)


# For tshark the new SYN is a new stream, and the RST that ends the old connection part of it.
RECORDS = [{
    "client.isn": 1000,
    "open.verdict": "O_3WHS",
    "close.verdict": "C_HALF_OPEN_RESET", "close.by": "client",
}, {
    "client.isn": 501001,
    "open.verdict": "O_3WHS",
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpPassiveOpens": 2, "TcpEstabResets": 1, "TcpInErrs": 1, "TcpExtTCPChallengeACK": 1,
            "TcpExtTCPSYNChallenge": 1}
TSHARK = [7, 39]
