# SPDX-License-Identifier: GPL-2.0
"""
Why ISNs do not start at a constant: a segment of the last connection on the same ports comes once more in the new
one. With constant ISNs and no timestamps its data is delivered; other ISNs or timestamps (PAWS) keep it out.

	host			peer
	SYN, SYN+ACK, ACK
			<------	ACK, "OLD!"
	RST		------>
	SYN, SYN+ACK, ACK			the same ports
			<------	ACK, "OLD!"	the very same segment
"""
from shk import *

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, TCP_SEND_QUEUE = 19, 20, 21, 2
# TCP_REPAIR lets a process choose the ISN of the next connect(); 0 would mean that the kernel chooses.
ISN_IS_1 = [(socket.IPPROTO_TCP, option, value) for option, value in (
    (TCP_REPAIR, 1), (TCP_REPAIR_QUEUE, TCP_SEND_QUEUE), (TCP_QUEUE_SEQ, 1), (TCP_REPAIR, 0))]


def connect(s, port, options, isn, tsval):
    peer = s.peer(port, isn=isn)
    peer.ts = tsval
    sock = s.connect(s.addr + 1, port, bind=8000 + port, options=options, wait=False)
    peer.answer()
    s.until_state(sock, "ESTABLISHED")
    return peer, sock


def read(sock):
    try:
        return sock.recv(100)
    except BlockingIOError:
        return b""


def reset(s, peer, sock):
    s.abort(sock)
    peer.expect("RA")


def close(s, peer, sock):
    """The peer first, so that the host need not wait in TIME-WAIT. Its clock of timestamps goes on."""
    peer.fin()
    peer.expect("A")
    sock.close()
    peer.answer_fin()
    s.until("the port is free", lambda: not s.sockets_of(peer.port))
    s.wait(0.05)


def is_delivered(s, port, options, first, second, end=reset):
    """Two connections, each with the peer's ISN and TSval; is the data of the first delivered in the second?"""
    peer, sock = connect(s, port, options, *first)
    old = {"flags": "PA", "data": b"OLD!", "seq": peer.seq, "ack": peer.ack, "ts": first[1]}
    peer.send(**old)
    peer.seq += 4
    s.until("the data has come", lambda: read(sock) == b"OLD!")
    end(s, peer, sock)
    peer, sock = connect(s, port, options, *second)
    peer.send(**old)
    return read(sock) == b"OLD!"


def play(s):
    s.sysctl(tcp_timestamps=0)
    delivered = [is_delivered(s, 7062, ISN_IS_1, (1000, None), (1000, None)),
                 is_delivered(s, 7162, [], (1000, None), (9000000, None))]
    s.sysctl(tcp_timestamps=1)
    delivered.append(is_delivered(s, 7262, ISN_IS_1, (1000, 1000), (1000, 500000), end=close))
    if delivered != [True, False, False]:
        raise Wrong(f"delivered: {delivered}")


RESET = {"open.verdict": "O_3WHS", "close.verdict": "C_RST_LINGER0", "close.by": "client"}
AGAIN = {"open.verdict": "O_3WHS", "close.verdict": "C_NONE"}
RECORDS = [
    {**RESET, "client.isn": 1, "tuple_reuse": ABSENT},
    {**AGAIN, "client.isn": 1, "tuple_reuse.verdict": "AT_RISK_DATA"},
    {**RESET},
    {**AGAIN, "tuple_reuse.verdict": "SAFE_ISN"},
    # Timestamps do not keep an old RST out (RFC 7323 5.2), so the first of these two has none.
    {"open.verdict": "O_3WHS", "close.verdict": one_of("C_3SEG", "C_4SEG"), "close.by": "server",
     "client.isn": 1},
    # To close first leaves the peer in TIME-WAIT.
    {**AGAIN, "open.verdict": "O_TW_RECYCLE_PASSIVE", "client.isn": 1, "tuple_reuse.verdict": "SAFE_TS",
     "witness.confidence": "inferred"},
]
