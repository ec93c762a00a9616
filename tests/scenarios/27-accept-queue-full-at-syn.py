# SPDX-License-Identifier: GPL-2.0
"""
Nobody accepts, and the accept queue is full: further SYNs are dropped without a word.

	peer			host
	SYN, SYN+ACK, ACK			fills listen(0)
	SYN		------>			dropped
	SYN		------>			from another port: dropped
"""
from shk import *


def play(s):
    s.listen(7027, backlog=0)
    s.peer(40027, to=7027).open()
    for port in (41027, 42027):
        peer = s.peer(port, to=7027)
        peer.syn()
        peer.silence(0.2)


# Nothing but the listener's own queue tells why: where that can't be seen, it is only known that the SYN arrived.
SEEN = "fentry tcp_conn_request"
DROPPED = {
    "open.verdict": through(SEEN, "O_ACCEPTQ_DROP_SYN", without="O_TIMEOUT"),
    "witness.socket": through(SEEN, True, without=False),
    "witness.confidence": "inferred",
    "blame.where": through(SEEN, "listener", without="local_stack"),
}
EXPIRES = 2
RECORDS = [{
    "witness.socket": False,    # it is told of when it is accepted or ends
    "open.verdict": "O_3WHS",
}, {**DROPPED, "client.port": 41027}, {**DROPPED, "client.port": 42027}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtListenOverflows": 2, "TcpExtListenDrops": 2}
TSHARK = [7, 1, 1]
