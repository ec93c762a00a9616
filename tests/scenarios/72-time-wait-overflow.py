# SPDX-License-Identifier: GPL-2.0
"""
There are as many TIME-WAITs as tcp_max_tw_buckets allows: who closes first forgets the connection at once.

	peer			host
	A: a connection; the host closes first
				TIME-WAIT
	B: SYN, SYN+ACK, ACK
			<------	FIN+ACK
	FIN+ACK		------>
			<------	ACK			closed
"""
from shk import *


def play(s):
    s.sysctl(tcp_max_tw_buckets=1)
    listener = s.listen(7072)
    for port, left in ((40072, [6]), (41072, [])):
        peer = s.peer(port, to=7072)
        peer.open()
        peer.close_after(s.accept(listener))
        s.until(f"what is left of port {port} is {left}", lambda port=port, left=left: s.sockets_of(port) == left)


CLOSED = {"open.verdict": "O_3WHS", "close.by": "server"}
RECORDS = [
    {**CLOSED, "client.port": 40072, "close.verdict": "C_3SEG"},
    # On the wire it is a close like any other.
    {**CLOSED, "client.port": 41072,
     "close.verdict": through("fexit inet_twsk_alloc", "C_TW_OVERFLOW", without="C_3SEG"),
     "blame.where": through("fexit inet_twsk_alloc", "local_stack", without=ABSENT)},
]
COUNTERS = {"TcpPassiveOpens": 2, "TcpExtTW": between(1, 2), "TcpExtTCPTimeWaitOverflow": 1}
TSHARK = [23, 23]
