# SPDX-License-Identifier: GPL-2.0
"""
A SYN cookie with timestamps: the low six bits of TSval carry window scale, SACK and ECN (net/ipv4/syncookies.c),
so the connection loses nothing.

	peer			host
	SYN, mss wscale sack ts ->
			<------	SYN+ACK, mss wscale sack ts
	ACK, ts		------>	accept()
			<------	FIN+ACK
	FIN+ACK		------>
			<------	ACK
"""
from shk import *


def play(s):
    s.sysctl(tcp_syncookies=2, tcp_timestamps=2)    # 2: TSval without a random offset, so its bits can be read
    listener = s.listen(7011)
    peer = s.peer(40011, to=7011)
    peer.ts = 500
    peer.open(sack=True, wscale=9)
    synack_tsval = peer.ts_recent
    if synack_tsval & 0x3F != 9 | 0x10:
        raise Wrong(f"TSval {synack_tsval} does not carry window scale 9 and SACK")
    app = s.accept(listener)
    app.shutdown(socket.SHUT_WR)
    peer.expect("FA")
    peer.fin()
    peer.expect("A")


RECORDS = [{
    "open.verdict": "O_COOKIE", "open.flags": has("COOKIE"),
    "open.cookie.state": "valid", "open.cookie.wscale": 9, "open.cookie.sack": True, "open.cookie.ecn": False,
    "client.wscale": 9, "client.sack": True, "client.timestamps": True,
    "server.sack": True, "server.timestamps": True,
    "close.verdict": "C_3SEG", "close.by": "server",
    "compat.conn_state": "SF", "compat.history": "ShAfFa",
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpExtSyncookiesSent": 1, "TcpExtSyncookiesRecv": 1, "TcpExtTW": 1,
            "TcpExtTCPReqQFullDoCookies": 1}
CONNTRACK = ["SS SR ES FW LA TW"]
TSHARK = [23]
