# SPDX-License-Identifier: GPL-2.0
"""
The same SYN gets the same cookie, and a SYN with another number one that differs by as much.

	peer			host
	SYN 1000	------>
			<------	SYN+ACK C
	SYN 1000	------>
			<------	SYN+ACK C
	SYN 112000	------>
			<------	SYN+ACK C + 111000
"""
from shk import *


def play(s):
    s.sysctl(tcp_syncookies=2)
    s.listen(7012)
    peer = s.peer(40012, to=7012)
    cookies = []
    for isn in (1000, 1000, 112000):
        peer.send("S", seq=isn, mss=1460)
        cookies.append(peer.expect("SA").seq)
    if cookies[1] != cookies[0] or (cookies[2] - cookies[0]) % 2**32 not in (111000, 111000 + 2**24):
        raise Wrong(f"cookies {cookies}")   # a minute may have passed: the count is in the upper octet


# No ACK ever comes. A cookie leaves nothing behind, so there is nothing that could expire.
EXPIRES = 2
RECORDS = [{
    "client.isn": 1000,
    "open.verdict": "O_EMBRYO_EXPIRED",  # there was nothing that the next SYN could kill
    "open.flags": has("COOKIE"),
    "client.syn": 2, "client.syn_retransmits": 1,
    "server.synack": 2, "server.synack_retransmits": 1,
    "witness.confidence": "inferred",
    "witness.socket": ANYTHING,
}, {
    "client.isn": 112000,
    "open.verdict": "O_EMBRYO_EXPIRED", "open.flags": has("COOKIE"),
    "witness.confidence": "inferred",
    "witness.socket": ANYTHING,
}]
COUNTERS = {"TcpExtSyncookiesSent": 3, "TcpExtTCPReqQFullDoCookies": 3}
TSHARK = [3, 3]
