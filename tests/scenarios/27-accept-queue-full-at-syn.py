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


EXPIRES = 2
RECORDS = [{
    "witness.socket": todo(True, now=False),    # told of when it is accepted or ends
    "open.verdict": "O_3WHS",
}, {
    "client.port": 41027,
    "open.verdict": todo("O_ACCEPTQ_DROP_SYN", now="O_TIMEOUT"),
    "witness.socket": ANYTHING,
    "witness.confidence": one_of("certain", "inferred"),
    "blame.where": todo("listener", now="local_stack"),
}, {
    "client.port": 42027,
    "open.verdict": todo("O_ACCEPTQ_DROP_SYN", now="O_TIMEOUT"),
    "witness.socket": ANYTHING,
    "witness.confidence": one_of("certain", "inferred"),
    "blame.where": todo("listener", now="local_stack"),
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtListenOverflows": 2, "TcpExtListenDrops": 2}
TSHARK = [7, 1, 1]
