# SPDX-License-Identifier: GPL-2.0
"""
A socket bound to the port that it connects to, on its own address, gets its own SYN: a connection with one end.

	host
	SYN		------>	itself
	SYN+ACK		------>	itself
	FIN+ACK		------>	itself
	ACK		------>	itself
"""
from shk import *

STAGE = "lo"


def play(s):
    sock = s.connect(s.addr, 7015, bind=7015)
    sock.shutdown(socket.SHUT_WR)
    s.until("socket done", lambda: s.counter("TcpExtTW") or s.state(sock) in ("TIME_WAIT", "CLOSE"))


RECORDS = [{
    "open.verdict": "O_SELF",
    "local": "both",
    "close.verdict": "C_SIMULTANEOUS", "close.by": "both",
}]
