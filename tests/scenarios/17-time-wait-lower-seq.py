# SPDX-License-Identifier: GPL-2.0
"""
A SYN whose number is below what the old connection used is answered from TIME-WAIT by an ACK. The client resets
that, which ends TIME-WAIT (RFC 1337), and its next SYN is taken: a connect() that stalls for a second.

	peer			host
	a connection; the host closes first
				TIME-WAIT
	SYN, lower seq	------>
			<------	ACK		of the old connection
	RST		------>
	SYN		------>			1 s later
			<------	SYN+ACK
	ACK		------>
"""
from shk import *


def play(s):
    listener = s.listen(7017)
    old = s.peer(40017, to=7017, isn=500000)
    old.open()
    old.close_after(s.accept(listener))
    peer = s.peer(40017, to=7017, isn=1000)
    peer.syn()
    stale = peer.expect_shape("A", seq=old.ack, ack=old.seq)
    peer.send("R", seq=stale.ack)
    s.wait(1)
    peer.send("S", seq=1000, mss=1460)
    peer.expect("SA")
    peer.send("A")
    s.accept(listener)


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "server",
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}, {
    "client.isn": 1000, "client.syn": 2, "client.rst": 1,
    "open.verdict": "O_TW_ACK_RST_RETRY",
    "open.flags": has("SYN_RETRANSMIT", "CHALLENGE"),
    "open.legs_ns.total": ms(1000, 3000),
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpPassiveOpens": 2, "TcpExtTW": 1}
TSHARK = [23, 39]
