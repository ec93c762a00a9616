# SPDX-License-Identifier: GPL-2.0
"""
The observer begins when two connections are open already; one of them has seen a FIN. Their ISNs are recovered from
the sockets, and what happens now is told.

	peer			host
	A: SYN, SYN+ACK, ACK, 5 octets
	B: SYN, SYN+ACK, ACK, FIN+ACK, ACK
						the observer begins
			<------	A: FIN+ACK
	A: FIN+ACK	------>
			<------	A: ACK
			<------	B: FIN+ACK
	B: ACK		------>
"""
from shk import *

ALONE = True


def play(s):
    listener = s.listen(7071)
    a, b = s.peer(40071, to=7071, isn=111000), s.peer(41071, to=7071, isn=222000)
    a.open()
    s.notes["isn_a"] = a.last.seq
    app_a = s.accept(listener)
    a.send("PA", b"hello")
    a.expect("A")
    b.open()
    s.notes["isn_b"] = b.last.seq
    app_b = s.accept(listener)
    b.fin()
    b.expect("A")
    s.observe()
    a.close_after(app_a)
    app_b.close()
    b.answer_fin()


def ORDER(record):
    """Both were there before."""
    return record["client"]["port"]


RECORDS = [{
    "client.port": 40071,   # whether the FIN or the snapshot of the sockets is seen first
    "open.verdict": "O_PREEXISTING",
    "client.isn": 111000, "server.isn": noted("isn_a"),
    "close.verdict": "C_3SEG", "close.by": "server",
    "witness.confidence": "partial",
}, {
    "client.port": 41071,
    "open.verdict": "O_PREEXISTING",
    "client.isn": 222000, "server.isn": noted("isn_b"),
    "close.verdict": "C_4SEG", "close.by": "client",
    "witness.confidence": "partial",
}]
