# SPDX-License-Identifier: GPL-2.0
"""
One tuple is used 50 times in a row, each connection reset at once, so there is no TIME-WAIT. The clock in the ISNs
keeps old segments out, without timestamps.

	client			server		over lo, from a bound port
	SYN, SYN+ACK, ACK
	ACK, 1 octet	------>
	RST+ACK		------>
"""
from shk import *

STAGE = "lo"
TIMES = 50


def play(s):
    s.sysctl(tcp_timestamps=0)
    listener = s.listen(7063)
    for _ in range(TIMES):
        client = s.connect(s.addr, 7063, bind=15063)
        server = s.accept(listener)
        client.send(b"x")
        server.recv(10)
        s.abort(client)
        s.until_state(server, "CLOSE")
        server.close()


USED = {"open.verdict": "O_3WHS", "close.verdict": "C_RST_LINGER0", "close.by": "client",
        "client.bytes": 1, "local": "both"}
RECORDS = [{**USED, "tuple_reuse": ABSENT}]
RECORDS += [{**USED, "tuple_reuse.verdict": "SAFE_ISN"}] * (TIMES - 1)
TSHARK = [47] * TIMES
