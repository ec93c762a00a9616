# SPDX-License-Identifier: GPL-2.0
"""
400 connections on as many tuples, but for a few that come up again: what is left of the ISNs without their clock is
spread evenly over 32 bits.

	client			server		over lo, from 400 ports
	SYN, SYN+ACK, ACK
	RST+ACK		------>
"""
from shk import *

STAGE = "lo"
TIMES = 400
TICK_NS = 64
CHI_SQUARE_MAX = 57     # 15 degrees of freedom: exceeded once in a million runs


def play(s):
    listener = s.listen(7066)
    for _ in range(TIMES):
        client = s.connect(s.addr, 7066)
        server = s.accept(listener)
        s.abort(client)
        s.until_state(server, "CLOSE")
        server.close()


def check(records, _result):
    complaints = []
    for end in ("client", "server"):
        cells = [0] * 16
        for record in records:
            cells[((record[end]["isn"] - record["ts"] // TICK_NS) % 2**32) >> 28] += 1
        expected = len(records) / 16
        chi_square = sum((n - expected) ** 2 / expected for n in cells)
        if chi_square > CHI_SQUARE_MAX:
            complaints.append(f"the ISNs of the {end} are not spread evenly: {cells}, chi square {chi_square:.1f}")
    return complaints


RECORDS = [{"open.verdict": "O_3WHS", "close.by": "client", "tuple_reuse": ANYTHING}] * TIMES
