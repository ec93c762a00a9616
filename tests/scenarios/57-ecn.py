# SPDX-License-Identifier: GPL-2.0
"""
ECN asked for in the SYN (RFC 3168 6.1.1), and accurate ECN (RFC 9768), which a Linux that does not know it answers
by plain ECN.

	peer			host
	A: SYN, ECE CWR	------>
			<------	A: SYN+ACK, ECE
	A: ACK		------>
	B: SYN, AE CWR ECE ---->
			<------	B: SYN+ACK, ECE
	B: ACK		------>
	C: SYN		------>
			<------	C: SYN+ACK
	C: ACK		------>
"""
from shk import *


def play(s):
    listener = s.listen(7057)
    for port, flags, answer in ((40057, "SEW", "SAE"), (41057, "SEWN", "SAE"), (42057, "S", "SA")):
        peer = s.peer(port, to=7057)
        peer.send(flags, mss=1460)
        peer.expect(answer)
        peer.send("A")
        s.accept(listener)


RECORDS = [
    {"client.port": 40057, "open.verdict": "O_3WHS", "client.ecn": True, "server.ecn": True},
    {"client.port": 41057, "open.verdict": "O_3WHS", "client.ecn": True, "server.ecn": True},
    {"client.port": 42057, "open.verdict": "O_3WHS", "client.ecn": False, "server.ecn": False},
]
COUNTERS = {"TcpPassiveOpens": 3}
TSHARK = [7, 7, 7]
