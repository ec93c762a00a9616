# SPDX-License-Identifier: GPL-2.0
"""
The accept queue fills between SYN+ACK and ACK. The host drops the ACK, and the client believes that it is
connected. It gets in later, with its data, once there is room.

	peer			host
	A: SYN, SYN+ACK, ACK
	B, C, D: SYN, SYN+ACK
	B: ACK		------>
	C: ACK		------>			now listen(2) is full: two may wait, and one more
	D: ACK		------>			dropped
			<------	D: SYN+ACK	again, by the timer
				accept()	room for one
	D: ACK, data	------>
"""
from shk import *


def play(s):
    s.sysctl(tcp_syncookies=0)
    listener = s.listen(7028, backlog=2)
    s.peer(40028, to=7028).open()
    peers = [s.peer(port, to=7028) for port in (41028, 42028, 43028)]
    for peer in peers:
        peer.syn()
        peer.expect("SA")
    for peer in peers:
        peer.send("A")
    late = peers[2]
    late.expect("SA")
    s.accept(listener)
    late.send("PA", b"hello")
    late.expect("A")
    for _ in range(3):
        s.accept(listener)


RECORDS = [{
    "open.verdict": "O_3WHS",
}, {
    "open.verdict": "O_3WHS",
}, {
    "open.verdict": "O_3WHS",
}, {
    "client.port": 43028,
    "server.synack": 2,
    "open.verdict": "O_3WHS", "open.flags": has("SYNACK_RETRANSMIT"),
    "blame.where": "listener",
}]
COUNTERS = {"TcpPassiveOpens": 4, "TcpRetransSegs": 1, "TcpExtListenOverflows": 1, "TcpExtListenDrops": 1}
TSHARK = [7, 7, 7, 15]
