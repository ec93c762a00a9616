# SPDX-License-Identifier: GPL-2.0
"""
PAWS refuses only what is older: with the same timestamp and a higher number the SYN is taken out of TIME-WAIT.

	peer			host
	a connection with timestamps; the host closes first
				TIME-WAIT
	SYN, higher seq, same TSval ->
			<------	SYN+ACK
	ACK		------>
"""
from shk import *


def play(s):
    listener = s.listen(7020)
    old = s.peer(40020, to=7020)
    old.ts = 1000
    old.open()
    old.close_after(s.accept(listener))
    peer = s.peer(40020, to=7020, isn=old.seq + 100000)
    peer.ts = 1000
    peer.open()
    s.accept(listener)


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "server",
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}, {
    "open.verdict": "O_TW_RECYCLE_PASSIVE",
    "witness.confidence": one_of("certain", "inferred"),
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpPassiveOpens": 2, "TcpExtTW": 1}
TSHARK = [23, 7]
