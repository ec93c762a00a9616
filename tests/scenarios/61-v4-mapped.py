# SPDX-License-Identifier: GPL-2.0
"""
A listener for IPv6 takes an IPv4 connection; the record has the IPv4 addresses.

	peer			host
	SYN, SYN+ACK, ACK	listen(::)
			<------	FIN+ACK
	FIN+ACK		------>
			<------	ACK
"""
from shk import *


def play(s):
    listener = s.listen(7061, family=socket.AF_INET6)
    peer = s.peer(40061, to=7061)
    peer.open()
    peer.close_after(s.accept(listener))


RECORDS = [{
    "client.ip": "10.71.61.2", "server.ip": "10.71.61.1",
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "server",
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtTW": 1}
TSHARK = [23]
