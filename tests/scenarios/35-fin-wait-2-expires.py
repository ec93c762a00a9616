# SPDX-License-Identifier: GPL-2.0
"""
The host has closed and the peer never does: an orphan waits in FIN-WAIT-2 for tcp_fin_timeout only. A late FIN
finds nobody.

	peer			host
	SYN, SYN+ACK, ACK
			<------	FIN+ACK		close()
	ACK		------>	FIN-WAIT-2
						2 s later: forgotten
	FIN+ACK		------>
			<------	RST
"""
from shk import *


def play(s):
    s.sysctl(tcp_fin_timeout=2)
    listener = s.listen(7035)
    peer = s.peer(40035, to=7035)
    peer.open()
    s.accept(listener).close()
    peer.answer_fin()
    s.until("the orphan is gone", lambda: s.counter("TcpExtTWKilled") + s.counter("TcpExtTW") == 1)
    s.until("no socket is left", lambda: not s.sockets_of(40035))
    peer.fin()
    peer.expect("R")


RECORDS = [{
    "open.verdict": "O_3WHS",
    "close.verdict": "C_FW2_EXPIRED", "close.by": "server",
    "server.fin": 1,
    "witness.confidence": one_of("certain", "inferred"),
    # Where the end of the minisock is seen the record is told then, before the late FIN.
    "client.fin": one_of(0, 1), "server.rst": one_of(0, 1), "compat.completeness": one_of(23, 55),
}]
COUNTERS = {"TcpPassiveOpens": 1, "TcpOutRsts": 1, "TcpExtTWKilled": 1}
CONNTRACK = ["SS SR ES FW CW LA CL"]
TSHARK = [55]
