# SPDX-License-Identifier: GPL-2.0
"""
Without SYN cookies a full SYN queue drops SYNs. It is full when more wait than listen() allows: listen(1) takes two.

	peer			host
	A: SYN, SYN+ACK
	B: SYN, SYN+ACK
	C: SYN		------>			dropped
"""
from shk import *


def play(s):
    s.sysctl(tcp_syncookies=0, tcp_synack_retries=0)
    s.listen(7030, backlog=1)
    for port in (40030, 41030):
        peer = s.peer(port, to=7030)
        peer.syn()
        peer.expect("SA")
    dropped = s.peer(42030, to=7030)
    dropped.syn()
    dropped.silence(0.2)


# As in 27: where the listener's queue can't be seen, it is only known that the SYN arrived.
SEEN = "fentry tcp_conn_request"
EXPIRES = 3
RECORDS = [{
    "open.verdict": "O_EMBRYO_EXPIRED",
    "witness.socket": ANYTHING,
    "witness.confidence": one_of("certain", "inferred"),
}, {
    "open.verdict": "O_EMBRYO_EXPIRED",
    "witness.socket": ANYTHING,
    "witness.confidence": one_of("certain", "inferred"),
}, {
    "client.port": 42030,
    "open.verdict": through(SEEN, "O_SYNQ_DROP", without="O_TIMEOUT"),
    "witness.socket": ANYTHING,
    "witness.confidence": one_of("certain", "inferred"),
    "blame.where": through(SEEN, "listener", without="local_stack"),
}]
COUNTERS = {"TcpExtTCPReqQFullDrop": 1, "TcpExtListenDrops": 1}
TSHARK = [3, 3, 1]
