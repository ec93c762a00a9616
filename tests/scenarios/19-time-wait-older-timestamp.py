# SPDX-License-Identifier: GPL-2.0
"""
A SYN with a higher number but an older timestamp is refused by PAWS (RFC 7323 5): TIME-WAIT answers by an ACK.

	peer			host
	a connection with timestamps; the host closes first
				TIME-WAIT
	SYN, higher seq, older TSval ->
			<------	ACK		of the old connection
"""
from shk import *


def play(s):
    listener = s.listen(7019)
    old = s.peer(40019, to=7019)
    old.ts = 100000
    old.open()
    old.close_after(s.accept(listener))
    peer = s.peer(40019, to=7019, isn=old.seq + 100000)
    peer.ts = 50000
    peer.syn()
    peer.expect_shape("A", seq=old.ack, ack=old.seq)


EXPIRES = 2
RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "server",
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}, {
    "client.syn": 1,
    "open.verdict": "O_TIMEOUT", "open.flags": has("CHALLENGE"),
    "witness.confidence": "inferred",
    "witness.socket": ANYTHING,
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtTW": 1, "TcpExtPAWSEstab": since("6.16", 0, before=1)}
TSHARK = [23, 5]
