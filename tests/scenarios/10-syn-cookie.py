# SPDX-License-Identifier: GPL-2.0
"""
Every SYN is answered with a SYN cookie (RFC 4987). Without timestamps the SYN+ACK can carry the MSS only.

	peer			host
	SYN, mss wscale sack ->
			<------	SYN+ACK, mss	the host remembers nothing
	ACK		------>	accept()
			<------	FIN+ACK
	FIN+ACK		------>
			<------	ACK
"""
from shk import *


def play(s):
    s.sysctl(tcp_syncookies=2)
    listener = s.listen(7010)
    peer = s.peer(40010, to=7010)
    peer.open(sack=True, wscale=7)
    app = s.accept(listener)
    app.shutdown(socket.SHUT_WR)
    peer.expect("FA")
    peer.fin()
    peer.expect("A")


RECORDS = [{
    "open.verdict": "O_COOKIE", "open.flags": has("COOKIE"),
    "open.cookie.state": "valid", "open.cookie.wscale": ABSENT, "open.cookie.sack": False,  # forgotten
    "client.wscale": 7, "client.sack": True,
    "server.wscale": ABSENT, "server.sack": False,
    "close.verdict": "C_3SEG", "close.by": "server",
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtSyncookiesSent": 1, "TcpExtSyncookiesRecv": 1, "TcpExtTW": 1,
            "TcpExtTCPReqQFullDoCookies": 1}
CONNTRACK = ["SS SR ES FW LA TW"]
TSHARK = [23]
