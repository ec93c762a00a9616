# SPDX-License-Identifier: GPL-2.0
"""
A SYN with a lower number but a newer timestamp is taken out of TIME-WAIT (RFC 6191).

	peer			host
	a connection with timestamps; the host closes first
				TIME-WAIT
	SYN, lower seq, newer TSval ->
			<------	SYN+ACK
	ACK		------>
"""
from shk import *


def play(s):
    listener = s.listen(7018)
    old = s.peer(40018, to=7018, isn=500000)
    old.ts = 1000
    old.open()
    old.close_after(s.accept(listener))
    peer = s.peer(40018, to=7018, isn=1000)
    peer.ts = 2000
    peer.open()
    s.accept(listener)


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "server",
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}, {
    "client.isn": 1000,
    "open.verdict": "O_TW_RECYCLE_PASSIVE",
    "witness.confidence": one_of("certain", "inferred"),
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpPassiveOpens": 2, "TcpExtTW": 1}
TSHARK = [23, 7]
