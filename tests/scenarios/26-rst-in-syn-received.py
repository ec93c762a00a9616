# SPDX-License-Identifier: GPL-2.0
"""
An RST with exactly the expected number ends a request; one that is merely in the window is challenged first
(RFC 5961 3.2).

	peer			host
	SYN		------>
			<------	SYN+ACK
	RST, seq + 100	------>
			<------	ACK
	RST, exact	------>
"""
from shk import *


def play(s):
    s.listen(7026)
    exact = s.peer(40026, to=7026)
    exact.syn()
    exact.expect("SA")
    exact.send("R")
    inexact = s.peer(41026, to=7026)
    inexact.syn()
    inexact.expect("SA")
    inexact.send("R", seq=inexact.seq + 100)
    inexact.expect("A")
    inexact.send("R")
    s.until("both requests are gone", lambda: s.counter("TcpAttemptFails") == 2)


RECORDS = [{
    "witness.socket": ANYTHING, "client.port": 40026, "client.rst": 1,
    "open.verdict": "O_EMBRYO_RST",
    "compat.conn_state": "RSTO", "compat.history": "ShR",
}, {
    "witness.socket": ANYTHING, "client.port": 41026, "client.rst": 2,
    "open.verdict": "O_EMBRYO_RST",
}]
COUNTERS = {"TcpAttemptFails": 2, "TcpExtEmbryonicRsts": 2, "TcpExtTCPChallengeACK": 1}
TSHARK = [35, 39]
