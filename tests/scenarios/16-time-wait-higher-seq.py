# SPDX-License-Identifier: GPL-2.0
"""
A SYN whose number is above all that the old connection used takes over its tuple from TIME-WAIT.

	peer			host
	a connection; the host closes first
				TIME-WAIT
	SYN, higher seq	------>
			<------	SYN+ACK		ISN: from Linux 6.10 on the old one's last number + 65537, before by the clock
	ACK		------>
"""
from shk import *


def play(s):
    listener = s.listen(7016)
    old = s.peer(40016, to=7016)
    old.open()
    old.close_after(s.accept(listener))
    peer = s.peer(40016, to=7016, isn=old.seq + 100000)
    peer.open()
    s.accept(listener)
    distance = (peer.last.seq - old.ack) % 2**32
    if s.kernel >= (6, 10) and distance != 65537:
        raise Wrong(f"the new ISN is {distance} beyond the old connection")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "server",
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}, {
    "client.isn": 101002,
    "open.verdict": "O_TW_RECYCLE_PASSIVE",
    "witness.confidence": one_of("certain", "inferred"),
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpPassiveOpens": 2, "TcpExtTW": 1}
CONNTRACK = ["SS SR ES FW LA TW SS SR ES"]
TSHARK = [23, 7]
