#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A packet that gets another destination on its way is told under both, each with its own hooks. TAP. Needs root."""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402

N = 20
RULES = """table inet translation {
    chain out {
        type nat hook output priority -100
        ip daddr 127.0.0.9 tcp dport 7009 dnat to 127.0.0.1:7001
        ip6 daddr fd00::9 tcp dport 7009 dnat to [fd00::1]:7001
    }
}
"""
TRAFFIC = f"""
import socket
for family, own, called in ((socket.AF_INET, "127.0.0.1", "127.0.0.9"), (socket.AF_INET6, "fd00::1", "fd00::9")):
    listener = socket.create_server((own, 7001), family=family)
    for i in range({N}):
        c = socket.socket(family)
        c.bind((own, 0))
        c.connect((called, 7009))
        a = listener.accept()[0]
        c.close()
        a.recv(1)
        a.close()
"""


def main():
    if os.geteuid():
        tap.skip_all("root is needed to observe")
    netns = tap.Netns("translation")
    for address in ("fd00::1/128", "fd00::9/128"):
        netns.run(["ip", "addr", "add", address, "dev", "lo", "nodad"])
    try:
        netns.run(["nft", "-f", "-"], input=RULES, text=True)
    except subprocess.CalledProcessError:
        netns.remove()
        tap.skip_all("this kernel translates no addresses")
    watch = tap.Watch(netns, "--no-sockets")
    netns.run([sys.executable, "-c", TRAFFIC])
    tap.wait_for("the records", lambda: watch.closed() >= 4 * N)
    tap.same("the reader's account is right", watch.stop(), 0)
    closed = [r for r in watch.records() if r["type"] == "connection"]
    for called, own in (("127.0.0.9", "127.0.0.1"), ("fd00::9", "fd00::1")):
        for ip, port, local in ((called, 7009, "client"), (own, 7001, "server")):
            mine = [r for r in closed if (r["server"]["ip"], r["server"]["port"]) == (ip, port)]
            tap.same(f"{ip} port {port}: as many as there were, on the side of the {local}",
                     [r["local"] for r in mine], [local] * N)
            tap.same(f"{ip} port {port}: opened as they were", {r["open"]["verdict"] for r in mine}, {"O_3WHS"})
    netns.remove()
    tap.done()


main()
