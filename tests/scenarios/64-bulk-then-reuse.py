# SPDX-License-Identifier: GPL-2.0
"""
256 MiB in less time than the ISN clock needs to pass them (15.6 MB/s), then the tuple is used again: the new ISN lies
within the old sequence numbers. Without timestamps only the other end's ISN keeps old segments out.

	client			server		over lo, from a bound port
	SYN, SYN+ACK, ACK
	256 MiB		------>
	RST+ACK		------>
	SYN, SYN+ACK, ACK
"""
import threading
import time

from shk import *

STAGE = "lo"
BYTES = 256 << 20
CLOCK_PER_SECOND = 15625000


def receive(sock):
    room, left = bytearray(1 << 20), BYTES
    while left:
        left -= sock.recv_into(room)


def play(s):
    for port, timestamps in ((7064, 0), (7164, 1)):
        s.sysctl(tcp_timestamps=timestamps)
        listener = s.listen(port)
        began = time.monotonic()
        client = s.connect(s.addr, port, bind=8000 + port)
        server = s.accept(listener)
        reader = threading.Thread(target=receive, args=(server,))
        reader.start()
        block = bytes(1 << 20)
        for _ in range(BYTES // len(block)):
            client.sendall(block)
        reader.join()
        s.abort(client)
        s.until_state(server, "CLOSE")
        s.wait(0.05)    # two ticks of the timestamps' clock and more
        s.connect(s.addr, port, bind=8000 + port)
        s.accept(listener)
        overtaken = (time.monotonic() - began) * CLOCK_PER_SECOND < BYTES
        # Timestamps refuse what is old of the client; of the server's last ones nothing is known.
        s.notes[f"verdict{timestamps}"] = "SAFE_BY_PEER_ISN" if overtaken else "SAFE_ISN"


BULK = {"open.verdict": "O_3WHS", "close.verdict": "C_RST_LINGER0", "close.by": "client",
        "client.bytes": BYTES}
RECORDS = [
    BULK,
    {"open.verdict": "O_3WHS", "tuple_reuse.verdict": noted("verdict0")},
    BULK,
    {"open.verdict": "O_3WHS", "tuple_reuse.verdict": noted("verdict1")},
]
