# SPDX-License-Identifier: GPL-2.0
"""
Before the handshake is complete, a SYN with another number inside the window comes from the same port: the host
answers by RST and forgets the first request.

	peer			host
	SYN 1000	------>
			<------	SYN+ACK
	SYN 11000	------>
			<------	RST+ACK 11001
"""
from shk import *


def play(s):
    s.listen(7006)
    peer = s.peer(40006, to=7006)
    peer.syn()
    peer.expect("SA")
    peer.send("S", seq=11000, mss=1460)
    if peer.expect("RA").ack != 11001:
        raise Wrong(f"the RST acknowledges {peer.last.ack}")


RECORDS = [{
    "client.isn": 1000,
    "open.verdict": "O_EMBRYO_KILLED_BY_SYN",
    "witness.socket": ANYTHING,
    "witness.confidence": one_of("certain", "inferred"),
}, {
    "client.isn": 11000,
    "open.verdict": "O_REFUSED",
    "witness.socket": ANYTHING,
}]
COUNTERS = {"TcpAttemptFails": 1, "TcpOutRsts": 1, "TcpExtEmbryonicRsts": 1}
CONNTRACK = ["SS SR CL"]
TSHARK = [3, 37]
