# SPDX-License-Identifier: GPL-2.0
"""
Multipath TCP (RFC 8684) between two sockets of the host. The data stream closes by DATA_FIN, before any FIN.

	client			server		over lo
	SYN, MP_CAPABLE	------>
			<------	SYN+ACK, MP_CAPABLE
	ACK, MP_CAPABLE	------>
	5 octets, both close
"""
from shk import *

STAGE = "lo"
IPPROTO_MPTCP = 262


def play(s):
    try:
        listener = s.listen(7058, protocol=IPPROTO_MPTCP)
    except OSError as error:
        raise Skip(f"no MPTCP here: {error.strerror}") from error
    client = s.connect(s.addr, 7058, protocol=IPPROTO_MPTCP)
    server = s.accept(listener)
    client.send(b"hello")
    server.recv(100)
    client.close()
    if server.recv(100) != b"":
        raise Wrong("the end of the data has not come")
    server.close()
    s.until("both ends are closed", lambda: set(s.sockets_of(7058) + s.sockets_from(7058)) <= {6, 10})


RECORDS = [{
    "local": "both",
    "client.mptcp": True, "server.mptcp": True,
    "open.verdict": "O_3WHS",
    "close.verdict": one_of("C_4SEG", "C_3SEG", "C_SIMULTANEOUS"),
}]
