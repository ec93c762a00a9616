# SPDX-License-Identifier: GPL-2.0
"""
Segmentation offload: the FIN leaves, and arrives, at the end of a packet of many MSS. Its number is behind the data.

	host				other host
	SYN, SYN+ACK, ACK
	data, FIN	------>			queued until the window opens, so the FIN joins the last of it
	five times, and the same the other way
"""
from shk import *

STAGE = "veth"
SO_SNDBUFFORCE = 32
BYTES = 400000
TIMES = 5


def fill_and_close(sock):
    """More than the other end takes unread, and close() behind it: the FIN joins data that cannot leave yet."""
    sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20)
    sock.sendall(bytes(BYTES))
    sock.shutdown(socket.SHUT_WR)


def drain_and_close(sock):
    while sock.recv(1 << 20):
        pass
    sock.close()


def fins_to(s, port):
    """How much data each FIN carries that was captured on its way to this port."""
    return [packet_payload(data) for _, data in list(s.capture.packets)
            if data[33] & 1 and data[22:24] == struct.pack("!H", port)]


def play(s):
    there, here = s.other.listen(7068), s.listen(7168)
    for _ in range(TIMES):
        out = s.connect(s.addr + 1, 7068)
        reader = s.other.accept(there)
        fill_and_close(out)
        s.other.do(drain_and_close, reader)
    for _ in range(TIMES):
        into = s.other.connect(s.addr, 7168)
        reader = s.accept(here)
        s.other.do(fill_and_close, into)
        drain_and_close(reader)
    s.until("all are closed", lambda: set(s.sockets_of(7068) + s.sockets_from(7168)) <= {6, 10})
    for port in (7068, 7168):
        s.until(f"a FIN to port {port} is captured", lambda port=port: fins_to(s, port))
        # How much the window lets out at once is chance.
        if max(fins_to(s, port)) <= 2 * 1448:
            raise Skip(f"no FIN to port {port} came with more than two MSS of data this time")



CLOSED = {"open.verdict": "O_3WHS", "close.verdict": one_of("C_3SEG", "C_4SEG"), "close.by": "client",
          "client.fin": between(1, 9), "client.bytes": BYTES, "server.bytes": 0}
RECORDS = [{**CLOSED, "server.port": 7068, "local": "client"}] * TIMES
RECORDS += [{**CLOSED, "server.port": 7168, "local": "server"}] * TIMES
