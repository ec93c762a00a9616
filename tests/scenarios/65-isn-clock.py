# SPDX-License-Identifier: GPL-2.0
"""
60 connections on one tuple: the ISNs of each end follow a clock of 64 ns (RFC 9293 3.4.1; net/core/secure_seq.c).

	client			server		over lo, from a bound port
	SYN, SYN+ACK, ACK
	RST+ACK		------>
"""
from shk import *

STAGE = "lo"
TIMES = 60
TICK_NS, NEAR_NS, FAR_NS = 64, 20000000, 2000000000


def play(s):
    listener = s.listen(7065)
    for _ in range(TIMES):
        client = s.connect(s.addr, 7065, bind=15065)
        server = s.accept(listener)
        s.abort(client)
        s.until_state(server, "CLOSE")
        server.close()


def check(records, _result):
    """ISN - time is the tuple's constant, but for what passed between the choice of the ISN and the hook."""
    complaints = []
    for end, leg in (("client", 0), ("server", "syn_synack")):
        offsets = [(r[end]["isn"] - (r["ts"] + (r["open"]["legs_ns"][leg] if leg else 0)) // TICK_NS) % 2**32
                   for r in records]
        middle = sorted((o - offsets[0] + 2**31) % 2**32 for o in offsets)[len(offsets) // 2] - 2**31 + offsets[0]
        off = [abs((o - middle + 2**31) % 2**32 - 2**31) * TICK_NS for o in offsets]
        near, far = sum(ns <= NEAR_NS for ns in off), sum(ns > FAR_NS for ns in off)
        # A host may stand still between the two, but not always. By chance a number is near once in 6000 times.
        if near < TIMES // 2 or far:
            complaints.append(f"of {TIMES} ISNs of the {end} {near} are on the clock, and {far} far off")
    return complaints


RECORDS = [{"open.verdict": "O_3WHS", "close.by": "client"}] * TIMES
