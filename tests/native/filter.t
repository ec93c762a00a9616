#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A filter leaves the account right: what it rejects is neither seen nor lost. TAP. Needs root."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402

WANTED, OTHERS = 30, 70
TRAFFIC = f"""
import socket
listeners = [socket.create_server(("127.0.0.1", port)) for port in (7001, 7002)]
for i in range({WANTED + OTHERS}):
    listener = listeners[i >= {WANTED}]
    c = socket.create_connection(listener.getsockname())
    a = listener.accept()[0]
    c.close()
    a.close()
"""


def main():
    if os.geteuid():
        tap.skip_all("root is needed to observe")
    netns = tap.Netns("filter")
    for sockets in ([], ["--no-sockets"]):
        watch = tap.Watch(netns, *sockets, "port", "7001")
        netns.run([sys.executable, "-c", TRAFFIC])
        tap.wait_for("the records", lambda w=watch: w.closed() >= WANTED)
        tap.same("the reader's account is right", watch.stop(), 0)
        records = watch.records()
        closed = [r for r in records if r["type"] == "connection"]
        tap.same("all that the filter wants, and nothing else",
                 [r["server"]["port"] for r in closed], [7001] * WANTED)
        tap.same("seen = delivered + lost", records[-1]["seen"], records[-1]["delivered"] + records[-1]["lost"])
    netns.remove()
    tap.done()


main()
