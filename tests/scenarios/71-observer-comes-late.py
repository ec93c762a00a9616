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
    """Both were there before; and today each end may be taken for the client."""
    return max(record["client"]["port"], record["server"]["port"])


RECORDS = [{
    "client.port": todo(40071, now=7071),     # the FIN may be seen before it is known who listens
    "open.verdict": "O_PREEXISTING",
    "client.isn": todo(111000, now=noted("isn_a")), "server.isn": todo(noted("isn_a"), now=111000),
    "close.verdict": "C_3SEG", "close.by": todo("server", now="client"),
    "witness.confidence": "partial",
}, {
    "client.port": todo(41071, now=7071),
    "open.verdict": "O_PREEXISTING",
    "client.isn": todo(222000, now=noted("isn_b")), "server.isn": todo(noted("isn_b"), now=222000),
    "close.verdict": todo("C_4SEG", now="C_HALF_CLOSED"), "close.by": todo("client", now="server"),
    "witness.confidence": "partial",
}]
