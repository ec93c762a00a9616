# SPDX-License-Identifier: GPL-2.0
"""
An RST ends TIME-WAIT early (RFC 1337), unless tcp_rfc1337 forbids it.

	peer			host
	a connection; the host closes first
				TIME-WAIT
	RST		------>	gone			tcp_rfc1337=0
	the same again
	RST		------>	still TIME-WAIT		tcp_rfc1337=1
"""
from shk import *


def play(s):
    listener = s.listen(7040)
    for port, rfc1337, left in ((40040, 0, []), (41040, 1, [6])):
        s.sysctl(tcp_rfc1337=rfc1337)
        peer = s.peer(port, to=7040)
        peer.open()
        peer.close_after(s.accept(listener))
        s.until("TIME-WAIT", lambda port=port: s.sockets_of(port) == [6])
        peer.send("R")
        s.until(f"TIME-WAIT of port {port} is {left}", lambda port=port, left=left: s.sockets_of(port) == left)


RECORDS = [{
    "client.port": 40040,
    "compat.completeness": one_of(23, 55),      # the record may have been told before the RST
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "server",
    # Likewise: it waits for stragglers only, not for the end of TIME-WAIT.
    "close.legs_ns.time_wait": through("fentry inet_twsk_kill", one_of(ms(0, 60000), ABSENT), without=ABSENT),
}, {
    "client.port": 41040,
    "compat.completeness": one_of(23, 55),
    "open.verdict": "O_3WHS",
    "close.verdict": "C_3SEG", "close.by": "server",
    "close.legs_ns.time_wait": ABSENT,      # it outlives the observer
}]
COUNTERS = {"TcpPassiveOpens": 2, "TcpExtTW": 2}
CONNTRACK = ["SS SR ES FW LA TW CL", "SS SR ES FW LA TW CL"]
TSHARK = [55, 55]
