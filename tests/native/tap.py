# SPDX-License-Identifier: GPL-2.0
"""TAP for the tests that run on whatever kernel is there, and an observer to test."""
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, "../../build/tcpshake")
UNABLE = 2  # exit status of tcpshake where this kernel lets it observe nothing

count = 0
failed = 0


def ok(text, good, *details):
    global count, failed
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {text}", flush=True)
    if not good:
        failed += 1
        for detail in details:
            print(f"#   {detail}", flush=True)
    return good


def same(text, got, wanted):
    return ok(text, got == wanted, f"got    {got!r}", f"wanted {wanted!r}")


def done():
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def wait_for(what, true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            print(f"# gave up waiting for {what}")
            return False
        time.sleep(0.02)
    return True


class Netns:
    """A network namespace with lo up, gone with this object."""

    def __init__(self, name):
        self.name = f"{name}{os.getpid()}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        # Without room for TIME-WAIT a late FIN is answered by RST: not what these tests are about.
        self.run(["sysctl", "-qw", "net.ipv4.ip_local_port_range=10240 65535", "net.ipv4.tcp_max_tw_buckets=100000"])

    def run(self, argv, **kwargs):
        return subprocess.run(["ip", "netns", "exec", self.name] + argv, check=True, **kwargs)

    def start(self, argv, **kwargs):
        return subprocess.Popen(["ip", "netns", "exec", self.name] + argv, **kwargs)

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], check=False)


class Watch:
    """A running observer; returns when events flow."""

    def __init__(self, netns, *options):
        self.directory = tempfile.TemporaryDirectory()
        self.out = os.path.join(self.directory.name, "out")
        self.err = os.path.join(self.directory.name, "err")
        with open(self.out, "w", encoding="utf-8") as out, open(self.err, "w", encoding="utf-8") as err:
            self.process = subprocess.Popen([TOOL, "watch", "--json", "--netns", netns.name, *options],
                                            stdout=out, stderr=err)
        wait_for("the observer", lambda: "watching" in self.said() or self.process.poll() is not None)
        if self.process.poll() == UNABLE:
            skip_all("this kernel lets nothing be observed: " + " ".join(self.said().split()))

    def said(self):
        with open(self.err, encoding="utf-8") as err:
            return err.read()

    def records(self):
        with open(self.out, encoding="utf-8") as out:
            return [json.loads(line) for line in out if line.endswith("\n")]

    def closed(self):
        return sum(1 for r in self.records() if r["type"] == "connection")

    def stop(self):
        self.process.send_signal(2)
        return self.process.wait()
