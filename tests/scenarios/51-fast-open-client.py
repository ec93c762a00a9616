# SPDX-License-Identifier: GPL-2.0
"""
TCP_FASTOPEN_CONNECT: with a cookie at hand, connect() sends nothing; the SYN leaves with the first data. The legs
begin there.

	host				peer
	A: SYN, empty option	------>
				<------	SYN+ACK, cookie
	A: ACK			------>
	A: reset
	connect()				0.3 s
	B: SYN, cookie, 5 octets ------>
				<------	SYN+ACK		ack = ISN + 6
	B: ACK			------>
"""
from shk import *

TCP_FASTOPEN_CONNECT = 30


def play(s):
    s.sysctl(tcp_fastopen=1)
    options = [(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)]
    peer = s.peer(7051)
    sock = s.connect(s.addr + 1, 7051, options=options, wait=False)
    peer.expect("S")
    peer.send("SA", mss=1460, tfo=b"biscuits")
    peer.expect("A")
    s.until_state(sock, "ESTABLISHED")
    s.abort(sock)
    peer.expect("RA")
    peer = s.peer(7051)
    sock = s.connect(s.addr + 1, 7051, options=options, wait=False)
    s.wait(0.3)
    sock.send(b"hello")
    syn = peer.expect("S")
    if syn.payload != b"hello" or syn.options[34] != b"biscuits":
        raise Wrong(f"not a Fast Open: {syn} {syn.options}")
    peer.send("SA", mss=1460)
    peer.expect("A")


RECORDS = [{
    "open.verdict": "O_TFO_COOKIE_REQ",
    "client.tfo": True, "server.tfo": True,
}, {
    "open.verdict": "O_TFO_DATA",
    "client.tfo": True,
    "open.legs_ns.total": ms(0, 250),
}]
COUNTERS = {"TcpActiveOpens": 2, "TcpEstabResets": 1, "TcpOutRsts": 1, "TcpExtTCPFastOpenActive": 1,
            "TcpExtTCPAbortOnData": 1}
TSHARK = [39, 15]
