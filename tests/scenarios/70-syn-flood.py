# SPDX-License-Identifier: GPL-2.0
"""
A flood of SYNs from ports that never answer, and one honest client in the midst of it, served by a SYN cookie. What
the observer could not take is counted, its memory has a bound, and the honest connection is told of.

	peer			host
	SYN		------>	10000 times, from as many ports
			<------	SYN+ACK		with a cookie once the SYN queue is full
	honest: SYN, SYN+ACK, ACK, close
"""
from shk import *

ALONE = True
CAPTURE = False
HALF = 5000
FLOWS_MAX = 1024
MEMORY_MAX_KB = 200000


def flood(s, first_port):
    for port in range(first_port, first_port + HALF):
        s.peer(port, to=7070).syn()
        s.wire.discard()


def play(s):
    listener = s.listen(7070, backlog=64)
    s.observe("--flows-max", str(FLOWS_MAX))
    flood(s, 10000)
    honest = s.peer(65070, to=7070)
    honest.open()
    honest.close_after(s.accept(listener))
    flood(s, 30000)
    s.notes["memory_kb"] = s.observer.memory_kb()


def check(records, result):
    summary, told = result["summary"], len(records)
    honest = [r for r in records if r["client"]["port"] == 65070]
    expired = sum(summary["by_open"][verdict] for verdict in ("O_EMBRYO_EXPIRED", "O_TIMEOUT"))
    rules = [
        ("seen is not delivered + lost", summary["seen"] == summary["delivered"] + summary["lost"]),
        ("too few connections were told of", told + summary["lost"] > 2 * HALF),
        ("the table was not full", summary["evicted"] + expired + summary["lost"] >= 2 * HALF - FLOWS_MAX),
        (f"it took {result['notes']['memory_kb']} kB", result["notes"]["memory_kb"] < MEMORY_MAX_KB),
        ("no cookie was sent", result["counters"]["TcpExtSyncookiesSent"] > HALF),
        ("the honest client is missing", summary["lost"] or len(honest) == 1),
        ("a verdict without a handshake", all(r["open"]["verdict"] not in ("O_3WHS", "O_COOKIE") for r in records
                                             if r["client"]["port"] != 65070)),
        ("a record that misses events is certain", all(r["witness"]["confidence"] == "partial" for r in records
                                                      if r["witness"]["lost"])),
    ]
    rules += [(f"the honest client: {r['open']['verdict']}, {r['close']['verdict']}", r["witness"]["lost"] or (
        r["open"]["verdict"] in ("O_3WHS", "O_COOKIE") and r["close"]["verdict"] == "C_3SEG")) for r in honest]
    return [f"{text}: {summary}" for text, holds in rules if not holds]


RECORDS = None
