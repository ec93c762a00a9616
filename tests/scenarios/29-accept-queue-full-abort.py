# SPDX-License-Identifier: GPL-2.0
"""
With tcp_abort_on_overflow the ACK for which there is no room is answered by RST.

	peer			host
	A: SYN, SYN+ACK, ACK
	B, C: SYN, SYN+ACK
	B: ACK		------>			now listen(1) is full
	C: ACK		------>
			<------	C: RST
"""
from shk import *


def play(s):
    s.sysctl(tcp_syncookies=0, tcp_abort_on_overflow=1)
    s.listen(7029, backlog=1)
    s.peer(40029, to=7029).open()
    fills, refused = s.peer(41029, to=7029), s.peer(42029, to=7029)
    for peer in (fills, refused):
        peer.syn()
        peer.expect("SA")
    fills.send("A")
    refused.send("A")
    refused.expect_shape("R", seq=refused.ack)


RECORDS = [{
    "open.verdict": "O_3WHS",
    "witness.socket": False,    # it is told of when it is accepted or ends
}, {
    "open.verdict": "O_3WHS",
    "witness.socket": False,    # it is told of when it is accepted or ends
}, {
    "client.port": 42029, "server.rst": 1,
    "open.verdict": "O_ACCEPTQ_ABORT",
    "blame.where": "listener",
}]
COUNTERS = {"TcpPassiveOpens": 2, "TcpOutRsts": 1, "TcpExtEmbryonicRsts": 1, "TcpExtListenOverflows": 1,
            "TcpExtListenDrops": 1}
TSHARK = [7, 7, 39]
