# SPDX-License-Identifier: GPL-2.0
"""
A slow and unreliable network between two hosts: legs grow by the delay, and neither loss nor reordering leads to a
wrong verdict.

	host				other host
	SYN, 50 ms	------>
			<------	SYN+ACK
	ACK		------>
	20 connections more: 10 ms +- 5 ms, every fourth segment early, every tenth lost
"""
from shk import *

STAGE = "veth"
TIMES = 20


def exchange(s, listener, port):
    client = s.connect(s.addr + 1, port)
    server = s.other.accept(listener)
    client.send(b"hello")
    s.other.do(server.recv, 100)
    client.close()
    s.other.do(server.recv, 100)
    s.other.do(server.close)


def play(s):
    delayed, rough = s.other.listen(7067), s.other.listen(7167)
    s.netem("delay", "50ms")
    exchange(s, delayed, 7067)
    s.netem("delay", "10ms", "5ms", "reorder", "25%", "loss", "10%")
    for _ in range(TIMES):
        exchange(s, rough, 7167)
    s.until("all are closed", lambda: set(s.sockets_of(7067) + s.sockets_of(7167)) <= {6})


CLOSED = {"open.verdict": "O_3WHS", "close.verdict": one_of("C_4SEG", "C_3SEG"), "close.by": "client",
          "client.bytes": 5, "server.bytes": 0}
RECORDS = [{**CLOSED, "open.legs_ns.syn_synack": ms(50, 500), "open.legs_ns.synack_ack": ms(0, 45)}]
RECORDS += [CLOSED] * TIMES
