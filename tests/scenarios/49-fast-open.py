# SPDX-License-Identifier: GPL-2.0
"""
TCP Fast Open (RFC 7413) at a listener: a cookie is asked for; data on the SYN with that cookie is taken; with
another cookie it is not.

	peer			host
	A: SYN, empty option	------>
				<------	SYN+ACK, cookie
	A: ACK			------>
	B: SYN, cookie, 5 octets ----->	accept() in SYN-RECEIVED
				<------	SYN+ACK		ack = ISN + 6
	B: ACK			------>
	C: SYN, wrong cookie, 5 octets	>
				<------	SYN+ACK, cookie	ack = ISN + 1
	C: ACK, 5 octets	------>
"""
from shk import *


def play(s):
    s.sysctl(tcp_fastopen=2)
    listener = s.listen(7049, options=[(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 10)])
    asks, has_it, guesses = s.peer(40049, to=7049), s.peer(41049, to=7049), s.peer(42049, to=7049)
    asks.open(tfo=b"")
    cookie = asks.last.options[34]
    s.accept(listener)
    has_it.send("S", b"hello", mss=1460, tfo=cookie)
    has_it.expect_shape("SA", ack=has_it.isn + 6)
    app = s.accept(listener)
    if s.state(app) != "SYN_RECV":
        raise Wrong(f"accepted in {s.state(app)}")
    has_it.send("A")
    s.until_state(app, "ESTABLISHED")
    guesses.send("S", b"hello", mss=1460, tfo=b"12345678")
    guesses.expect_shape("SA", ack=guesses.isn + 1)
    guesses.send("PA", b"hello", seq=guesses.isn + 1)
    s.accept(listener)


RECORDS = [{
    "client.port": 40049, "client.tfo": True, "server.tfo": True,
    "open.verdict": "O_TFO_COOKIE_REQ",
}, {
    "client.port": 41049, "client.tfo": True,
    "open.verdict": "O_TFO_DATA", "open.flags": has("DATA_ON_SYN"),
}, {
    "client.port": 42049, "client.tfo": True,
    "open.verdict": "O_TFO_FALLBACK", "open.flags": has("DATA_ON_SYN"),
}]
COUNTERS = {"TcpPassiveOpens": 3, "TcpExtTCPFastOpenPassive": 1, "TcpExtTCPFastOpenCookieReqd": 1}
TSHARK = [7, 15, 15]
