# SPDX-License-Identifier: GPL-2.0
"""tcpshake watch, from the moment it observes."""
import json
import os
import signal
import subprocess
import time

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../build/tcpshake")


class Unable(Exception):
    """It does not observe, and says why."""


def ways():
    """The attach points that this kernel allows, as doctor names them. It has none to try where nothing happens to
    come along; those it calls untested."""
    out = subprocess.run([TOOL, "doctor", "--json"], capture_output=True, text=True, check=False).stdout
    return {finding["through"] for finding in json.loads(out)["findings"] if finding["state"] != "missing"}


class Observer:
    def __init__(self, folder, name, *arguments):
        self.out, self.err = (os.path.join(folder, f"{name}.{end}") for end in ("out", "err"))
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen([TOOL, "watch", "--window", "500", *arguments], stdout=out, stderr=err)
        while "watching" not in self.said():
            if self.process.poll() is not None:
                raise Unable(" ".join(self.said().split()))
            time.sleep(0.05)

    def said(self):
        with open(self.err, encoding="utf-8", errors="replace") as file:
            return file.read()

    def text(self):
        with open(self.out, encoding="utf-8", errors="replace") as file:
            return file.read()

    def lines(self, kind):
        """What has been told so far as whole lines, of this type."""
        lines = [json.loads(line) for line in self.text().splitlines(keepends=True) if line.endswith("\n")]
        return [line for line in lines if line["type"] == kind]

    def connections(self):
        return sorted(self.lines("connection"), key=lambda record: record["ts"])

    def memory_kb(self):
        """The most memory that it has had so far."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait()
