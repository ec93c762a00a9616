# SPDX-License-Identifier: GPL-2.0
"""
This host's own firewall drops a SYN on its way in, and another on its way out.

	peer			host
	A: SYN		------>	nft drops it before LISTEN
				B: connect(): nft drops the SYN on its way out
"""
from shk import *


def play(s):
    s.nft("""table inet wall {
        chain in { type filter hook input priority 0; tcp dport 7060 drop; }
        chain out { type filter hook output priority 0; tcp dport 7061 drop; }
    }""")
    s.sysctl(tcp_syn_retries=1)
    if s.kernel >= (6, 5):
        s.sysctl(tcp_syn_linear_timeouts=0)
    s.listen(7060)
    peer = s.peer(40060, to=7060)
    peer.syn()
    peer.silence(0.2)
    sock = s.connect(s.addr + 1, 7061, wait=False)
    s.until_state(sock, "CLOSE")


EXPIRES = 2
RECORDS = [{
    "server.port": 7060,
    "witness.socket": ANYTHING,
    "open.verdict": "O_NF_DROP_IN",
    "blame.where": "local_firewall",
    "witness.confidence": one_of("certain", "inferred"),
}, {
    "server.port": 7061, "client.syn": 2,
    "open.verdict": "O_NF_DROP_OUT",
    "blame.where": "local_firewall",
    "witness.confidence": one_of("certain", "inferred"),
}]
COUNTERS = {"TcpActiveOpens": 1, "TcpAttemptFails": 1, "TcpRetransSegs": one_of(0, 1), "TcpExtTCPAbortOnTimeout": 1}
TSHARK = [1]    # packet sockets stand before the input hooks and behind the output hooks
