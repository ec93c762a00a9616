# SPDX-License-Identifier: GPL-2.0
"""
An ACK that carries no valid cookie is refused.

	peer			host
	SYN		------>
			<------	SYN+ACK C
	ACK C + 556	------>
			<------	RST C + 556
"""
from shk import *


def play(s):
    s.sysctl(tcp_syncookies=2)
    s.listen(7013)
    peer = s.peer(40013, to=7013)
    peer.syn()
    synack = peer.expect("SA")
    wrong = (synack.seq + 556) % 2**32
    peer.send("A", ack=wrong)
    if peer.expect("R").seq != wrong:
        raise Wrong(f"not the shape of a reply to an ACK: {peer.last}")


EXPIRES = 1
RECORDS = [{
    "witness.socket": ANYTHING,
    "witness.confidence": one_of("certain", "inferred"),
    "open.verdict": "O_EMBRYO_EXPIRED",
    "open.flags": has("COOKIE"), "open.cookie.state": "invalid",
    "open.checks.synack_acks_syn": True,
    "compat.conn_state": "RSTR", "compat.history": "ShAr",
}]
COUNTERS = {"TcpOutRsts": 1, "TcpExtSyncookiesSent": 1, "TcpExtSyncookiesFailed": 1, "TcpExtTCPReqQFullDoCookies": 1}
TSHARK = [39]
