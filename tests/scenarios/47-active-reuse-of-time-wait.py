# SPDX-License-Identifier: GPL-2.0
"""
The host connects again from the port that it left in TIME-WAIT. Its SYN carries the peer's last timestamp, and a
number just beyond the old ones.

	host			peer
	a connection with timestamps, from a bound port; the host closes first
	TIME-WAIT
	SYN		------>			seq = old + 65537, TSecr not 0
			<------	SYN+ACK
	ACK		------>
"""
from shk import *

REUSE = [(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)]


def play(s):
    old = s.peer(7047)
    old.ts = 500
    sock = s.connect(s.addr + 1, 7047, bind=15047, options=REUSE, wait=False)
    old.answer()
    s.until_state(sock, "ESTABLISHED")
    old.close_after(sock)
    s.until("TIME-WAIT", lambda: s.sockets_of(7047) == [6])
    peer = s.peer(7047, isn=old.seq + 100000)
    peer.ts = 600
    sock = s.connect(s.addr + 1, 7047, bind=15047, options=REUSE, wait=False)
    syn = peer.expect_shape("S", seq=old.ack + 65537)
    if syn.ts[1] != 500:
        raise Wrong(f"TSecr {syn.ts[1]} is not the peer's last TSval")
    peer.send("SA", mss=1460)
    peer.expect("A")
    s.until_state(sock, "ESTABLISHED")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "client",
    "compat.conn_state": "SF", "compat.history": "ShAFf",
}, {
    "open.verdict": "O_TW_RECYCLE_ACTIVE",
    "close.verdict": "C_NONE",
}]
COUNTERS = {"TcpActiveOpens": 2, "TcpExtTW": 1, "TcpExtTWRecycled": 1}
TSHARK = [23, 7]
