#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Whose connections are these? Programs note what they connect and accept, and the records must agree.

Many processes on all CPUs, tasks that wait in accept() before the observer comes, descriptors handed to
another process before and after. Output is TAP. Needs root.
"""
import array
import ctypes
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402

CLIENTS, SERVERS, EACH, WAITING = 4, 2, 400, 20
HOST = "127.0.0.1"
PR_SET_NAME = 15
IP_BIND_ADDRESS_NO_PORT = 24


def set_name(name):
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


class Notes:
    """What a process did, a line for each end: role, address and port of client and server, pid, name."""

    def __init__(self, directory, name):
        set_name(name)
        self.name = name
        self.file = open(os.path.join(directory, f"{name}-{os.getpid()}"), "a", buffering=1)

    def client(self, s):
        self.note("client", s.getsockname(), s.getpeername())

    def server(self, s):
        self.note("server", s.getpeername(), s.getsockname())

    def note(self, role, client, server):
        self.file.write(json.dumps([role, *client, *server, os.getpid(), self.name]) + "\n")


def connect(port, number=0):
    """Each process from an address of its own: a tuple may come up again, but never in other hands."""
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    s.bind((f"127.0.0.{10 + number}", 0))
    s.connect((HOST, port))
    return s


def finish(s):
    """Close as the second: what was sent has been read."""
    while s.recv(4096):
        pass
    s.close()


def serve(directory, listener, number, total):
    notes = Notes(directory, f"server{number}")
    for _ in range(total):
        s = listener.accept()[0]
        notes.server(s)
        s.sendall(b"x")
        s.shutdown(socket.SHUT_WR)
        finish(s)


def call(directory, number, ports):
    notes = Notes(directory, f"client{number}")
    for port in ports:
        s = connect(port, number + 1)
        notes.client(s)
        finish(s)


def wait_in_accept(directory, listener, ready, go):
    """One process, many tasks that are all inside accept() when the observer comes."""
    notes = Notes(directory, "waiters")
    lock = threading.Lock()

    def task():
        set_name("waiters")
        s = listener.accept()[0]
        with lock:
            notes.server(s)
        s.close()

    tasks = [threading.Thread(target=task) for _ in range(WAITING)]
    for t in tasks:
        t.start()
    states = [f"/proc/self/task/{tid}/wchan" for tid in os.listdir("/proc/self/task")]
    tap.wait_for("tasks in accept()", lambda: sum(is_in_accept(path) for path in states) >= WAITING, 10)
    ready.set()
    go.wait()
    for t in tasks:
        t.join()


def is_in_accept(path):
    try:
        with open(os.path.join(os.path.dirname(path), "syscall"), encoding="ascii") as f:
            return f.read().split()[0] in ("43", "288", "202", "242")  # accept and accept4, x86_64 and arm64
    except OSError:
        return False


def pass_connected(directory, port, receiver):
    """Connects, and leaves the rest to somebody else: it is still the one who connected."""
    notes = Notes(directory, "connector")
    s = connect(port)
    notes.client(s)
    receiver.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])
    s.close()


def receive_connected(directory, channel):
    set_name("receiver")
    _, control, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(4))
    finish(socket.socket(fileno=array.array("i", control[0][2])[0]))


def listen():
    s = socket.socket()
    s.bind((HOST, 0))
    s.listen(1024)
    return s


def start(target, *arguments):
    process = multiprocessing.Process(target=target, args=arguments)
    process.start()
    return process


def work(directory):
    """Inside the namespace. Says on standard output when tasks are waiting, goes on when told to."""
    ready, go = multiprocessing.Event(), multiprocessing.Event()
    waited_for = listen()
    waiters = start(wait_in_accept, directory, waited_for, ready, go)
    ready.wait()
    print("ready", flush=True)
    sys.stdin.readline()
    go.set()

    listeners = [listen() for _ in range(SERVERS)]
    ports = [s.getsockname()[1] for s in listeners]
    total = CLIENTS * EACH // SERVERS
    # The listeners are inherited: who accepts is not who listened.
    processes = [start(serve, directory, s, i, total + (i == 0)) for i, s in enumerate(listeners)]
    processes += [start(call, directory, i, [ports[n % SERVERS] for n in range(EACH)]) for i in range(CLIENTS)]
    processes.append(start(call, directory, CLIENTS, [waited_for.getsockname()[1]] * WAITING))
    here, there = socket.socketpair()
    processes.append(start(receive_connected, directory, there))
    processes.append(start(pass_connected, directory, ports[0], here))
    for process in processes + [waiters]:
        process.join()
        if process.exitcode:
            sys.exit(f"a worker ended with {process.exitcode}")


def read_notes(directory):
    """Who was at each end, and how many notes there are."""
    notes, lines = {}, 0
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), encoding="ascii") as f:
            for line in f:
                *end, pid, comm = json.loads(line)
                notes[tuple(end)] = (pid, comm)
                lines += 1
    return notes, lines


def owner(record, role):
    process = record[role].get("process", {})
    return process.get("pid"), process.get("comm")


def compare(records, notes):
    """Differences, as text."""
    wrong = []
    for r in records:
        for role in ("client", "server"):
            ends = (r["client"]["ip"], r["client"]["port"], r["server"]["ip"], r["server"]["port"])
            wanted = notes.get((role, *ends))
            if owner(r, role) != wanted:
                wrong.append(f"{role} of {ends}: got {owner(r, role)}, wanted {wanted}")
    return wrong


def main():
    if os.geteuid():
        tap.skip_all("root is needed to observe")
    netns = tap.Netns("owners")
    with tempfile.TemporaryDirectory() as directory:
        worker = netns.start([sys.executable, __file__, "--work", directory], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
        worker.stdout.readline()
        watch = tap.Watch(netns, "--window", "200")
        worker.stdin.write("\n")
        worker.stdin.close()
        tap.same("all programs did their work", worker.wait(), 0)
        total = CLIENTS * EACH + WAITING + 1
        tap.wait_for("the records", lambda: watch.closed() >= total)
        tap.same("the reader's account is right", watch.stop(), 0)
        print("\n".join("# " + line for line in watch.said().splitlines()))
        judge(watch.records(), *read_notes(directory), total)
    netns.remove()
    tap.done()


def judge(records, notes, n_notes, total):
    closed = [r for r in records if r["type"] == "connection"]
    summary = records[-1]
    tap.same("a record for each connection", len(closed), total)
    tap.same("both ends of each were noted by somebody", n_notes, 2 * total)
    wrong = compare(closed, notes)
    tap.ok("each end is its process's", not wrong, *wrong[:20])
    tap.same("no port is 0", [r["id"] for r in closed if not (r["client"]["port"] and r["server"]["port"])], [])
    tap.same("how long accept() took is known of each",
             [r["id"] for r in closed if not r["open"]["legs_ns"].get("accept_wait")], [])
    tap.same("both witnesses saw each", {(r["witness"]["wire"], r["witness"]["socket"]) for r in closed},
             {(True, True)})
    tap.same("and they agree", {tuple(r["witness"]["conflicts"]) for r in closed}, {()})
    tap.same("without a doubt", {r["witness"]["confidence"] for r in closed}, {"certain"})
    tap.same("nothing was lost", summary["lost"], 0)
    tap.same("no word of a socket was left over", summary["unmatched"], 0)


if sys.argv[1:2] == ["--work"]:
    work(sys.argv[2])
else:
    main()
