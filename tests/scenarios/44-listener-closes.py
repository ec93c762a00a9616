# SPDX-License-Identifier: GPL-2.0
"""
A listener closes while one connection waits to be accepted and another one's handshake is not complete.

	peer			host
	A: SYN, SYN+ACK, ACK			not accepted
	B: SYN, SYN+ACK
						close() of the listener
			<------	A: RST+ACK
	B: ACK		------>
			<------	B: RST
"""
from shk import *


def play(s):
    listener = s.listen(7044)
    waits, half = s.peer(40044, to=7044), s.peer(41044, to=7044)
    waits.open()
    half.syn()
    half.expect("SA")
    s.until("the connection waits", lambda: s.counter("TcpPassiveOpens") == 1)
    listener.close()
    waits.expect("RA")
    half.send("A")
    half.expect("R")


RECORDS = [{
    "client.port": 40044,
    "witness.confidence": one_of("certain", "inferred"),
    "open.verdict": "O_3WHS",
    "close.verdict": "C_RST_LISTENER_CLOSE", "close.by": "server",
    "blame.where": "application",
    "witness.confidence": one_of("inferred", "certain"),    # that nobody accepted it is not seen
}, {
    "client.port": 41044,
    "witness.socket": ANYTHING,
    # A kernel that gives no reason leaves the time between ACK and RST, and a slow machine not even that.
    "open.verdict": since("6.10", "O_LISTENER_CLOSED", before=one_of("O_EMBRYO_RST", "O_3WHS")),
    "blame.where": since("6.10", "application", before=one_of("listener", "local_stack")),
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpEstabResets": 1, "TcpOutRsts": 2}
CONNTRACK = ["SS SR ES CL", "SS SR ES CL"]
TSHARK = [39, 39]
